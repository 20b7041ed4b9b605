#include "verify/backup/rotation.h"

#include "base/check.h"
#include "base/memory.h"
#include "verify/backup/wording.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_LIMIT 10000

static const char *const WEEK_DAYS[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                        "Thursday", "Friday", "Saturday"};

static const struct {
    enum rotation_reason reason;
    const char *text;
} REASONS[] = {
    {ROTATION_DAILY, "daily"},
    {ROTATION_WEEKLY, "weekly"},
    {ROTATION_MONTHLY, "monthly"},
    {ROTATION_NEWEST, "newest"},
    {ROTATION_NEWEST_VERIFIED, "newest verified"},
    {ROTATION_UNDATED, "no date in its name: never removed"},
    {ROTATION_FUTURE, "in the future"},
    {ROTATION_NONE_VERIFIED, "no backup is verified yet"},
};

static bool is_count(int number) {
    return number >= 0 && number <= COUNT_LIMIT;
}

bool rotation_policy_check(const struct rotation_policy *policy, struct error *err) {
    if (!is_count(policy->daily) || !is_count(policy->weekly) || !is_count(policy->monthly))
        return error_set(err, ERROR_USAGE, 0,
                         "of daily, weekly and monthly backups 0 to %d can be kept", COUNT_LIMIT);
    if (policy->week_day < 0 || policy->week_day > 6)
        return error_set(err, ERROR_USAGE, 0, "a week begins on day 0 (Sunday) to 6, not %d",
                         policy->week_day);
    if (policy->month_day < 1 || policy->month_day > 28)
        return error_set(err, ERROR_USAGE, 0, "a month begins on day 1 to 28, not %d",
                         policy->month_day);
    if (policy->daily + policy->weekly + policy->monthly == 0)
        return error_set(err, ERROR_USAGE, 0, "no daily, weekly or monthly backup would be kept");
    return true;
}

// ---- deciding -----------------------------------------------------------------------------------

static int64_t day_number(const struct rotation_item *item,
                          const struct rotation_policy *policy unused_parameter) {
    return civil_day(&item->moment);
}

// 1970-01-01 was a Thursday, four days into a week that began on a Sunday.
static int64_t week_number(const struct rotation_item *item, const struct rotation_policy *policy) {
    return (civil_day(&item->moment) + 4 + 7 - policy->week_day) / 7;
}

static int64_t month_number(const struct rotation_item *item,
                            const struct rotation_policy *policy) {
    return item->moment.year * 12 + item->moment.month - (item->moment.day < policy->month_day);
}

// Of the first day in a period, oldest first: its newest verified one, or its newest.
static struct rotation_item *stands_for(struct rotation_item **items, size_t count) {
    size_t of_day = 1;
    while (of_day < count && civil_day(&items[of_day]->moment) == civil_day(&items[0]->moment))
        of_day++;
    for (size_t i = of_day; i > 0; i--)
        if (items[i - 1]->verified)
            return items[i - 1];
    return items[of_day - 1];
}

static void keep_of_periods(struct rotation_item **items, size_t count,
                            const struct rotation_policy *policy, int wanted,
                            int64_t (*number)(const struct rotation_item *item,
                                              const struct rotation_policy *policy),
                            enum rotation_reason reason) {
    size_t end = count;
    for (int kept = 0; kept < wanted && end > 0; kept++) {
        size_t begin = end - 1;
        while (begin > 0 && number(items[begin - 1], policy) == number(items[end - 1], policy))
            begin--;
        stands_for(items + begin, end - begin)->reasons |= reason;
        end = begin;
    }
}

static void keep_newest(struct rotation_item **items, size_t count) {
    if (count > 0)
        items[count - 1]->reasons |= ROTATION_NEWEST;
    for (size_t i = count; i > 0; i--)
        if (items[i - 1]->verified) {
            items[i - 1]->reasons |= ROTATION_NEWEST_VERIFIED;
            return;
        }
}

static int compare_moments(const void *left, const void *right) {
    const struct rotation_item *const *l = left;
    const struct rotation_item *const *r = right;
    const int by_moment = civil_compare(&(*l)->moment, &(*r)->moment);
    return by_moment != 0 ? by_moment : strcmp((*l)->name, (*r)->name);
}

