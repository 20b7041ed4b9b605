#define _GNU_SOURCE
#include "command/preparation.h"

#include "base/memory.h"
#include "image/prepared.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

// One service that wants a prepared image. Each has a thread: templates boot side by side.
struct preparation {
    struct session *session;
    const struct plan_service *service;
    struct image_choice *image;
    struct plan alone; // the plan with this service only: a view, nothing in it is owned
    struct plan_service only;
    struct image_choices images; // likewise
    struct image_choice choice;
    struct stack *stack;
    struct prepared_image prepared;
    struct error problem;
    bool ok;
    pthread_t thread;
    bool has_thread;
};

static void look_alone(struct preparation *self, const char *reference) {
    self->only = *self->service;
    self->only.dependency_count = 0;
    self->only.group = NULL;
    self->alone = *self->session->plan;
    self->alone.services = &self->only;
    self->alone.service_count = 1;
    self->choice = (struct image_choice){.service = self->service->name,
                                         .reference = (char *)(uintptr_t)reference,
                                         .origin = IMAGE_PRESENT};
    self->images = (struct image_choices){.items = &self->choice, .count = 1};
}

static void remove_template(struct preparation *self) {
    struct error problem = {0};
    if (self->stack != NULL && !stack_down(self->stack, &problem))
        self->session->left_behind = true; // the guardian tries again when the run closes
    stack_free(TAKE(self->stack));
}

static bool why_not_ready(struct preparation *self, struct error *err) {
    autofree(report) struct report *report = report_new("template");
    stack_describe(self->stack, report);
    const char *message = report->service_count > 0 ? report->services[0].message : NULL;
    return error_set(err, ERROR_SERVICE, 0, "%s",
                     message != NULL ? message : "it did not get ready");
}

static bool boot(void *context, const struct plan_service *service, const char *reference,
                 char **ret_container, struct error *err) {
    struct preparation *self = context;
    look_alone(self, reference);
    char suffix[64];
    snprintf(suffix, sizeof suffix, "-template-%s", service->name);
    const struct stack_options options = {.role = "prepare", .suffix = suffix};
    const bool up = stack_up(self->session->run, self->session->engine, &self->alone, &self->images,
                             &options, &self->stack, err);
    if (up && stack_all_ready(self->stack)) {
        *ret_container = memory_copy_string(stack_container(self->stack, service->name));
        return true;
    }
    if (up)
        why_not_ready(self, err);
    else
        self->session->left_behind = true; // as in session_bring_up
    remove_template(self);
    return false;
}

static void finish(void *context, const char *container) {
    (void)container; // it belongs to the stack
    remove_template(context);
}

static void show(void *context, const char *service, const char *state) {
    struct preparation *self = context;
    if (self->session->live != NULL)
        live_set(self->session->live, "images", service, LIVE_WORKING, state, NULL);
}

static void *prepare(void *context) {
    struct preparation *self = context;
    const struct prepared_boot how = {.boot = boot,
                                      .finish = finish,
                                      .progress = show,
                                      .context = self,
                                      .cancel = &self->session->cancel};
    self->ok = prepared_ensure(self->session->engine, self->session->plan, self->service,
                               self->image->reference, &how, &self->prepared, &self->problem);
    return NULL;
}

static void adopt(struct preparation *self) {
    if (!self->ok)
        return;
    if (self->prepared.prepared) {
        free(self->image->reference);
        self->image->reference = memory_copy_string(self->prepared.reference);
        self->image->prepared = true;
        if (self->prepared.booted && self->session->live != NULL)
            live_set(self->session->live, "images", self->service->name, LIVE_GOOD, "prepared",
                     NULL);
    }
    if (self->prepared.why_not != NULL) {
        autofree_string char *warning =
            memory_format("%s starts unprepared: %s", self->service->name, self->prepared.why_not);
        report_add_warning(self->session->report, warning);
    }
    prepared_image_done(&self->prepared);
}

static size_t collect(struct session *session, struct preparation *all) {
    size_t count = 0;
    for (size_t i = 0; i < session->plan->service_count; i++) {
        struct image_choice *image = &session->images.items[i];
        if (session->plan->services[i].prepare && image->origin != IMAGE_NOWHERE)
            all[count++] = (struct preparation){
                .session = session, .service = &session->plan->services[i], .image = image};
    }
    return count;
}

bool preparation_make(struct session *session, struct error *err) {
    struct preparation *all = memory_new(session->plan->service_count, sizeof *all);
    const size_t count = collect(session, all);
    for (size_t i = 0; i < count; i++) {
        all[i].has_thread = pthread_create(&all[i].thread, NULL, prepare, &all[i]) == 0;
        if (!all[i].has_thread)
            prepare(&all[i]);
    }
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        if (all[i].has_thread)
            pthread_join(all[i].thread, NULL);
        adopt(&all[i]);
        if (!all[i].ok && ok && err != NULL)
            *err = all[i].problem;
        ok = ok && all[i].ok;
    }
    free(all);
    return ok;
}
