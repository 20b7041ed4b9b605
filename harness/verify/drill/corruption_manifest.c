#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "verify/backup/manifest.h"
#include "verify/drill/corruption_ways.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

// The manifest of a copy, and in it what is said of the site's artifact.
struct edited {
    const struct corruption_site *site;
    json_t *root;
    json_t *artifacts;
    json_t *artifact;
    size_t index; // of it
    json_t *files;
    json_t *file; // its main one
};

// key NULL: the signature stays as it is, and so that of the manifest as it was.
static bool put(const char *copy, const void *bytes, size_t length, const struct signing_key *key,
                struct error *err) {
    autofree_string char *path = path_join(copy, MANIFEST_NAME);
    return file_write_atomic(path, bytes, length, 0600, err) &&
           (key == NULL || corruption_sign(key, copy, bytes, length, err));
}

static bool get(const char *copy, char **ret_text, size_t *ret_length, struct error *err) {
    autofree_string char *path = path_join(copy, MANIFEST_NAME);
    return file_read(path, MANIFEST_LIMIT, ret_text, ret_length, err);
}

// ---- its text

static bool edit_text(const struct corruption_site *site, const char *copy,
                      void (*change)(const char *was, size_t length, struct text *becomes),
                      const struct signing_key *key, struct error *err) {
    (void)site;
    autofree_string char *was = NULL;
    autodone(text) struct text becomes = {.limit = MANIFEST_LIMIT};
    size_t length = 0;
    if (!get(copy, &was, &length, err))
        return false;
    change(was, length, &becomes);
    return put(copy, text_string(&becomes), becomes.length, key, err);
}

static void cut(const char *was, size_t length, struct text *becomes) {
    text_append_bytes(becomes, was, length / 2);
}
static void emptied(const char *was, size_t length, struct text *becomes) {
    (void)was, (void)length, (void)becomes;
}
static void not_json(const char *was, size_t length, struct text *becomes) {
    (void)was, (void)length;
    text_append(becomes, "see the other disk\n");
}
static void newline_appended(const char *was, size_t length, struct text *becomes) {
    text_append_bytes(becomes, was, length);
    text_append_char(becomes, '\n');
}
static void text_appended(const char *was, size_t length, struct text *becomes) {
    text_append_bytes(becomes, was, length);
    text_append(becomes, "{}\n");
}
// Which of two members is meant, every reader decides for itself.
static void member_twice(const char *was, size_t length, struct text *becomes) {
    text_append(becomes, "{\"artifacts\": [],");
    text_append_bytes(becomes, was + 1, length - 1); // without its brace
}

// ---- what it says

static bool find_artifact(struct edited *self, struct error *err) {
    json_t *artifact, *file;
    size_t i, j;
    self->artifacts = json_object_get(self->root, "artifacts");
    json_array_foreach (self->artifacts, i, artifact) {
        json_t *files = json_object_get(artifact, "files");
        json_array_foreach (files, j, file) {
            const char *path = json_string_value(json_object_get(file, "path"));
            if (path == NULL || strcmp(path, self->site->artifact) != 0)
                continue;
            self->artifact = artifact;
            self->index = i;
            self->files = files;
            self->file = file;
            return true;
        }
    }
    return error_set(err, ERROR_CONFIGURATION, 0, "the manifest does not name %s",
                     self->site->artifact);
}

static bool put_json(const char *copy, const json_t *root, const struct signing_key *key,
                     struct error *err) {
    autofree_string char *dumped = json_dumps(root, JSON_INDENT(1));
    autofree_string char *text = memory_format("%s\n", dumped);
    return put(copy, text, strlen(text), key, err);
}

static bool edit(const struct corruption_site *site, const char *copy,
                 bool (*change)(struct edited *self, struct error *err),
                 const struct signing_key *key, struct error *err) {
    autofree_string char *text = NULL;
    size_t length = 0;
    struct edited edited = {.site = site};
    if (!get(copy, &text, &length, err) || !json_read(text, length, &edited.root, err))
        return false;
    const bool done = find_artifact(&edited, err) && change(&edited, err) &&
                      put_json(copy, edited.root, key, err);
    json_decref(edited.root);
    return done;
}

static bool set(json_t *object, const char *name, json_t *value) {
    json_object_set_new(object, name, value);
    return true;
}

static bool format(struct edited *self, struct error *err) {
    (void)err;
    return set(self->root, "format", json_string("another-manifest"));
}
static bool newer(struct edited *self, struct error *err) {
    (void)err;
    return set(self->root, "format_version", json_integer(MANIFEST_VERSION + 1));
}
static bool created(struct edited *self, struct error *err) {
    (void)err;
    return set(json_object_get(self->root, "created"), "start",
               json_string("1999-12-31T23:59:59Z"));
}
static bool server_version(struct edited *self, struct error *err) {
    (void)err;
    return set(self->artifact, "server_version", json_string("0.1"));
}
static bool engine(struct edited *self, struct error *err) {
    (void)err;
    return set(self->artifact, "engine", json_string("oracle"));
}

