// A private copy of one service or group of the running stack, for tests that do harm.
#define _GNU_SOURCE
#include "scenario/scenario_parts.h"

#include "base/memory.h"
#include "stack/stack.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct spare {
    struct scenario *scenario;
    struct string_list services; // the members, in the plan's order
    struct run *run;
    struct plan *plan;
    struct image_choices images;
    struct stack *stack;
    struct endpoint *endpoints;
};

static void spare_free(void *object) {
    struct spare *self = object;
    if (self->stack != NULL && !stack_down(self->stack, NULL)) {
        // The runner's guardian removes what is left of the run.
    }
    stack_free(self->stack);
    image_choices_done(&self->images);
    plan_free(self->plan);
    if (self->run != NULL)
        run_close(self->run, true);
    string_list_done(&self->services);
    free(self->endpoints);
    free(self);
}

static void split_lines(const char *text, struct string_list *ret_lines) {
    autofree_string char *copy = memory_copy_string(text);
    char *rest = NULL;
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        string_list_add(ret_lines, line);
}

static void load_plan(struct spare *self, const struct environment_file *environment) {
    autodone(string_list) struct string_list files = {0};
    split_lines(environment_get(environment, "ASSAY_COMPOSE_FILES"), &files);
    const struct plan_options options = {
        .files = (const char *const *)files.items,
        .services = (const char *const *)self->services.items,
        .settings = environment_get(environment, "ASSAY_SETTINGS"),
    };
    cr_assert(plan_load(&options, &self->plan, err), "%s", err->message);
}

// The very images that the stack runs.
static void choose_images(struct spare *self, const struct environment_file *environment) {
    const struct plan *plan = self->plan;
    self->images.items = memory_new(plan->service_count, sizeof *self->images.items);
    self->images.count = plan->service_count;
    for (size_t i = 0; i < plan->service_count; i++) {
        const char *name = plan->services[i].name;
        const char *reference = environment_of(environment, name, "IMAGE");
        self->images.items[i] = (struct image_choice){
            .service = memory_copy_string(name),
            .reference = memory_copy_string(reference),
            .origin = reference != NULL ? IMAGE_PRESENT : IMAGE_NOWHERE,
            .why = memory_format("the stack has no image of %s", name),
        };
    }
}

static void adopt_run(struct spare *self, const struct environment_file *environment) {
    cr_assert(run_adopt(environment_get(environment, "ASSAY_RUN"),
                        environment_get(environment, "ASSAY_FOLDER"),
                        environment_get(environment, "ASSAY_OWNER"), &self->run, err),
              "%s", err->message);
}

static void bring_up(struct spare *self, const struct environment_file *environment) {
    static int counter;
    char suffix[40];
    snprintf(suffix, sizeof suffix, "-spare-%d-%d", (int)getpid(), ++counter);
    const char *publish = environment_get(environment, "ASSAY_PUBLISH");
    const struct stack_options options = {
        .role = "spare",
        .suffix = suffix,
        .publish = publish != NULL && strcmp(publish, "yes") == 0,
    };
    const bool up = stack_up(self->run, scenario_engine(self->scenario), self->plan, &self->images,
                             &options, &self->stack, err);
    cr_assert(up, "the spare of %s did not come up: %s", self->services.items[0], err->message);
}

static void find_endpoints(struct spare *self) {
    self->endpoints = memory_new(self->services.count, sizeof *self->endpoints);
    for (size_t i = 0; i < self->services.count; i++) {
        const char *name = self->services.items[i];
        const struct endpoint *endpoint = stack_endpoint(self->stack, name);
        if (endpoint == NULL) {
            autofree(report) struct report *report = report_new("spare");
            stack_describe(self->stack, report);
            for (size_t j = 0; j < report->service_count; j++)
                if (strcmp(report->services[j].name, name) == 0)
                    error_set(err, ERROR_SERVICE, 0, "%s\n%s",
                              report->services[j].message ? report->services[j].message : "",
                              report->services[j].log_tail ? report->services[j].log_tail : "");
        }
        cr_assert(endpoint != NULL, "the spare of %s is not ready: %s", name, err->message);
        self->endpoints[i] = *endpoint;
        self->endpoints[i].request_timeout_ms = scenario_patience_ms();
    }
}

struct spare *scenario_spare(struct scenario *self, const char *service_or_group) {
    const struct environment_file *environment = scenario_environment(self);
    struct spare *spare = memory_new(1, sizeof *spare);
    spare->scenario = self;
    scenario_own(self, spare, spare_free);
    scenario_services_of(self, service_or_group, &spare->services);
    if (spare->services.count == 0)
        scenario_lacks(self, service_or_group);
    for (size_t i = 0; i < spare->services.count; i++)
        (void)scenario_product(self, spare->services.items[i]); // ready, or the test ends here
    load_plan(spare, environment);
    choose_images(spare, environment);
    adopt_run(spare, environment);
    bring_up(spare, environment);
    find_endpoints(spare);
    return spare;
}

const struct endpoint *spare_endpoint(struct spare *self, size_t member) {
    cr_assert(member < self->services.count);
    return &self->endpoints[member];
}

struct kind_members spare_members(struct spare *self) {
    return (struct kind_members){.endpoints = self->endpoints, .count = self->services.count};
}

const char *spare_container(struct spare *self, size_t member) {
    cr_assert(member < self->services.count);
    return stack_container(self->stack, self->services.items[member]);
}

const struct secret *spare_token(struct spare *self) {
    return stack_token(self->stack, self->services.items[0]);
}
