#include "compose/yaml_document.h"

#include "base/file.h"
#include "base/memory.h"
#include "compose/utf8.h"

#include <errno.h>
#include <libfyaml.h>
#include <string.h>

struct anchor {
    char *name;
    struct yaml *value; // NULL while its value is being read
};

struct reader {
    struct fy_parser *parser;
    struct yaml_arena *arena;
    const char *file;
    struct anchor *anchors;
    size_t anchor_count;
    size_t anchor_capacity;
    struct mark last; // the last place known: for values that have none
    struct error *err;
};

// libfyaml would print what it also collects.
static void swallow(struct fy_diag *diag unused_parameter, void *user unused_parameter,
                    const char *bytes unused_parameter, size_t length unused_parameter) {
}

static struct mark mark_of(struct reader *self, struct fy_token *token) {
    const struct fy_mark *place = token != NULL ? fy_token_start_mark(token) : NULL;
    if (place == NULL)
        return self->last;
    struct mark mark = {self->file, place->line + 1, place->column + 1};
    if (fy_token_get_type(token) == FYTT_SCALAR) {
        const enum fy_scalar_style style = fy_token_scalar_style(token);
        if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && mark.column > 1)
            mark.column--; // of the quote, where an editor should go
    }
    self->last = mark;
    return mark;
}

// Without memory libfyaml gives an empty text, which would be a lost argument or limit. The length
// that it finds without allocating says so, but not exactly: of the anchor a\u0664, 3 bytes, it
// is 2.
static char *copy_token(struct fy_token *token) {
    if (token == NULL)
        return memory_copy_string("");
    size_t length = 0;
    const size_t expected = fy_token_get_text_length(token);
    const char *bytes = fy_token_get_text(token, &length);
    if (bytes == NULL || (length == 0 && expected > 0))
        memory_is_out();
    return memory_copy_bytes(bytes, length);
}

// What the parser itself found wrong, or the end of the stream when nothing was.
static bool parser_failed(struct reader *self) {
    struct fy_diag *diag = fy_parser_get_diag(self->parser);
    void *iterator = NULL;
    const struct fy_diag_error *first = fy_diag_errors_iterate(diag, &iterator);
    struct mark mark = self->last;
    if (first != NULL && first->line > 0)
        mark = (struct mark){self->file, first->line, first->column};
    mark_error(mark, self->err, "not YAML: %s",
               first != NULL && first->msg != NULL ? first->msg : "it cannot be read");
    fy_diag_unref(diag);
    return false;
}

static struct fy_event *next_event(struct reader *self) {
    struct fy_event *event = fy_parser_parse(self->parser);
    if (event == NULL)
        parser_failed(self);
    return event;
}

static struct anchor *find_anchor(struct reader *self, const char *name) {
    for (size_t i = self->anchor_count; i > 0; i--)
        if (strcmp(self->anchors[i - 1].name, name) == 0)
            return &self->anchors[i - 1];
    return NULL;
}

// The index of the new anchor, or -1 when the value has none.
static long open_anchor(struct reader *self, struct fy_token *token) {
    if (token == NULL)
        return -1;
    if (self->anchor_count == self->anchor_capacity) {
        self->anchor_capacity = self->anchor_capacity > 0 ? self->anchor_capacity * 2 : 16;
        self->anchors = memory_resize(self->anchors, self->anchor_capacity, sizeof(struct anchor));
    }
    self->anchors[self->anchor_count] = (struct anchor){.name = copy_token(token)};
    return (long)self->anchor_count++;
}

static void close_anchor(struct reader *self, long index, struct yaml *value) {
    if (index >= 0)
        self->anchors[index].value = value;
}

