// The headers of a tar, one after the other, for tars that hold plain files only (see volume.c for
// those that hold more). Source: POSIX.1-2017, pax, "ustar Interchange Format"; sizes above 8 GB in
// base 256 as GNU tar and pg_dump write them.
#pragma once

#include "dump/source.h"

#define USTAR_BLOCK ((size_t)512)
#define USTAR_NAME_SIZE 101

struct ustar_member {
    char name[USTAR_NAME_SIZE];
    uint64_t size;
};

// *ret_ended after the two blocks of zeros that end a tar, and zeros to the source's end.
bool ustar_next(struct source *source, struct ustar_member *ret_member, bool *ret_ended,
                struct error *err) must_use;
// What fills up the last block of a member: zeros.
bool ustar_skip_padding(struct source *source, uint64_t size, struct error *err) must_use;

// Could a tar of plain files begin with this block?
bool ustar_recognises(const uint8_t *head, size_t length, const char *first_name);
