#include "verify/backup/smoke.h"

#include "base/memory.h"
#include "compose/suggestion.h"

#include <ctype.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WHERE "backup.smoke"

static const char *const ENGINES[] = {"postgres", "mysql", "mongodb", "redis", NULL};

// ---- the values of keys

typedef bool read_key(struct smoke_query *self, const struct yaml *value, const char *where,
                      struct error *err);

static bool read_artifact(struct smoke_query *self, const struct yaml *value, const char *where,
                          struct error *err) {
    return yaml_read_text(value, where, &self->artifact, err);
}

static bool read_database(struct smoke_query *self, const struct yaml *value, const char *where,
                          struct error *err) {
    long long number = 0;
    return yaml_read_text(value, where, &self->database, err) &&
           (self->engine != DUMP_REDIS ||
            yaml_read_integer(value, where, 0, INT_MAX, &number, err));
}

// A transaction that may only read would still run COPY … TO PROGRAM or SHUTDOWN.
static bool read_sql(struct smoke_query *self, const struct yaml *value, const char *where,
                     struct error *err) {
    static const char *const words[] = {"select", "with", "values", "table", "show", NULL};
    if (!yaml_read_text(value, where, &self->sql, err))
        return false;
    const char *first = self->sql + strspn(self->sql, " \t\r\n(");
    const size_t length = strspn(first, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");
    for (size_t i = 0; words[i] != NULL; i++)
        if (strlen(words[i]) == length && strncasecmp(first, words[i], length) == 0)
            return true;
    return mark_error(value->mark, err,
                      "%s: it does not begin as a query does: with select, with, values, table or "
                      "show",
                      where);
}

static bool read_collection(struct smoke_query *self, const struct yaml *value, const char *where,
                            struct error *err) {
    if (!yaml_read_text(value, where, &self->collection, err))
        return false;
    const char *dot = strchr(self->collection, '.');
    return (dot != NULL && dot != self->collection && dot[1] != '\0') ||
           mark_error(value->mark, err, "%s: expected DATABASE.COLLECTION, found \"%s\"", where,
                      self->collection);
}

static bool read_filter(struct smoke_query *self, const struct yaml *value, const char *where,
                        struct error *err) {
    if (!yaml_read_text(value, where, &self->filter, err))
        return false;
    json_error_t problem;
    json_t *json = json_loads(self->filter, JSON_REJECT_DUPLICATES, &problem);
    const bool is_object = json_is_object(json);
    const bool is_json = json != NULL;
    json_decref(json);
    return is_object || mark_error(value->mark, err, "%s: it is no JSON object%s%s", where,
                                   is_json ? "" : ": ", is_json ? "" : problem.text);
}

static bool read_command(struct smoke_query *self, const struct yaml *value, const char *where,
                         struct error *err) {
    if (!yaml_expect(value, YAML_LIST, where, err))
        return false;
    for (size_t i = 0; i < value->count; i++) {
        const char *word = NULL;
        if (!yaml_read_text(value->items[i], where, &word, err))
            return false;
        string_list_add(&self->command, word);
    }
    return (value->count > 0 && self->command.items[0][0] != '\0') ||
           mark_error(value->mark, err, "%s: it names no command", where);
}

static bool read_timeout(struct smoke_query *self, const struct yaml *value, const char *where,
                         struct error *err) {
    long long ns = 0;
    if (!yaml_read_duration(value, where, &ns, err))
        return false;
    if (ns < 1000000 || ns / 1000000 > SMOKE_TIMEOUT_LIMIT_MS)
        return mark_error(value->mark, err, "%s: %s is not between 1ms and 1h", where, value->text);
    self->timeout_ms = (int)(ns / 1000000);
    return true;
}

static bool read_value(struct smoke_query *self, const struct yaml *value, const char *where,
                       struct error *err) {
    long long count = 0;
    self->expectation.kind = SMOKE_VALUE;
    return yaml_read_text(value, where, &self->expectation.value, err) &&
           (self->engine != DUMP_MONGODB ||
            yaml_read_integer(value, where, 0, LLONG_MAX, &count, err));
}

static bool read_least(struct smoke_query *self, const struct yaml *value, const char *where,
                       struct error *err) {
    self->expectation.kind = SMOKE_AT_LEAST;
    return yaml_read_integer(value, where, LLONG_MIN, LLONG_MAX, &self->expectation.number, err);
}

static bool read_rows(struct smoke_query *self, const struct yaml *value, const char *where,
                      struct error *err) {
    self->expectation.kind = SMOKE_ROWS;
    return yaml_read_integer(value, where, 0, LLONG_MAX, &self->expectation.number, err);
}

// ---- the keys

#define OF(engine) (1U << (engine))
#define SQL (OF(DUMP_POSTGRES) | OF(DUMP_MYSQL))
#define ALL (SQL | OF(DUMP_MONGODB) | OF(DUMP_REDIS))

static const struct key {
    const char *name;
    unsigned engines; // that have it
    unsigned needed;  // those that cannot do without
    bool expects;     // one of these there must be
    read_key *read;   // NULL: read before the others
} KEYS[] = {
    {"name", ALL, 0, false, NULL},
    {"engine", ALL, 0, false, NULL},
    {"artifact", ALL, 0, false, read_artifact},
    {"database", SQL | OF(DUMP_REDIS), 0, false, read_database},
    {"timeout", ALL, 0, false, read_timeout},
    {"sql", SQL, SQL, false, read_sql},
    {"collection", OF(DUMP_MONGODB), OF(DUMP_MONGODB), false, read_collection},
    {"filter", OF(DUMP_MONGODB), 0, false, read_filter},
    {"command", OF(DUMP_REDIS), OF(DUMP_REDIS), false, read_command},
    {"expect", ALL, 0, true, read_value},
    {"expect_at_least", ALL, 0, true, read_least},
    {"expect_rows", SQL | OF(DUMP_REDIS), 0, true, read_rows},
};

enum { KEY_COUNT = sizeof KEYS / sizeof KEYS[0] };

static const char *key_at(const void *context, size_t i) {
    (void)context;
    return i < KEY_COUNT ? KEYS[i].name : NULL;
}

static bool unknown_key(const struct yaml_entry *entry, const char *where, struct error *err) {
    const char *near = suggestion(entry->key, key_at, NULL);
    mark_error(entry->mark, err, "%s: unknown key \"%s\"", where, entry->key);
    if (near != NULL)
        return error_append(err, "; did you mean \"%s\"?", near);
    for (size_t i = 0; i < KEY_COUNT; i++)
        error_append(err, "%s%s",
                     i == 0               ? "; known are "
                     : i == KEY_COUNT - 1 ? " and "
                                          : ", ",
                     KEYS[i].name);
    return false;
}

// *expected: the key before it that said what is expected; NULL: none yet.
static bool read_entry(struct smoke_query *self, const struct yaml_entry *entry, const char *where,
                       const char **expected, struct error *err) {
    size_t i = 0;
    while (i < KEY_COUNT && strcmp(KEYS[i].name, entry->key) != 0)
        i++;
    if (i == KEY_COUNT)
        return unknown_key(entry, where, err);
    if (KEYS[i].read == NULL)
        return true;
    if ((KEYS[i].engines & OF(self->engine)) == 0)
        return mark_error(entry->mark, err, "%s: %s is not for %s", where, entry->key,
                          dump_engine_name(self->engine));
    if (KEYS[i].expects && *expected != NULL)
        return mark_error(entry->mark, err, "%s: %s and %s: only one of them can be expected",
                          where, *expected, entry->key);
    if (KEYS[i].expects)
        *expected = entry->key;
    autofree_string char *place = memory_format("%s.%s", where, entry->key);
    return KEYS[i].read(self, entry->value, place, err);
}

static bool read_entries(struct smoke_query *self, const struct yaml *map, const char *where,
                         struct error *err) {
    const char *expected = NULL;
    for (size_t i = 0; i < map->count; i++)
        if (!read_entry(self, &map->entries[i], where, &expected, err))
            return false;
    for (size_t i = 0; i < KEY_COUNT; i++)
        if ((KEYS[i].needed & OF(self->engine)) != 0 && yaml_entry(map, KEYS[i].name) == NULL)
            return mark_error(map->mark, err, "%s: %s is missing", where, KEYS[i].name);
    return expected != NULL ||
           mark_error(map->mark, err, "%s: it expects nothing: expect%s", where,
                      self->engine == DUMP_MONGODB ? " or expect_at_least is missing"
                                                   : ", expect_at_least or expect_rows is missing");
}

// ---- a query

static bool read_name(const struct smoke *smoke, struct smoke_query *self, const struct yaml *map,
                      struct error *err) {
    const struct yaml_entry *entry = yaml_entry(map, "name");
    if (entry == NULL)
        return mark_error(map->mark, err, WHERE ": name is missing");
    if (!yaml_read_text(entry->value, WHERE ".name", &self->name, err))
        return false;
    self->mark = entry->value->mark;
    size_t length = 0;
    while (isalnum((unsigned char)self->name[length]) ||
           (self->name[length] != '\0' && strchr("_-.", self->name[length]) != NULL))
        length++;
    if (length == 0 || self->name[length] != '\0')
        return mark_error(self->mark, err,
                          WHERE ".name: \"%s\" is not made of letters, digits, \"_\", \"-\" and "
                                "\".\" alone",
                          self->name);
    for (size_t i = 0; i + 1 < smoke->count; i++)
        if (strcmp(smoke->queries[i].name, self->name) == 0)
            return mark_error(self->mark, err,
                              WHERE ".name: \"%s\" is the name of another, in line %d", self->name,
                              smoke->queries[i].mark.line);
    return true;
}

static bool read_engine(struct smoke_query *self, const struct yaml *map, const char *where,
                        struct error *err) {
    const struct yaml *value = yaml_get(map, "engine");
    autofree_string char *place = memory_format("%s.engine", where);
    const char *name = NULL;
    if (value == NULL)
        return mark_error(map->mark, err, "%s: engine is missing", where);
    if (!yaml_read_text(value, place, &name, err))
        return false;
    for (self->engine = DUMP_POSTGRES; self->engine <= DUMP_REDIS; self->engine++)
        if (strcmp(dump_engine_name(self->engine), name) == 0)
            return true;
    const char *near = suggestion_of(name, ENGINES);
    mark_error(value->mark, err, "%s: unknown engine \"%s\"", place, name);
    if (near != NULL)
        return error_append(err, "; did you mean \"%s\"?", near);
    return error_append(err, "; known are postgres, mysql, mongodb and redis");
}

// Into the last one of `smoke`, so that what it owns is freed whatever happens.
static bool read_query(struct smoke *smoke, const struct yaml *map, struct error *err) {
    struct smoke_query *self = &smoke->queries[smoke->count++];
    *self = (struct smoke_query){.filter = "{}", .timeout_ms = SMOKE_TIMEOUT_MS};
    if (!yaml_expect(map, YAML_MAP, WHERE, err) || !read_name(smoke, self, map, err))
        return false;
    autofree_string char *where = memory_format(WHERE ".%s", self->name);
    return read_engine(self, map, where, err) && read_entries(self, map, where, err);
}

static bool read_queries(struct smoke *self, const struct yaml *list, struct error *err) {
    if (!yaml_expect(list, YAML_LIST, WHERE, err))
        return false;
    self->queries = memory_new(list->count + 1, sizeof *self->queries);
    for (size_t i = 0; i < list->count; i++)
        if (!read_query(self, list->items[i], err))
            return false;
    return true;
}

bool smoke_read(const struct yaml *section, struct smoke **ret_smoke, struct error *err) {
    static const char *const names[] = {"smoke", NULL};
    autofree(smoke) struct smoke *self = memory_new(1, sizeof *self);
    if (section != NULL && !yaml_expect(section, YAML_MAP, "backup", err))
        return false;
    for (size_t i = 0; section != NULL && i < section->count; i++) {
        const struct yaml_entry *entry = &section->entries[i];
        if (strcmp(entry->key, names[0]) == 0) {
            if (!read_queries(self, entry->value, err))
                return false;
            continue;
        }
        const char *near = suggestion_of(entry->key, names);
        mark_error(entry->mark, err, "backup: unknown key \"%s\"", entry->key);
        return near != NULL ? error_append(err, "; did you mean \"%s\"?", near)
                            : error_append(err, "; known is smoke");
    }
    *ret_smoke = TAKE(self);
    return true;
}

void smoke_free(struct smoke *self) {
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++)
        string_list_done(&self->queries[i].command);
    free(self->queries);
    free(self);
}
