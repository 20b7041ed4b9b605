// A moment as a calendar and a clock on the wall write it, without a time zone. Whoever names or
// rotates backups thinks in these: no hour is missing or doubled when summer time begins or ends.
//
// Proleptic Gregorian calendar. Source of the day count: Howard Hinnant, "chrono-Compatible
// Low-Level Date Algorithms", days_from_civil and civil_from_days.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CIVIL_YEAR_FIRST 1970
#define CIVIL_YEAR_LAST 2999

struct civil_time {
    int year;
    int month;     // 1 to 12
    int day;       // 1 to 31
    bool has_time; // otherwise the three below are 0
    int hour;
    int minute;
    int second;
};

// The day is in the calendar (29 February in leap years only, the year between the two above), the
// time between 00:00:00 and 23:59:59. There are no leap seconds.
bool civil_is_valid(const struct civil_time *self);

int64_t civil_day(const struct civil_time *self); // days since 1970-01-01
int civil_weekday(int64_t day);                   // 0: Sunday, to 6: Saturday

// Below 0, 0, above 0. A date without a time stands at the beginning of its day.
int civil_compare(const struct civil_time *left, const struct civil_time *right);

// Read as UTC. Milliseconds since 1970-01-01; below a second is cut.
struct civil_time civil_of_utc(int64_t wall_ms);
int64_t civil_to_utc(const struct civil_time *self);

// "2026-11-21", or "2026-11-21 03:00:00" with a time; into a buffer of CIVIL_TEXT_SIZE bytes.
#define CIVIL_TEXT_SIZE 80
const char *civil_format(const struct civil_time *self, char buffer[CIVIL_TEXT_SIZE]);
