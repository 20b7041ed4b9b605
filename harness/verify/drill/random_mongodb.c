// Collections of random documents, as commands in Extended JSON v2 (MongoDB's specification).
#include "verify/drill/random_documents.h"
#include "verify/drill/random_values.h"
#include "verify/drill/random_words.h"

#include "base/memory.h"

#include <inttypes.h>

#define MOST_COLLECTIONS 4
#define MOST_DOCUMENTS 200
#define DOCUMENTS_A_COMMAND 40
#define MOST_FIELDS 8
#define DEEPEST 3

static void write_value(struct chance *chance, size_t depth, struct text *text);
static void write_document(struct chance *chance, size_t depth, struct text *text);

// ---- values

static void write_long(struct chance *chance, struct text *text) {
    text_append(text, "{\"$numberLong\": \"");
    random_big(chance, text);
    text_append(text, "\"}");
}

static void write_double(struct chance *chance, struct text *text) {
    text_append(text, "{\"$numberDouble\": \"");
    random_double(chance, text);
    text_append(text, "\"}");
}

static void write_date(struct chance *chance, struct text *text) {
    const int64_t ms = (int64_t)(chance_next(chance) % 4000000000000) - 1000000000000;
    text_appendf(text, "{\"$date\": {\"$numberLong\": \"%" PRId64 "\"}}", ms);
}

static void write_object_id(struct chance *chance, struct text *text) {
    text_append(text, "{\"$oid\": \"");
    random_hex(chance, 12, text);
    text_append(text, "\"}");
}

static void write_binary(struct chance *chance, struct text *text) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    text_append(text, "{\"$binary\": {\"base64\": \"");
    for (size_t left = 4 * chance_below(chance, 10); left > 0; left--)
        text_append_char(text, digits[chance_below(chance, 64)]);
    text_append(text, "\", \"subType\": \"00\"}}");
}

static void write_timestamp(struct chance *chance, struct text *text) {
    const unsigned seconds = (unsigned)chance_below(chance, 2000000000);
    text_appendf(text, "{\"$timestamp\": {\"t\": %u, \"i\": %u}}", seconds,
                 (unsigned)chance_below(chance, 1000));
}

RANDOM_CHOICE(write_plain, "true", "false", "null", "\"\"", "{}", "{\"$numberDouble\": \"1.0\"}",
              "{\"$regularExpression\": {\"pattern\": \"^a.*\", \"options\": \"i\"}}");

static void (*const SIMPLE[])(struct chance *, struct text *) = {
    random_integer, write_long,      write_double, random_json_string, write_date,
    write_plain,    write_object_id, write_binary, write_timestamp,
};
#define SIMPLE_COUNT (sizeof SIMPLE / sizeof *SIMPLE)

// Of simple values or of documents: FerretDB keeps no lists in lists.
static void write_list(struct chance *chance, size_t depth, struct text *text) {
    const size_t count = chance_below(chance, 4);
    text_append(text, "[");
    for (size_t i = 0; i < count; i++) {
        text_append(text, i > 0 ? ", " : "");
        if (chance_below(chance, 3) == 0)
            write_document(chance, depth + 1, text);
        else
            SIMPLE[chance_below(chance, SIMPLE_COUNT)](chance, text);
    }
    text_append(text, "]");
}

// Fields f0, f1, …, each of which may be missing; `before` is what stands before the first.
static void append_fields(struct chance *chance, size_t depth, const char *before,
                          struct text *text) {
    for (size_t i = 0; i < MOST_FIELDS; i++) {
        if (chance_below(chance, depth + 2) > 0)
            continue;
        text_appendf(text, "%s\"f%zu\": ", before, i);
        write_value(chance, depth + 1, text);
        before = ", ";
    }
}

static void write_document(struct chance *chance, size_t depth, struct text *text) {
    text_append(text, "{");
    append_fields(chance, depth, "", text);
    text_append(text, "}");
}

static void write_value(struct chance *chance, size_t depth, struct text *text) {
    const size_t kind = chance_below(chance, SIMPLE_COUNT + 2);
    if (kind < SIMPLE_COUNT || depth > DEEPEST)
        SIMPLE[kind % SIMPLE_COUNT](chance, text);
    else if (kind == SIMPLE_COUNT)
        write_list(chance, depth, text);
    else
        write_document(chance, depth, text);
}

// ---- collections

enum id { ID_NUMBER, ID_TEXT, ID_LONG, ID_DATE, ID_KINDS };

static void append_document(struct chance *chance, enum id id, size_t number, struct text *text) {
    static const char *const forms[ID_KINDS][2] = {
        {"", ""},
        {"\"k", "\""},
        {"{\"$numberLong\": \"", "\"}"},
        {"{\"$date\": {\"$numberLong\": \"", "\"}}"},
    };
    text_appendf(text, "{\"_id\": %s%zu%s", forms[id][0], number, forms[id][1]);
    append_fields(chance, 0, ", ", text);
    text_append(text, "}");
}

static void insert(struct chance *chance, const char *collection, struct string_list *statements) {
    const enum id id = (enum id)chance_below(chance, ID_KINDS);
    const size_t count = chance_below(chance, MOST_DOCUMENTS);
    for (size_t number = 0; number < count;) {
        struct text command = {0};
        text_appendf(&command, "{\"insert\": \"%s\", \"documents\": [", collection);
        for (size_t i = 0; i < DOCUMENTS_A_COMMAND && number < count; i++, number++) {
            text_append(&command, i > 0 ? ", " : "");
            append_document(chance, id, number, &command);
        }
        text_append(&command, "]}");
        string_list_take(statements, text_take(&command));
    }
}

void random_mongodb(struct chance *chance, struct string_list *statements) {
    static const char *const names[] = {"c", "Orders_", "c.d"};
    const size_t count = 1 + chance_below(chance, MOST_COLLECTIONS);
    string_list_add(statements, "{\"dropDatabase\": 1}");
    for (size_t i = 0; i < count; i++) {
        const size_t name = chance_below(chance, sizeof names / sizeof *names);
        autofree_string char *collection = memory_format("%s%zu", names[name], i);
        string_list_addf(statements, "{\"create\": \"%s\"}", collection);
        insert(chance, collection, statements);
        if (chance_below(chance, 2) == 0)
            string_list_addf(statements,
                             "{\"createIndexes\": \"%s\", \"indexes\": [{\"key\": {\"f%zu\": %d, "
                             "\"x\": 1}, \"name\": \"by_field\"}]}",
                             collection, chance_below(chance, MOST_FIELDS),
                             chance_below(chance, 2) == 0 ? 1 : -1);
    }
}
