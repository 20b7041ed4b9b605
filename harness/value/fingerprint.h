// What a server holds, in a form that can be kept and compared: every object (table, view,
// collection, index, routine …) with its attributes in words, and the sum of its rows.
//
//   server ──> fingerprint ──> JSON in a manifest ──> fingerprint ─┐
//   restored server ──> fingerprint ───────────────────────────────┴─> differences, for people
//
// Whoever fills it in decides what an attribute is called and how its value is written; the two
// sides must be filled in by the same code. Names and values are text for people; in one that is
// not UTF-8 every byte above 0x7f becomes "\xff".
#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"
#include "value/json_field.h"
#include "value/row_hash.h"

#include <stdbool.h>
#include <stddef.h>

struct fingerprint_attribute {
    char *name;  // "orders.total", "orders.total default"; complete: stands alone in differences
    char *value; // "numeric(10,2)"
};

struct fingerprint_object {
    char *kind; // "table", "view", "sequence"
    char *name; // "public.orders"; one of a kind
    struct fingerprint_attribute *attributes;
    size_t attribute_count;
    size_t attribute_capacity;
    bool has_content; // its rows were summed; false: it has none, or nobody looked
    struct row_content content;
};

struct fingerprint {
    char *engine; // "postgres"
    struct fingerprint_object *objects;
    size_t object_count;
    size_t object_capacity;
};

struct fingerprint *fingerprint_new(const char *engine);
void fingerprint_free(struct fingerprint *self);

// Objects and attributes may be added in any order, each once. The object is borrowed until the
// next is added.
struct fingerprint_object *fingerprint_add(struct fingerprint *self, const char *kind,
                                           const char *name);
void fingerprint_attribute_add(struct fingerprint_object *self, const char *name,
                               const char *value);
void fingerprint_content_take(struct fingerprint_object *self, struct row_content *content);

// By kind, then name; attributes by name; all by bytes. ERROR_PROTOCOL: one stands twice, by name.
// Before it is compared or written; fingerprint_from_json does it itself.
bool fingerprint_sort(struct fingerprint *self, struct error *err) must_use;

// NULL: there is none. Of a sorted fingerprint.
const struct fingerprint_object *fingerprint_find(const struct fingerprint *self, const char *kind,
                                                  const char *name);

enum difference_kind {
    DIFFERENCE_NOT_COMPARED = 0, // the rows of one side were not read: not verified, not equal
    DIFFERENCE_ENGINE,
    DIFFERENCE_OBJECT_MISSING,
    DIFFERENCE_OBJECT_EXTRA,
    DIFFERENCE_ATTRIBUTE_MISSING,
    DIFFERENCE_ATTRIBUTE_EXTRA,
    DIFFERENCE_ATTRIBUTE_ALTERED,
    DIFFERENCE_ROWS,
};

// "orders.total: numeric(10,2) → numeric(12,2)", "table public.orders: 3 rows missing (97 of 100)",
// "view public.totals: is missing". Of a long value DIFFERENCE_VALUE_SHOWN bytes are shown, from
// shortly before the two differ.
struct difference {
    enum difference_kind kind;
    char *text;
};
struct differences {
    struct difference *items; // at most `limit`, in the order of the objects
    size_t count;
    size_t capacity;
    size_t limit; // 0: DIFFERENCES_LIMIT
    size_t more;  // found, but not listed
};
#define DIFFERENCES_LIMIT 100
#define DIFFERENCE_VALUE_SHOWN 200

// Both sorted, summed under the same key. Adds to ret_differences, which may hold some already
// (zeroed: none); true when it found none.
bool fingerprint_equal(const struct fingerprint *expected, const struct fingerprint *actual,
                       struct differences *ret_differences);

void differences_add(struct differences *self, enum difference_kind kind, const char *format, ...)
    printf_like(3, 4);
// One a line, then "and 12 more".
void differences_format(const struct differences *self, struct text *text);
void differences_done(struct differences *self);

// {"engine", "objects": [{"kind", "name", "attributes": {NAME: VALUE}, "content"?}]}; content is
// {"rows", "sum", "bucket_count", "buckets": [[index, rows, sum]]}.
json_t *fingerprint_to_json(const struct fingerprint *self) must_use; // the caller's
bool fingerprint_from_json(struct json_place place, struct fingerprint **ret_fingerprint,
                           struct error *err) must_use;

DEFINE_AUTOFREE(fingerprint, fingerprint_free);
DEFINE_AUTODONE(differences, differences_done);
