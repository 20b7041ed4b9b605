#define _GNU_SOURCE
#include "verify/backup/restore.h"

#include "base/memory.h"
#include "engine/relay.h"

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

// As long as a sum of the largest table takes without a word from the server.
#define SILENCE_MS (60 * 60 * 1000)

typedef bool use_server(void *context, const struct endpoint *server, struct error *err);

static bool by_relay(const struct restorer *restorer, const struct restore *self, use_server *use,
                     void *context, struct error *err) {
    autofree(relay) struct relay *relay = NULL;
    if (!relay_open(self->stand.engine, self->stand.container, restorer->port, self->folder, &relay,
                    err))
        return false;
    const struct endpoint server = {.service = restorer->service,
                                    .host = relay_path(relay),
                                    .port = restorer->port,
                                    .user = restorer->login,
                                    .request_timeout_ms = SILENCE_MS};
    return use(context, &server, err) || relay_explain(relay, err);
}

bool restore_with_server(const struct restorer *restorer, const struct restore *self,
                         bool (*use)(void *context, const struct endpoint *server,
                                     struct error *err),
                         void *context, struct error *err) {
    if (restorer->port != 0)
        return by_relay(restorer, self, use, context, err);
    struct endpoint server = *self->endpoint;
    server.request_timeout_ms = SILENCE_MS;
    return use(context, &server, err);
}

struct summing {
    const struct restorer *restorer;
    const struct restore *restore;
    const uint8_t *key;
    struct row_hunt *hunt;
    struct fingerprint **ret_fingerprint;
};

static bool sum(void *context, const struct endpoint *server, struct error *err) {
    const struct summing *self = context;
    return self->restorer->fingerprint(self->restore, server, self->key, self->hunt,
                                       self->ret_fingerprint, err);
}

bool restore_fingerprint(const struct restorer *restorer, const struct restore *self,
                         const uint8_t key[ROW_HASH_KEY_SIZE], struct fingerprint **ret_fingerprint,
                         struct error *err) {
    struct summing summing = {restorer, self, key, NULL, ret_fingerprint};
    return restore_with_server(restorer, self, sum, &summing, err);
}

bool restore_hunt(const struct restorer *restorer, const struct restore *self,
                  const uint8_t key[ROW_HASH_KEY_SIZE], struct row_hunt *hunt, struct error *err) {
    autofree(fingerprint) struct fingerprint *known = NULL; // but for the rows that were noted
    struct summing summing = {restorer, self, key, hunt, &known};
    return restore_with_server(restorer, self, sum, &summing, err);
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

// Cut after some lines: "a\nb\nand 12 more".
static char *list_lines(const char *lines) {
    struct text text = {0};
    size_t count = 0;
    for (const char *at = lines; *at != '\0'; count++) {
        const size_t length = strcspn(at, "\n");
        if (count < LINES_SHOWN) {
            text_append(&text, count > 0 ? "\n" : "");
            text_append_bytes(&text, at, length);
        }
        at += length;
        at += *at == '\n';
    }
    if (count > LINES_SHOWN)
        text_appendf(&text, "\nand %zu more", count - LINES_SHOWN);
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

bool restore_open(const struct restorer *restorer, const struct restore *self, const char *make,
                  const char *open, struct error *err) {
    const struct tool_call prepare = {.script = make, .user = "root"};
    if (tool_do(&self->stand, &prepare, NULL, err) &&
        tool_do(&self->stand, &(struct tool_call){.script = open}, NULL, err))
        return true;
    error_prefix(err, "no server of %s could be started", restorer->title);
    if (err != NULL && err->domain == ERROR_SERVICE)
        err->domain = ERROR_UNAVAILABLE;
    return false;
}

void restore_close(const struct restore *self, const char *script) {
    autodone(tool_answer) struct tool_answer answer = {0};
    (void)!tool_ask(&self->stand, &(struct tool_call){.script = script}, &answer, NULL);
}

static bool ask(const struct restore *self, const char *script, const char *argument,
                char **ret_said, struct error *err) {
    const struct tool_call call = {.script = script, .arguments = {argument}};
    return tool_do(&self->stand, &call, ret_said, err);
}

void restore_check(const struct restore *self, struct suite_result *suite, const char *name,
                   const char *script, const char *argument) {
    autofree_string char *said = NULL;
    struct error problem = {0};
    const bool asked = ask(self, script, argument, &said, &problem);
    restore_lines(suite, name, asked, said, &problem);
}

void restore_count_rows(const struct restore *self, struct suite_result *suite, const char *script,
                        const char *argument) {
    static const char name[] = "rows_are_all_there";
    autofree_string char *said = NULL;
    struct error problem = {0};
    if (!ask(self, script, argument, &said, &problem)) {
        restore_said(suite, name, OUTCOME_NOT_VERIFIED, "%s", problem.message);
        return;
    }
    uint64_t rows = 0;
    for (const char *at = said; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n')
        rows += strtoull(at, NULL, 10);
    restore_counts(suite, name, "rows", restore_file(self)->facts.record_count, rows);
}

int restore_server_major(const struct restorer *restorer, const struct restore *self) {
    autofree_string char *said = NULL;
    char product[128];
    if (restorer->version != NULL)
        return ask(self, restorer->version, NULL, &said, NULL) ? restore_major(said) : -1;
    return restorer->identify(self->endpoint, product, sizeof product, NULL)
               ? restore_major(product)
               : -1;
}

bool restore_is_of_newer(const struct restorer *restorer, const struct restore *self,
                         const char *complaint, struct error *err) {
    const int here = restore_server_major(restorer, self);
    const int there = restore_major(restore_file(self)->facts.server_version);
    if (here < 0 || there <= here)
        return false;
    error_set(err, ERROR_UNAVAILABLE, 0,
              "the dump is of %s %d, the server to be had here is %d: %s", restorer->title, there,
              here, complaint);
    return true;
}

bool restore_says_any(const char *text, const char *const *phrases) {
    for (size_t i = 0; phrases[i] != NULL; i++)
        if (strstr(text, phrases[i]) != NULL)
            return true;
    return false;
}

int restore_major(const char *version) {
    if (version == NULL)
        return -1;
    const char *digits = version + strcspn(version, "0123456789");
    return *digits != '\0' ? (int)strtol(digits, NULL, 10) : -1;
}
