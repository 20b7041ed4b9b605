// A suite whose process, not just a test's, dies after the first test: the runner's tests run it.
#include "scenario/scenario.h"

#include "scenario/recorder.h"

#include <criterion/hooks.h>
#include <signal.h>

Test(dying, is_recorded) {
    recorder_link();
}

Test(dying, is_never_reached) {
    recorder_link();
}

ReportHook(POST_TEST)(struct criterion_test_stats *stats) {
    (void)stats;
    raise(SIGKILL);
}
