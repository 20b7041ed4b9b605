// `assay backup rotate`: the backups below a root, what the policy says of them, and the removal.
//
//     rotation_folder_open ──> rotation_folder_decide ──> print the plan ──> rotation_folder_apply
//
// A backup is a folder or regular file directly below the root whose name does not begin with a
// dot. Links ("latest"), devices and hidden names are none: they are not listed and never touched.
// The root itself may be a link: the user named it.
#pragma once

#include "base/cleanup.h"
#include "base/string_list.h"
#include "verify/backup/history.h"
#include "verify/backup/rotation.h"

struct rotation_folder {
    char *root;                  // without links
    int fd;                      // of the root, locked while it is open: one rotation at a time
    struct rotation_item *items; // in the order of their names
    size_t count;
    struct string_list left; // hidden remains of a rotation that was killed: apply removes them
};

// Verified is what its last verdict in the history calls passed (history_verdict); history NULL:
// nothing is. ERROR_CONFIGURATION: no such folder; ERROR_UNAVAILABLE: another rotation is at it.
bool rotation_folder_open(const char *root, const struct history *history,
                          struct rotation_folder **ret_folder, struct error *err) must_use;
void rotation_folder_close(struct rotation_folder *self);

void rotation_folder_decide(struct rotation_folder *self, const struct rotation_policy *policy,
                            const struct civil_time *today);

// With what a killed rotation left. For a dry run this is all there is.
void rotation_folder_append_plan(const struct rotation_folder *self, struct text *out,
                                 const struct rotation_policy *policy,
                                 const struct civil_time *today);

struct rotation_freed {
    size_t count;
    uint64_t bytes;
};
// Removes what was decided, the oldest first, and goes on after a failure: err is the first one.
// *ret_freed (may be NULL) is set either way. `dry_run`: touches nothing, frees nothing.
struct rotation_apply_options {
    bool dry_run;
};
bool rotation_folder_apply_with(const struct rotation_folder *self,
                                struct rotation_freed *ret_freed, struct error *err,
                                const struct rotation_apply_options *options) must_use;
#define rotation_folder_apply(self, ret_freed, err, ...) \
    rotation_folder_apply_with(                          \
        (self), (ret_freed), (err),                      \
        &(const struct rotation_apply_options){.dry_run = false, __VA_ARGS__})

DEFINE_AUTOFREE(rotation_folder, rotation_folder_close);
