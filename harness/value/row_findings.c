#include "value/row_findings.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LINE "\n    "

// What may still be listed of an object.
struct list {
    struct text *text;
    size_t left;
    uint64_t more; // that were not
};

// ---- names

// For people: id=9 before id=10.
static int compare_words(const char *left, const char *right) {
    const size_t a = left != NULL ? strlen(left) : 0, b = right != NULL ? strlen(right) : 0;
    return a != b ? (a < b ? -1 : 1) : a == 0 ? 0 : strcmp(left, right);
}

static void append_name(struct text *text, const struct row_note *note) {
    if (note->key_columns == 0)
        text_append(text, "a row without a primary key");
    else
        text_appendf(text, note->key_columns > 1 ? "(%s)" : "%s", note->words);
}

// NULL: there are no more.
static const struct row_note *note_at(const struct row_notes *notes, size_t at) {
    return at < notes->count ? &notes->items[at] : NULL;
}

static const char *rows_of(uint64_t count) {
    return count == 1 ? "row" : "rows";
}

static void say_sample(const struct row_notes *notes, struct text *text) {
    if (notes->halved > 0)
        text_appendf(text,
                     LINE "there are too many rows in the buckets that differ: only one in %" PRIu64
                          " was looked at",
                     UINT64_C(1) << notes->halved);
}

static void say_more(struct list *self) {
    if (self->more > 0)
        text_appendf(self->text, LINE "and %" PRIu64 " more", self->more);
}

// ---- against sums

struct bucket {
    uint32_t index;
    struct row_sum expected, actual;
    const struct row_note *notes; // all of its rows that were noted
    size_t count;
};

// Of a bucket that is not there: no rows.
static struct row_sum sum_of(const struct row_content *content, uint32_t bucket) {
    for (size_t i = 0; i < content->filled; i++)
        if (content->buckets[i].index == bucket)
            return content->buckets[i].sum;
    return (struct row_sum){0};
}

static int compare_by_bucket(const void *left, const void *right) {
    const struct row_note *a = left, *b = right;
    return a->bucket != b->bucket ? (a->bucket < b->bucket ? -1 : 1)
                                  : compare_words(a->words, b->words);
}

static struct bucket *find_buckets(const struct row_content *expected,
                                   const struct row_content *actual,
                                   const struct row_notes *notes) {
    struct bucket *buckets = memory_new(notes->bucket_count, sizeof *buckets);
    size_t at = 0;
    for (size_t i = 0; i < notes->bucket_count; i++) {
        struct bucket *bucket = &buckets[i];
        bucket->index = notes->buckets[i];
        bucket->expected = sum_of(expected, bucket->index);
        bucket->actual = sum_of(actual, bucket->index);
        while (at < notes->count && notes->items[at].bucket < bucket->index)
            at++;
        bucket->notes = note_at(notes, at);
        while (at + bucket->count < notes->count &&
               notes->items[at + bucket->count].bucket == bucket->index)
            bucket->count++;
    }
    return buckets;
}

static bool is_whole(const struct bucket *self) {
    return self->count == self->actual.rows;
}

static void list_exact(struct list *self, const char *what, const struct row_note *note) {
    if (self->left == 0) {
        self->more++;
        return;
    }
    self->left--;
    text_appendf(self->text, LINE "%s: ", what);
    append_name(self->text, note);
}

// The one row whose own sum is what the bucket has too much; NULL: it is not that simple.
static const struct row_note *the_extra(const struct bucket *self) {
    struct row_sum surplus = self->actual;
    row_sum_subtract(&surplus, &self->expected);
    for (size_t i = 0; surplus.rows == 1 && i < self->count; i++)
        if (row_sum_equal(&surplus, &self->notes[i].sum))
            return &self->notes[i];
    return NULL;
}

// false: nothing exact can be said of this bucket.
static bool say_exactly(const struct bucket *bucket, struct list *list) {
    const struct row_note *extra = the_extra(bucket);
    if (extra != NULL) {
        list_exact(list, "extra", extra);
        return true;
    }
    if (bucket->expected.rows == 0 && is_whole(bucket)) {
        for (size_t i = 0; i < bucket->count; i++)
            list_exact(list, "extra", &bucket->notes[i]);
        return true;
    }
    if (bucket->expected.rows != 1 || bucket->actual.rows != 1 || !is_whole(bucket))
        return false;
    list_exact(list, "changed", bucket->notes);
    return true;
}

