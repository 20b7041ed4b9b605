#include "engine/engine.h"

#include "engine/real_fixture.h"

REAL_SUITE(engine_real);

Test(engine_real, tells_what_it_is) {
    struct engine_facts facts = {0};
    must(engine_facts(test.engine, &facts, &test.err));
    cr_expect_str_neq(facts.version, "");
    cr_expect_str_eq(facts.operating_system, "linux");
    cr_expect_str_neq(facts.architecture, "");
    cr_expect(facts.memory_bytes > 0);
    cr_expect(facts.processors > 0);
    engine_facts_done(&facts);
}
