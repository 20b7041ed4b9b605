#include "engine/json_text.h"

void json_text_append(struct text *text, const char *value) {
    text_append_char(text, '"');
    for (const char *at = value; *at != '\0'; at++) {
        const unsigned char byte = (unsigned char)*at;
        if (byte == '"' || byte == '\\')
            text_append_char(text, '\\');
        if (byte < 0x20)
            text_appendf(text, "\\u%04x", byte);
        else
            text_append_char(text, *at);
    }
    text_append_char(text, '"');
}
