#include "engine/exec.h"

#include "base/clock.h"
#include "base/eventually.h"
#include "engine/engine_private.h"
#include "engine/hijack.h"
#include "engine/query.h"
#include "engine/request.h"
#include "engine/stream_frame.h"

#include <string.h>

#define TIMEOUT_MS 60000
#define OUTPUT_LIMIT ((size_t)1024 * 1024)

static bool keep_output(void *context, enum stream_source source, const char *bytes,
                        size_t length) {
    struct exec_result *result = context;
    text_append_bytes(source == STREAM_STDERR ? &result->errors : &result->output, bytes, length);
    return true;
}

// Strings are not checked here: what is not UTF-8 makes the request itself fail.
static json_t *string_array(const char *const *strings) {
    json_t *array = json_array();
    for (size_t i = 0; strings != NULL && strings[i] != NULL; i++)
        json_array_append_new(array, json_string_nocheck(strings[i]));
    return array;
}

static bool has_input(const struct exec_options *options) {
    return options->input != NULL || options->source != NULL;
}

// Bytes in memory, as a source.
struct memory_input {
    const char *bytes;
    size_t left;
};

static ssize_t read_memory(void *context, void *buffer, size_t size, struct error *err) {
    (void)err;
    struct memory_input *self = context;
    const size_t length = self->left < size ? self->left : size;
    memcpy(buffer, self->bytes, length);
    self->bytes += length;
    self->left -= length;
    return (ssize_t)length;
}

static bool create(struct engine *engine, const char *container, const struct exec_options *options,
                   char **ret_id, struct error *err) {
    json_t *body = json_object();
    json_object_set_new(body, "Cmd", string_array(options->argv));
    json_object_set_new(body, "Env", string_array(options->environment));
    json_object_set_new(body, "AttachStdin", json_boolean(has_input(options)));
    json_object_set_new(body, "AttachStdout", json_true());
    json_object_set_new(body, "AttachStderr", json_true());
    if (options->user != NULL)
        json_object_set_new(body, "User", json_string_nocheck(options->user));
    if (options->working_folder != NULL)
        json_object_set_new(body, "WorkingDir", json_string_nocheck(options->working_folder));
    autofree_string char *path = query_path("/containers", container, "/exec");
    const struct request request = {.method = "POST", .path = path, .json = body};
    const bool done = request_json_string(engine, &request, "Id", ret_id, err);
    json_decref(body);
    return done;
}

static bool take_bytes(void *context, const void *bytes, size_t length, struct error *err) {
    struct stream_frames *frames = context;
    return stream_frames_feed(frames, bytes, length, err) && !frames->stopped;
}

// Starts the command and hands over its output to the end.
static bool start(struct engine *engine, const char *id, const struct exec_options *options,
                  struct stream_frames *frames, int timeout_ms, struct error *err) {
    autofree_string char *path = query_path("/exec", id, "/start");
    json_t *body = json_pack("{s:b, s:b}", "Detach", 0, "Tty", 0);
    bool done;
    if (has_input(options)) {
        struct memory_input memory = {options->input, options->input_length};
        const bool streamed = options->source != NULL;
        const struct hijack hijack = {.path = path,
                                      .json = body,
                                      .source = streamed ? options->source : read_memory,
                                      .source_context =
                                          streamed ? options->source_context : &memory,
                                      .source_fd = options->source_fd,
                                      .sink = take_bytes,
                                      .context = frames,
                                      .deadline = deadline_in_ms(timeout_ms),
                                      .timeout_ms = timeout_ms};
        done = hijack_perform(engine, &hijack, err);
    } else {
        const struct request request = {.method = "POST",
                                        .path = path,
                                        .json = body,
                                        .sink = take_bytes,
                                        .context = frames,
                                        .idle_timeout_ms = REQUEST_NO_IDLE_LIMIT,
                                        .timeout_ms = timeout_ms};
        done = request_perform(engine, &request, err);
    }
    json_decref(body);
    if (!done || stream_frames_end(frames, err))
        return done;
    return error_prefix(err, "POST %s", path);
}

// ---- the exit status

struct ending {
    struct engine *engine;
    const char *id;
    int exit_status;
    bool failed;
    struct error reason; // why, when failed
};

static bool has_ended(void *context, struct error *err) {
    struct ending *self = context;
    autofree_string char *path = query_path("/exec", self->id, "/json");
    const struct request request = {.method = "GET", .path = path};
    json_t *json = NULL;
    if (!request_json(self->engine, &request, &json, &self->reason)) {
        self->failed = true;
        return false;
    }
    const bool running = json_is_true(json_object_get(json, "Running"));
    self->exit_status = (int)json_integer_value(json_object_get(json, "ExitCode"));
    json_decref(json);
    return !running || error_set(err, ERROR_TIMEOUT, 0, "the command is still running");
}

static bool has_failed(void *context, struct error *err) {
    const struct ending *self = context;
    if (self->failed && err != NULL)
        *err = self->reason;
    return self->failed;
}

bool exec_run(struct engine *engine, const char *container, const struct exec_options *options,
              struct exec_result *ret_result, struct error *err) {
    const int timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_MS;
    const struct deadline deadline = deadline_in_ms(timeout_ms);
    const size_t limit = options->output_limit > 0 ? options->output_limit : OUTPUT_LIMIT;
    autofree_string char *id = NULL;
    if (!create(engine, container, options, &id, err))
        return false;
    struct exec_result result = {0};
    text_init(&result.output, limit);
    text_init(&result.errors, limit);
    struct stream_frames frames;
    if (options->sink != NULL)
        stream_frames_init(&frames, options->sink, options->context);
    else
        stream_frames_init(&frames, keep_output, &result);

    // The output may end before the command does, and the status comes a moment after both.
    struct ending ending = {.engine = engine, .id = id, .exit_status = -1};
    bool done = start(engine, id, options, &frames, timeout_ms, err);
    if (done && !frames.stopped)
        done = eventually(deadline, has_ended, &ending, err, .cancel = engine->cancel,
                          .hopeless = has_failed);
    if (!done) {
        exec_result_done(&result);
        return error_prefix(err, "exec of %s in %s",
                            options->argv[0] != NULL ? options->argv[0] : "nothing", container);
    }
    result.exit_status = ending.exit_status;
    *ret_result = result;
    return true;
}

void exec_result_done(struct exec_result *self) {
    if (self == NULL)
        return;
    text_done(&self->output);
    text_done(&self->errors);
}
