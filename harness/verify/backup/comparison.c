#include "verify/backup/comparison.h"

#include "base/memory.h"
#include "verify/backup/backup_name.h"
#include "verify/fingerprint/redis_fingerprint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const struct comparison_names COMPARISON_THEN = {"schema_is_as_it_was", "rows_are_as_they_were"};
const struct comparison_names COMPARISON_NOW = {"schema_is_as_in_the_running_server",
                                                "rows_are_as_in_the_running_server"};
static const char CONTROL[] = "a_lost_record_changes_the_sums";

// ---- the files

static void say_signature(const struct testimony *testimony, struct suite_result *suite) {
    static const char name[] = "manifest_is_signed";
    switch (testimony->signature) {
    case MANIFEST_SIGNED:
        restore_said(suite, name, OUTCOME_PASSED, NULL);
        break;
    case MANIFEST_NOT_CHECKED:
        restore_said(suite, name, OUTCOME_NOT_VERIFIED,
                     "there is a signature, but no key to check it with: --key FILE.pub");
        break;
    case MANIFEST_UNSIGNED:
        restore_said(suite, name,
                     testimony->must_be_signed ? OUTCOME_FAILED : OUTCOME_NOT_APPLICABLE,
                     "the manifest is not signed");
        break;
    }
}

// A zone shifts a date by a day at most.
static void say_moment(const struct manifest *manifest, const struct backup *backup,
                       struct suite_result *suite) {
    static const char name[] = "its_name_is_of_its_time";
    const char *slash = strrchr(backup->path, '/');
    const struct civil_time start = civil_of_utc(manifest->start_ms),
                            end = civil_of_utc(manifest->end_ms);
    struct civil_time named;
    char said[CIVIL_TEXT_SIZE], was[CIVIL_TEXT_SIZE];
    if (!backup_name_moment(slash != NULL ? slash + 1 : backup->path, &named))
        return;
    if (civil_day(&named) <= civil_day(&end) + 1 && civil_day(&named) >= civil_day(&start) - 1)
        restore_said(suite, name, OUTCOME_PASSED, NULL);
    else
        restore_said(suite, name, OUTCOME_FAILED,
                     "the backup's name says %s, its manifest was made at %s UTC: is it another "
                     "backup under this name?",
                     civil_format(&named, said), civil_format(&end, was));
}

static void say_files(const struct manifest *manifest, const struct backup *backup,
                      struct suite_result *suite) {
    static const char name[] = "files_are_those_of_the_manifest";
    autodone(file_differences) struct file_differences found = {0};
    if (manifest_check_files(manifest, backup, &found)) {
        restore_said(suite, name, OUTCOME_PASSED, NULL);
        return;
    }
    autodone(text) struct text lines = {0};
    bool differs = false;
    for (size_t i = 0; i < found.count; i++) {
        text_appendf(&lines, "%s%s", i > 0 ? "\n" : "", found.items[i].text);
        differs = differs || found.items[i].kind != FILE_NOT_READ;
    }
    restore_said(suite, name, differs ? OUTCOME_FAILED : OUTCOME_NOT_VERIFIED, "%s",
                 text_string(&lines));
}

void comparison_of_files(const struct testimony *testimony, const struct backup *backup,
                         struct suite_result *suite) {
    static const char name[] = "manifest_is_sound";
    const struct error *problem = &testimony->problem;
    if (problem->domain != ERROR_NONE) {
        restore_said(suite, name,
                     problem->domain == ERROR_PROTOCOL ? OUTCOME_FAILED : OUTCOME_NOT_VERIFIED,
                     "%s", problem->message);
    } else if (testimony->manifest != NULL) {
        restore_said(suite, name, OUTCOME_PASSED, NULL);
        say_signature(testimony, suite);
        say_moment(testimony->manifest, backup, suite);
        say_files(testimony->manifest, backup, suite);
    } else if (testimony->must_be_signed) {
        restore_said(suite, name, OUTCOME_FAILED,
                     "there is no manifest.json in it, so nothing is signed");
    } else if (testimony->demanded) {
        restore_said(suite, name, OUTCOME_NOT_VERIFIED,
                     "there is no manifest.json in it: content cannot be compared");
    }
}

bool comparison_is_manifest(const struct testimony *testimony, const struct backup_file *file) {
    return testimony->there && (strcmp(file->path, MANIFEST_NAME) == 0 ||
                                strcmp(file->path, MANIFEST_SIGNATURE_NAME) == 0);
}

