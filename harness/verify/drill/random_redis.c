// Keys of every type of Redis, as words with spaces between them.
#include "verify/drill/random_documents.h"
#include "verify/drill/random_values.h"

#define MOST_KEYS 60
#define MOST_MEMBERS 40 // of a small one; beyond a few hundred Redis stores them in another form
#define MANY_MEMBERS 600

RANDOM_CHOICE(write_fragment, "a", "Z", "-", "é", "日本", "🙂", "'", "\"", "\\", "\\x00", "%",
              "{", "}", "null", "0", "00");
RANDOM_CHOICE(write_score, "0", "-0", "0.1", "-3", "inf", "-inf", "1e300", "1e-300", "17");

// No two are the same: a number stands in it.
static void append_word(struct chance *chance, size_t number, struct text *text) {
    text_appendf(text, "%zu", number);
    for (size_t left = chance_below(chance, 5); left > 0; left--)
        write_fragment(chance, text);
}

static void append_pair(struct chance *chance, size_t number, struct text *text) {
    append_word(chance, number, text);
    text_append(text, " ");
    append_word(chance, number % 7, text);
}

static void append_scored(struct chance *chance, size_t number, struct text *text) {
    write_score(chance, text);
    text_append(text, " ");
    append_word(chance, number, text);
}

static void append_number(struct chance *chance, size_t number, struct text *text) {
    text_appendf(text, "%zu%03zu", number, chance_below(chance, 1000));
}

static void append_offset(struct chance *chance, size_t number, struct text *text) {
    (void)number;
    text_appendf(text, "%zu x", chance_below(chance, 3000));
}

static const struct form {
    const char *command;
    const char *after_key; // "*"
    bool is_one;           // takes no more members than one
    void (*append)(struct chance *chance, size_t number, struct text *text);
} FORMS[] = {
    {"SET", "", true, append_word},        {"SET", "", true, append_number},
    {"SETRANGE", "", true, append_offset}, {"PFADD", "", false, append_word},
    {"RPUSH", "", false, append_word},     {"RPUSH", "", false, append_number},
    {"SADD", "", false, append_word},      {"SADD", "", false, append_number},
    {"HSET", "", false, append_pair},      {"ZADD", "", false, append_scored},
    {"XADD", " *", true, append_pair},
};
#define FORM_COUNT (sizeof FORMS / sizeof *FORMS)

static void add_key(struct chance *chance, size_t number, struct string_list *statements) {
    static const char *const names[] = {"key:", "größe:", "{tag}:"};
    const struct form *form = &FORMS[chance_below(chance, FORM_COUNT)];
    const size_t most = chance_below(chance, 8) == 0 ? MANY_MEMBERS : MOST_MEMBERS;
    const size_t count = form->is_one ? 1 : 1 + chance_below(chance, most);
    struct text command = {0};
    text_appendf(&command, "%s %s%zu%s", form->command, names[chance_below(chance, 3)], number,
                 form->after_key);
    for (size_t i = 0; i < count; i++) {
        text_append(&command, " ");
        form->append(chance, i, &command);
    }
    string_list_take(statements, text_take(&command));
}

void random_redis(struct chance *chance, struct string_list *statements) {
    const size_t count = chance_below(chance, MOST_KEYS);
    string_list_add(statements, "FLUSHALL");
    for (size_t i = 0; i < count; i++)
        add_key(chance, i, statements);
}
