// Paths and query strings of requests, percent-encoded (RFC 3986, section 2). Internal to engine/.
#pragma once

#include "base/text.h"

// "/containers/" + id + "/start": `name` is encoded, but keeps / : @, which image references use
// and the engine's router expects as they are. `action` may be "".
char *query_path(const char *collection, const char *name, const char *action) must_use;

// Appends "key=value" with its separator; value NULL adds nothing.
void query_add(struct text *query, const char *key, const char *value);
void query_add_number(struct text *query, const char *key, long long value);

// filters={"label":["a=b"]} from "label=a=b" …, NULL-terminated; NULL or empty adds nothing.
void query_add_filters(struct text *query, const char *const *filters);
