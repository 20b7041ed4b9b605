// Which running stack a command is about, as its options say: --compose, --target, --project,
// --stack.
#pragma once

#include "base/cancel.h"
#include "base/error.h"
#include "base/string_list.h"

struct lease;
struct session;

struct target_choice {
    struct string_list compose; // none of the four: the Compose file here
    const char *settings;       // an assay.yaml: the Compose file that it names, or that is beside
    const char *project;
    const char *stack; // of `assay up`
};

struct target {
    char *label;         // of its containers: "com.docker.compose.project=shop"
    char *engine_host;   // NULL: the user's own engine
    struct lease *lease; // held, so that the stack stays meanwhile; NULL: it has none
};

int target_choice_count(const struct target_choice *self); // how many of the four are given

// ERROR_CONFIGURATION: there is no such stack. Nothing is started.
bool target_find(const struct target_choice *choice, const struct cancel *cancel,
                 struct target *ret_target, struct error *err) must_use;
void target_done(struct target *self);

// Where the target's containers are: sets session->engine.
bool target_open_engine(const struct target *self, struct session *session,
                        struct error *err) must_use;
