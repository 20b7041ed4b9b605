// A suite against one service of a two-service stack, which stands beside the other's: it is built
// twice, as `web` and as `store`. Under TWO_MARK=/path it says "/path.web" when it begins, and goes
// on when "/path.go" is there: in between its service can be harmed.
#include "base/file.h"
#include "base/memory.h"
#include "scenario/clients.h"

#include <stdlib.h>

static struct scenario *scenario;

static void open_scenario(void) {
    scenario = scenario_open();
}

static void close_scenario(void) {
    scenario_close(scenario);
}

TestSuite(two, .init = open_scenario, .fini = close_scenario, .timeout = 60);

static void wait_for_harm(void) {
    const char *mark = getenv("TWO_MARK");
    if (mark == NULL)
        return;
    char *begun = memory_format("%s.%s", mark, SERVICE);
    char *go = memory_format("%s.go", mark);
    must(file_write_atomic(begun, "", 0, 0600, err));
    must_become(file_exists(go), 30000);
    free(begun);
    free(go);
}

Test(two, answers) {
    const struct endpoint *endpoint = scenario_endpoint(scenario, SERVICE);
    wait_for_harm();
    struct http *http = scenario_http_at(scenario, endpoint);
    const struct http_reply *reply = NULL;
    must(http_get(http, "/", &reply, err, .timeout_ms = 2000));
    cr_assert_eq(http_status(reply), 200);
}
