#include "compose/quantity.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool starts_as_number(const char *text) {
    return isdigit((unsigned char)text[0]) || (text[0] == '.' && isdigit((unsigned char)text[1]));
}

// Digits with at most one point; strtod alone would take "0x10", "1e9" and "infinity".
static bool read_number(const char **text, long double *ret_number) {
    if (!starts_as_number(*text))
        return false;
    long double number = 0;
    long double scale = 1;
    bool fraction = false;
    const char *at = *text;
    for (; isdigit((unsigned char)*at) || (*at == '.' && !fraction); at++) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        number = number * 10 + (*at - '0');
        if (fraction)
            scale *= 10;
    }
    *text = at;
    *ret_number = number / scale;
    return true;
}

static const long double LARGEST = 9223372036854775807.0L;

bool quantity_duration(const char *text, long long *ret_ns) {
    static const struct {
        const char *name;
        long double ns;
    } units[] = {{"ns", 1},      {"us", 1e3L},        {"µs", 1e3L},
                 {"ms", 1e6L},   {"s", 1e9L},         {"m", 60e9L},
                 {"h", 3600e9L}, {"d", 24 * 3600e9L}, {"w", 7 * 24 * 3600e9L}};
    if (strcmp(text, "0") == 0) {
        *ret_ns = 0;
        return true;
    }
    long double total = 0;
    if (*text == '\0')
        return false;
    while (*text != '\0') {
        long double number = 0;
        if (!read_number(&text, &number))
            return false;
        size_t length = 0;
        while (text[length] != '\0' && !starts_as_number(text + length))
            length++;
        size_t i = 0;
        while (i < sizeof units / sizeof units[0] &&
               (strlen(units[i].name) != length || strncmp(units[i].name, text, length) != 0))
            i++;
        if (i == sizeof units / sizeof units[0])
            return false;
        total += number * units[i].ns;
        text += length;
    }
    if (total >= LARGEST)
        return false;
    *ret_ns = (long long)total;
    return true;
}

bool quantity_bytes(const char *text, long long *ret_bytes) {
    long double number = 0;
    if (!read_number(&text, &number))
        return false;
    while (*text == ' ')
        text++;
    static const char prefixes[] = "kmgtp";
    const char *prefix = *text != '\0' ? strchr(prefixes, tolower((unsigned char)*text)) : NULL;
    if (prefix != NULL) {
        for (const char *p = prefixes; p <= prefix; p++)
            number *= 1024;
        text++;
        if (strcasecmp(text, "ib") == 0)
            text += 2;
    }
    if (strcasecmp(text, "b") == 0)
        text++;
    if (*text != '\0' || number >= LARGEST)
        return false;
    *ret_bytes = (long long)number;
    return true;
}
