// The second reading: of which objects rows are noted (value/row_notes.h), because their sums
// differ, and what that says (value/row_findings.h).
//
//   fingerprints ──> row_hunt ──> a fingerprint's option ──> notes ──> lines for each object
#pragma once

#include "base/cleanup.h"
#include "base/text.h"
#include "value/fingerprint.h"
#include "value/row_notes.h"

#define ROW_HUNT_OBJECTS 20 // whose rows are looked for; more are not

struct row_hunt_object {
    char *kind, *name;
    struct row_notes *notes; // NULL: not looked for
    bool is_read;
};
struct row_hunt {
    struct row_hunt_object *items; // those whose rows differ, in their order: the i-th of the
    size_t count;                  // DIFFERENCE_ROWS that fingerprint_equal finds
    size_t noted;
};

// Both sorted, summed under this key. Copies what it needs. NULL: no rows differ.
struct row_hunt *row_hunt_new(const struct fingerprint *expected, const struct fingerprint *actual,
                              const uint8_t key[ROW_HASH_KEY_SIZE]) must_use;
void row_hunt_free(struct row_hunt *self);

// For who reads: whether this object's rows are read, and what notes are taken (NULL: none). `self`
// NULL: no hunt is on, all are read.
bool row_hunt_reads(struct row_hunt *self, const char *kind, const char *name,
                    struct row_notes **ret_notes);

// Appends the lines of the i-th. `other`: the same hunt on the server that `expected` is of; NULL:
// its rows are gone.
void row_hunt_say(struct row_hunt *self, struct row_hunt *other, size_t i,
                  const struct fingerprint *expected, const struct fingerprint *actual,
                  struct text *text);

DEFINE_AUTOFREE(row_hunt, row_hunt_free);
