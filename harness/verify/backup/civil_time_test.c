#include "verify/backup/civil_time.h"

#include <criterion/criterion.h>
#include <time.h>

static struct civil_time date(int year, int month, int day) {
    return (struct civil_time){.year = year, .month = month, .day = day};
}

Test(civil_time, knows_the_leap_days_of_four_hundred_years) {
    const struct civil_time leap = date(2028, 2, 29);
    const struct civil_time common = date(2026, 2, 29);
    const struct civil_time century = date(2100, 2, 29);
    const struct civil_time fourth_century = date(2000, 2, 29);
    cr_expect(civil_is_valid(&leap));
    cr_expect_not(civil_is_valid(&common));
    cr_expect_not(civil_is_valid(&century));
    cr_expect(civil_is_valid(&fourth_century));
}

Test(civil_time, refuses_what_no_clock_shows) {
    struct civil_time time = {.year = 2026,
                              .month = 11,
                              .day = 21,
                              .has_time = true,
                              .hour = 23,
                              .minute = 59,
                              .second = 59};
    cr_expect(civil_is_valid(&time));
    time.second = 60;
    cr_expect_not(civil_is_valid(&time));
    time.second = 0;
    time.hour = 24;
    cr_expect_not(civil_is_valid(&time));
    const struct civil_time zero = {0};
    cr_expect_not(civil_is_valid(&zero));
}

// The C library counts by itself.
Test(civil_time, agrees_with_gmtime_on_every_day_of_a_century) {
    for (time_t day = 0; day < 36525; day++) {
        const time_t second = day * 86400 + 12345;
        struct tm tm;
        gmtime_r(&second, &tm);
        const struct civil_time civil = civil_of_utc((int64_t)second * 1000 + 999);
        cr_assert(civil.year == tm.tm_year + 1900 && civil.month == tm.tm_mon + 1 &&
                      civil.day == tm.tm_mday && civil.hour == tm.tm_hour &&
                      civil.minute == tm.tm_min && civil.second == tm.tm_sec,
                  "day %lld", (long long)day);
        cr_assert_eq(civil_day(&civil), day);
        cr_assert_eq(civil_weekday(day), tm.tm_wday);
        cr_assert_eq(civil_to_utc(&civil), (int64_t)second * 1000);
    }
}

Test(civil_time, puts_a_date_without_a_time_at_the_beginning_of_its_day) {
    const struct civil_time whole = date(2026, 11, 21);
    struct civil_time early = whole;
    early.has_time = true;
    cr_expect_eq(civil_compare(&whole, &early), 0);
    early.second = 1;
    cr_expect_lt(civil_compare(&whole, &early), 0);
    const struct civil_time next = date(2026, 11, 22);
    cr_expect_gt(civil_compare(&next, &early), 0);
}

Test(civil_time, writes_the_time_only_where_there_is_one) {
    char buffer[CIVIL_TEXT_SIZE];
    const struct civil_time whole = date(2026, 1, 2);
    const struct civil_time early = {2026, 1, 2, true, 3, 4, 5};
    cr_expect_str_eq(civil_format(&whole, buffer), "2026-01-02");
    cr_expect_str_eq(civil_format(&early, buffer), "2026-01-02 03:04:05");
}
