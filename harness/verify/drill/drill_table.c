#include "verify/drill/drill_table.h"

#include "base/memory.h"
#include "base/text.h"
#include "compose/yaml_document.h"

#include <stdlib.h>
#include <string.h>

#define MOST_TIMES 100000

// ---- what is filled in

// "SET m%d %d" for 7: "SET m7 7".
static char *spell_out(const char *statement, long long number) {
    struct text text = {0};
    const char *place;
    for (; (place = strstr(statement, "%d")) != NULL; statement = place + 2) {
        text_append_bytes(&text, statement, (size_t)(place - statement));
        text_appendf(&text, "%lld", number);
    }
    text_append(&text, statement);
    return text_take(&text);
}

static bool read_fill(struct drill_table *self, const struct yaml *step, struct error *err) {
    const struct yaml *times = yaml_get(step, "times");
    const struct yaml *what = yaml_get(step, "do");
    const char *statement = NULL;
    long long count = 0;
    if (what == NULL)
        return mark_error(step->mark, err, "what is filled in needs `do`");
    if (!yaml_read_text(what, "fill.do", &statement, err))
        return false;
    if (times == NULL) {
        string_list_add(&self->fill, statement);
        return true;
    }
    if (!yaml_read_integer(times, "fill.times", 1, MOST_TIMES, &count, err))
        return false;
    for (long long i = 1; i <= count; i++) {
        autofree_string char *spelled = spell_out(statement, i);
        string_list_add(&self->fill, spelled);
    }
    return true;
}

// ---- what is altered

static bool read_statements(const struct yaml *value, struct string_list *statements,
                            struct error *err) {
    const char *statement = NULL;
    if (value->type != YAML_LIST) {
        if (!yaml_read_text(value, "alterations.do", &statement, err))
            return false;
        string_list_add(statements, statement);
        return true;
    }
    for (size_t i = 0; i < value->count; i++) {
        if (!yaml_read_text(value->items[i], "alterations.do", &statement, err))
            return false;
        string_list_add(statements, statement);
    }
    return value->count > 0 || mark_error(value->mark, err, "alterations.do: nothing is done");
}

static bool read_alteration(struct drill_table *self, const struct yaml *value, struct error *err) {
    const struct yaml *differences = yaml_get(value, "differences"), *what = yaml_get(value, "do");
    long long count = 1;
    if (what == NULL || yaml_get(value, "said") == NULL)
        return mark_error(value->mark, err, "an alteration needs `do` and `said`");
    self->alterations =
        memory_resize(self->alterations, self->count + 1, sizeof *self->alterations);
    struct alteration *new = &self->alterations[self->count++];
    *new = (struct alteration){0};
    if (!read_statements(what, &new->statements, err) ||
        !yaml_read_text(yaml_get(value, "said"), "alterations.said", &new->said, err))
        return false;
    if (new->said[0] == '\0')
        return mark_error(value->mark, err, "alterations.said: every report says that");
    if (differences != NULL &&
        !yaml_read_integer(differences, "alterations.differences", 1, 1000, &count, err))
        return false;
    new->differences = (size_t)count;
    return true;
}

// ---- the file

static const struct section {
    const char *name;
    bool (*read)(struct drill_table *self, const struct yaml *value, struct error *err);
} SECTIONS[] = {{"fill", read_fill}, {"alterations", read_alteration}};

static bool read_section(struct drill_table *self, const struct yaml *root,
                         const struct section *section, struct error *err) {
    const struct yaml *list = yaml_get(root, section->name);
    if (list == NULL)
        return mark_error(root->mark, err, "`%s` is missing", section->name);
    if (!yaml_expect(list, YAML_LIST, section->name, err))
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (!yaml_expect(list->items[i], YAML_MAP, section->name, err) ||
            !section->read(self, list->items[i], err))
            return false;
    return list->count > 0 || mark_error(list->mark, err, "`%s` is empty", section->name);
}

bool drill_table_load(const char *path, const char *file, struct drill_table *ret_table,
                      struct error *err) {
    autodone(drill_table) struct drill_table table = {0};
    struct yaml *root = NULL;
    if (!yaml_document_load(&table.arena, path, file, &root, err))
        return false;
    for (size_t i = 0; i < sizeof SECTIONS / sizeof *SECTIONS; i++)
        if (!read_section(&table, root, &SECTIONS[i], err))
            return false;
    *ret_table = table;
    table = (struct drill_table){0};
    return true;
}

void drill_table_done(struct drill_table *self) {
    for (size_t i = 0; i < self->count; i++)
        string_list_done(&self->alterations[i].statements);
    free(self->alterations);
    string_list_done(&self->fill);
    yaml_arena_done(&self->arena);
    *self = (struct drill_table){0};
}
