// What the tests against the fake engine share: one engine, opened on one script, closed after the
// test. For test files only.
#pragma once

#include "engine/engine.h"
#include "engine/fake_engine.h"

#include <criterion/criterion.h>

struct fake_fixture {
    struct fake_engine *fake;
    struct engine *engine;
    struct error err;
};
extern struct fake_fixture fixture; // each test is a process of its own

#define FIXTURE_IDLE_MS 300

void fixture_listen(const struct fake_exchange *script, bool tcp); // the fake only
void fixture_open(const struct fake_exchange *script);             // and an engine on it
void fixture_close(void);                                          // .fini of a test suite

#define expect_domain(expected)                                                                   \
    cr_expect_eq(fixture.err.domain, (expected), "%s: %s", error_domain_name(fixture.err.domain), \
                 fixture.err.message)
#define expect_message(words)                                                            \
    cr_expect(strstr(fixture.err.message, (words)) != NULL, "no \"%s\" in: %s", (words), \
              fixture.err.message)
#define must(call) cr_assert((call), "%s", fixture.err.message)
