#define _GNU_SOURCE
#include "command/running_servers.h"

#include "command/interrupt.h"
#include "command/session.h"

static bool look(struct session *session, const struct target *target, const struct backup *backup,
                 struct manifest **ret_manifest, struct string_list *ret_notes, struct error *err) {
    autodone(origins) struct origins origins = {0};
    if (!target_open_engine(target, session, err) ||
        !origins_find(session->engine, target->label, NULL, &origins, err))
        return false;
    const struct live_servers servers = {.engine = session->engine,
                                         .origins = &origins,
                                         .sockets = run_folder(session->run),
                                         .cancel = &session->cancel};
    live_set(session->live, "servers", "running", LIVE_WORKING, "reading", NULL);
    const bool looked = live_look(&servers, backup, ret_manifest, ret_notes, err);
    live_set(session->live, "servers", "running", looked ? LIVE_GOOD : LIVE_BAD, "read", NULL);
    return looked;
}

bool running_servers_look(const struct target_choice *choice, const struct backup *backup,
                          struct manifest **ret_manifest, struct string_list *ret_notes,
                          struct error *err) {
    struct session session = {0};
    struct target target = {0};
    bool looked = cancel_init(&session.cancel, err);
    if (!looked)
        return false;
    interrupt_cancels(&session.cancel);
    looked = target_find(choice, &session.cancel, &target, err) &&
             run_open(&(const struct run_options){.cancel = &session.cancel}, &session.run, err);
    if (looked) {
        session.live = live_open(stderr, &(const struct live_options){0});
        looked = look(&session, &target, backup, ret_manifest, ret_notes, err);
    }
    session_close(&session);
    target_done(&target);
    return looked || error_prefix(err, "--against live");
}
