#include "engine/network.h"

#include "engine/fake_fixture.h"

#include <string.h>

TestSuite(network, .fini = fixture_close, .timeout = 120);

Test(network, counts_one_that_is_gone_as_removed) {
    fixture_open((const struct fake_exchange[]){
        {"DELETE /v1.41/networks/n ",
         {{FAKE_REPLY("404 Not Found", "{\"message\":\"No such\"}")}},
         FAKE_CLOSE},
        {"DELETE /v1.41/networks/n ",
         {{FAKE_REPLY("403 Forbidden", "{\"message\":\"not yours\"}")}},
         FAKE_CLOSE},
        {0}});
    must(network_remove(fixture.engine, "n", &fixture.err));
    cr_assert(!network_remove(fixture.engine, "n", &fixture.err));
    cr_expect_eq(fixture.err.code, 403);
}

#define HELD                                                                                      \
    {                                                                                             \
        "DELETE /v1.41/networks/n ",                                                              \
            {{FAKE_REPLY("403 Forbidden", "{\"message\":\"has active endpoints\"}")}}, FAKE_CLOSE \
    }

Test(network, takes_endpoints_of_the_dead_off_a_network_and_leaves_the_living) {
    fixture_open((const struct fake_exchange[]){
        HELD,
        {"GET /v1.41/networks/n ",
         {{FAKE_REPLY("200 OK", "{\"Containers\":{\"ep-1\":{\"Name\":\"gone\"},"
                                "\"abc\":{\"Name\":\"alive\"}}}")}},
         FAKE_CLOSE},
        {"POST /v1.41/networks/n/disconnect ", {{FAKE_REPLY("200 OK", "")}}, FAKE_CLOSE},
        {"DELETE /v1.41/networks/n ", {{FAKE_REPLY("204 No Content", "")}}, FAKE_CLOSE},
        {0}});
    must(network_remove(fixture.engine, "n", &fixture.err));
    cr_expect_not_null(strstr(fake_engine_received(fixture.fake), "\"gone\""));
    cr_expect_null(strstr(fake_engine_received(fixture.fake), "alive"));
}

Test(network, gives_an_empty_array_when_there_are_no_volumes) {
    fixture_open((const struct fake_exchange[]){
        {"GET /v1.41/volumes", {{FAKE_REPLY("200 OK", "{\"Volumes\":null}")}}, FAKE_CLOSE}, {0}});
    json_t *volumes = NULL;
    must(volume_list(fixture.engine, NULL, &volumes, &fixture.err));
    cr_expect(json_is_array(volumes));
    cr_expect_eq(json_array_size(volumes), 0);
    json_decref(volumes);
}
