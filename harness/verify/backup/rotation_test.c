#include "verify/backup/rotation.h"

#include "verify/backup/backup_name.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define MOST 1500

static struct rotation_item items[MOST];
static char names[MOST][32];
static size_t count;
static struct text out;

static void forget(void) {
    text_done(&out);
}

TestSuite(rotation, .fini = forget);

// A name that ends in "!" is of a verified backup.
static void add(const char *name) {
    struct rotation_item *item = &items[count];
    snprintf(names[count], sizeof names[count], "%.*s", (int)strcspn(name, "!"), name);
    item->name = names[count++];
    item->verified = strchr(name, '!') != NULL;
    item->bytes = 1024;
    item->is_dated = backup_name_moment(item->name, &item->moment);
}

static void add_all(const char *const *list) {
    for (; *list != NULL; list++)
        add(*list);
}
#define ADD(...) add_all((const char *const[]){__VA_ARGS__, NULL})

static struct civil_time day_of(const char *name) {
    struct civil_time day;
    cr_assert(backup_name_moment(name, &day));
    return day;
}

// One each day, the first and last included.
static void add_days(const char *first, const char *last) {
    const struct civil_time from = day_of(first);
    const struct civil_time to = day_of(last);
    for (int64_t day = civil_day(&from); day <= civil_day(&to); day++) {
        const struct civil_time at = civil_of_utc(day * 86400000);
        char name[48];
        snprintf(name, sizeof name, "%04d%02d%02d!", at.year, at.month, at.day);
        add(name);
    }
}

static void decide_with(const char *today, struct rotation_policy policy) {
    const struct civil_time now = day_of(today);
    rotation_decide(items, count, &policy, &now);
}

static void decide(const char *today) {
    decide_with(today, ROTATION_POLICY_DEFAULT);
}

static const char *why(const char *name) {
    text_clear(&out);
    for (size_t i = 0; i < count; i++)
        if (strcmp(items[i].name, name) == 0) {
            cr_assert_eq(items[i].remove, items[i].reasons == 0);
            rotation_append_reasons(&out, items[i].reasons);
            return items[i].remove ? "removed" : text_string(&out);
        }
    return "not there";
}

static size_t kept(void) {
    size_t number = 0;
    for (size_t i = 0; i < count; i++)
        number += !items[i].remove;
    return number;
}

// What is left when the rotation ran every evening of these days.
static void live_through(const char *first, const char *last) {
    const struct civil_time from = day_of(first);
    const struct civil_time to = day_of(last);
    for (int64_t day = civil_day(&from); day <= civil_day(&to); day++) {
        const struct civil_time today = civil_of_utc(day * 86400000);
        char name[48];
        snprintf(name, sizeof name, "%04d%02d%02d!", today.year, today.month, today.day);
        add(name);
        rotation_decide(items, count, &ROTATION_POLICY_DEFAULT, &today);
        size_t left = 0;
        for (size_t i = 0; i < count; i++)
            if (!items[i].remove) {
                memmove(names[left], names[i], sizeof names[left]);
                items[left] = items[i];
                items[left].name = names[left];
                left++;
            }
        count = left;
    }
}

Test(rotation, keeps_seven_days_four_sundays_and_twelve_firsts) {
    add_days("2025-01-01", "2026-11-22"); // a Sunday
    decide("2026-11-22");
    cr_expect_str_eq(why("20261122"), "daily, weekly, newest, newest verified");
    cr_expect_str_eq(why("20261116"), "daily");
    cr_expect_str_eq(why("20261115"), "weekly");
    cr_expect_str_eq(why("20261108"), "weekly");
    cr_expect_str_eq(why("20261101"), "weekly, monthly"); // a Sunday and the 1st
    cr_expect_str_eq(why("20261025"), "removed");
    cr_expect_str_eq(why("20251201"), "monthly");
    cr_expect_str_eq(why("20251101"), "removed");
    cr_expect_eq(kept(), 7 + 3 + 11);
}

Test(rotation, that_runs_every_day_ends_with_the_same) {
    live_through("2025-01-01", "2026-11-22");
    cr_expect_eq(count, 7 + 3 + 11);
    cr_expect_str_eq(why("20251201"), "monthly");
    cr_expect_str_eq(why("20261101"), "weekly, monthly");
}

Test(rotation, treats_a_leap_day_as_a_day) {
    add_days("2028-02-01", "2028-03-01");
    decide("2028-03-01");
    cr_expect_str_eq(why("20280229"), "daily");
    cr_expect_str_eq(why("20280224"), "daily");
    cr_expect_str_eq(why("20280223"), "removed");
    cr_expect_str_eq(why("20280301"), "daily, monthly, newest, newest verified");
}

