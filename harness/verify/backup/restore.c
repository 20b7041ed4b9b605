#define _GNU_SOURCE
#include "verify/backup/restore.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct restorer *const RESTORERS[] = {&RESTORER_POSTGRES, &RESTORER_MYSQL,
                                                   &RESTORER_MONGODB, &RESTORER_REDIS, NULL};

const struct restorer *restorer_of(enum dump_engine engine) {
    for (size_t i = 0; RESTORERS[i] != NULL; i++)
        if (RESTORERS[i]->engine == engine)
            return RESTORERS[i];
    return NULL;
}

bool restorer_takes(const struct restorer *self, const struct dump_format *format) {
    for (size_t i = 0; self->formats[i] != NULL; i++)
        if (strcmp(self->formats[i], format->name) == 0)
            return true;
    return false;
}

const struct backup_file *restore_file(const struct restore *self) {
    return backup_main_file(self->backup, self->artifact);
}

void restore_said(struct suite_result *suite, const char *name, enum outcome outcome,
                  const char *format, ...) {
    struct test_result *test = suite_add_test(suite);
    test->name = memory_copy_string(name);
    test->outcome = outcome;
    if (format == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    test->message = memory_format_list(format, arguments);
    va_end(arguments);
}

#define LINES_SHOWN 20

// "3 of them:\na\nb\nc", cut after some lines.
static char *list_lines(const char *lines) {
    struct text text = {0};
    size_t count = 0;
    for (const char *at = lines; *at != '\0'; count++) {
        const size_t length = strcspn(at, "\n");
        if (count < LINES_SHOWN) {
            text_append_bytes(&text, at, length);
            text_append_char(&text, '\n');
        }
        at += length;
        at += *at == '\n';
    }
    if (count > LINES_SHOWN)
        text_appendf(&text, "and %zu more\n", count - LINES_SHOWN);
    if (text.length > 0)
        text_keep_last(&text, text.length), text.bytes[--text.length] = '\0';
    return text_take(&text);
}

void restore_lines(struct suite_result *suite, const char *name, bool asked, const char *lines,
                   const struct error *problem) {
    if (!asked) {
        restore_said(suite, name, OUTCOME_NOT_VERIFIED, "%s", problem->message);
    } else if (lines[strspn(lines, " \n")] == '\0') {
        restore_said(suite, name, OUTCOME_PASSED, NULL);
    } else {
        autofree_string char *listed = list_lines(lines);
        restore_said(suite, name, OUTCOME_FAILED, "%s", listed);
    }
}

void restore_counts(struct suite_result *suite, const char *name, const char *unit,
                    uint64_t in_file, uint64_t in_server) {
    if (in_file == in_server) {
        restore_said(suite, name, OUTCOME_PASSED, NULL);
        return;
    }
    restore_said(suite, name, OUTCOME_FAILED,
                 "the file holds %" PRIu64 " %s, the restored server %" PRIu64, in_file, unit,
                 in_server);
    struct test_result *test = &suite->tests[suite->test_count - 1];
    test->expected = memory_format("%" PRIu64, in_file);
    test->seen = memory_format("%" PRIu64, in_server);
}

int restore_major(const char *version) {
    if (version == NULL)
        return -1;
    const char *digits = version + strcspn(version, "0123456789");
    return *digits != '\0' ? (int)strtol(digits, NULL, 10) : -1;
}
