#include "value/rfc3339.h"

#include <stddef.h>
#include <string.h>

// Exactly `count` digits.
static bool take_number(const char **text, int count, int *ret_number) {
    int number = 0;
    for (int i = 0; i < count; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        number = number * 10 + (**text - '0');
    }
    *ret_number = number;
    return true;
}

static bool take(const char **text, const char *one_of) {
    if (**text == '\0' || strchr(one_of, **text) == NULL)
        return false;
    (*text)++;
    return true;
}

static int days_in_month(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

// Since 1970-01-01, in the proleptic Gregorian calendar: whole years, then whole months.
static int64_t days_before(int year, int month) {
    const int64_t past = year - 1; // year 0 is a leap year, and the one before year 1
    const int64_t leaps = year > 0 ? past / 4 - past / 100 + past / 400 : -1;
    int64_t days = 365 * past + leaps - 719162;
    for (int i = 1; i < month; i++)
        days += days_in_month(year, i);
    return days;
}

static bool take_date(const char **text, int64_t *ret_days) {
    int year, month, day;
    if (!take_number(text, 4, &year) || !take(text, "-") || !take_number(text, 2, &month) ||
        !take(text, "-") || !take_number(text, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *ret_days = days_before(year, month) + day - 1;
    return true;
}

static bool take_time(const char **text, int64_t *ret_ms) {
    int hour, minute, second, ms = 0;
    if (!take_number(text, 2, &hour) || !take(text, ":") || !take_number(text, 2, &minute) ||
        !take(text, ":") || !take_number(text, 2, &second) || hour > 23 || minute > 59 ||
        second > 60)
        return false;
    if (**text == '.') {
        const size_t digits = strspn(++*text, "0123456789");
        for (size_t i = 0; i < 3; i++)
            ms = ms * 10 + (i < digits ? (*text)[i] - '0' : 0);
        *text += digits;
        if (digits == 0)
            return false;
    }
    *ret_ms = ((hour * 60 + minute) * 60 + second) * (int64_t)1000 + ms;
    return true;
}

static bool take_zone(const char **text, int64_t *ret_minutes) {
    int hours, minutes;
    *ret_minutes = 0;
    if (take(text, "Zz"))
        return true;
    const int sign = **text == '-' ? -1 : 1;
    if (!take(text, "+-") || !take_number(text, 2, &hours) || !take(text, ":") ||
        !take_number(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_minutes = sign * (hours * 60 + minutes);
    return true;
}

bool rfc3339_parse(const char *text, int64_t *ret_wall_ms) {
    int64_t days, ms, minutes;
    if (!take_date(&text, &days) || !take(&text, "Tt") || !take_time(&text, &ms) ||
        !take_zone(&text, &minutes) || *text != '\0')
        return false;
    *ret_wall_ms = days * 86400000 + ms - minutes * 60000;
    return true;
}
