// What a backup is, against what its manifest says that it was when it was made: its files byte for
// byte, and what a restored server holds, object for object and row for row.
#pragma once

#include "verify/backup/restore.h"
#include "verify/backup/testimony.h"

// Adds: manifest_is_sound, manifest_is_signed, its_name_is_of_its_time (where the name holds a
// date: backup_name.h), files_are_those_of_the_manifest. Of a backup that
// has no manifest: nothing, or not verified when one was demanded.
void comparison_of_files(const struct testimony *testimony, const struct backup *backup,
                         struct suite_result *suite);

// Whether a file is the manifest itself or its signature, and so no artifact.
bool comparison_is_manifest(const struct testimony *testimony, const struct backup_file *file);

// Adds: schema_is_as_it_was, rows_are_as_they_were. Nothing without a manifest. A server of another
// major version than the one that was dumped may say the same thing in other words: then a
// difference of the schema is not verified instead of failed. Where rows differ, the restored ones
// are read once more, to say which: value/row_findings.h.
void comparison_of_content(const struct testimony *testimony, const struct restorer *restorer,
                           const struct restore *restore, struct suite_result *suite);
// The same against what running servers hold (live.h): schema_is_as_in_the_running_server,
// rows_are_as_in_the_running_server. Where rows differ, the running server's are read once more,
// too. `live` NULL: nothing.
struct comparison_live {
    const struct manifest *manifest; // what they held when they were asked
    // Reads those rows of the artifact's server once more; NULL: they cannot be asked again. From
    // several threads at once.
    bool (*hunt)(void *context, const struct backup *backup, const struct artifact *artifact,
                 const uint8_t key[ROW_HASH_KEY_SIZE], struct row_hunt *hunt, struct error *err);
    void *context;
};
void comparison_with_live(const struct comparison_live *live, const struct restorer *restorer,
                          const struct restore *restore, struct suite_result *suite);

struct comparison_names {
    const char *schema, *rows; // of the two tests
};
extern const struct comparison_names COMPARISON_THEN, COMPARISON_NOW;
// Of two that were taken already. `same_major`: by servers of one major version. `rows` says of the
// i-th object whose rows differ (value/row_hunt.h) which these are; may hold fewer; NULL: none.
void comparison_of_fingerprints(const struct comparison_names *names,
                                const struct fingerprint *expected,
                                const struct fingerprint *actual, const struct string_list *rows,
                                bool same_major, struct suite_result *suite);
// After a record was deleted there, adds a_lost_record_changes_the_sums: the negative control.
void comparison_control(const struct testimony *testimony, const struct restorer *restorer,
                        const struct restore *restore, struct suite_result *suite);
