#include "verify/backup/civil_time.h"

#include "base/check.h"

#include <stdio.h>

#define MS_A_DAY ((int64_t)24 * 60 * 60 * 1000)

static bool is_leap(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

bool civil_is_valid(const struct civil_time *self) {
    return self->year >= CIVIL_YEAR_FIRST && self->year <= CIVIL_YEAR_LAST && self->month >= 1 &&
           self->month <= 12 && self->day >= 1 && self->day <= days_in(self->year, self->month) &&
           self->hour >= 0 && self->hour <= 23 && self->minute >= 0 && self->minute <= 59 &&
           self->second >= 0 && self->second <= 59;
}

// Years begin in March here, so that the leap day is their last.
int64_t civil_day(const struct civil_time *self) {
    const int64_t year = self->month <= 2 ? self->year - 1 : self->year;
    const int64_t era = year / 400;
    const int64_t year_of_era = year - era * 400;
    const int64_t month = (self->month + 9) % 12;
    const int64_t day_of_year = (153 * month + 2) / 5 + self->day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

int civil_weekday(int64_t day) {
    check(day >= 0);
    return (int)((day + 4) % 7); // 1970-01-01 was a Thursday
}

static int seconds_of(const struct civil_time *self) {
    return self->has_time ? (self->hour * 60 + self->minute) * 60 + self->second : 0;
}

int civil_compare(const struct civil_time *left, const struct civil_time *right) {
    const int64_t left_day = civil_day(left);
    const int64_t right_day = civil_day(right);
    if (left_day != right_day)
        return left_day < right_day ? -1 : 1;
    return seconds_of(left) - seconds_of(right);
}

struct civil_time civil_of_utc(int64_t wall_ms) {
    const int64_t day = wall_ms / MS_A_DAY;
    const int second = (int)(wall_ms % MS_A_DAY / 1000);
    const int64_t shifted = day + 719468;
    const int64_t era = shifted / 146097;
    const int64_t day_of_era = shifted % 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t month = (5 * day_of_year + 2) / 153; // 0: March
    return (struct civil_time){
        .year = (int)(year_of_era + era * 400 + (month >= 10)),
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
        .has_time = true,
        .hour = second / 3600,
        .minute = second / 60 % 60,
        .second = second % 60,
    };
}

int64_t civil_to_utc(const struct civil_time *self) {
    return civil_day(self) * MS_A_DAY + (int64_t)seconds_of(self) * 1000;
}

const char *civil_format(const struct civil_time *self, char buffer[CIVIL_TEXT_SIZE]) {
    if (self->has_time)
        snprintf(buffer, CIVIL_TEXT_SIZE, "%04d-%02d-%02d %02d:%02d:%02d", self->year, self->month,
                 self->day, self->hour, self->minute, self->second);
    else
        snprintf(buffer, CIVIL_TEXT_SIZE, "%04d-%02d-%02d", self->year, self->month, self->day);
    return buffer;
}
