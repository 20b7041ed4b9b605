#include "engine/fake_fixture.h"

struct fake_fixture fixture;

void fixture_listen(const struct fake_exchange *script, bool tcp) {
    must(fake_engine_open(script, &(const struct fake_options){.tcp = tcp}, &fixture.fake,
                          &fixture.err));
}

void fixture_open(const struct fake_exchange *script) {
    fixture_listen(script, false);
    const struct engine_options options = {.host = fake_engine_host(fixture.fake),
                                           .idle_timeout_ms = FIXTURE_IDLE_MS};
    must(engine_open(&options, &fixture.engine, &fixture.err));
}

void fixture_close(void) {
    engine_close(fixture.engine);
    if (fixture.fake == NULL)
        return;
    cr_expect_str_eq(fake_engine_surprise(fixture.fake), "");
    fake_engine_close(fixture.fake);
}
