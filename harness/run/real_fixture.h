// For the *_real_test.c of this room: a private engine of the test's own in a temporary state
// folder, and containers in it that need no image from anywhere: the host's programs, bound
// read-only.
#pragma once

#include "base/string_list.h"
#include "engine/engine.h"
#include "run/engine_daemon.h"
#include "run/engine_remains.h"
#include "run/private_engine.h"

struct real_fixture {
    char state[64]; // is $ASSAY_STATE, too
    struct engine_place place;
    struct private_engine *held;
    struct engine *engine;
    struct string_list ids; // what was created
};

// Skips the test, saying why, where no private engine can be had.
void real_fixture_init(struct real_fixture *self);
void real_fixture_open(struct real_fixture *self); // starts the engine and makes the image
void real_fixture_done(struct real_fixture *self); // removes all of it

// The first process of its engine of that sort (engine_remains.h); 0: none.
pid_t real_fixture_process(const struct real_fixture *self, enum engine_process sort);

// The labels are borrowed, and so is the id; network NULL: none.
const char *real_fixture_container(struct real_fixture *self, json_t *labels, const char *network);
const char *real_fixture_network(struct real_fixture *self, const char *name, json_t *labels);
void real_fixture_volume(struct real_fixture *self, const char *name, json_t *labels);

// What there is of it: processes, control groups, bridges, sockets, folders. "" when nothing.
// The caller's.
char *real_fixture_leftovers(const struct real_fixture *self);
