// A running throwaway stack: plan + images -> containers that are ready.
//
// One worker thread a service waits for its dependencies, creates, starts and probes; one thread
// reads /events and fails a dead service at once. What they share is the board (board.h).
#pragma once

#include "compose/plan.h"
#include "engine/engine.h"
#include "image/image_source.h"
#include "run/run.h"
#include "value/result.h"

struct stack;

struct stack_options {
    const char *role;   // label io.assay.role: "service" or "spare"; NULL: "service"
    const char *suffix; // appended to names so that two stacks of one run do not meet; NULL: ""
    // Reach services by ports on 127.0.0.1 instead of their own addresses. Done anyhow where those
    // cannot be reached: an engine elsewhere, in a virtual machine, or rootless.
    bool publish;
    int ready_timeout_ms; // of each service, where the plan says nothing; 0: 120 s
    // Called from worker threads, serialised, whenever a service's state changes.
    void (*progress)(void *context, const char *service, enum service_state state,
                     const char *detail);
    void *context;
};

// Brings everything up. Returns false only when nothing can be brought up at all (engine gone, no
// network, cancelled); a service that fails or is missing is a state of that service, and what
// depends on it waits no longer. *ret_stack is set (also on false, when anything was created) and
// is closed by the caller.
bool stack_up(struct run *run, struct engine *engine, const struct plan *plan,
              const struct image_choices *images, const struct stack_options *options,
              struct stack **ret_stack, struct error *err) must_use;

// Removes everything of it, in parallel, without grace. false: something is left (err says what);
// the run's guardian will try again.
bool stack_down(struct stack *self, struct error *err) must_use;
void stack_free(struct stack *self); // frees memory only

// What happened to each service, for the report; log tails of those that failed included, also of
// those that died after they were ready.
bool stack_all_ready(const struct stack *self);
void stack_describe(const struct stack *self, struct report *report);

// Fresh tail of a service's log, or of the member of its group that failed; empty when there is
// none.
char *stack_log_tail(const struct stack *self, const char *service, int lines);

const struct endpoint *stack_endpoint(const struct stack *self,
                                      const char *service);                      // NULL: not ready
const char *stack_container(const struct stack *self, const char *service);      // NULL: none
const struct secret *stack_token(const struct stack *self, const char *service); // NULL: none

// Writes the 0600 environment file: see environment_file.h.
bool stack_write_environment(const struct stack *self, const char *path,
                             struct error *err) must_use;

DEFINE_AUTOFREE(stack, stack_free);
