// A stack told to others: the report's services and the environment file.
#define _GNU_SOURCE
#include "stack/stack_parts.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "compose/environment_file.h"

#include <stdio.h>
#include <string.h>

// The worker took it when the service failed; of one that died later it is taken now.
static char *log_tail_of(const struct stack_service *service, enum service_state state) {
    if (service->log_tail != NULL || state != SERVICE_FAILED)
        return memory_copy_string(service->log_tail);
    autofree_string char *tail =
        stack_log_tail(service->stack, service->plan->name, STACK_FAILURE_LOG_LINES);
    return tail[0] != '\0' ? TAKE(tail) : NULL;
}

void stack_describe(const struct stack *self, struct report *report) {
    for (size_t i = 0; i < self->service_count; i++) {
        const struct stack_service *service = &self->services[i];
        const struct board_entry entry = board_get(&service->stack->board, i);
        struct service_result *result = report_add_service(report);
        result->name = memory_copy_string(service->plan->name);
        if (service->plan->kind != NULL)
            result->kind = memory_copy_string(service->plan->kind->name);
        result->image = memory_copy_string(service->plan->image);
        result->ran = service->product != NULL && service->image->ran != NULL
                          ? memory_format("%s, %s", service->image->ran, service->product)
                          : memory_copy_string(service->image->ran);
        result->state = entry.state;
        result->ready_us = entry.ready_us;
        if (entry.problem.message[0] != '\0')
            result->message = memory_copy_string(entry.problem.message);
        result->log_tail = log_tail_of(service, entry.state);
    }
}

// A token that forming brought to light becomes a 0600 file beside the other secrets.
static bool save_token(const struct stack_service *service, char **ret_path, struct error *err) {
    *ret_path = NULL;
    if (service->formed.token == NULL)
        return true;
    *ret_path = memory_format("%s/secrets/%s-token", service->stack->folder, service->plan->name);
    return file_exists(*ret_path) || secret_write_file(service->formed.token, *ret_path, err);
}

static const char *state_word(enum service_state state) {
    if (state == SERVICE_READY || state == SERVICE_COMPLETED)
        return "ready";
    return state == SERVICE_MISSING ? "missing" : "failed";
}

static bool describe_service(const struct stack_service *service, struct environment_writer *writer,
                             struct error *err) {
    const struct plan_service *plan = service->plan;
    const char *name = plan->name;
    const struct board_entry entry = board_get(&service->stack->board, service->index);
    autofree_string char *token_path = NULL;
    if (!save_token(service, &token_path, err))
        return false;
    char port[8];
    snprintf(port, sizeof port, "%u", (unsigned)service->endpoint.port);
    const struct {
        const char *what;
        const char *value;
    } lines[] = {
        {"STATE", state_word(entry.state)},
        {"WHY", entry.problem.message[0] != '\0' ? entry.problem.message : NULL},
        {"KIND", plan->kind != NULL ? plan->kind->name : NULL},
        {"HOST", service->host},
        {"PORT", service->endpoint.port != 0 ? port : NULL},
        {"USER", plan->user},
        {"DATABASE", plan->database},
        {"PASSWORD_FILE", credentials_path(service->stack->credentials, plan->password)},
        {"TOKEN_FILE", token_path},
        {"PATH", plan->path},
        {"GROUP", plan->group},
        {"CONTAINER", service->container},
        {"IMAGE", service->image->reference},
        {"PRODUCT", service->product},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        environment_writer_set_of(writer, name, lines[i].what, lines[i].value);
    return true;
}

static void describe_run(const struct stack *self, struct environment_writer *writer) {
    autodone(text) struct text names = {0};
    for (size_t i = 0; i < self->service_count; i++)
        text_appendf(&names, "%s%s", i > 0 ? " " : "", self->services[i].plan->name);
    autodone(text) struct text files = {0};
    for (size_t i = 0; i < self->plan->compose_files.count; i++)
        text_appendf(&files, "%s%s", i > 0 ? "\n" : "", self->plan->compose_files.items[i]);
    environment_writer_set(writer, "ASSAY_RUN", run_id(self->run));
    environment_writer_set(writer, "ASSAY_OWNER", run_owner(self->run));
    environment_writer_set(writer, "ASSAY_FOLDER", run_folder(self->run));
    environment_writer_set(writer, "ASSAY_ENGINE", engine_host(self->engine));
    environment_writer_set(writer, "ASSAY_PUBLISH", self->options.publish ? "yes" : "no");
    environment_writer_set(writer, "ASSAY_COMPOSE_FILES", text_string(&files));
    if (self->plan->settings != NULL)
        environment_writer_set(writer, "ASSAY_SETTINGS", self->plan->settings);
    environment_writer_set(writer, "ASSAY_SERVICES", text_string(&names));
}

bool stack_write_environment(const struct stack *self, const char *path, struct error *err) {
    autofree(environment_writer) struct environment_writer *writer = environment_writer_new();
    describe_run(self, writer);
    for (size_t i = 0; i < self->service_count; i++)
        if (!describe_service(&self->services[i], writer, err))
            return false;
    return environment_writer_save(writer, path, err);
}
