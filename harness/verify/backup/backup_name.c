#include "verify/backup/backup_name.h"

#include <stddef.h>
#include <string.h>

static bool is_digit(char character) {
    return character >= '0' && character <= '9';
}

static bool is_one_of(char character, const char *set) {
    return character != '\0' && strchr(set, character) != NULL;
}

// Each reader below moves *at behind what it read, and leaves it alone when it read nothing.
static bool read_number(const char **at, int digits, int *ret_number) {
    int number = 0;
    for (int i = 0; i < digits; i++) {
        if (!is_digit((*at)[i]))
            return false;
        number = number * 10 + (*at)[i] - '0';
    }
    *at += digits;
    *ret_number = number;
    return true;
}

// "112233", or with the same separator, one of `separators`, in both places.
static bool read_three(const char **at, int first_digits, const char *separators,
                       int ret_parts[3]) {
    const char *next = *at;
    if (!read_number(&next, first_digits, &ret_parts[0]))
        return false;
    const char separator = is_one_of(*next, separators) ? *next : '\0';
    if (separator != '\0')
        next++;
    if (!read_number(&next, 2, &ret_parts[1]))
        return false;
    if (separator != '\0' && *next++ != separator)
        return false;
    if (!read_number(&next, 2, &ret_parts[2]))
        return false;
    *at = next;
    return true;
}

// "_03-00-00" behind a date; without the separator in front only where nothing has any
// ("20261121030000").
static bool read_time(const char **at, bool date_is_compact, struct civil_time *moment) {
    const char *next = *at;
    int parts[3];
    const bool is_joined = is_digit(*next);
    if (is_joined && !date_is_compact)
        return false;
    if (!is_joined && !is_one_of(*next++, "-_T "))
        return false;
    if (!read_three(&next, 2, is_joined ? "" : ":-_", parts) || is_digit(*next))
        return false;
    struct civil_time with_time = *moment;
    with_time.has_time = true;
    with_time.hour = parts[0];
    with_time.minute = parts[1];
    with_time.second = parts[2];
    if (!civil_is_valid(&with_time))
        return false;
    *moment = with_time;
    *at = next;
    return true;
}

static bool read_moment(const char **at, struct civil_time *ret_moment) {
    const char *next = *at;
    int parts[3];
    if (!read_three(&next, 4, "-_", parts))
        return false;
    struct civil_time moment = {.year = parts[0], .month = parts[1], .day = parts[2]};
    if (!civil_is_valid(&moment))
        return false;
    if (!read_time(&next, next - *at == 8, &moment) && is_digit(*next))
        return false;
    *ret_moment = moment;
    *at = next;
    return true;
}

bool backup_name_moment(const char *name, struct civil_time *ret_moment) {
    struct civil_time found = {0};
    bool has_found = false;
    const char *at = name;
    while (*at != '\0') {
        struct civil_time moment;
        const bool touched = at > name && is_digit(at[-1]);
        if (touched || !read_moment(&at, &moment)) {
            at++;
            continue;
        }
        if (has_found && civil_day(&found) != civil_day(&moment))
            return false;
        if (!has_found || (moment.has_time && !found.has_time))
            found = moment;
        has_found = true;
    }
    if (has_found)
        *ret_moment = found;
    return has_found;
}
