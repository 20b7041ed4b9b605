#include "engine/query.h"

#include "base/memory.h"
#include "engine/json_text.h"

#include <string.h>

#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

static void append_encoded(struct text *text, const char *value, const char *kept) {
    for (const char *at = value; *at != '\0'; at++) {
        if (strchr(kept, *at) != NULL)
            text_append_char(text, *at);
        else
            text_appendf(text, "%%%02X", (unsigned)(unsigned char)*at);
    }
}

char *query_path(const char *collection, const char *name, const char *action) {
    autodone(text) struct text path = {0};
    text_appendf(&path, "%s/", collection);
    append_encoded(&path, name, UNRESERVED "/:@");
    text_append(&path, action);
    return text_take(&path);
}

void query_add(struct text *query, const char *key, const char *value) {
    if (value == NULL)
        return;
    text_appendf(query, "%s%s=", query->length > 0 ? "&" : "", key);
    append_encoded(query, value, UNRESERVED);
}

void query_add_number(struct text *query, const char *key, long long value) {
    text_appendf(query, "%s%s=%lld", query->length > 0 ? "&" : "", key, value);
}

// Whether an earlier filter has the same key: its list is written already.
static bool is_repeated(const char *const *filters, size_t at) {
    const size_t length = strcspn(filters[at], "=");
    for (size_t i = 0; i < at; i++) {
        if (strcspn(filters[i], "=") == length && strncmp(filters[i], filters[at], length) == 0)
            return true;
    }
    return false;
}

static void append_values(struct text *json, const char *const *filters, size_t first) {
    const size_t length = strcspn(filters[first], "=");
    autofree_string char *key = memory_copy_bytes(filters[first], length);
    json_text_append(json, key);
    text_append(json, ":[");
    for (size_t i = first; filters[i] != NULL; i++) {
        if (strcspn(filters[i], "=") != length || strncmp(filters[i], key, length) != 0)
            continue;
        text_append(json, i > first ? "," : "");
        json_text_append(json, filters[i][length] == '=' ? filters[i] + length + 1 : "");
    }
    text_append_char(json, ']');
}

void query_add_filters(struct text *query, const char *const *filters) {
    if (filters == NULL || filters[0] == NULL)
        return;
    autodone(text) struct text json = {0};
    for (size_t i = 0; filters[i] != NULL; i++) {
        if (is_repeated(filters, i))
            continue;
        text_append_char(&json, i > 0 ? ',' : '{');
        append_values(&json, filters, i);
    }
    text_append_char(&json, '}');
    query_add(query, "filters", text_string(&json));
}