// The first digit of a text of hex digits.
static bool set_digit(json_t *object, const char *name) {
    autofree_string char *digits =
        memory_copy_string(json_string_value(json_object_get(object, name)));
    digits[0] = digits[0] == '0' ? '1' : '0';
    return set(object, name, json_string(digits));
}
static bool hash_key(struct edited *self, struct error *err) {
    (void)err;
    return set_digit(self->root, "hash_key");
}
static bool short_key(struct edited *self, struct error *err) {
    (void)err;
    return set(self->root, "hash_key", json_string("00ff"));
}
static bool sha256(struct edited *self, struct error *err) {
    (void)err;
    return set_digit(self->file, "sha256");
}
static bool size(struct edited *self, struct error *err) {
    const json_int_t was = json_integer_value(json_object_get(self->file, "size"));
    (void)err;
    return set(self->file, "size", json_integer(was + 1));
}

static bool set_path(struct edited *self, const char *before, const char *after) {
    return set(self->file, "path", json_sprintf("%s%s%s", before, self->site->artifact, after));
}
static bool path(struct edited *self, struct error *err) {
    (void)err;
    return set_path(self, "", ".old");
}
static bool path_out(struct edited *self, struct error *err) {
    (void)err;
    return set_path(self, "../", "");
}
static bool path_absolute(struct edited *self, struct error *err) {
    (void)err;
    return set_path(self, "/", "");
}
static bool path_itself(struct edited *self, struct error *err) {
    (void)err;
    return set(self->file, "path", json_string(MANIFEST_NAME));
}

static bool entry_removed(struct edited *self, struct error *err) {
    (void)err;
    return json_array_remove(self->artifacts, self->index) == 0;
}
static bool entry_twice(struct edited *self, struct error *err) {
    (void)err;
    return json_array_append_new(self->artifacts, json_deep_copy(self->artifact)) == 0;
}
static bool file_twice(struct edited *self, struct error *err) {
    (void)err;
    return json_array_append_new(self->files, json_deep_copy(self->file)) == 0;
}
static bool file_added(struct edited *self, struct error *err) {
    json_t *file = json_deep_copy(self->file);
    (void)err;
    set(file, "path", json_sprintf("%s.2", self->site->artifact));
    return json_array_append_new(self->files, file) == 0;
}

// NULL: rows were summed nowhere in it.
static json_t *first_content(const struct edited *self) {
    json_t *objects = json_object_get(json_object_get(self->artifact, "fingerprint"), "objects");
    json_t *object;
    size_t i;
    json_array_foreach (objects, i, object) {
        json_t *content = json_object_get(object, "content");
        if (content != NULL)
            return content;
    }
    return NULL;
}

static bool rows(struct edited *self, struct error *err) {
    json_t *content = first_content(self);
    if (content == NULL)
        return error_set(err, ERROR_UNAVAILABLE, 0, "the manifest has no sums of its rows");
    const json_int_t was = json_integer_value(json_object_get(content, "rows"));
    return set(content, "rows", json_integer(was + 1));
}
static bool sums_removed(struct edited *self, struct error *err) {
    return json_object_del(self->artifact, "fingerprint") == 0 ||
           error_set(err, ERROR_UNAVAILABLE, 0, "the manifest has no sums of its rows");
}

// ---- with the signature that was there (AS_SIGNED), and with one of what it now says
// (SIGNED_ANEW)

#define AS_SIGNED(name, change)                                                           \
    bool corruption_manifest_##name(const struct corruption_site *site, const char *copy, \
                                    struct error *err) {                                  \
        return change(site, copy, name, NULL, err);                                       \
    }
#define SIGNED_ANEW(name, change)                                                                  \
    bool corruption_manifest_##name##_signed(const struct corruption_site *site, const char *copy, \
                                             struct error *err) {                                  \
        return change(site, copy, name, site->key, err);                                           \
    }
#define BOTH(name, change)  \
    AS_SIGNED(name, change) \
    SIGNED_ANEW(name, change)

AS_SIGNED(newline_appended, edit_text)
AS_SIGNED(newer, edit)
AS_SIGNED(created, edit)
AS_SIGNED(hash_key, edit)
AS_SIGNED(server_version, edit)
AS_SIGNED(sums_removed, edit)
BOTH(cut, edit_text)
BOTH(emptied, edit_text)
BOTH(not_json, edit_text)
BOTH(text_appended, edit_text)
BOTH(member_twice, edit_text)
BOTH(format, edit)
BOTH(short_key, edit)
BOTH(engine, edit)
BOTH(size, edit)
BOTH(sha256, edit)
BOTH(path, edit)
BOTH(path_out, edit)
BOTH(path_absolute, edit)
BOTH(path_itself, edit)
BOTH(entry_removed, edit)
BOTH(entry_twice, edit)
BOTH(file_twice, edit)
BOTH(file_added, edit)
BOTH(rows, edit)
