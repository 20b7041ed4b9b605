// Running a command inside a container.
#pragma once

#include "engine/archive.h"
#include "engine/engine.h"
#include "engine/logs.h"

#include "base/text.h"

struct exec_options {
    const char *const *argv;
    const char *user;               // NULL: the container's
    const char *working_folder;     // NULL: the container's
    const char *const *environment; // NULL: none added
    // At most one of the two is sent to standard input, then end of file; NULL: no standard input.
    const void *input;
    size_t input_length;
    byte_source *source; // pulled as the command reads; its failure is that of exec_run
    void *source_context;
    const int *source_fd; // the source is asked only when this is readable; NULL: at any time
    int timeout_ms;       // for the whole command; 0: 60 s
    size_t output_limit;  // of each text; 0: 1 MiB
    stream_sink *sink;    // output as it comes, instead of into the result; NULL: the result
    void *context;
};

struct exec_result {
    int exit_status; // -1 when the sink stopped the stream: the command may still be running
    struct text output;
    struct text errors;
};

// A command that cannot be started has exit status 126 or 127 and says why in its output. One that
// outlives the timeout is ERROR_TIMEOUT and goes on in the container: the engine cannot end it.
bool exec_run(struct engine *engine, const char *container, const struct exec_options *options,
              struct exec_result *ret_result, struct error *err) must_use;
void exec_result_done(struct exec_result *self);

DEFINE_AUTODONE(exec_result, exec_result_done);
