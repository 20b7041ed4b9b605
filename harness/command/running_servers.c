#define _GNU_SOURCE
#include "command/running_servers.h"

#include "command/interrupt.h"
#include "command/session.h"

static bool look(struct running_servers *self, struct session *session, const struct backup *backup,
                 struct error *err) {
    autodone(origins) struct origins origins = {0};
    if (!target_open_engine(&self->target, session, err) ||
        !origins_find(session->engine, self->target.label, NULL, &origins, err))
        return false;
    const struct live_servers servers = {.engine = session->engine,
                                         .origins = &origins,
                                         .sockets = run_folder(session->run),
                                         .cancel = &session->cancel};
    live_set(session->live, "servers", "running", LIVE_WORKING, "reading", NULL);
    const bool looked = live_look(&servers, backup, &self->manifest, &self->notes, err);
    live_set(session->live, "servers", "running", looked ? LIVE_GOOD : LIVE_BAD, "read", NULL);
    return looked;
}

bool running_servers_look(struct running_servers *self, const struct target_choice *choice,
                          const struct backup *backup, struct error *err) {
    struct session session = {0};
    bool looked = cancel_init(&session.cancel, err);
    if (!looked)
        return false;
    interrupt_cancels(&session.cancel);
    looked = target_find(choice, &session.cancel, &self->target, err) &&
             run_open(&(const struct run_options){.cancel = &session.cancel}, &session.run, err);
    if (looked) {
        session.live = live_open(stderr, &(const struct live_options){0});
        looked = look(self, &session, backup, err);
    }
    session_close(&session);
    return looked || error_prefix(err, "--against live");
}

void running_servers_done(struct running_servers *self) {
    manifest_free(self->manifest);
    string_list_done(&self->notes);
    target_done(&self->target);
}

static bool hunt_over(const struct running_servers *self, struct engine *engine,
                      const struct backup *backup, const struct artifact *artifact,
                      const uint8_t key[ROW_HASH_KEY_SIZE], struct row_hunt *hunt,
                      struct error *err) {
    autodone(origins) struct origins origins = {0};
    if (!origins_find(engine, self->target.label, NULL, &origins, err))
        return false;
    const struct live_servers servers = {.engine = engine,
                                         .origins = &origins,
                                         .sockets = run_folder(self->session->run),
                                         .cancel = &self->session->cancel};
    return live_hunt(&servers, backup, artifact, key, hunt, err);
}

// The stack's engine need not be the one that is restored in.
bool running_servers_hunt(void *context, const struct backup *backup,
                          const struct artifact *artifact, const uint8_t key[ROW_HASH_KEY_SIZE],
                          struct row_hunt *hunt, struct error *err) {
    const struct running_servers *self = context;
    const char *host = self->target.engine_host;
    autofree(engine) struct engine *other = NULL;
    const struct engine_options options = {.host = host, .cancel = &self->session->cancel};
    return (host == NULL || engine_open(&options, &other, err)) &&
           hunt_over(self, host != NULL ? other : self->session->engine, backup, artifact, key,
                     hunt, err);
}
