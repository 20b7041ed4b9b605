#include "verify/backup/backup_name.h"

#include <criterion/criterion.h>

static const char *read_as(const char *name) {
    static char buffer[CIVIL_TEXT_SIZE];
    struct civil_time moment;
    return backup_name_moment(name, &moment) ? civil_format(&moment, buffer) : "none";
}

Test(backup_name, is_read_in_every_common_form) {
    const char *const with_time[] = {"20261121-030405",
                                     "20261121_030405",
                                     "20261121T030405Z",
                                     "20261121030405",
                                     "2026-11-21_03-04-05",
                                     "2026-11-21T03:04:05Z",
                                     "2026-11-21 03:04:05",
                                     "2026-11-21-03-04-05",
                                     "2026_11_21_03_04_05",
                                     "backup-20261121-030405",
                                     "app_2026-11-21_03-04-05.sql.gz",
                                     "2026-11-21T03:04:05.678+01:00"};
    for (size_t i = 0; i < sizeof with_time / sizeof *with_time; i++)
        cr_expect_str_eq(read_as(with_time[i]), "2026-11-21 03:04:05", "%s", with_time[i]);
    const char *const without[] = {
        "20261121",         "2026-11-21",     "2026_11_21", "app_2026-11-21.sql.gz",
        "db.20261121.dump", "v17-2026-11-21", "20261121-3"};
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        cr_expect_str_eq(read_as(without[i]), "2026-11-21", "%s", without[i]);
}

Test(backup_name, without_a_day_of_the_calendar_is_none) {
    const char *const names[] = {"",         "latest",     "20260229",   "2026-02-29", "2026-13-01",
                                 "20261131", "2026-00-10", "00010101",   "99991231",   "2026-1-2",
                                 "2026-11",  "2026-11_21", "2026.11.21", "21-11-2026"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_expect_str_eq(read_as(names[i]), "none", "%s", names[i]);
    cr_expect_str_eq(read_as("20280229"), "2028-02-29");
}

Test(backup_name, does_not_find_a_date_within_a_longer_number) {
    const char *const names[] = {"120261121",       "202611213",   "1763694000", "2026112103",
                                 "202611210304056", "2026-11-213", "12026-11-21"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_expect_str_eq(read_as(names[i]), "none", "%s", names[i]);
}

Test(backup_name, keeps_its_date_when_what_follows_is_no_time) {
    cr_expect_str_eq(read_as("20261121-250000"), "2026-11-21");
    cr_expect_str_eq(read_as("20261121-0304056"), "2026-11-21");
    cr_expect_str_eq(read_as("2026-11-21_03-04"), "2026-11-21");
    cr_expect_str_eq(read_as("2026-11-21_03:04-05"), "2026-11-21");
}

Test(backup_name, with_two_different_dates_is_none) {
    cr_expect_str_eq(read_as("20260101-to-20261121"), "none");
    cr_expect_str_eq(read_as("20261121-app-20261121"), "2026-11-21");
    cr_expect_str_eq(read_as("20261121/app-20261121-030405"), "2026-11-21 03:04:05");
}
