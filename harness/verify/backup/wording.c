#include "verify/backup/wording.h"

#include "compose/utf8.h"

#include <stdbool.h>
#include <string.h>

static bool is_control(const unsigned char *bytes, size_t length) {
    return (length == 1 && (bytes[0] < 0x20 || bytes[0] == 0x7f)) ||
           (length == 2 && bytes[0] == 0xc2 && bytes[1] < 0xa0); // C1: U+0080 to U+009F
}

void wording_append_name(struct text *out, const char *name) {
    const unsigned char *at = (const unsigned char *)(name != NULL ? name : "");
    size_t left = strlen((const char *)at);
    while (left > 0) {
        const size_t valid = utf8_sequence(at, left);
        const size_t step = valid > 0 ? valid : 1;
        if (valid > 0 && !is_control(at, valid))
            text_append_bytes(out, at, valid);
        else
            for (size_t i = 0; i < step; i++)
                text_appendf(out, "\\x%02x", at[i]);
        at += step;
        left -= step;
    }
}

char *wording_name(const char *name) {
    struct text out = {0};
    wording_append_name(&out, name);
    return text_take(&out);
}

json_t *wording_json(const char *name) {
    autodone(text) struct text valid = {0};
    wording_append_name(&valid, name);
    return json_stringn(text_string(&valid), valid.length);
}

void wording_append_bytes(struct text *out, int64_t bytes) {
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 0) {
        text_append(out, "unknown");
        return;
    }
    if (bytes < 1024) {
        text_appendf(out, "%lld B", (long long)bytes);
        return;
    }
    double amount = (double)bytes / 1024;
    size_t unit = 0;
    while (amount >= 1023.95 && unit + 1 < sizeof units / sizeof *units) {
        amount /= 1024;
        unit++;
    }
    text_appendf(out, "%.1f %s", amount, units[unit]);
}

void wording_append_duration(struct text *out, int64_t ms) {
    if (ms < 0)
        text_append(out, "unknown");
    else if (ms < 1000)
        text_appendf(out, "%lld ms", (long long)ms);
    else if (ms < 59950)
        text_appendf(out, "%.1f s", (double)ms / 1000);
    else if (ms < 3599500)
        text_appendf(out, "%lld min %lld s", (long long)((ms + 500) / 60000),
                     (long long)((ms + 500) / 1000 % 60));
    else
        text_appendf(out, "%lld h %lld min", (long long)((ms + 500) / 3600000),
                     (long long)((ms + 500) / 60000 % 60));
}

void wording_append_age(struct text *out, int64_t seconds) {
    const long long minutes = (long long)seconds / 60;
    if (seconds < 0)
        text_append(out, "unknown");
    else if (minutes < 60)
        text_appendf(out, "%lld min", minutes);
    else if (minutes < 24 * 60)
        text_appendf(out, "%lld h", minutes / 60);
    else
        text_appendf(out, "%lld days %lld h", minutes / 60 / 24, minutes / 60 % 24);
}
