#define _GNU_SOURCE
#include "verify/backup/history_sample.h"

#include "base/check.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/string_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *folder;
static struct string_list owned;
static struct history *histories[8];
static size_t history_count;

const char *sample_folder(void) {
    if (folder == NULL) {
        const char *temporary = getenv("TMPDIR");
        folder = path_join(temporary != NULL ? temporary : "/tmp", "assay-records-XXXXXX");
        check(mkdtemp(folder) != NULL);
    }
    return folder;
}

char *sample_own(char *string) {
    string_list_take(&owned, string);
    return string;
}

const char *sample_path(const char *name) {
    return sample_own(path_join(sample_folder(), name));
}

const char *sample_text(const char *name) {
    char *bytes = NULL;
    if (!file_read(sample_path(name), (size_t)1 << 24, &bytes, NULL, NULL))
        return "";
    return sample_own(bytes);
}

void sample_write(const char *name, const char *content) {
    check(file_write_atomic(sample_path(name), content, strlen(content), 0600, NULL));
}

void sample_done(void) {
    for (size_t i = 0; i < history_count; i++)
        history_free(histories[i]);
    history_count = 0;
    if (folder != NULL)
        (void)!file_remove_tree(folder, NULL);
    free(folder);
    folder = NULL;
    string_list_done(&owned);
    owned = (struct string_list){0};
}

struct history_record sample_record(const char *id, const char *started, enum outcome outcome) {
    struct history_record record = {.id = memory_copy_string(id),
                                    .duration_ms = 61234,
                                    .path = memory_copy_string("/backups/20261122-020000"),
                                    .against = memory_copy_string("manifest"),
                                    .outcome = outcome,
                                    .seed = UINT64_MAX,
                                    .backup_age_s = 3600};
    check(history_time_of(started, &record.started_wall_ms));
    struct history_engine *postgres = history_record_add(&record, "postgres");
    postgres->outcome = OUTCOME_PASSED;
    postgres->bytes = 1000;
    postgres->restore_ms = 500;
    struct history_engine *mysql = history_record_add(&record, "mysql");
    mysql->outcome = outcome;
    mysql->bytes = 24;
    return record;
}

struct history *sample_history(const struct history_record *records, size_t count) {
    check(history_count < sizeof histories / sizeof *histories);
    struct history *history = memory_new(1, sizeof *history);
    history->records = memory_new(count + 1, sizeof *history->records);
    if (count > 0)
        memcpy(history->records, records, count * sizeof *records);
    history->count = count;
    histories[history_count++] = history;
    return history;
}
