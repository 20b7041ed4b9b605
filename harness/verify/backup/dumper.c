#define _GNU_SOURCE // pipe2
#include "verify/backup/dumper.h"

#include "base/memory.h"
#include "engine/exec.h"
#include "verify/backup/artifact_writer.h"
#include "verify/backup/origin.h"
#include "verify/backup/tool.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY_MS (24 * 60 * 60 * 1000)
#define COMPLAINT_LIMIT ((size_t)64 * 1024)
#define NAME_LENGTH 120

static const struct dumper *const DUMPERS[] = {&DUMPER_POSTGRES, &DUMPER_MYSQL, &DUMPER_REDIS,
                                               &DUMPER_MONGODB, NULL};

const struct dumper *dumper_of(const char *program) {
    for (size_t i = 0; DUMPERS[i] != NULL; i++)
        for (size_t j = 0; DUMPERS[i]->programs[j] != NULL; j++)
            if (strcmp(DUMPERS[i]->programs[j], program) == 0)
                return DUMPERS[i];
    return NULL;
}

bool dumper_run(struct making *self, struct error *err) {
    autofree(relay) struct relay *relay = NULL;
    struct endpoint server;
    if (!origin_reach(self->origin, self->engine, self->sockets, &relay, &server, err))
        return false;
    self->relay = relay;
    const bool dumped = self->origin->dumper->dump(self, &server, err) || relay_explain(relay, err);
    self->relay = NULL;
    return dumped;
}

bool dumper_ask(struct making *self, const char *script, char **ret_said, struct error *err) {
    const struct tool_stand stand = {.engine = self->engine,
                                     .container = self->origin->container,
                                     .user = "root",
                                     .cancel = self->cancel};
    char *said = NULL;
    if (!tool_do(&stand, &(struct tool_call){.script = script}, &said, err))
        return false;
    said[strcspn(said, "\n")] = '\0';
    *ret_said = said;
    return true;
}

// ---- summing, while the dump is written

struct summing {
    const struct dump_call *call;
    struct fingerprint *fingerprint;
    struct error problem;
    bool summed;
    bool started;
    pthread_t thread;
};

static void *sum(void *context) {
    struct summing *self = context;
    self->summed = self->call->sum(self->call->context, &self->fingerprint, &self->problem);
    return NULL;
}

static void begin_sum(struct summing *self) {
    if (self->call->sum != NULL)
        self->started = pthread_create(&self->thread, NULL, sum, self) == 0;
}

static bool end_sum(struct summing *self, struct error *err) {
    if (self->call->sum == NULL)
        return true;
    if (self->started)
        pthread_join(self->thread, NULL);
    else
        sum(self);
    if (!self->summed && err != NULL)
        *err = self->problem;
    return self->summed || error_prefix(err, "the sums of %s", self->call->artifact);
}

// ---- writing

// Ends the script, and what it runs, as soon as nobody reads any more: the engine leaves a command
// alone whose client is gone, and a dump would go on for hours, with its snapshot. The client's
// end is the end of standard input, on which nothing is ever sent.
//
// Only what has no children is killed, again and again until the script has ended: whoever is
// killed has a parent that reaps it. PostgreSQL, where it is the container's first process, takes
// an orphan's death by a signal for that of one of its own, and throws everybody out.
static const char WATCHED[] =
    "exec 4<&0; sh -c \"trap 'exit 1' HUP INT TERM; $0\" sh \"$@\" </dev/null 4<&- & tool=$!; "
    "cat <&4 >/dev/null & watch=$!; wait -n $tool $watch; "
    "while kill -0 $tool 2>/dev/null; do leaf=$tool; "
    "while more=$(<\"/proc/$leaf/task/$leaf/children\") && [ -n \"$more\" ]; do "
    "leaf=${more%% *}; done 2>/dev/null; kill $leaf 2>/dev/null; sleep 0.05; done; "
    "kill $watch 2>/dev/null; wait $tool; status=$?; wait $watch 2>/dev/null; exit $status";

struct writing {
    struct artifact_writer *writer;
    const struct dump_call *call;
    int lifeline[2]; // a pipe that nothing is written to: the tool's standard input
    struct text errors;
    struct error problem;
    bool began;
};

static bool take_output(void *context, enum stream_source source, const char *bytes,
                        size_t length) {
    struct writing *self = context;
    if (source == STREAM_STDERR) {
        text_append_bytes(&self->errors, bytes, length);
        return true;
    }
    if (!self->began && self->call->began != NULL)
        self->call->began(self->call->context);
    self->began = true;
    return artifact_writer_put(self->writer, bytes, length, &self->problem);
}

