#include "image/registry.h"

#include "base/check.h"
#include "base/eventually.h"
#include "base/memory.h"
#include "image/image_name.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_PULL_MS (2 * 60 * 60 * 1000)

enum registry_state { REGISTRY_UNKNOWN, REGISTRY_ASKED, REGISTRY_ANSWERS, REGISTRY_SILENT };

struct registry {
    char *host;
    enum registry_state state;
    char *reason; // silent: in a few words
    struct registry *next;
};

struct registries {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct registry *first; // under lock
};

struct registries *registries_new(void) {
    struct registries *self = memory_new(1, sizeof *self);
    check(pthread_mutex_init(&self->lock, NULL) == 0);
    check(pthread_cond_init(&self->changed, NULL) == 0);
    return self;
}

void registries_free(struct registries *self) {
    if (self == NULL)
        return;
    while (self->first != NULL) {
        struct registry *registry = self->first;
        self->first = registry->next;
        free(registry->host);
        free(registry->reason);
        free(registry);
    }
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

const char *registry_reason(const char *message) {
    const char *reason = message;
    const char *note = strstr(message, IMAGE_WITHOUT_CREDENTIALS); // belongs to whatever is said
    for (const char *at; (at = strstr(reason, ": ")) != NULL && at[2] != '\0';) {
        if (note != NULL && at > note)
            break;
        reason = at + 2;
    }
    return reason;
}

bool registry_unreachable(const struct error *failure) {
    // As Go's net package, net/http and the engine put it. The message names the image as well
    // (x509-exporter), so each has something in it that no name of an image has: a space, ": ".
    static const char *const phrases[] = {
        "no such host",
        "connection refused",
        "no route to host",
        "network is unreachable",
        "i/o timeout",
        "TLS handshake timeout",
        "request canceled",
        "deadline exceeded",
        "server misbehaving",
        "proxyconnect tcp",
        ": x509: ",
        "connection reset",
        "Client.Timeout exceeded",
        "Temporary failure",
        "server gave HTTP response to HTTPS",
    };
    if (failure->domain == ERROR_TIMEOUT)
        return true;
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++)
        if (strstr(failure->message, phrases[i]) != NULL)
            return true;
    return false;
}

static struct registry *find_or_add(struct registries *self, const char *host) {
    for (struct registry *registry = self->first; registry != NULL; registry = registry->next)
        if (strcmp(registry->host, host) == 0)
            return registry;
    struct registry *registry = memory_new(1, sizeof *registry);
    registry->host = memory_copy_string(host);
    registry->next = self->first;
    self->first = registry;
    return registry;
}

// Waits while another thread finds out; true: this thread is the one that has to.
static bool must_ask(struct registries *self, struct registry *registry) {
    pthread_mutex_lock(&self->lock);
    while (registry->state == REGISTRY_ASKED)
        pthread_cond_wait(&self->changed, &self->lock);
    const bool asks = registry->state == REGISTRY_UNKNOWN;
    if (asks)
        registry->state = REGISTRY_ASKED;
    pthread_mutex_unlock(&self->lock);
    return asks;
}

