#define _GNU_SOURCE
#include "command/target.h"

#include "base/memory.h"
#include "command/session.h"
#include "run/lease.h"
#include "verify/backup/origin.h"

#include <libgen.h>
#include <stdlib.h>

int target_choice_count(const struct target_choice *self) {
    return (self->stack != NULL) + (self->project != NULL) + (self->settings != NULL) +
           (self->compose.count > 0);
}

void target_done(struct target *self) {
    free(self->label);
    free(self->engine_host);
    lease_release(self->lease);
}

static bool find_stack(const char *name, const struct cancel *cancel, struct target *ret_target,
                       struct error *err) {
    autofree_string char *state = state_folder();
    if (!lease_claim(state, name, cancel, &ret_target->lease, err))
        return false;
    const struct lease_facts *facts = lease_facts(ret_target->lease);
    if (facts == NULL)
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "there is no stack \"%s\": `assay status` lists them", name);
    ret_target->label = memory_format("io.assay.run=%s", facts->run_id);
    ret_target->engine_host = memory_copy_string(facts->engine_host);
    return true;
}

static bool find_project(const struct target_choice *choice, struct target *ret_target,
                         struct error *err) {
    autofree_string char *settings = memory_copy_string(choice->settings);
    const char *const here[] = {settings != NULL ? dirname(settings) : ".", NULL};
    const struct session_options options = {
        .settings = choice->settings,
        .compose_files =
            choice->compose.count > 0 ? (const char *const *)choice->compose.items : here,
        .profiles = (const char *const[]){"*", NULL}};
    autofree_string char *fixtures = NULL;
    struct plan *plan = NULL;
    if (!session_load_plan(&options, &fixtures, NULL, &plan, err))
        return error_append(err, "%s",
                            choice->settings != NULL || choice->compose.count > 0
                                ? ""
                                : " (or name the stack: --target, --project, --stack)");
    ret_target->label = memory_format(ORIGIN_COMPOSE_PROJECT "=%s", plan->name);
    plan_free(plan);
    return true;
}

bool target_find(const struct target_choice *choice, const struct cancel *cancel,
                 struct target *ret_target, struct error *err) {
    if (choice->stack != NULL)
        return find_stack(choice->stack, cancel, ret_target, err);
    if (choice->project == NULL)
        return find_project(choice, ret_target, err);
    ret_target->label = memory_format(ORIGIN_COMPOSE_PROJECT "=%s", choice->project);
    return true;
}

bool target_open_engine(const struct target *self, struct session *session, struct error *err) {
    const struct engine_options options = {.host = self->engine_host, .cancel = &session->cancel};
    return self->engine_host != NULL ? engine_open(&options, &session->engine, err)
                                     : session_find_engine(session, err);
}
