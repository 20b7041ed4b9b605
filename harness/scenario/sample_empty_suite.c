// A suite without a test: the runner's tests run it.
#include "scenario/recorder.h"

#include <criterion/criterion.h>

int main(int argc, char **argv) {
    struct criterion_test_set *tests = criterion_initialize();
    recorder_link();
    int result = 0;
    if (criterion_handle_args(argc, argv, true))
        result = !criterion_run_all_tests(tests);
    criterion_finalize(tests);
    return result;
}
