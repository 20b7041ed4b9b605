#include "verify/backup/history_csv.h"

#include "base/memory.h"
#include "verify/backup/history_sample.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define ROW \
    "2026-11-22T03:00:00Z,r1,passed,61234,/b,manifest,42,3600,1000,postgres=passed/1000/1\r\n"

static struct error err;
static struct text out;
static struct string_list ids;
static struct history_record record;

static void forget(void) {
    text_done(&out);
    string_list_done(&ids);
    history_record_done(&record);
}

TestSuite(history_csv, .fini = forget);

static bool read_csv(const char *csv) {
    string_list_done(&ids);
    ids = (struct string_list){0};
    return history_csv_ids(csv, strlen(csv), &ids, &err);
}

Test(history_csv, is_a_line_that_a_spreadsheet_reads) {
    record = sample_record("r1", "2026-11-22T03:00:00Z", OUTCOME_FAILED);
    history_csv_append(&out, &record);
    cr_expect_str_eq(
        text_string(&out),
        "2026-11-22T03:00:00Z,r1,failed,61234,/backups/20261122-020000,manifest,"
        "18446744073709551615,3600,1024,postgres=passed/1000/500 mysql=failed/24/\r\n");
}

Test(history_csv, leaves_empty_what_is_unknown) {
    record = sample_record("r1", "2026-11-22T03:00:00Z", OUTCOME_NOT_VERIFIED);
    record.backup_age_s = HISTORY_UNKNOWN;
    record.engines[1].bytes = HISTORY_UNKNOWN;
    history_csv_append(&out, &record);
    cr_expect_not_null(strstr(text_string(&out), "5,,,postgres=passed/1000/500 "
                                                 "mysql=not_verified//\r\n"),
                       "%s", text_string(&out));
}

Test(history_csv, quotes_what_would_be_taken_for_something_else) {
    record = sample_record("r,1", "2026-11-22T03:00:00Z", OUTCOME_PASSED);
    free(record.path);
    record.path = memory_copy_string("/b/\"a\",\r\nb");
    text_append(&out, HISTORY_CSV_HEADER "\r\n");
    history_csv_append(&out, &record);
    cr_expect_not_null(strstr(text_string(&out), ",\"/b/\"\"a\"\",\\x0d\\x0ab\","), "%s",
                       text_string(&out));
    cr_assert(read_csv(text_string(&out)), "%s", err.message);
    cr_assert_eq(ids.count, 1);
    cr_expect_str_eq(ids.items[0], "r,1");
}

Test(history_csv, is_read_as_an_editor_may_have_left_it) {
    cr_assert(read_csv("started,id,outcome,duration_ms,path,against,seed,backup_age_s,bytes,"
                       "engines\n"
                       "2026-11-22T03:00:00Z,\"r1\",passed,1,\"two\nlines\",none,0,,,\n" ROW),
              "%s", err.message);
    cr_assert_eq(ids.count, 2);
    cr_expect_str_eq(ids.items[0], "r1");
}

Test(history_csv, that_is_damaged_is_refused_with_the_line) {
    static const struct {
        const char *rows;
        const char *wanted;
    } wrong[] = {
        {ROW "2026-11-22T03:00:00Z,r2,passed,6123", "line 3: the line is cut short"},
        {ROW "2026-11-22T03:00:00Z,r2,passed,6123\r\n", "line 3: 4 fields, not 10"},
        {ROW ROW "x" ROW, "line 4: \"started\" is not a time"},
        {"2026-02-30T03:00:00Z,r1,passed,1,/b,none,0,,,\r\n", "line 2: \"started\""},
        {"2026-11-22T03:00:00Z,,passed,1,/b,none,0,,,\r\n", "line 2: \"id\" is empty"},
        {"2026-11-22T03:00:00Z,r1,Passed,1,/b,none,0,,,\r\n", "line 2: \"outcome\" is none"},
        {"2026-11-22T03:00:00Z,r1,passed,1.5,/b,none,0,,,\r\n", "line 2: a number is none"},
        {"2026-11-22T03:00:00Z,r1,passed,,/b,none,0,,,\r\n", "line 2: a number is none"},
        {"2026-11-22T03:00:00Z,r1,passed,1,/b,none,0,-5,,\r\n", "line 2: a number is none"},
        {"2026-11-22T03:00:00Z,r1,passed,1,\"/b,none,0,,,\r\n", "line 2: a quote is not closed"},
        {"2026-11-22T03:00:00Z,r1,passed,1,\"/b\"x,none,0,,,\r\n", "line 2: something stands"},
        {"2026-11-22T03:00:00Z,r1,passed,1,/\"b,none,0,,,\r\n", "line 2: a quote or NUL"},
        {"2026-11-22T03:00:00Z,\"r1\",passed,1,\"a\nb\",none,0,,,\n\n", "line 4: 1 fields"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        text_clear(&out);
        text_append(&out, HISTORY_CSV_HEADER "\r\n");
        text_append(&out, wrong[i].rows);
        cr_expect_not(read_csv(text_string(&out)), "%s", wrong[i].rows);
        cr_expect_eq(err.domain, ERROR_PROTOCOL);
        cr_expect_not_null(strstr(err.message, wrong[i].wanted), "%s, not %s", err.message,
                           wrong[i].wanted);
    }
}

Test(history_csv, with_another_header_is_not_ours) {
    const char *const wrong[] = {"", "a,b,c\r\n", ROW, HISTORY_CSV_HEADER,
                                 HISTORY_CSV_HEADER "x\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_expect_not(read_csv(wrong[i]), "%s", wrong[i]);
        cr_expect_str_eq(err.message, "line 1: not our header");
    }
}
