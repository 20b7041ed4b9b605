// Which backups to keep: 7 daily, 4 weekly (Sunday), 12 monthly (the 1st). Pure: it decides over
// names and dates, and touches nothing.
//
// All of it is about civil dates, as they stand in the names: no time zone, no summer time.
//
//   daily    of each of the last `daily` days that have a backup, its newest one: a verified one
//            before one that is not verified. Several on one day are one day's.
//   weekly   of each of the last `weekly` weeks that have a backup, the backup of its first day.
//            A week begins on `week_day`, so week 53 needs no rule. When no backup was taken on the
//            Sunday, the first day after it in that week that has one stands in.
//   monthly  likewise of the last `monthly` months, which begin on `month_day`. When no backup was
//            taken on the 1st, the first day after it in that month that has one stands in.
//
// Days, weeks and months without any backup do not count: when cron was off for a month, what is
// there is not removed for having grown old. One backup may be kept for several reasons.
//
// Never removed, whatever the policy says:
//   - the newest, and the newest verified one;
//   - one without a date in its name: nobody can say how old it is;
//   - one dated after today (a clock that ran ahead, or went back since). It does not count as a
//     day, week or month either: it would push out real ones;
//   - any, as long as none at all is verified, unless the policy says `unverified`: what is removed
//     might have been the only one that restores.
//
// What it cannot see: a backup whose clock stood in the past when it was named is as old as it
// says.
#pragma once

#include "base/error.h"
#include "base/text.h"
#include "verify/backup/civil_time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rotation_policy {
    int daily, weekly, monthly; // how many of each; 0: none for that reason
    int week_day;               // on which a week begins: 0, Sunday, to 6
    int month_day;              // on which a month begins: 1 to 28
    bool unverified;            // remove although no backup at all is verified
};
#define ROTATION_POLICY_DEFAULT \
    ((struct rotation_policy){  \
        .daily = 7, .weekly = 4, .monthly = 12, .week_day = 0, .month_day = 1})

// ERROR_USAGE: a number out of its range (counts: 0 to 10000), or nothing would be kept.
bool rotation_policy_check(const struct rotation_policy *policy, struct error *err) must_use;

enum rotation_reason {
    ROTATION_DAILY = 1 << 0,
    ROTATION_WEEKLY = 1 << 1,
    ROTATION_MONTHLY = 1 << 2,
    ROTATION_NEWEST = 1 << 3,
    ROTATION_NEWEST_VERIFIED = 1 << 4,
    ROTATION_UNDATED = 1 << 5,
    ROTATION_FUTURE = 1 << 6,
    ROTATION_NONE_VERIFIED = 1 << 7,
};

struct rotation_item {
    char *name;               // owned by whoever owns the items
    bool is_dated;            // `moment` is valid
    struct civil_time moment; // from its name
    uint64_t bytes;
    bool verified;
    // Set by rotation_decide; until then everything is kept.
    bool remove;
    unsigned reasons; // why it is kept: of enum rotation_reason
};

// The policy was checked. In any order, which stays. Of two of the same moment the one whose name
// sorts last is the newer.
void rotation_decide(struct rotation_item *items, size_t count,
                     const struct rotation_policy *policy, const struct civil_time *today);

// "daily, newest verified"; "no date in its name: never removed".
void rotation_append_reasons(struct text *out, unsigned reasons);

// For people: a line for each item, in the order of their names, then what removing frees.
void rotation_append_plan(struct text *out, const struct rotation_item *items, size_t count,
                          const struct rotation_policy *policy, const struct civil_time *today);