// The week from Sunday, 27 December 2026, has days of both years, and ISO calls it week 53.
Test(rotation, keeps_one_of_a_week_that_lies_in_two_years) {
    add_days("2026-12-01", "2027-01-20");
    decide_with("2027-01-20", (struct rotation_policy){.weekly = 5, .month_day = 1});
    cr_expect_str_eq(why("20261227"), "weekly");
    cr_expect_str_eq(why("20270101"), "removed");
    cr_expect_str_eq(why("20270103"), "weekly");
    cr_expect_str_eq(why("20261220"), "weekly");
    cr_expect_str_eq(why("20261213"), "removed");
    cr_expect_eq(kept(), 5 + 1);
}

// In Europe 2026-10-25 02:30 comes twice and 2026-03-29 02:30 never.
Test(rotation, counts_days_alike_when_summer_time_begins_and_ends) {
    ADD("20261024-023000!", "20261025-023000!", "20261025-023001!", "20261026-023000!",
        "20260328-233000!", "20260329-023000!", "20260330-003000!");
    decide_with("2026-10-26", (struct rotation_policy){.daily = 5, .month_day = 1});
    cr_expect_str_eq(why("20261025-023000"), "removed");
    cr_expect_str_eq(why("20261025-023001"), "daily");
    cr_expect_str_eq(why("20260330-003000"), "daily");
    cr_expect_str_eq(why("20260329-023000"), "daily");
    cr_expect_str_eq(why("20260328-233000"), "removed");
}

Test(rotation, lets_the_first_after_a_missed_sunday_stand_in) {
    ADD("20261110!", "20261111!", "20261114!", "20261116!", "20261118!", "20261122!");
    decide_with("2026-11-22", (struct rotation_policy){.weekly = 3, .month_day = 1});
    cr_expect_str_eq(why("20261110"), "weekly");
    cr_expect_str_eq(why("20261111"), "removed");
    cr_expect_str_eq(why("20261116"), "weekly");
    cr_expect_str_eq(why("20261118"), "removed");
}

Test(rotation, lets_the_first_after_a_missed_first_of_the_month_stand_in) {
    ADD("20260903!", "20260930!", "20261001!", "20261002!", "20261105!", "20261106!");
    decide_with("2026-11-22", (struct rotation_policy){.monthly = 3, .month_day = 1});
    cr_expect_str_eq(why("20260903"), "monthly");
    cr_expect_str_eq(why("20260930"), "removed");
    cr_expect_str_eq(why("20261001"), "monthly");
    cr_expect_str_eq(why("20261002"), "removed");
    cr_expect_str_eq(why("20261105"), "monthly");
}

Test(rotation, removes_nothing_for_an_outage_of_cron) {
    add_days("2026-05-03", "2026-05-09");
    decide_with("2026-11-22", (struct rotation_policy){.daily = 7, .month_day = 1});
    cr_expect_eq(kept(), 7);
}

Test(rotation, counts_several_of_a_day_as_one) {
    ADD("20261121-010000!", "20261121-020000!", "20261121-030000!", "20261122-010000!",
        "20261122-020000!");
    decide_with("2026-11-22", (struct rotation_policy){.daily = 2, .month_day = 1});
    cr_expect_str_eq(why("20261121-030000"), "daily");
    cr_expect_str_eq(why("20261121-020000"), "removed");
    cr_expect_str_eq(why("20261122-020000"), "daily, newest, newest verified");
    cr_expect_eq(kept(), 2);
}

Test(rotation, takes_the_newest_of_a_day_where_none_is_verified) {
    ADD("20261120-010000", "20261120-020000", "20261121", "20261122!");
    decide_with("2026-11-22", (struct rotation_policy){.daily = 3, .month_day = 1});
    cr_expect_str_eq(why("20261120-020000"), "daily");
    cr_expect_str_eq(why("20261120-010000"), "removed");
}

Test(rotation, prefers_the_verified_one_of_a_day) {
    ADD("20261121-010000", "20261121-020000!", "20261121-030000", "20261122!");
    decide("2026-11-22");
    cr_expect_str_eq(why("20261121-020000"), "daily, weekly, monthly");
    cr_expect_str_eq(why("20261121-030000"), "removed");
}

Test(rotation, prefers_the_verified_one_of_a_sunday) {
    ADD("20261115-010000", "20261115-020000!", "20261115-030000", "20261122!");
    decide_with("2026-11-22", (struct rotation_policy){.weekly = 2, .month_day = 1});
    cr_expect_str_eq(why("20261115-020000"), "weekly");
    cr_expect_eq(kept(), 2);
}

Test(rotation, takes_the_last_name_of_one_moment_for_the_newer) {
    ADD("b-20261122!", "a-20261122!", "c-20261121!");
    decide_with("2026-11-22", (struct rotation_policy){.daily = 1, .month_day = 1});
    cr_expect_str_eq(why("b-20261122"), "daily, newest, newest verified");
    cr_expect_str_eq(why("a-20261122"), "removed");
}

Test(rotation, never_removes_the_newest_verified_one) {
    add_days("2026-11-01", "2026-11-22");
    for (size_t i = 0; i < count; i++)
        items[i].verified = i == 1;
    decide_with("2026-11-22", (struct rotation_policy){.daily = 2, .month_day = 1});
    cr_expect_str_eq(why("20261102"), "newest verified");
    cr_expect_str_eq(why("20261103"), "removed");
    cr_expect_str_eq(why("20261122"), "daily, newest");
    cr_expect_eq(kept(), 3);
}