static void list_candidates(struct list *self, const struct bucket *bucket) {
    size_t shown = 0;
    for (; shown < bucket->count && self->left > 0; shown++, self->left--) {
        text_append(self->text, shown > 0 ? ", " : "");
        append_name(self->text, &bucket->notes[shown]);
    }
    const uint64_t others = bucket->actual.rows - shown;
    if (shown == 0)
        text_appendf(self->text, "%" PRIu64 " %s", others, rows_of(others));
    else if (others > 0)
        text_appendf(self->text, " and %" PRIu64 " more", others);
    text_appendf(self->text, " (bucket %" PRIu32 ")", bucket->index);
}

// Not of rows that have no name: a list of them says nothing.
static void say_candidates(const struct bucket *bucket, struct list *list) {
    const bool extra = bucket->actual.rows > bucket->expected.rows;
    const uint64_t rows = extra ? bucket->actual.rows - bucket->expected.rows : 1;
    if (list->left == 0) {
        list->more += rows;
        return;
    }
    text_appendf(list->text, LINE "%s: ", extra ? "extra" : "changed");
    if (bucket->count > 0 && bucket->notes->key_columns == 0) {
        list->left--;
        text_appendf(list->text,
                     "%s%" PRIu64 " of the %" PRIu64 " %s without a primary key in bucket %" PRIu32,
                     extra ? "" : "at least ", rows, bucket->actual.rows,
                     rows_of(bucket->actual.rows), bucket->index);
        return;
    }
    text_appendf(list->text, extra ? "%" PRIu64 " of " : "at least %" PRIu64 " of ", rows);
    list_candidates(list, bucket);
}

// ---- keys that are not there

struct gap {
    size_t count;
    int64_t first[ROW_FINDINGS_SHOWN];
};

static int compare_numbers(const void *left, const void *right) {
    const int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return a < b ? -1 : a > b ? 1 : 0;
}

static bool can_be_counted(const struct row_notes *notes) {
    return notes->form != NULL && notes->numbered > 0 && notes->halved == 0 &&
           (uint64_t)notes->greatest - (uint64_t)notes->least < ROW_FINDINGS_NUMBERS;
}

// By the same way as the rows themselves: whatever follows the key does not choose the bucket.
static uint32_t bucket_of(struct row_hash *hash, const struct row_notes *notes, int64_t number) {
    uint8_t bytes[ROW_NUMBER_SIZE];
    row_hash_begin(hash);
    row_hash_value(hash, bytes, notes->form->write(number, notes->width, bytes));
    row_hash_null(hash);
    return row_hash_end(hash, NULL);
}

static void add_gap(const struct row_notes *notes, const struct bucket *buckets, struct gap *gaps,
                    uint32_t index, int64_t number) {
    for (size_t i = 0; i < notes->bucket_count && buckets[i].index <= index; i++)
        if (buckets[i].index == index) {
            if (gaps[i].count < ROW_FINDINGS_SHOWN)
                gaps[i].first[gaps[i].count] = number;
            gaps[i].count++;
        }
}

// Of each bucket; NULL: the keys cannot be counted. The caller's.
static struct gap *find_gaps(const struct row_notes *notes, const struct bucket *buckets) {
    if (!can_be_counted(notes))
        return NULL;
    autofree(row_hash) struct row_hash *hash =
        row_hash_new(notes->key, .buckets = notes->buckets_in_all, .key_columns = 1);
    struct gap *gaps = memory_new(notes->bucket_count, sizeof *gaps);
    int64_t *there = memory_new(notes->count + 1, sizeof *there);
    for (size_t i = 0; i < notes->count; i++)
        there[i] = notes->items[i].number;
    qsort(there, notes->count, sizeof *there, compare_numbers);
    size_t at = 0;
    for (int64_t number = notes->least;; number++) {
        while (at < notes->count && there[at] < number)
            at++;
        if (at == notes->count || there[at] != number)
            add_gap(notes, buckets, gaps, bucket_of(hash, notes, number), number);
        if (number == notes->greatest)
            break;
    }
    free(there);
    return gaps;
}