// ---- the content

// What the manifest says of an artifact; NULL: nothing.
static const struct manifest_artifact *entry_of(const struct manifest *manifest,
                                                const struct restore *restore) {
    const char *path = restore_file(restore)->path;
    for (size_t i = 0; manifest != NULL && i < manifest->artifact_count; i++)
        for (size_t j = 0; j < manifest->artifacts[i].file_count; j++)
            if (strcmp(manifest->artifacts[i].files[j].path, path) == 0)
                return &manifest->artifacts[i];
    return NULL;
}

static void say_differences(struct suite_result *suite, const char *name, enum outcome if_any,
                            const struct differences *found) {
    if (found->count == 0) {
        restore_said(suite, name, OUTCOME_PASSED, NULL);
        return;
    }
    autodone(text) struct text lines = {0};
    differences_format(found, &lines);
    restore_said(suite, name, if_any, "%s", text_string(&lines));
}

// Each kind of difference to the test that it belongs to. *ret_differ: rows differ, not just that
// some were not read; of how many objects.
static void share_out(const struct differences *all, const struct string_list *which,
                      struct differences *schema, struct differences *rows, size_t *ret_differ) {
    size_t differ = 0;
    for (size_t i = 0; i < all->count; i++) {
        const enum difference_kind kind = all->items[i].kind;
        const bool of_rows = kind == DIFFERENCE_ROWS || kind == DIFFERENCE_NOT_COMPARED;
        const bool is_known = kind == DIFFERENCE_ROWS && which != NULL && differ < which->count;
        differences_add(of_rows ? rows : schema, kind, "%s%s", all->items[i].text,
                        is_known ? which->items[differ] : "");
        differ += kind == DIFFERENCE_ROWS ? 1 : 0;
    }
    *ret_differ = differ;
}

// Redis: keys that have expired since the dump are rightly gone. Which of them are left cannot be
// told by their sum, so that neither side has one then.
static void forgive_expired(const struct fingerprint *expected, struct fingerprint *actual,
                            struct suite_result *suite) {
    for (size_t i = 0; i < actual->object_count; i++) {
        struct fingerprint_object *object = &actual->objects[i];
        const struct fingerprint_object *was =
            fingerprint_find(expected, object->kind, object->name);
        if (strstr(object->name, REDIS_KEYS_THAT_EXPIRE) == NULL || was == NULL ||
            object->content.total.rows >= was->content.total.rows)
            continue;
        restore_said(suite, "keys_that_expire_are_as_they_were", OUTCOME_NOT_APPLICABLE,
                     "of %" PRIu64 " keys that expire %" PRIu64
                     " are left: they cannot be compared",
                     was->content.total.rows, object->content.total.rows);
        row_content_done(&object->content);
        object->content = row_content_copy(&was->content);
    }
}

void comparison_of_fingerprints(const struct comparison_names *names,
                                const struct fingerprint *expected,
                                const struct fingerprint *actual, const struct string_list *rows,
                                bool same_major, struct suite_result *suite) {
    autodone(differences) struct differences all = {.limit = SIZE_MAX}, schema = {0}, content = {0};
    size_t differ = 0;
    (void)fingerprint_equal(expected, actual, &all);
    share_out(&all, rows, &schema, &content, &differ);
    say_differences(suite, names->schema, same_major ? OUTCOME_FAILED : OUTCOME_NOT_VERIFIED,
                    &schema);
    say_differences(suite, names->rows, differ > 0 ? OUTCOME_FAILED : OUTCOME_NOT_VERIFIED,
                    &content);
}

// What is compared with what.
struct comparing {
    const struct comparison_names *names;
    const struct manifest *manifest;
    const struct manifest_artifact *entry;
    const struct comparison_live *live; // NULL: the rows that the manifest speaks of are gone
    const struct restorer *restorer;
    const struct restore *restore;
};

static bool read_again(const struct comparing *self, struct row_hunt *restored,
                       struct row_hunt *running, struct error *err) {
    const uint8_t *key = self->manifest->hash_key;
    if (!restore_hunt(self->restorer, self->restore, key, restored, err))
        return error_prefix(err, "the restored server");
    return running == NULL ||
           self->live->hunt(self->live->context, self->restore->backup, self->restore->artifact,
                            key, running, err) ||
           error_prefix(err, "the running server");
}

