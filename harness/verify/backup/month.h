// `assay backup report --month 2026-11`: one month of the history. Months are UTC's, as the times
// in the history are; a run belongs to the month in which it started.
//
// Three-valued: what was not verified is counted apart from what failed, and is not passed: the
// pass rate is passed ones of all runs.
#pragma once

#include "base/cleanup.h"
#include "base/text.h"
#include "verify/backup/history.h"

#include <jansson.h>

// How a number went over the month, in the order of the runs' starts; `count` 0: nobody knows.
struct month_trend {
    size_t count;
    int64_t first, last;
    int64_t median; // of an even number: the lower one of the two in the middle
};

struct month_engine {
    char *name;
    struct tally tally;
    struct month_trend restore_ms; // of restores that passed: others end early
    struct month_trend bytes;
};

struct month {
    int year, month;
    struct tally tally;             // of runs
    struct month_trend duration_ms; // of runs that passed
    struct month_trend bytes;
    struct month_engine *engines; // by name
    size_t engine_count;
    // The newest backup that is verified at the end of the month, or now if that is earlier: by
    // when it was taken, wherever in the history its run stands. A backup whose last verdict by
    // then is failed does not count, nor does one of unknown age.
    bool has_verified;
    char *verified_path;
    int64_t verified_taken_wall_ms;
    int64_t verified_age_s;
};

// "2026-11". ERROR_USAGE: anything else.
bool month_parse(const char *text, int *ret_year, int *ret_month, struct error *err) must_use;

struct month *month_new(const struct history *history, int year, int month,
                        int64_t now_wall_ms) must_use;
void month_free(struct month *self);

size_t month_runs(const struct month *self);
int month_pass_permille(
    const struct month *self); // rounded down: 1000 only when all passed; -1: no run

void month_append_text(const struct month *self, struct text *out);
// The caller's. What is unknown is null.
json_t *month_to_json(const struct month *self) must_use;

DEFINE_AUTOFREE(month, month_free);