static void say_missing(const struct row_notes *notes, const struct bucket *bucket,
                        const struct gap *gap, struct list *list) {
    const uint64_t rows = bucket->expected.rows - bucket->actual.rows;
    if (list->left == 0) {
        list->more += rows;
        return;
    }
    list->left--;
    text_appendf(list->text, LINE "missing: %" PRIu64 " %s of bucket %" PRIu32, rows, rows_of(rows),
                 bucket->index);
    if (gap == NULL)
        return;
    text_appendf(list->text,
                 gap->count > 0 ? "; of the keys from %s=%" PRId64 " to %" PRId64 " it has not: "
                                : "; it has all keys from %s=%" PRId64 " to %" PRId64,
                 notes->number_column, notes->least, notes->greatest);
    size_t shown = 0;
    for (; shown < gap->count && shown < ROW_FINDINGS_SHOWN && (shown == 0 || list->left > 0);
         shown++) {
        text_appendf(list->text, "%s%s=%" PRId64, shown > 0 ? ", " : "", notes->number_column,
                     gap->first[shown]);
        list->left -= shown > 0 ? 1 : 0;
    }
    if (shown < gap->count)
        text_appendf(list->text, " and %zu more", gap->count - shown);
}

void row_findings_by_sums(const struct row_content *expected, const struct row_content *actual,
                          struct row_notes *notes, struct text *text) {
    struct list list = {text, ROW_FINDINGS_SHOWN, 0};
    if (notes->count > 0)
        qsort(notes->items, notes->count, sizeof *notes->items, compare_by_bucket);
    struct bucket *buckets = find_buckets(expected, actual, notes);
    struct gap *gaps = find_gaps(notes, buckets);
    bool *said = memory_new(notes->bucket_count, sizeof *said);
    // What is certain comes first, lest candidates leave no room for it.
    for (size_t i = 0; i < notes->bucket_count; i++)
        said[i] = say_exactly(&buckets[i], &list);
    for (size_t i = 0; i < notes->bucket_count; i++)
        if (!said[i] && buckets[i].actual.rows < buckets[i].expected.rows)
            say_missing(notes, &buckets[i], gaps != NULL ? &gaps[i] : NULL, &list);
    for (size_t i = 0; i < notes->bucket_count; i++)
        if (!said[i] && buckets[i].actual.rows >= buckets[i].expected.rows)
            say_candidates(&buckets[i], &list);
    say_more(&list);
    say_sample(notes, text);
    free(said);
    free(gaps);
    free(buckets);
}

// ---- of two servers

enum what { MISSING, EXTRA, CHANGED };
static const char *const WHAT[] = {"missing", "extra", "changed"};

struct finding {
    enum what what;
    const struct row_note *row, *other; // of a changed one: as it was, as it is
};
struct findings {
    struct finding *items;
    size_t count, capacity;
    const struct row_notes *expected, *actual;
};

static void find(struct findings *self, enum what what, const struct row_note *row,
                 const struct row_note *other) {
    if (self->count == self->capacity) {
        self->capacity = self->capacity > 0 ? 2 * self->capacity : 64;
        self->items = memory_resize(self->items, self->capacity, sizeof *self->items);
    }
    self->items[self->count++] = (struct finding){what, row, other};
}

static int compare_keys(const struct row_note *a, const struct row_note *b) {
    for (int i = 0; i < 2; i++)
        if (a->key[i] != b->key[i])
            return a->key[i] < b->key[i] ? -1 : 1;
    return 0;
}

static int compare_by_key(const void *left, const void *right) {
    const struct row_note *a = left, *b = right;
    const int by_key = compare_keys(a, b);
    if (by_key != 0)
        return by_key;
    return a->sum.high != b->sum.high ? (a->sum.high < b->sum.high ? -1 : 1)
           : a->sum.low != b->sum.low ? (a->sum.low < b->sum.low ? -1 : 1)
                                      : 0;
}

static size_t alike(const struct row_notes *notes, size_t from) {
    size_t count = from < notes->count ? 1 : 0;
    while (from + count < notes->count &&
           compare_keys(&notes->items[from], &notes->items[from + count]) == 0)
        count++;
    return count;
}

