#include "compose/environment_file.h"

#include "base/check.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "compose/mark.h"
#include "compose/variables.h"

#include <ctype.h>
#include <string.h>

enum { LARGEST_BYTES = 4 * 1024 * 1024 };

struct environment_file {
    struct variables values;
};

struct environment_writer {
    struct variables values;
};

char *environment_name(const char *service) {
    char *name = memory_copy_string(service);
    for (char *at = name; *at != '\0'; at++)
        *at = isalnum((unsigned char)*at) ? (char)toupper((unsigned char)*at) : '_';
    return name;
}

static size_t key_length(const char *at) {
    size_t length = 0;
    while (isupper((unsigned char)at[length]) || at[length] == '_' ||
           (length > 0 && isdigit((unsigned char)at[length])))
        length++;
    return length;
}

// The value up to the end of the line, as a shell reads it: bare text, '…' and \c, in any sequence.
// Returns where the line ends; NULL when a quote is never closed.
static const char *read_value(const char *at, struct text *value, int *lines) {
    while (*at != '\0' && *at != '\n') {
        if (*at == '\\' && at[1] != '\0') {
            text_append_char(value, at[1]);
            at += 2;
        } else if (*at == '\'') {
            const char *close = strchr(at + 1, '\'');
            if (close == NULL)
                return NULL;
            for (const char *inside = at + 1; inside < close; inside++)
                *lines += *inside == '\n';
            text_append_bytes(value, at + 1, (size_t)(close - at - 1));
            at = close + 1;
        } else {
            text_append_char(value, *at++);
        }
    }
    return at;
}

static bool read_line(struct environment_file *self, const char **at, struct mark *mark,
                      struct error *err) {
    const size_t length = key_length(*at);
    if (length == 0 || (*at)[length] != '=')
        return mark_error(*mark, err, "expected KEY=VALUE");
    autofree_string char *key = memory_copy_bytes(*at, length);
    autodone(text) struct text value = {0};
    const char *end = read_value(*at + length + 1, &value, &mark->line);
    if (end == NULL)
        return mark_error(*mark, err, "a quote is never closed");
    variables_set(&self->values, key, text_string(&value));
    *at = end;
    return true;
}

bool environment_file_read(const char *path, struct environment_file **ret_file,
                           struct error *err) {
    autofree_string char *bytes = NULL;
    size_t length = 0;
    if (!file_read(path, LARGEST_BYTES, &bytes, &length, err))
        return false;
    struct mark mark = {path, 1, 1};
    if (strlen(bytes) != length)
        return mark_error(mark, err, "holds a NUL byte");
    autofree(environment_file) struct environment_file *file = memory_new(1, sizeof *file);
    for (const char *at = bytes; *at != '\0'; at += *at == '\n') {
        if (*at == '#')
            at += strcspn(at, "\n");
        else if (*at != '\n' && !read_line(file, &at, &mark, err))
            return false;
        mark.line++;
    }
    *ret_file = TAKE(file);
    return true;
}

void environment_file_free(struct environment_file *self) {
    if (self == NULL)
        return;
    variables_done(&self->values);
    free(self);
}

const char *environment_get(const struct environment_file *self, const char *key) {
    return variables_own(&self->values, key);
}

static char *key_of(const char *service, const char *what) {
    autofree_string char *name = environment_name(service);
    return memory_format("ASSAY_%s_%s", name, what);
}

const char *environment_of(const struct environment_file *self, const char *service,
                           const char *what) {
    autofree_string char *key = key_of(service, what);
    return environment_get(self, key);
}

struct environment_writer *environment_writer_new(void) {
    return memory_new(1, sizeof(struct environment_writer));
}

void environment_writer_set(struct environment_writer *self, const char *key, const char *value) {
    check(*key != '\0' && key_length(key) == strlen(key));
    variables_set(&self->values, key, value);
}

void environment_writer_set_of(struct environment_writer *self, const char *service,
                               const char *what, const char *value) {
    if (value == NULL)
        return;
    autofree_string char *key = key_of(service, what);
    environment_writer_set(self, key, value);
}

// Bare where no shell sees anything in it, single quotes otherwise.
static void append_quoted(struct text *text, const char *value) {
    static const char bare[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                               "_-./:@%+,=";
    if (strspn(value, bare) == strlen(value)) {
        text_append(text, value);
        return;
    }
    text_append_char(text, '\'');
    for (; *value != '\0'; value++) {
        if (*value == '\'')
            text_append(text, "'\\''");
        else
            text_append_char(text, *value);
    }
    text_append_char(text, '\'');
}

bool environment_writer_save(const struct environment_writer *self, const char *path,
                             struct error *err) {
    autodone(text) struct text text = {.limit = LARGEST_BYTES};
    for (size_t i = 0; i < self->values.names.count; i++) {
        text_appendf(&text, "%s=", self->values.names.items[i]);
        append_quoted(&text, self->values.values.items[i]);
        text_append_char(&text, '\n');
    }
    if (text.overflowed)
        return error_set(err, ERROR_CONFIGURATION, 0, "%s would be larger than %d bytes", path,
                         LARGEST_BYTES);
    return file_write_atomic(path, text_string(&text), text.length, 0600, err);
}

void environment_writer_free(struct environment_writer *self) {
    if (self == NULL)
        return;
    variables_done(&self->values);
    free(self);
}