// Of each object whose rows differ, which these are. That they differ stands fast, whatever the
// second reading meets.
static void find_rows(const struct comparing *self, const struct fingerprint *actual,
                      struct string_list *ret_rows) {
    const struct fingerprint *expected = self->entry->fingerprint;
    const bool is_live = self->live != NULL && self->live->hunt != NULL;
    const uint8_t *key = self->manifest->hash_key;
    autofree(row_hunt) struct row_hunt *restored = row_hunt_new(expected, actual, key);
    autofree(row_hunt) struct row_hunt *running =
        is_live ? row_hunt_new(expected, actual, key) : NULL;
    struct error problem = {0};
    if (restored == NULL)
        return;
    if (!read_again(self, restored, running, &problem)) {
        string_list_addf(ret_rows, "\n    which rows cannot be told: %s", problem.message);
        return;
    }
    for (size_t i = 0; i < restored->count; i++) {
        struct text lines = {.length = 0};
        row_hunt_say(restored, running, i, expected, actual, &lines);
        string_list_take(ret_rows, text_take(&lines));
    }
}

static void compare(const struct comparing *self, struct suite_result *suite) {
    autofree(fingerprint) struct fingerprint *actual = NULL;
    autodone(string_list) struct string_list rows = {0};
    struct error problem = {0};
    if (!restore_fingerprint(self->restorer, self->restore, self->manifest->hash_key, &actual,
                             &problem)) {
        restore_said(suite, self->names->schema, OUTCOME_NOT_VERIFIED, "%s", problem.message);
        restore_said(suite, self->names->rows, OUTCOME_NOT_VERIFIED, "%s", problem.message);
        return;
    }
    const struct manifest_artifact *entry = self->entry;
    const bool same_major =
        restore_major(entry->server_version) == restore_server_major(self->restorer, self->restore);
    forgive_expired(entry->fingerprint, actual, suite);
    find_rows(self, actual, &rows);
    comparison_of_fingerprints(self->names, entry->fingerprint, actual, &rows, same_major, suite);
}

void comparison_of_content(const struct testimony *testimony, const struct restorer *restorer,
                           const struct restore *restore, struct suite_result *suite) {
    const struct manifest_artifact *entry = entry_of(testimony->manifest, restore);
    const bool rows = restore_file(restore)->facts.record_count > 0;
    if (entry != NULL && entry->fingerprint != NULL)
        compare(&(const struct comparing){&COMPARISON_THEN, testimony->manifest, entry, NULL,
                                          restorer, restore},
                suite);
    else if (entry != NULL)
        restore_said(
            suite, COMPARISON_THEN.rows, rows ? OUTCOME_NOT_VERIFIED : OUTCOME_NOT_APPLICABLE, "%s",
            rows ? "the manifest does not say what the server held" : "it holds no records");
}

void comparison_with_live(const struct comparison_live *live, const struct restorer *restorer,
                          const struct restore *restore, struct suite_result *suite) {
    if (live == NULL)
        return;
    const struct manifest_artifact *entry = entry_of(live->manifest, restore);
    const bool rows = restore_file(restore)->facts.record_count > 0;
    if (entry != NULL)
        compare(&(const struct comparing){&COMPARISON_NOW, live->manifest, entry, live, restorer,
                                          restore},
                suite);
    else
        restore_said(
            suite, COMPARISON_NOW.rows, rows ? OUTCOME_NOT_VERIFIED : OUTCOME_NOT_APPLICABLE, "%s",
            rows ? "it is of no server that was asked: see the warnings" : "it holds no records");
}

void comparison_control(const struct testimony *testimony, const struct restorer *restorer,
                        const struct restore *restore, struct suite_result *suite) {
    const struct manifest_artifact *entry = entry_of(testimony->manifest, restore);
    autofree(fingerprint) struct fingerprint *actual = NULL;
    autodone(differences) struct differences found = {0};
    struct error problem = {0};
    if (entry == NULL || entry->fingerprint == NULL)
        return;
    if (!restore_fingerprint(restorer, restore, testimony->manifest->hash_key, &actual, &problem)) {
        restore_said(suite, CONTROL, OUTCOME_NOT_VERIFIED, "%s", problem.message);
        return;
    }
    (void)fingerprint_equal(entry->fingerprint, actual, &found);
    for (size_t i = 0; i < found.count; i++)
        if (found.items[i].kind == DIFFERENCE_ROWS) {
            restore_said(suite, CONTROL, OUTCOME_PASSED, NULL);
            return;
        }
    restore_said(suite, CONTROL, OUTCOME_FAILED,
                 "a record was deleted from the restored server, and the sums did not show it");
}
