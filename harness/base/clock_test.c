#include "base/clock.h"

#include <criterion/criterion.h>
#include <time.h>

Test(clock, monotonic_time_never_goes_back) {
    int64_t last = clock_monotonic_us();
    for (int i = 0; i < 10000; i++) {
        const int64_t now = clock_monotonic_us();
        cr_assert_geq(now, last);
        last = now;
    }
}

Test(clock, wall_time_is_in_milliseconds) {
    const int64_t seconds = (int64_t)time(NULL);
    const int64_t wall_ms = clock_wall_ms();
    cr_expect(wall_ms / 1000 >= seconds - 1 && wall_ms / 1000 <= seconds + 2);
}

Test(clock, formats_utc) {
    char text[CLOCK_TEXT_SIZE];
    cr_expect_str_eq(clock_format_utc(0, text), "1970-01-01T00:00:00Z");
    cr_expect_str_eq(clock_format_utc(1795359230999, text), "2026-11-22T14:53:50Z");
    cr_expect_str_eq(clock_format_utc(951782400000, text), "2000-02-29T00:00:00Z");
}

Test(clock, deadline_counts_down_to_zero_and_no_further) {
    const struct deadline later = deadline_in_ms(10000);
    cr_expect_not(deadline_passed(later));
    const int64_t left_ms = deadline_left_ms(later);
    cr_expect(left_ms > 9000 && left_ms <= 10000);
    const struct deadline now = deadline_in_ms(0);
    cr_expect(deadline_passed(now));
    cr_expect_eq(deadline_left_ms(now), 0);
    const struct deadline past = deadline_in_ms(-5);
    cr_expect(deadline_passed(past));
    cr_expect_eq(deadline_left_ms(past), 0);
}

Test(clock, time_left_is_rounded_up_so_that_waiting_for_it_is_enough) {
    const struct deadline soon = {clock_monotonic_us() + 10000500};
    cr_expect_gt(deadline_left_ms(soon) * 1000, soon.at_us - clock_monotonic_us() - 1);
}

Test(clock, the_earlier_of_two_deadlines) {
    const struct deadline first = deadline_in_ms(1);
    const struct deadline second = deadline_in_ms(1000);
    cr_expect_eq(deadline_earlier(first, second).at_us, first.at_us);
    cr_expect_eq(deadline_earlier(second, first).at_us, first.at_us);
}
