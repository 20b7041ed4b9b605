// The keys of a service, in one table: which shapes each may have, the one form it is brought to
// before files are merged, how it merges, and what becomes of it. docs/compose-support.md says the
// same for people, and a test compares the two.
//
// Source: Compose specification, 05-services and 13-merge; its JSON schema.
#pragma once

#include <stddef.h>

enum compose_shape {
    SHAPE_TEXT = 1,
    SHAPE_LIST = 2,
    SHAPE_MAP = 4
}; // a set; null is always allowed

enum compose_form {
    FORM_AS_WRITTEN,
    FORM_LIST,     // text -> [text]
    FORM_PAIRS,    // [K=V, L] -> {K: V, L: null}
    FORM_NAMES,    // [a, b] -> {a: null, b: null}
    FORM_HOSTS,    // {host: address} or [host=address] -> ["host:address"]
    FORM_VOLUMES,  // short syntax -> {type, source, target, …}; bind sources become absolute
    FORM_GRANTS,   // secrets and configs: name -> {source: name}
    FORM_ENV_FILE, // path or list -> [{path}], absolute
    FORM_BUILD,    // path -> {context: path}
};

enum compose_merge {
    MERGE_DEEP, // mappings key by key, lists appended, single values replaced
    MERGE_REPLACE,
    MERGE_BY_TEXT,   // a list without repetitions
    MERGE_BY_TARGET, // a list in which an item replaces the one with the same target
    MERGE_BY_PATH,   // the same with `path`
};

enum compose_fate {
    KEY_HONOURED,
    KEY_IGNORED, // has no meaning for a throwaway stack
    KEY_WARNED,  // left out, with a warning
    KEY_REFUSED, // leaving it out would change the meaning
};

struct compose_key {
    const char *name;
    unsigned shapes;
    enum compose_form form;
    enum compose_merge merge;
    enum compose_fate fate;
    const char *note; // for KEY_WARNED and KEY_REFUSED: why, and what to do instead
};

const struct compose_key *compose_service_key(const char *name); // NULL: unknown
const struct compose_key *compose_service_keys(size_t *ret_count);
const char *compose_service_key_like(const char *name); // did you mean; NULL: nothing near
