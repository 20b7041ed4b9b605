#include "engine/reply.h"

#include "base/memory.h"

#include <ctype.h>
#include <string.h>

#define SHOWN_BYTES 160

void reply_append_shown(struct text *text, const void *bytes, size_t length, size_t limit) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < length && i < limit; i++) {
        if (at[i] == '\n')
            text_append(text, "\\n");
        else if (at[i] == '\r')
            text_append(text, "\\r");
        else if (at[i] < 0x20 || at[i] > 0x7e)
            text_appendf(text, "\\x%02x", at[i]);
        else
            text_append_char(text, (char)at[i]);
    }
    if (length > limit)
        text_append(text, "…");
}

char *reply_one_line(const char *message) {
    char *line = memory_copy_string(message);
    for (char *at = line; *at != '\0'; at++) {
        if (iscntrl((unsigned char)*at))
            *at = ' ';
    }
    size_t length = strlen(line);
    while (length > 0 && (line[length - 1] == ' ' || line[length - 1] == '.'))
        line[--length] = '\0';
    return line;
}

static bool not_the_engine(const char *request, int status, const struct text *body,
                           const char *complaint, struct error *err) {
    autodone(text) struct text shown = {0};
    reply_append_shown(&shown, text_string(body), body->length, SHOWN_BYTES);
    return error_set(err, ERROR_PROTOCOL, status,
                     "%s: the answer (status %d) is not the Engine API's: %s; it begins \"%s\"",
                     request, status, complaint, text_string(&shown));
}

bool reply_parse(const char *request, const struct text *body, json_t **ret_json,
                 struct error *err) {
    json_error_t where;
    json_t *json = json_loadb(text_string(body), body->length, JSON_ALLOW_NUL, &where);
    if (json == NULL) {
        autofree_string char *complaint = memory_format("not JSON (%s)", where.text);
        return not_the_engine(request, 200, body, body->length > 0 ? complaint : "it is empty",
                              err);
    }
    *ret_json = json;
    return true;
}

bool reply_refused(const char *request, int status, const struct text *body, struct error *err) {
    if (status < 400)
        return not_the_engine(request, status, body, "a status that it never gives", err);
    if (body->length == 0)
        return error_set(err, ERROR_ENGINE, status, "%s: the engine answered %d without a message",
                         request, status);
    json_t *json = json_loadb(text_string(body), body->length, JSON_ALLOW_NUL, NULL);
    const char *message = json_string_value(json_object_get(json, "message"));
    if (message == NULL) {
        json_decref(json);
        return not_the_engine(request, status, body, "not JSON with a message", err);
    }
    autofree_string char *line = reply_one_line(message);
    json_decref(json);
    return error_set(err, ERROR_ENGINE, status, "%s: the engine answered %d: %s", request, status,
                     line);
}
