// `assay backup verify`: one suite of results for each artifact, one for the backup as a whole.
//
// Of each artifact:
//   is_whole                 its file was read to its proven end
//   restores                 into a throwaway server, without an error
//   (the server's checks)    see restore.h
//   a_damaged_copy_is_refused   negative control: a copy, damaged in a way and at a place chosen by
//                            the seed, must be refused, and for the right reason
// Of the backup: every_file_is_known, nothing_was_changed.
//
// Three-valued: what could not be tried is not verified, with the reason; an unknown file is not
// verified ("unknown format: looks like a PNG image"), never passed over.
#pragma once

#include "verify/backup/restore.h"

struct verification {
    struct engine *engine;
    struct stack *stack; // NULL: nothing could be started: what needs it is not verified
    const struct backup *backup;
    const char *scratch; // a folder of the run's for damaged copies
    uint64_t seed;       // printed in the report
    const struct cancel *cancel;
    void (*progress)(void *context, const char *artifact, const char *step);
    void *context;
};

// Which services of the devstack are needed: NULL-terminated names, borrowed; for the plan.
bool verification_services(const struct backup *backup, struct string_list *ret_services,
                           struct error *err) must_use;

// Artifacts of different engines side by side. What goes wrong is in the report; false only when
// it was cancelled.
bool verification_run(const struct verification *self, struct report *report,
                      struct error *err) must_use;
