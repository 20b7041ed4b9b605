#include "verify/drill/random_sql.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>

#define MOST_TABLES 5
#define MOST_COLUMNS 9
#define MOST_ROWS 250
#define ROWS_A_STATEMENT 50

enum key { KEY_NONE, KEY_ID, KEY_PAIR, KEY_KINDS };

struct table {
    char *name; // quoted
    enum key key;
    int64_t first_id; // of KEY_ID: first, first + step, …
    int64_t step;
    const struct table *parent;                      // has ids; NULL: none
    const struct random_type *columns[MOST_COLUMNS]; // named c0, c1, …
    size_t column_count;
    size_t row_count;
};

struct maker {
    const struct random_dialect *dialect;
    struct chance *chance;
    struct string_list *statements;
    struct table tables[MOST_TABLES];
    size_t table_count;
};

static void add(struct maker *self, struct text *statement) {
    string_list_take(self->statements, text_take(statement));
}

// Names as people choose them; a number keeps them apart.
static char *make_name(const struct maker *self, size_t number) {
    static const struct {
        const char *before, *after;
    } forms[] = {{"t", ""},      {"Orders ", ""}, {"größe-", ""},
                 {"select", ""}, {"it's ", ""},   {"", ".x"}};
    const size_t form = chance_below(self->chance, sizeof forms / sizeof *forms);
    const char *quote = self->dialect->quote;
    return memory_format("%s%s%zu%s%s", quote, forms[form].before, number, forms[form].after,
                         quote);
}

// ---- what a table looks like

static const struct random_type *choose_type(const struct maker *self) {
    size_t count = 0;
    while (self->dialect->types[count].name != NULL)
        count++;
    return &self->dialect->types[chance_below(self->chance, count)];
}

static const struct table *choose_parent(const struct maker *self) {
    if (self->table_count == 0)
        return NULL;
    const struct table *parent = &self->tables[chance_below(self->chance, self->table_count)];
    return parent->key == KEY_ID ? parent : NULL;
}

static struct table *choose_table(struct maker *self) {
    struct chance *chance = self->chance;
    const struct table *parent = choose_parent(self);
    struct table *table = &self->tables[self->table_count];
    table->name = make_name(self, self->table_count);
    table->key = (enum key)chance_below(chance, KEY_KINDS);
    table->first_id = (int64_t)chance_below(chance, 3000) - 1000;
    table->step = 1 + (int64_t)chance_below(chance, 5);
    table->parent = parent;
    table->column_count = 1 + chance_below(chance, MOST_COLUMNS);
    for (size_t i = 0; i < table->column_count; i++)
        table->columns[i] = choose_type(self);
    table->row_count = chance_below(chance, 5) == 0 ? 0 : chance_below(chance, MOST_ROWS);
    self->table_count++;
    return table;
}

static void create_table(struct maker *self, const struct table *table) {
    struct text statement = {0};
    text_appendf(&statement, "create table %s (", table->name);
    if (table->key == KEY_ID)
        text_append(&statement, "id bigint not null, "
                                "twice bigint generated always as (id * 2) stored, ");
    if (table->key == KEY_PAIR)
        text_append(&statement, "a integer not null, b varchar(10) not null, ");
    if (table->parent != NULL)
        text_append(&statement, "parent bigint, ");
    for (size_t i = 0; i < table->column_count; i++)
        text_appendf(&statement, "%sc%zu %s", i > 0 ? ", " : "", i, table->columns[i]->name);
    if (table->key != KEY_NONE)
        text_appendf(&statement, ", primary key (%s)", table->key == KEY_ID ? "id" : "a, b");
    if (table->parent != NULL)
        text_appendf(&statement, ", foreign key (parent) references %s (id)", table->parent->name);
    text_append(&statement, ")");
    add(self, &statement);
}

// ---- rows

static void append_key(const struct table *table, size_t row, struct text *text) {
    if (table->key == KEY_ID)
        text_appendf(text, "%" PRId64 ", ", table->first_id + (int64_t)row * table->step);
    if (table->key == KEY_PAIR)
        text_appendf(text, "%zu, 'k%zu', ", row / 10, row % 10);
}

static void append_parent(const struct maker *self, const struct table *parent, struct text *text) {
    if (parent->row_count == 0 || chance_below(self->chance, 4) == 0)
        text_append(text, "null, ");
    else
        append_key(parent, chance_below(self->chance, parent->row_count), text);
}

static void append_row(const struct maker *self, const struct table *table, size_t row,
                       struct text *text) {
    text_append(text, "(");
    append_key(table, row, text);
    if (table->parent != NULL)
        append_parent(self, table->parent, text);
    for (size_t i = 0; i < table->column_count; i++) {
        text_append(text, i > 0 ? ", " : "");
        if (chance_below(self->chance, 8) == 0)
            text_append(text, "null");
        else
            table->columns[i]->write(self->chance, text);
    }
    text_append(text, ")");
}

// All columns but the generated one.
static void append_columns(const struct table *table, struct text *text) {
    static const char *const keys[KEY_KINDS] = {"", "id, ", "a, b, "};
    text_appendf(text, "(%s%s", keys[table->key], table->parent != NULL ? "parent, " : "");
    for (size_t i = 0; i < table->column_count; i++)
        text_appendf(text, "%sc%zu", i > 0 ? ", " : "", i);
    text_append(text, ")");
}

static void fill_table(struct maker *self, const struct table *table) {
    for (size_t row = 0; row < table->row_count;) {
        struct text statement = {0};
        text_appendf(&statement, "insert into %s ", table->name);
        append_columns(table, &statement);
        for (size_t i = 0; i < ROWS_A_STATEMENT && row < table->row_count; i++, row++) {
            text_append(&statement, i > 0 ? ", " : " values ");
            append_row(self, table, row, &statement);
        }
        add(self, &statement);
    }
}

// ---- what stands beside

static void index_table(struct maker *self, const struct table *table) {
    const size_t number = (size_t)(table - self->tables);
    for (size_t i = 0; i < table->column_count; i++) {
        if (!table->columns[i]->is_ordered || chance_below(self->chance, 3) > 0)
            continue;
        struct text statement = {0};
        text_appendf(&statement, "create index i%zu_%zu on %s (c%zu%s)", number, i, table->name, i,
                     chance_below(self->chance, 3) == 0 ? " desc" : "");
        if (self->dialect->has_partial_indexes && chance_below(self->chance, 3) == 0)
            text_appendf(&statement, " where c%zu is not null", i);
        add(self, &statement);
    }
}

static void view_table(struct maker *self, const struct table *table) {
    const size_t number = (size_t)(table - self->tables);
    const char *kind = self->dialect->has_materialized_views && chance_below(self->chance, 3) == 0
                           ? "materialized view"
                           : "view";
    if (chance_below(self->chance, 2) == 0)
        string_list_addf(self->statements,
                         "create %s v%zu as select * from %s where c0 is not null", kind, number,
                         table->name);
}

void random_sql(const struct random_dialect *dialect, struct chance *chance,
                struct string_list *statements) {
    struct maker self = {.dialect = dialect, .chance = chance, .statements = statements};
    for (size_t i = 0; dialect->before[i] != NULL; i++)
        string_list_add(statements, dialect->before[i]);
    const size_t count = 1 + chance_below(chance, MOST_TABLES);
    for (size_t i = 0; i < count; i++) {
        const struct table *table = choose_table(&self);
        create_table(&self, table);
        fill_table(&self, table);
        index_table(&self, table);
        view_table(&self, table);
    }
    for (size_t i = 0; i < self.table_count; i++)
        free(self.tables[i].name);
}