static bool judge(struct writing *self, int exit_status, struct error *err) {
    if (self->problem.domain != ERROR_NONE) {
        if (err != NULL)
            *err = self->problem;
        return false;
    }
    if (exit_status == 0 && self->began)
        return true;
    const struct tool_answer answer = {.exit_status = exit_status, .errors = self->errors};
    autofree_string char *complaint = tool_complaint(&answer);
    return error_set(err, ERROR_SERVICE, exit_status, "%s", complaint);
}

static ssize_t read_lifeline(void *context, void *buffer, size_t size, struct error *err) {
    const struct writing *self = context;
    (void)err;
    return read(self->lifeline[0], buffer, size);
}

static bool run_script(struct making *self, struct writing *writing, struct error *err) {
    const char *argv[12] = {"bash", "-c", WATCHED, writing->call->script};
    for (size_t i = 0; i < 6 && writing->call->arguments[i] != NULL; i++)
        argv[4 + i] = writing->call->arguments[i];
    const struct exec_options options = {.argv = argv,
                                         .user = "root",
                                         .source = read_lifeline,
                                         .source_context = writing,
                                         .source_fd = &writing->lifeline[0],
                                         .timeout_ms = DAY_MS,
                                         .sink = take_output,
                                         .context = writing};
    struct exec_result result = {0};
    return exec_run(self->engine, self->origin->container, &options, &result, err) &&
           judge(writing, result.exit_status, err);
}

static bool run(struct making *self, struct writing *writing, struct error *err) {
    if (writing->call->write != NULL)
        return writing->call->write(writing->call->context, writing->writer, err);
    if (pipe2(writing->lifeline, O_CLOEXEC) != 0)
        return error_set_errno(err, "pipe2");
    const bool done = run_script(self, writing, err);
    close(writing->lifeline[0]);
    close(writing->lifeline[1]);
    return done;
}

// Of letters that every file system takes: "postgres/My DB" -> "postgres-My_DB.dump".
static char *file_name(const struct making *self, const struct dump_call *call) {
    char name[NAME_LENGTH + 1];
    snprintf(name, sizeof name, "%s", call->artifact);
    for (char *at = name; *at != '\0'; at++)
        if (*at == '/')
            *at = '-';
        else if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-", *at) ==
                 NULL)
            *at = '_';
    if (name[0] == '.')
        name[0] = '_';
    for (size_t i = 0; i < self->manifest->artifact_count; i++) {
        const char *other = self->manifest->artifacts[i].files[0].path;
        const size_t length = strlen(name);
        if (strncmp(other, name, length) == 0 && strcmp(other + length, call->ending) == 0)
            return memory_format("%s-%zu%s", name, self->manifest->artifact_count, call->ending);
    }
    return memory_format("%s%s", name, call->ending);
}

bool dumper_write(struct making *self, const struct dump_call *call, struct error *err) {
    autofree_string char *name = file_name(self, call);
    autofree(artifact_writer) struct artifact_writer *writer = NULL;
    struct summing summing = {.call = call};
    struct writing writing = {.call = call};
    if (!artifact_writer_open(self->folder, name, self->counter, &writer, err))
        return false;
    writing.writer = writer;
    text_init(&writing.errors, COMPLAINT_LIMIT);
    begin_sum(&summing);
    const bool dumped = run(self, &writing, err);
    if (!dumped)
        relay_hang_up(self->relay); // the sum may wait for what the dump held, or take hours
    const bool summed = end_sum(&summing, dumped ? err : NULL);
    text_done(&writing.errors);
    if (!dumped || !summed) {
        fingerprint_free(summing.fingerprint);
        return error_prefix(err, "%s", call->artifact);
    }
    struct manifest_artifact *artifact =
        manifest_add(self->manifest, call->artifact, self->origin->dumper->engine,
                     call->server_version, call->tool);
    artifact->fingerprint = summing.fingerprint;
    return artifact_writer_finish(writer, artifact, err);
}

void dumper_keep_steady(struct making *self, const struct fingerprint *before,
                        struct fingerprint *after) {
    struct manifest_artifact *artifact =
        &self->manifest->artifacts[self->manifest->artifact_count - 1];
    autodone(differences) struct differences found = {.limit = 1};
    if (fingerprint_equal(before, after, &found)) {
        artifact->fingerprint = after;
        return;
    }
    autofree_string char *note = memory_format(
        "%s was written to while it was dumped, so that its content cannot be compared: %s",
        artifact->name, found.items[0].text);
    string_list_add(self->notes, note);
    fingerprint_free(after);
}