// Rows of one key. Without a primary key these are equal rows, of which one side may have more.
static void compare_group(struct findings *self, const struct row_note *before, size_t count_before,
                          const struct row_note *after, size_t count_after) {
    const size_t both = count_before < count_after ? count_before : count_after;
    for (size_t i = 0; i < both; i++)
        if (!row_sum_equal(&before[i].sum, &after[i].sum))
            find(self, CHANGED, &before[i], &after[i]);
    for (size_t i = both; i < count_before; i++)
        find(self, MISSING, &before[i], NULL);
    for (size_t i = both; i < count_after; i++)
        find(self, EXTRA, &after[i], NULL);
}

static void compare_all(struct findings *self) {
    const struct row_notes *before = self->expected, *after = self->actual;
    size_t left = 0, right = 0;
    while (left < before->count || right < after->count) {
        const int order = left == before->count ? 1
                          : right == after->count
                              ? -1
                              : compare_keys(&before->items[left], &after->items[right]);
        const size_t of_left = order <= 0 ? alike(before, left) : 0;
        const size_t of_right = order >= 0 ? alike(after, right) : 0;
        compare_group(self, note_at(before, left), of_left, note_at(after, right), of_right);
        left += of_left;
        right += of_right;
    }
}

static int compare_findings(const void *left, const void *right) {
    const struct finding *a = left, *b = right;
    return a->what != b->what ? (int)a->what - (int)b->what
                              : compare_words(a->row->words, b->row->words);
}

static const struct row_note_value *value_named(const struct row_notes *notes,
                                                const struct row_note *note, const char *column) {
    for (size_t i = 0; i < note->value_count; i++)
        if (strcmp(notes->columns[note->values[i].column], column) == 0)
            return &note->values[i];
    return NULL;
}

static void append_column(struct text *text, const char *column) {
    text_appendf(text, "%s%s", text->length > 0 ? ", " : "", column);
}

static void append_columns(const struct findings *self, const struct finding *finding,
                           struct text *text) {
    autodone(text) struct text columns = {0};
    for (size_t i = 0; i < finding->row->value_count; i++) {
        const char *column = self->expected->columns[finding->row->values[i].column];
        const struct row_note_value *now = value_named(self->actual, finding->other, column);
        if (now == NULL || now->hash != finding->row->values[i].hash)
            append_column(&columns, column);
    }
    for (size_t i = 0; i < finding->other->value_count; i++) {
        const char *column = self->actual->columns[finding->other->values[i].column];
        if (value_named(self->expected, finding->row, column) == NULL)
            append_column(&columns, column);
    }
    if (columns.length > 0)
        text_appendf(text, " (%s)", text_string(&columns));
}

// Those without a name at once, by their number.
static size_t say_finding(const struct findings *self, size_t at, struct list *list) {
    const struct finding *finding = &self->items[at];
    size_t count = 1;
    while (finding->row->key_columns == 0 && at + count < self->count &&
           self->items[at + count].what == finding->what &&
           self->items[at + count].row->key_columns == 0)
        count++;
    if (list->left == 0) {
        list->more += count;
        return count;
    }
    list->left--;
    text_appendf(list->text, LINE "%s: ", WHAT[finding->what]);
    if (finding->row->key_columns == 0)
        text_appendf(list->text, "%zu %s without a primary key", count, rows_of(count));
    else
        append_name(list->text, finding->row);
    if (finding->what == CHANGED)
        append_columns(self, finding, list->text);
    return count;
}

static void sort_by_key(struct row_notes *notes) {
    if (notes->count > 0)
        qsort(notes->items, notes->count, sizeof *notes->items, compare_by_key);
}

void row_findings_by_rows(struct row_notes *expected, struct row_notes *actual, struct text *text) {
    struct list list = {text, ROW_FINDINGS_SHOWN, 0};
    struct findings found = {.expected = expected, .actual = actual};
    row_notes_halve(expected->halved < actual->halved ? expected : actual,
                    expected->halved < actual->halved ? actual->halved : expected->halved);
    sort_by_key(expected);
    sort_by_key(actual);
    compare_all(&found);
    if (found.count > 0)
        qsort(found.items, found.count, sizeof *found.items, compare_findings);
    else if (expected->halved == 0)
        text_append(text, LINE "no row differed any more when they were read again: the server is "
                               "written to");
    for (size_t at = 0; at < found.count;)
        at += say_finding(&found, at, &list);
    say_more(&list);
    say_sample(actual, text);
    free(found.items);
}
