// What the tests against a real engine share: the engine that DOCKER_HOST names, and what a test
// made there, which is labelled io.assay.test=engine and removed after the test. For test files
// only.
//
// The image is a small one with a shell, seq, tail and wc in it: ASSAY_TEST_IMAGE, or the bundled
// base. Without engine or image the tests are skipped.
#pragma once

#include "base/string_list.h"
#include "engine/archive.h"
#include "engine/container.h"

#include <criterion/criterion.h>

#define MEBIBYTE ((size_t)1024 * 1024)

struct real_fixture {
    struct engine *engine;
    struct string_list containers;
    struct string_list images;
    struct string_list networks;
    struct string_list volumes;
    char folder[64]; // a temporary one
    struct error err;
};
extern struct real_fixture test; // each test is a process of its own

void real_begin(void); // .init and .fini of a test suite
void real_end(void);
#define REAL_SUITE(name) TestSuite(name, .init = real_begin, .fini = real_end, .timeout = 120)

#define must(call) cr_assert((call), "%s", test.err.message)

const char *real_image(void);
char *unique_name(const char *what); // the caller's

// A container that runs a shell script; host_config is taken, NULL means without a network.
const char *create(const char *script, json_t *host_config);
const char *start(const char *script, json_t *host_config);
const char *start_idle(void);
int wait_for(const char *id); // its exit status

// Runs a shell script in a container; its output, in a buffer that the next call overwrites.
const char *run_in(const char *id, const char *script);

int archive_of(const struct archive_extra *extras, size_t count); // a tar of these