void rotation_decide(struct rotation_item *items, size_t count,
                     const struct rotation_policy *policy, const struct civil_time *today) {
    check(rotation_policy_check(policy, NULL));
    struct rotation_item **dated = memory_new(count + 1, sizeof *dated);
    size_t dated_count = 0;
    bool any_verified = false;
    for (size_t i = 0; i < count; i++) {
        struct rotation_item *item = &items[i];
        any_verified |= item->verified;
        item->reasons = 0;
        if (!item->is_dated)
            item->reasons = ROTATION_UNDATED;
        else if (civil_day(&item->moment) > civil_day(today))
            item->reasons = ROTATION_FUTURE;
        else
            dated[dated_count++] = item;
    }
    qsort(dated, dated_count, sizeof *dated, compare_moments);
    keep_of_periods(dated, dated_count, policy, policy->daily, day_number, ROTATION_DAILY);
    keep_of_periods(dated, dated_count, policy, policy->weekly, week_number, ROTATION_WEEKLY);
    keep_of_periods(dated, dated_count, policy, policy->monthly, month_number, ROTATION_MONTHLY);
    keep_newest(dated, dated_count);
    free(dated);
    for (size_t i = 0; i < count; i++) {
        if (items[i].reasons == 0 && !any_verified && !policy->unverified)
            items[i].reasons = ROTATION_NONE_VERIFIED;
        items[i].remove = items[i].reasons == 0;
    }
}

// ---- telling ------------------------------------------------------------------------------------

void rotation_append_reasons(struct text *out, unsigned reasons) {
    const char *separator = "";
    for (size_t i = 0; i < sizeof REASONS / sizeof *REASONS; i++) {
        if ((reasons & REASONS[i].reason) == 0)
            continue;
        text_appendf(out, "%s%s", separator, REASONS[i].text);
        separator = ", ";
    }
}

static int compare_names(const void *left, const void *right) {
    const struct rotation_item *const *l = left;
    const struct rotation_item *const *r = right;
    return strcmp((*l)->name, (*r)->name);
}

static void append_item(struct text *out, const struct rotation_item *item) {
    struct text size = {0};
    wording_append_bytes(&size, (int64_t)item->bytes);
    text_appendf(out, "  %s  %10s  %s  ", item->remove ? "remove" : "keep  ", text_string(&size),
                 item->verified ? "verified    " : "not verified");
    text_done(&size);
    wording_append_name(out, item->name);
    if (!item->remove) {
        text_append(out, ": ");
        rotation_append_reasons(out, item->reasons);
    }
    text_append_char(out, '\n');
}

static void append_sum(struct text *out, const struct rotation_item *items, size_t count) {
    size_t removed = 0;
    uint64_t freed = 0;
    uint64_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        removed += items[i].remove;
        *(items[i].remove ? &freed : &kept) += items[i].bytes;
    }
    text_appendf(out, "%zu of %zu removed, which frees ", removed, count);
    wording_append_bytes(out, (int64_t)freed);
    text_appendf(out, "; %zu kept, ", count - removed);
    wording_append_bytes(out, (int64_t)kept);
    text_append_char(out, '\n');
}

void rotation_append_plan(struct text *out, const struct rotation_item *items, size_t count,
                          const struct rotation_policy *policy, const struct civil_time *today) {
    check(rotation_policy_check(policy, NULL));
    const struct civil_time date = {.year = today->year, .month = today->month, .day = today->day};
    char buffer[CIVIL_TEXT_SIZE];
    text_appendf(out,
                 "%s: keeps %d daily, %d weekly (from %s), %d monthly (from day %d), and the "
                 "newest verified\n",
                 civil_format(&date, buffer), policy->daily, policy->weekly,
                 WEEK_DAYS[policy->week_day], policy->monthly, policy->month_day);
    const struct rotation_item **sorted = memory_new(count + 1, sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &items[i];
    qsort(sorted, count, sizeof *sorted, compare_names);
    for (size_t i = 0; i < count; i++)
        append_item(out, sorted[i]);
    free(sorted);
    append_sum(out, items, count);
}
