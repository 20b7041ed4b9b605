#include "image/prepared.h"

#include "base/memory.h"
#include "base/string_list.h"
#include "engine/container.h"
#include "engine/image.h"
#include "image/build_lock.h"
#include "image/old_images.h"
#include "image/prepared_key.h"
#include "image/template_image.h"

#include <stdlib.h>
#include <string.h>

#define KEY_LENGTH 16
#define STOP_GRACE_S 60

// One service on its way to its prepared image.
struct preparation {
    struct engine *engine;
    const struct plan *plan;
    const struct plan_service *service;
    const char *original; // the image it is prepared from
    const struct prepared_boot *boot;
    json_t *image; // its inspect result
    char key[DIGEST_HEX_SIZE];
    char *repository; // "assay/prepared-postgres"
    char *reference;  // with the tag
    bool booted;
    struct error refusal; // why the template was not kept
};

static void preparation_done(struct preparation *self) {
    json_decref(self->image);
    free(self->repository);
    free(self->reference);
}
DEFINE_AUTODONE(preparation, preparation_done);

void prepared_image_done(struct prepared_image *self) {
    if (self == NULL)
        return;
    free(self->reference);
    free(self->why_not);
    *self = (struct prepared_image){0};
}

static void report(const struct preparation *self, const char *state) {
    if (self->boot->progress != NULL)
        self->boot->progress(self->boot->context, self->service->name, state);
}

static bool unprepared(const char *reference, const char *why, struct prepared_image *ret_image) {
    *ret_image = (struct prepared_image){.reference = memory_copy_string(reference),
                                         .why_not = memory_copy_string(why)};
    return true;
}

// Stopped by what the service itself takes for a request to end, and it says that all is well.
static bool stop_cleanly(struct preparation *self, const char *container, struct error *err) {
    report(self, "stopping");
    if (!container_stop(self->engine, container, STOP_GRACE_S, err))
        return false;
    struct container_state state = {0};
    if (!container_state(self->engine, container, &state, err))
        return false;
    if (state.running || state.oom_killed || state.exit_status != 0)
        return error_set(err, ERROR_SERVICE, 0, "the template did not end cleanly (%s, status %d)",
                         state.oom_killed ? "out of memory"
                         : state.running  ? "still running"
                                          : "exited",
                         state.exit_status);
    return true;
}

static bool keep(struct preparation *self, const char *container, struct error *err) {
    report(self, "committing");
    const struct template_image template = {
        .container = container,
        .original = self->image,
        .repository = self->repository,
        .reference = self->reference,
        .key = self->key,
        .project = self->plan->name,
        .service = self->service->name,
    };
    return template_image_commit(self->engine, &template, err);
}

static bool boot_and_keep(struct preparation *self, struct error *err) {
    report(self, "preparing");
    autofree_string char *container = NULL;
    if (!self->boot->boot(self->boot->context, self->service, self->original, &container, err))
        return error_prefix(err, "the template did not get ready");
    self->booted = true;
    const bool kept = stop_cleanly(self, container, err) && keep(self, container, err);
    self->boot->finish(self->boot->context, container);
    return kept;
}

static void on_waiting(void *context) {
    report(context, "waiting for another run that prepares it");
}

// Present at the end, or self->refusal says why not.
static bool make(struct preparation *self, bool *ret_present, struct error *err) {
    autofree_string char *lock_name = memory_format("prepared-%s", self->key);
    autoclose_fd int lock = -1;
    if (!build_lock_take(lock_name, self->boot->cancel, on_waiting, self, &lock, err) ||
        !image_exists(self->engine, self->reference, ret_present, err) || *ret_present)
        return *ret_present;
    if (!cancel_check(self->boot->cancel, err))
        return false;
    *ret_present = boot_and_keep(self, &self->refusal);
    if (!*ret_present && !cancel_check(self->boot->cancel, err))
        return false;
    if (!*ret_present)
        return true;
    autofree_string char *label =
        memory_format("io.assay.prepared.for=%s/%s", self->plan->name, self->service->name);
    old_images_remove(self->engine, self->repository, label, self->reference, OLD_IMAGES_KEPT_S);
    return true;
}

static bool preparation_init(struct preparation *self, struct error *err) {
    if (!prepared_key(self->plan, self->service, self->image, self->key, err))
        return false;
    self->repository = memory_format(
        "assay/prepared-%s", self->service->kind != NULL ? self->service->kind->name : "service");
    self->reference = memory_format("%s:%.*s", self->repository, KEY_LENGTH, self->key);
    return true;
}

bool prepared_ensure(struct engine *engine, const struct plan *plan,
                     const struct plan_service *service, const char *reference,
                     const struct prepared_boot *boot, struct prepared_image *ret_image,
                     struct error *err) {
    autodone(preparation) struct preparation self = {
        .engine = engine, .plan = plan, .service = service, .original = reference, .boot = boot};
    if (!image_inspect(engine, reference, &self.image, err))
        return false;
    autofree_string char *obstacle = prepared_obstacle(plan, service, self.image);
    if (obstacle != NULL)
        return unprepared(reference, obstacle, ret_image);
    bool present = false;
    if (!preparation_init(&self, err) || !image_exists(engine, self.reference, &present, err) ||
        (!present && !make(&self, &present, err)))
        return false;
    if (!present)
        return unprepared(reference, self.refusal.message, ret_image);
    old_images_used(self.reference);
    *ret_image = (struct prepared_image){
        .reference = TAKE(self.reference), .prepared = true, .booted = self.booted};
    return true;
}