static bool read_tag(struct reader *self, struct fy_token *token, enum yaml_tag *ret_tag,
                     bool *ret_text) {
    *ret_tag = YAML_TAG_NONE;
    *ret_text = false;
    if (token == NULL)
        return true;
    autofree_string char *tag = copy_token(token);
    const struct mark mark = mark_of(self, token);
    if (strcmp(tag, "!reset") == 0)
        *ret_tag = YAML_TAG_RESET;
    else if (strcmp(tag, "!override") == 0)
        *ret_tag = YAML_TAG_OVERRIDE;
    else if (strcmp(tag, "tag:yaml.org,2002:str") == 0 || strcmp(tag, "!") == 0)
        *ret_text = true;
    else {
        static const char *const harmless[] = {"int", "float", "bool", "null", "map", "seq"};
        for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
            if (strncmp(tag, "tag:yaml.org,2002:", 18) == 0 && strcmp(tag + 18, harmless[i]) == 0)
                return true;
        return mark_error(mark, self->err, "unknown tag %s; known are !reset and !override", tag);
    }
    return true;
}

static bool is_null(const char *text) {
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

static bool read_scalar(struct reader *self, const struct fy_event *event,
                        struct yaml **ret_value) {
    enum yaml_tag tag;
    bool text_by_tag;
    if (!read_tag(self, event->scalar.tag, &tag, &text_by_tag))
        return false;
    struct fy_token *token = event->scalar.value;
    autofree_string char *text = copy_token(token);
    size_t length = 0;
    fy_token_get_text(token, &length);
    const struct mark mark = mark_of(self, token);
    if (strlen(text) != length)
        return mark_error(mark, self->err, "a text with a NUL byte in it");
    const bool plain = token == NULL || fy_token_scalar_style(token) == FYSS_PLAIN;
    const bool null = plain && !text_by_tag && is_null(text);
    struct yaml *value = yaml_new(self->arena, null ? YAML_NULL : YAML_TEXT, mark);
    value->tag = tag;
    if (!null)
        value->text = TAKE(text);
    close_anchor(self, open_anchor(self, event->scalar.anchor), value);
    *ret_value = value;
    return true;
}

static bool read_alias(struct reader *self, const struct fy_event *event, int depth,
                       struct yaml **ret_value) {
    autofree_string char *name = copy_token(event->alias.anchor);
    const struct mark mark = mark_of(self, event->alias.anchor);
    const struct anchor *anchor = find_anchor(self, name);
    if (anchor == NULL)
        return mark_error(mark, self->err, "there is no anchor &%s above this alias", name);
    if (anchor->value == NULL)
        return mark_error(mark, self->err, "the alias *%s stands inside its own anchor", name);
    if (depth + yaml_depth(anchor->value) > YAML_MOST_DEPTH)
        return mark_error(mark, self->err, "nested deeper than %d", YAML_MOST_DEPTH);
    *ret_value = yaml_copy(self->arena, anchor->value);
    return yaml_arena_check(self->arena, mark, self->err);
}

static bool read_value(struct reader *self, const struct fy_event *event, int depth,
                       struct yaml **ret_value);

static bool read_list(struct reader *self, const struct fy_event *event, int depth,
                      struct yaml **ret_value) {
    enum yaml_tag tag;
    bool text;
    if (!read_tag(self, event->sequence_start.tag, &tag, &text))
        return false;
    struct yaml *list =
        yaml_new(self->arena, YAML_LIST, mark_of(self, event->sequence_start.sequence_start));
    list->tag = tag;
    const long anchor = open_anchor(self, event->sequence_start.anchor);
    for (;;) {
        struct fy_event *next = next_event(self);
        if (next == NULL)
            return false;
        const bool end = next->type == FYET_SEQUENCE_END;
        struct yaml *item = NULL;
        const bool read = end || read_value(self, next, depth + 1, &item);
        fy_parser_event_free(self->parser, next);
        if (!read || end) {
            close_anchor(self, anchor, list);
            *ret_value = list;
            return read;
        }
        yaml_add(list, item);
    }
}

// What `<<` brings in: entries that the mapping does not have itself; of several, the first wins.
static bool merge_into(struct reader *self, struct yaml *map, const struct yaml *source) {
    if (source->type == YAML_LIST) {
        for (size_t i = 0; i < source->count; i++)
            if (!merge_into(self, map, source->items[i]))
                return false;
        return true;
    }
    if (source->type != YAML_MAP)
        return mark_error(source->mark, self->err,
                          "<< takes a mapping or a list of mappings, not %s",
                          yaml_type_name(source->type));
    for (size_t i = 0; i < source->count; i++) {
        const struct yaml_entry *entry = &source->entries[i];
        if (yaml_entry(map, entry->key) == NULL)
            yaml_set(map, entry->key, entry->mark, entry->value);
    }
    return true;
}

static bool read_key(struct reader *self, const struct fy_event *event, char **ret_key,
                     bool *ret_merge, struct mark *ret_mark) {
    struct fy_token *token = event->type == FYET_SCALAR ? event->scalar.value : NULL;
    if (token == NULL)
        return mark_error(self->last, self->err, "a key must be a text");
    *ret_mark = mark_of(self, token);
    autofree_string char *key = copy_token(token);
    const bool plain = fy_token_scalar_style(token) == FYSS_PLAIN;
    if (plain && is_null(key))
        return mark_error(*ret_mark, self->err, "a key must be a text, not null");
    *ret_merge = plain && strcmp(key, "<<") == 0;
    *ret_key = TAKE(key);
    return true;
}

static bool read_entry(struct reader *self, const struct fy_event *key_event, int depth,
                       struct yaml *map, struct yaml **merged) {
    autofree_string char *key = NULL;
    bool merge = false;
    struct mark mark;
    if (!read_key(self, key_event, &key, &merge, &mark))
        return false;
    const struct yaml_entry *before = merge ? NULL : yaml_entry(map, key);
    if (before != NULL)
        return mark_error(mark, self->err, "the key \"%s\" was given before, in line %d", key,
                          before->mark.line);
    if (merge && *merged != NULL)
        return mark_error(mark, self->err,
                          "<< was given before, in line %d; give it a list instead: <<: [*a, *b]",
                          (*merged)->mark.line);
    if (map->count >= YAML_MOST_KEYS)
        return mark_error(mark, self->err, "a mapping of more than %d keys", YAML_MOST_KEYS);
    struct fy_event *event = next_event(self);
    if (event == NULL)
        return false;
    struct yaml *value = NULL;
    const bool read = read_value(self, event, depth + 1, &value);
    fy_parser_event_free(self->parser, event);
    if (!read)
        return false;
    if (merge)
        *merged = value;
    else
        yaml_set(map, key, mark, value);
    return true;
}

static bool read_map(struct reader *self, const struct fy_event *start, int depth,
                     struct yaml **ret_value) {
    enum yaml_tag tag;
    bool text;
    if (!read_tag(self, start->mapping_start.tag, &tag, &text))
        return false;
    struct yaml *map =
        yaml_new(self->arena, YAML_MAP, mark_of(self, start->mapping_start.mapping_start));
    map->tag = tag;
    const long anchor = open_anchor(self, start->mapping_start.anchor);
    struct yaml *merged = NULL;
    for (;;) {
        struct fy_event *event = next_event(self);
        if (event == NULL)
            return false;
        const bool end = event->type == FYET_MAPPING_END;
        const bool read = end || read_entry(self, event, depth, map, &merged);
        fy_parser_event_free(self->parser, event);
        if (!read)
            return false;
        if (end)
            break;
    }
    if (merged != NULL && !merge_into(self, map, merged))
        return false;
    close_anchor(self, anchor, map);
    *ret_value = map;
    return true;
}

static bool read_value(struct reader *self, const struct fy_event *event, int depth,
                       struct yaml **ret_value) {
    if (depth > YAML_MOST_DEPTH)
        return mark_error(self->last, self->err, "nested deeper than %d", YAML_MOST_DEPTH);
    if (!yaml_arena_check(self->arena, self->last, self->err))
        return false;
    switch (event->type) {
    case FYET_SCALAR:
        return read_scalar(self, event, ret_value);
    case FYET_ALIAS:
        return read_alias(self, event, depth, ret_value);
    case FYET_SEQUENCE_START:
        return read_list(self, event, depth, ret_value);
    case FYET_MAPPING_START:
        return read_map(self, event, depth, ret_value);
    default:
        return mark_error(self->last, self->err, "not YAML: a value is missing");
    }
}

static bool read_document(struct reader *self, struct yaml **ret_root) {
    struct yaml *root = NULL;
    for (;;) {
        struct fy_event *event = next_event(self);
        if (event == NULL)
            return false;
        const enum fy_event_type type = event->type;
        bool read = true;
        if (type == FYET_DOCUMENT_START && root != NULL)
            read = mark_error(mark_of(self, event->document_start.document_start), self->err,
                              "a second document starts here; only one is read");
        else if (type == FYET_SCALAR || type == FYET_ALIAS || type == FYET_SEQUENCE_START ||
                 type == FYET_MAPPING_START)
            read = read_value(self, event, 1, &root);
        fy_parser_event_free(self->parser, event);
        if (!read)
            return false;
        if (type == FYET_STREAM_END)
            break;
    }
    if (!yaml_arena_check(self->arena, self->last, self->err))
        return false;
    *ret_root = root != NULL ? root : yaml_new(self->arena, YAML_NULL, self->last);
    return true;
}

bool yaml_document_parse(struct yaml_arena *arena, const char *file, const char *bytes,
                         size_t length, struct yaml **ret_root, struct error *err) {
    if (length > YAML_MOST_BYTES)
        return mark_error((struct mark){.file = file}, err, "larger than %d bytes",
                          YAML_MOST_BYTES);
    struct mark wrong = {.file = file};
    if (!utf8_check(bytes, length, &wrong.line, &wrong.column))
        return mark_error(wrong, err, "not UTF-8 text");
    struct fy_diag_cfg diag_options;
    fy_diag_cfg_default(&diag_options);
    diag_options.fp = NULL;
    diag_options.output_fn = swallow;
    diag_options.colorize = false;
    struct fy_diag *diag = fy_diag_create(&diag_options);
    if (diag == NULL)
        return mark_error((struct mark){.file = file}, err, "the YAML reader does not start");
    fy_diag_set_collect_errors(diag, true);
    const struct fy_parse_cfg options = {
        .flags = FYPCF_COLLECT_DIAG | FYPCF_DISABLE_MMAP_OPT | FYPCF_JSON_NONE, .diag = diag};
    struct reader reader = {
        .parser = fy_parser_create(&options),
        .arena = arena,
        .file = file,
        .last = {file, 1, 1},
        .err = err,
    };
    bool read = reader.parser != NULL && fy_parser_set_string(reader.parser, bytes, length) == 0;
    if (!read)
        mark_error(reader.last, err, "the YAML reader does not start");
    read = read && read_document(&reader, ret_root);
    fy_parser_destroy(reader.parser);
    fy_diag_destroy(diag);
    for (size_t i = 0; i < reader.anchor_count; i++)
        free(reader.anchors[i].name);
    free(reader.anchors);
    return read;
}

bool yaml_document_load(struct yaml_arena *arena, const char *path, const char *file,
                        struct yaml **ret_root, struct error *err) {
    autofree_string char *bytes = NULL;
    size_t length = 0;
    struct error problem = {0};
    if (!file_read(path, YAML_MOST_BYTES, &bytes, &length, &problem)) {
        const struct mark mark = {.file = file};
        if (problem.code == EFBIG)
            return mark_error(mark, err, "larger than %d bytes", YAML_MOST_BYTES);
        return mark_error(mark, err, "cannot read it: %s", strerror(problem.code));
    }
    return yaml_document_parse(arena, file, bytes, length, ret_root, err);
}