Test(rotation, removes_nothing_while_nothing_is_verified) {
    ADD("20261101", "20261102", "20261122");
    decide_with("2026-11-22", (struct rotation_policy){.daily = 1, .month_day = 1});
    cr_expect_eq(kept(), 3);
    cr_expect_str_eq(why("20261101"), "no backup is verified yet");
}

Test(rotation, asked_to_removes_unverified_ones_but_not_the_newest) {
    ADD("20261101", "20261102", "20261122");
    decide_with("2026-11-22",
                (struct rotation_policy){.monthly = 1, .month_day = 1, .unverified = true});
    cr_expect_str_eq(why("20261101"), "monthly");
    cr_expect_str_eq(why("20261102"), "removed");
    cr_expect_str_eq(why("20261122"), "newest");
}

Test(rotation, never_removes_what_has_no_date) {
    ADD("before-upgrade", "20260229", "20261122!", "20261121!");
    decide_with("2026-11-22", (struct rotation_policy){.daily = 1, .month_day = 1});
    cr_expect_str_eq(why("before-upgrade"), "no date in its name: never removed");
    cr_expect_str_eq(why("20260229"), "no date in its name: never removed");
    cr_expect_str_eq(why("20261121"), "removed");
}

Test(rotation, lets_a_clock_that_ran_ahead_push_out_nothing) {
    ADD("20991231!", "20261123!", "20261121!", "20261122", "20261120!");
    decide_with("2026-11-22", (struct rotation_policy){.daily = 2, .month_day = 1});
    cr_expect_str_eq(why("20991231"), "in the future");
    cr_expect_str_eq(why("20261123"), "in the future");
    cr_expect_str_eq(why("20261122"), "daily, newest");
    cr_expect_str_eq(why("20261121"), "daily, newest verified");
    cr_expect_str_eq(why("20261120"), "removed");
}

Test(rotation, keeps_everything_when_the_clock_has_gone_back) {
    add_days("2026-10-01", "2026-11-22");
    add("20200101");
    decide("2020-01-01");
    cr_expect_eq(kept(), count);
    cr_expect_str_eq(why("20200101"), "daily, weekly, monthly, newest");
}

Test(rotation, can_begin_weeks_and_months_on_other_days) {
    add_days("2026-10-01", "2026-11-22");
    decide_with("2026-11-22", (struct rotation_policy){
                                  .weekly = 1, .monthly = 2, .week_day = 1, .month_day = 15});
    cr_expect_str_eq(why("20261116"), "weekly"); // a Monday
    cr_expect_str_eq(why("20261115"), "monthly");
    cr_expect_str_eq(why("20261015"), "monthly");
    cr_expect_eq(kept(), 3 + 1);
}

Test(rotation, before_it_is_decided_removes_nothing) {
    add_days("2026-10-01", "2026-11-22");
    cr_expect_eq(kept(), count);
}

Test(rotation, of_nothing_is_nothing) {
    decide("2026-11-22");
    const struct civil_time today = day_of("2026-11-22");
    rotation_append_plan(&out, items, 0, &ROTATION_POLICY_DEFAULT, &today);
    cr_expect_not_null(strstr(text_string(&out), "0 of 0 removed, which frees 0 B"));
}

Test(rotation, prints_each_with_its_reason_and_what_is_freed) {
    ADD("20261122!", "20261121!", "old\n");
    const struct rotation_policy policy = {.daily = 1, .month_day = 1};
    const struct civil_time today = day_of("2026-11-22");
    decide_with("2026-11-22", policy);
    rotation_append_plan(&out, items, count, &policy, &today);
    cr_expect_str_eq(
        text_string(&out),
        "2026-11-22: keeps 1 daily, 0 weekly (from Sunday), 0 monthly (from day 1), and the newest "
        "verified\n"
        "  remove     1.0 KiB  verified      20261121\n"
        "  keep       1.0 KiB  verified      20261122: daily, newest, newest verified\n"
        "  keep       1.0 KiB  not verified  old\\x0a: no date in its name: never removed\n"
        "1 of 3 removed, which frees 1.0 KiB; 2 kept, 2.0 KiB\n");
}

Test(rotation, refuses_a_policy_that_keeps_nothing_or_makes_no_sense) {
    const struct rotation_policy wrong[] = {
        {.month_day = 1},
        {.daily = -1, .monthly = 1, .month_day = 1},
        {.daily = 1, .week_day = 7, .month_day = 1},
        {.daily = 1, .month_day = 29},
        {.daily = 1},
        {.weekly = 10001, .month_day = 1},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error err = {0};
        cr_expect_not(rotation_policy_check(&wrong[i], &err), "%zu", i);
        cr_expect_eq(err.domain, ERROR_USAGE);
    }
    cr_expect(rotation_policy_check(&ROTATION_POLICY_DEFAULT, NULL));
}
