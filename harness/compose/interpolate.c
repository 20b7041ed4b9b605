#include "compose/interpolate.h"

#include "base/memory.h"
#include "base/text.h"
#include "compose/utf8.h"

#include <ctype.h>
#include <string.h>

enum { DEEPEST = 32, LONGEST_BYTES = 1024 * 1024 };

struct interpolation {
    const struct variables *variables;
    struct mark mark;
    struct string_list *warnings;
    struct error *err;
};

static bool starts_name(char character) {
    return isalpha((unsigned char)character) || character == '_';
}

static size_t name_length(const char *at) {
    size_t length = 0;
    if (!starts_name(at[0]))
        return 0;
    while (isalnum((unsigned char)at[length]) || at[length] == '_')
        length++;
    return length;
}

// Length up to the `}` that closes what was opened before `at`; braces of nested ${} are counted.
static bool find_brace(const char *at, size_t *ret_length) {
    int open = 0;
    for (size_t i = 0; at[i] != '\0'; i++) {
        if (at[i] == '$' && at[i + 1] == '$') {
            i++;
        } else if (at[i] == '$' && at[i + 1] == '{') {
            open++;
            i++;
        } else if (at[i] == '}' && open-- == 0) {
            *ret_length = i;
            return true;
        }
    }
    return false;
}

static bool expand(const struct interpolation *self, const char *text, int depth,
                   struct text *result);

static bool expand_part(const struct interpolation *self, const char *bytes, size_t length,
                        int depth, struct text *result) {
    autofree_string char *part = memory_copy_bytes(bytes, length);
    return expand(self, part, depth + 1, result);
}

static bool required(const struct interpolation *self, const char *name, const char *bytes,
                     size_t length, int depth) {
    autodone(text) struct text reason = {.limit = 1024};
    if (!expand_part(self, bytes, length, depth, &reason))
        return false;
    const char *separator = reason.length > 0 ? ": " : "";
    return mark_error(self->mark, self->err, "the variable %s is required and has no value%s%s",
                      name, separator, text_string(&reason));
}

static void append_value(const struct interpolation *self, const char *name, struct text *result) {
    const char *value = variables_get(self->variables, name);
    if (value != NULL)
        text_append(result, value);
    else
        mark_warning(self->mark, self->warnings,
                     "the variable %s is not set; an empty string stands in its place", name);
}

// `inside` is what stands between the braces.
static bool expand_braced(const struct interpolation *self, const char *inside, size_t length,
                          int depth, struct text *result) {
    const size_t name_bytes = name_length(inside);
    autofree_string char *name = memory_copy_bytes(inside, name_bytes);
    if (name_bytes == length && length > 0) {
        append_value(self, name, result);
        return true;
    }
    const bool colon = inside[name_bytes] == ':';
    const char *sign = inside + name_bytes + colon;
    if (name_bytes == 0 || sign >= inside + length || strchr("-+?", *sign) == NULL)
        return mark_error(self->mark, self->err, "${%.*s} is not a variable; write $$ for a dollar",
                          (int)length, inside);
    const char *rest = sign + 1;
    const size_t rest_length = length - (size_t)(rest - inside);
    const char *value = variables_get(self->variables, name);
    const bool present = value != NULL && !(colon && *value == '\0');
    if (*sign == '?' && !present)
        return required(self, name, rest, rest_length, depth);
    if ((*sign == '+') == present && *sign != '?')
        return expand_part(self, rest, rest_length, depth, result);
    if (*sign != '+')
        text_append(result, value);
    return true;
}

static bool expand(const struct interpolation *self, const char *text, int depth,
                   struct text *result) {
    if (depth > DEEPEST)
        return mark_error(self->mark, self->err, "variables nested deeper than %d", DEEPEST);
    while (*text != '\0') {
        const size_t plain = strcspn(text, "$");
        text_append_bytes(result, text, plain);
        text += plain;
        if (*text == '\0')
            break;
        const size_t name_bytes = name_length(text + 1);
        if (text[1] == '$') {
            text_append_char(result, '$');
            text += 2;
        } else if (text[1] == '{') {
            size_t length = 0;
            if (!find_brace(text + 2, &length))
                return mark_error(self->mark, self->err,
                                  "\"%.40s\" has no closing brace; write $$ for a dollar", text);
            if (!expand_braced(self, text + 2, length, depth, result))
                return false;
            text += length + 3;
        } else if (name_bytes > 0) {
            autofree_string char *name = memory_copy_bytes(text + 1, name_bytes);
            append_value(self, name, result);
            text += name_bytes + 1;
        } else {
            text_append_char(result, '$');
            text++;
        }
    }
    return true;
}

bool interpolate(const char *text, const struct variables *variables, struct mark mark,
                 struct string_list *warnings, char **ret_text, struct error *err) {
    const struct interpolation interpolation = {variables, mark, warnings, err};
    autodone(text) struct text result = {.limit = LONGEST_BYTES};
    if (!expand(&interpolation, text, 0, &result))
        return false;
    if (result.overflowed)
        return mark_error(mark, err, "longer than %d bytes once its variables are filled in",
                          LONGEST_BYTES);
    int line = 0;
    int column = 0;
    if (!utf8_check(text_string(&result), result.length, &line, &column))
        return mark_error(mark, err, "not UTF-8 text once its variables are filled in");
    *ret_text = text_take(&result);
    return true;
}

bool interpolate_tree(struct yaml *value, const struct variables *variables,
                      struct string_list *warnings, struct error *err) {
    if (value->type == YAML_TEXT && strchr(value->text, '$') != NULL) {
        autofree_string char *text = NULL;
        if (!interpolate(value->text, variables, value->mark, warnings, &text, err))
            return false;
        yaml_set_text(value, text);
    }
    for (size_t i = 0; i < value->count; i++) {
        const bool map = value->type == YAML_MAP;
        struct yaml *child = map ? value->entries[i].value : value->items[i];
        if (!interpolate_tree(child, variables, warnings, err))
            return false;
    }
    return true;
}
