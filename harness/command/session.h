// What the commands that use a stack share: an engine (the user's or a private one), a run, a plan,
// images, and the stack. Each step may only follow the one before; session_close undoes all of
// them, from whatever step was reached.
#pragma once

#include "base/cancel.h"
#include "compose/plan.h"
#include "engine/engine.h"
#include "image/image_source.h"
#include "reports/live.h"
#include "run/private_engine.h"
#include "run/run.h"
#include "stack/stack.h"
#include "value/result.h"

struct session_options {
    const char *const *compose_files; // NULL-terminated; one folder stands for the files that are
                                      // found in it; NULL: the bundled devstack
    const char *const
        *profiles; // NULL-terminated; NULL: the file's own default; devstack: standard
    const char *const *services; // NULL-terminated; NULL: all
    const char *settings;        // assay.yaml; NULL: the one beside the Compose file
    bool substitute;
    bool offline;
    int jobs;
    int64_t lease_ms; // for a stack that stays; 0: none
    bool quiet;       // no live progress
};

struct session {
    struct session_options options;
    struct cancel cancel;
    struct engine_location location;
    struct run *run;
    struct private_engine *private_engine; // NULL: the user's own engine
    struct engine *engine;
    char *fixtures;
    struct plan *plan;
    struct image_choices images;
    struct stack *stack;
    struct live *live;
    struct report *report;
    char *environment_file; // path, once written
    bool left_behind;       // something may stay: the guardian is to look
};

// Only the plan: what session_open begins with. *ret_fixtures is set where there are any;
// `warnings` gets those of a plan that cannot be loaded, and may be NULL.
bool session_load_plan(const struct session_options *options, char **ret_fixtures,
                       struct string_list *warnings, struct plan **ret_plan,
                       struct error *err) must_use;

// Reads the plan (configuration errors come before anything is started), opens the run and its
// guardian, finds an engine, sweeps what dead runs left.
bool session_open(struct session *self, const struct session_options *options, const char *title,
                  struct error *err) must_use;
// Images, then the stack, then the environment file. false: nothing can be verified at all; that a
// single service failed is in the report.
bool session_bring_up(struct session *self, struct error *err) must_use;
// Only the images: what session_bring_up begins with.
bool session_make_images(struct session *self, struct error *err) must_use;
// For the jobs' progress callbacks: what this is about is in this state; "done" ends it.
void session_show(struct session *self, const char *section, const char *name, const char *state,
                  bool wrong);
// The stack stays: its lease has been granted and its keeper stands.
void session_leave(struct session *self);
// Removes the stack before the report is written, so that the report can say if something stayed.
void session_tear_down(struct session *self);
// Removes everything (unless the stack was handed on: self->stack is NULL) and frees it.
void session_close(struct session *self);

// Whether a run would start a private engine, now that the user's did not open for this reason: one
// that the user named and that does not answer is an error.
bool session_may_use_private_engine(const struct engine_location *location,
                                    const struct error *problem);
// Only the engine, for commands that need no stack: the user's, or a private one.
bool session_find_engine(struct session *self, struct error *err) must_use;
