#include "image/image_source.h"

#include "base/check.h"
#include "base/memory.h"
#include "image/image_find.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JOBS_MOST 32

// One image of the plan, wanted by one service or several.
struct unit {
    struct image_wish wish;
    struct image_choice choice;
    bool own; // a recipe: may have to wait for the base
};

// What the workers share.
struct session {
    struct image_finder finder;
    struct image_options options; // the user's, with our progress
    const struct image_options *user;
    struct unit *units;
    size_t unit_count;
    size_t *unit_of; // for each service of the plan
    size_t next;     // under lock
    bool failed;     // under lock
    struct error problem;
    pthread_mutex_t lock;
    pthread_mutex_t progress_lock;
};

// The user's progress is called from one thread at a time.
static void serialised_progress(void *context, const char *image, const char *state,
                                const char *detail) {
    struct session *session = context;
    pthread_mutex_lock(&session->progress_lock);
    session->user->progress(session->user->context, image, state, detail);
    pthread_mutex_unlock(&session->progress_lock);
}

static bool equal(const char *left, const char *right) {
    return left == NULL || right == NULL ? left == right : strcmp(left, right) == 0;
}

static size_t find_or_add_unit(struct session *self, const struct plan_service *service) {
    for (size_t i = 0; i < self->unit_count; i++) {
        const struct image_wish *wish = &self->units[i].wish;
        if (equal(wish->image, service->image) && equal(wish->platform, service->platform) &&
            equal(wish->substitute, service->substitute))
            return i;
    }
    self->units[self->unit_count] = (struct unit){
        .wish = {.image = service->image,
                 .platform = service->platform,
                 .substitute = service->substitute},
        .own = strncmp(service->image, "assay/", strlen("assay/")) == 0,
    };
    return self->unit_count++;
}

// Foreign images first: they wait for a network, and ours may wait for the base anyway.
static struct unit *take_unit(struct session *self) {
    struct unit *unit = NULL;
    pthread_mutex_lock(&self->lock);
    while (unit == NULL && self->next < 2 * self->unit_count && !self->failed) {
        struct unit *candidate = &self->units[self->next % self->unit_count];
        const bool second_round = self->next >= self->unit_count;
        if (candidate->own == second_round)
            unit = candidate;
        self->next++;
    }
    pthread_mutex_unlock(&self->lock);
    return unit;
}

static void *work(void *context) {
    struct session *self = context;
    struct unit *unit;
    while ((unit = take_unit(self)) != NULL) {
        struct error err = {0};
        if (image_find(&self->finder, &unit->wish, &unit->choice, &err))
            continue;
        pthread_mutex_lock(&self->lock);
        if (!self->failed)
            self->problem = err;
        self->failed = true;
        pthread_mutex_unlock(&self->lock);
    }
    return NULL;
}

static size_t worker_count(const struct session *self) {
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t jobs = self->options.jobs > 0 ? (size_t)self->options.jobs
                  : processors > 0       ? (size_t)processors
                                         : 1;
    if (jobs > JOBS_MOST)
        jobs = JOBS_MOST;
    return jobs < self->unit_count ? jobs : self->unit_count;
}

static bool run_workers(struct session *self, struct error *err) {
    pthread_t workers[JOBS_MOST];
    const size_t wanted = worker_count(self);
    size_t started = 0;
    while (started < wanted && pthread_create(&workers[started], NULL, work, self) == 0)
        started++;
    if (started == 0 && wanted > 0)
        work(self); // no thread to be had: then slowly
    for (size_t i = 0; i < started; i++)
        pthread_join(workers[i], NULL);
    if (self->failed && err != NULL)
        *err = self->problem;
    return !self->failed;
}

static struct image_choice choice_for(const struct plan_service *service,
                                      const struct image_choice *found) {
    return (struct image_choice){
        .service = memory_copy_string(service->name),
        .reference = memory_copy_string(found->reference),
        .origin = found->origin,
        .ran = memory_copy_string(found->ran),
        .why = memory_copy_string(found->why),
    };
}

static void session_done(struct session *self) {
    for (size_t i = 0; i < self->unit_count; i++)
        image_choice_done(&self->units[i].choice);
    free(self->units);
    free(self->unit_of);
    image_finder_done(&self->finder);
    pthread_mutex_destroy(&self->lock);
    pthread_mutex_destroy(&self->progress_lock);
}
DEFINE_AUTODONE(session, session_done);

bool image_choices_make(struct engine *engine, const struct plan *plan,
                        const struct image_options *options, struct image_choices *ret_choices,
                        struct error *err) {
    autodone(session) struct session session = {.options = *options, .user = options};
    check(pthread_mutex_init(&session.lock, NULL) == 0);
    check(pthread_mutex_init(&session.progress_lock, NULL) == 0);
    session.options.progress = options->progress != NULL ? serialised_progress : NULL;
    session.options.context = &session;
    session.units = memory_new(plan->service_count + 1, sizeof *session.units);
    session.unit_of = memory_new(plan->service_count + 1, sizeof *session.unit_of);
    for (size_t i = 0; i < plan->service_count; i++)
        session.unit_of[i] = find_or_add_unit(&session, &plan->services[i]);
    if (!image_finder_init(&session.finder, engine, &session.options, err) ||
        !run_workers(&session, err))
        return false;
    ret_choices->count = plan->service_count;
    ret_choices->items = memory_new(plan->service_count + 1, sizeof *ret_choices->items);
    for (size_t i = 0; i < plan->service_count; i++)
        ret_choices->items[i] =
            choice_for(&plan->services[i], &session.units[session.unit_of[i]].choice);
    return true;
}

void image_choices_done(struct image_choices *self) {
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++)
        image_choice_done(&self->items[i]);
    free(self->items);
    *self = (struct image_choices){0};
}