static void learned(struct registries *self, struct registry *registry, enum registry_state state,
                    const char *reason) {
    pthread_mutex_lock(&self->lock);
    if (registry->state == REGISTRY_ASKED) {
        registry->state = state;
        registry->reason = memory_copy_string(reason);
    }
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

// The first pull from a registry: its first sign of life frees the others. It has a cancel of its
// own, requested by a second thread that watches the time until then and the user throughout.
struct question {
    struct registries *registries;
    struct registry *registry;
    const struct image_progress *progress;
    const struct cancel *user;
    struct cancel cancel;
    atomic_bool answered;
    atomic_bool ended;
};

static void on_first_progress(void *context, const char *line, int64_t done_bytes,
                              int64_t total_bytes) {
    struct question *question = context;
    if (!atomic_exchange(&question->answered, true))
        learned(question->registries, question->registry, REGISTRY_ANSWERS, NULL);
    if (question->progress != NULL && question->progress->report != NULL)
        question->progress->report(question->progress->context, line, done_bytes, total_bytes);
}

static bool has_answered(void *context, struct error *err) {
    struct question *question = context;
    return atomic_load(&question->answered) || atomic_load(&question->ended) ||
           error_set(err, ERROR_TIMEOUT, 0, "no answer yet");
}

static bool has_ended(void *context, struct error *err) {
    struct question *question = context;
    return atomic_load(&question->ended) || error_set(err, ERROR_TIMEOUT, 0, "still pulling");
}

static void *watch_question(void *context) {
    struct question *question = context;
    const bool in_time = eventually(deadline_in_ms(REGISTRY_ANSWER_MS), has_answered, question,
                                    NULL, .interval_ms = 10, .cancel = question->user);
    if (!in_time || !eventually(deadline_in_ms(LONGEST_PULL_MS), has_ended, question, NULL,
                                .interval_ms = 20, .cancel = question->user))
        cancel_request(&question->cancel);
    return NULL;
}

// A connection of its own to the same engine, for that cancel. The certificates are the ones that
// led to the engine in the first place.
static bool open_again(const struct engine *engine, const struct cancel *cancel,
                       struct engine **ret_engine, struct error *err) {
    autodone(engine_location) struct engine_location location = {0};
    const bool located =
        engine_locate(&location, NULL) && strcmp(location.host, engine_host(engine)) == 0;
    const struct engine_options options = {
        .host = engine_host(engine),
        .certificates = located ? location.certificates : NULL,
        .verify_peer = located && location.verify_peer,
        .cancel = cancel,
    };
    return engine_open(&options, ret_engine, err);
}

static bool ask_and_pull(struct question *question, const struct engine *engine,
                         const char *reference, const char *platform, struct error *err) {
    autofree(engine) struct engine *again = NULL;
    if (!open_again(engine, &question->cancel, &again, err))
        return false;
    pthread_t watcher;
    const int refused = pthread_create(&watcher, NULL, watch_question, question);
    if (refused != 0)
        return error_set(err, ERROR_SYSTEM, refused, "cannot start a thread");
    const struct image_progress progress = {.report = on_first_progress, .context = question};
    const bool pulled = image_pull(again, reference, platform, &progress, err);
    atomic_store(&question->ended, true);
    pthread_join(watcher, NULL);
    if (!pulled && err->domain == ERROR_CANCELLED && !cancel_requested(question->user))
        error_set(err, ERROR_TIMEOUT, 0, "not done within %d minutes", LONGEST_PULL_MS / 60000);
    return pulled;
}

static bool describe(const struct registry *registry, const char *reference,
                     const struct error *failure, struct error *err) {
    if (failure->domain == ERROR_CANCELLED || failure->domain == ERROR_PROTOCOL) {
        if (err != NULL)
            *err = *failure;
        return false;
    }
    const char *reason = registry_reason(failure->message);
    // A timeout here is our own patience, or the engine's: this registry has answered before.
    if (failure->domain != ERROR_TIMEOUT && registry_unreachable(failure))
        return error_set(err, ERROR_UNAVAILABLE, 0, "%s does not answer: %s", registry->host,
                         reason);
    return error_set(err, ERROR_UNAVAILABLE, 0, "%s does not give %s: %s", registry->host,
                     reference, reason);
}

static bool first_pull(struct question *question, const struct engine *engine,
                       const char *reference, const char *platform, struct error *err) {
    struct registries *self = question->registries;
    struct registry *registry = question->registry;
    struct error failure = {0};
    if (ask_and_pull(question, engine, reference, platform, &failure)) {
        learned(self, registry, REGISTRY_ANSWERS, NULL);
        return true;
    }
    if (failure.domain == ERROR_TIMEOUT && !atomic_load(&question->answered))
        error_set(err, ERROR_UNAVAILABLE, 0, "%s does not answer within %d s", registry->host,
                  REGISTRY_ANSWER_MS / 1000);
    else
        describe(registry, reference, &failure, err);
    if (failure.domain == ERROR_CANCELLED)
        learned(self, registry, REGISTRY_UNKNOWN, NULL);
    else if (!registry_unreachable(&failure))
        learned(self, registry, REGISTRY_ANSWERS, NULL);
    else
        learned(self, registry, REGISTRY_SILENT,
                failure.domain == ERROR_TIMEOUT ? "timeout" : registry_reason(failure.message));
    return false;
}

bool registries_pull(struct registries *self, struct engine *engine, const char *reference,
                     const char *platform, const struct image_progress *progress,
                     const struct cancel *cancel, struct error *err) {
    autodone(image_name) struct image_name name = {0};
    if (!image_name_parse(reference, &name, err))
        return false;
    pthread_mutex_lock(&self->lock);
    struct registry *registry = find_or_add(self, name.registry);
    pthread_mutex_unlock(&self->lock);

    if (must_ask(self, registry)) {
        struct question question = {
            .registries = self, .registry = registry, .progress = progress, .user = cancel};
        bool pulled = cancel_init(&question.cancel, err);
        if (!pulled)
            learned(self, registry, REGISTRY_UNKNOWN, NULL);
        else
            pulled = first_pull(&question, engine, reference, platform, err);
        cancel_done(&question.cancel);
        return pulled;
    }
    pthread_mutex_lock(&self->lock);
    const bool silent = registry->state == REGISTRY_SILENT;
    pthread_mutex_unlock(&self->lock);
    if (silent) // it stays so: state and reason no longer change
        return error_set(err, ERROR_UNAVAILABLE, 0, "%s does not answer: %s", registry->host,
                         registry->reason);
    struct error failure = {0};
    if (image_pull(engine, reference, platform, progress, &failure))
        return true;
    return describe(registry, reference, &failure, err);
}
