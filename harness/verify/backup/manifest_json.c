// The text of a manifest, both ways.
#define _GNU_SOURCE
#include "base/clock.h"
#include "base/memory.h"
#include "value/rfc3339.h"
#include "verify/backup/manifest.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "assay-manifest"

static json_t *hex_to_json(const uint8_t *bytes, size_t size) {
    char hex[2 * SHA256_SIZE + 1];
    return json_string(sodium_bin2hex(hex, sizeof hex, bytes, size));
}

static json_t *file_to_json(const struct manifest_file *self) {
    json_t *file = json_object();
    json_object_set_new(file, "path", json_string(self->path));
    json_object_set_new(file, "size", json_integer((json_int_t)self->size));
    json_object_set_new(file, "sha256", hex_to_json(self->sha256, SHA256_SIZE));
    return file;
}

static json_t *artifact_to_json(const struct manifest_artifact *self) {
    json_t *files = json_array();
    for (size_t i = 0; i < self->file_count; i++)
        json_array_append_new(files, file_to_json(&self->files[i]));
    json_t *artifact = json_object();
    json_object_set_new(artifact, "name", json_string(self->name));
    json_object_set_new(artifact, "engine", json_string(dump_engine_name(self->engine)));
    json_object_set_new(artifact, "server_version", json_string(self->server_version));
    json_object_set_new(artifact, "tool", json_string(self->tool));
    json_object_set_new(artifact, "files", files);
    if (self->fingerprint != NULL)
        json_object_set_new(artifact, "fingerprint", fingerprint_to_json(self->fingerprint));
    return artifact;
}

static json_t *time_to_json(int64_t wall_ms) {
    char text[CLOCK_TEXT_SIZE];
    return json_string(clock_format_utc(wall_ms, text));
}

static json_t *manifest_to_json(const struct manifest *self) {
    json_t *artifacts = json_array();
    for (size_t i = 0; i < self->artifact_count; i++)
        json_array_append_new(artifacts, artifact_to_json(&self->artifacts[i]));
    json_t *created = json_object();
    json_object_set_new(created, "start", time_to_json(self->start_ms));
    json_object_set_new(created, "end", time_to_json(self->end_ms));
    json_t *root = json_object();
    json_object_set_new(root, "format", json_string(FORMAT));
    json_object_set_new(root, "format_version", json_integer(MANIFEST_VERSION));
    json_object_set_new(root, "created", created);
    json_object_set_new(root, "hash_key", hex_to_json(self->hash_key, sizeof self->hash_key));
    json_object_set_new(root, "artifacts", artifacts);
    return root;
}

static int append(const char *bytes, size_t length, void *context) {
    text_append_bytes(context, bytes, length);
    return 0;
}

bool manifest_format(const struct manifest *self, char **ret_text, size_t *ret_length,
                     struct error *err) {
    autodone(text) struct text text = {.limit = MANIFEST_LIMIT};
    json_t *root = manifest_to_json(self);
    const bool dumped = json_dump_callback(root, append, &text, JSON_INDENT(1)) == 0;
    json_decref(root);
    text_append_char(&text, '\n');
    if (!dumped || text.overflowed)
        return error_set(err, ERROR_PROTOCOL, 0, "would be larger than %zu bytes", MANIFEST_LIMIT);
    *ret_length = text.length;
    *ret_text = text_take(&text);
    return true;
}

// What is wrong with a path within the backup; NULL: nothing.
static const char *path_problem(const char *path) {
    if (path[0] == '/')
        return "is absolute";
    const char *plain = NULL; // going out is worse than not being plain
    for (const char *part = path;;) {
        const size_t length = strcspn(part, "/");
        if (length == 2 && memcmp(part, "..", 2) == 0)
            return "leaves the backup";
        if (length == 0 || (length == 1 && part[0] == '.'))
            plain = "is not in its plain form";
        if (part[length] == '\0')
            break;
        part += length + 1;
    }
    if (strcmp(path, MANIFEST_NAME) == 0 || strcmp(path, MANIFEST_SIGNATURE_NAME) == 0)
        return "is the manifest itself";
    return plain;
}

static bool read_file(void *context, struct json_place place, struct error *err) {
    const char *path = NULL;
    uint64_t size = 0;
    uint8_t sha256[SHA256_SIZE];
    if (!json_field_text(place, "path", &path, err) ||
        !json_field_size(place, "size", &size, err) ||
        !json_field_hex(place, "sha256", sha256, sizeof sha256, err))
        return false;
    const char *problem = path_problem(path);
    if (problem != NULL)
        return json_field_error(place, "path", err, "\"%s\" %s", path, problem);
    manifest_file_add(context, path, size, sha256);
    return true;
}

static bool read_engine(struct json_place place, enum dump_engine *ret_engine, struct error *err) {
    const char *name = NULL;
    if (!json_field_text(place, "engine", &name, err))
        return false;
    for (enum dump_engine engine = DUMP_UNKNOWN + 1; engine <= DUMP_REDIS; engine++) {
        if (strcmp(name, dump_engine_name(engine)) == 0) {
            *ret_engine = engine;
            return true;
        }
    }
    return json_field_error(place, "engine", err, "\"%s\" is none that we know", name);
}

static bool read_fingerprint(struct json_place place, struct manifest_artifact *artifact,
                             struct error *err) {
    json_t *fingerprint = NULL;
    if (json_object_get(place.object, "fingerprint") == NULL)
        return true;
    if (!json_field_object(place, "fingerprint", &fingerprint, err))
        return false;
    autofree_string char *where = memory_format("%s.fingerprint", place.where);
    const struct json_place below = {fingerprint, where};
    if (!fingerprint_from_json(below, &artifact->fingerprint, err))
        return false;
    return strcmp(artifact->fingerprint->engine, dump_engine_name(artifact->engine)) == 0 ||
           json_field_error(below, "engine", err, "\"%s\" is not its artifact's",
                            artifact->fingerprint->engine);
}

static bool read_artifact(void *context, struct json_place place, struct error *err) {
    struct manifest *self = context;
    const char *name = NULL, *server_version = NULL, *tool = NULL;
    enum dump_engine engine = DUMP_UNKNOWN;
    if (!json_field_text(place, "name", &name, err) || !read_engine(place, &engine, err) ||
        !json_field_text(place, "server_version", &server_version, err) ||
        !json_field_text(place, "tool", &tool, err))
        return false;
    struct manifest_artifact *artifact = manifest_add(self, name, engine, server_version, tool);
    return json_field_each(place, "files", read_file, artifact, err) &&
           read_fingerprint(place, artifact, err);
}

// Four digits of year are all that the format has.
#define YEAR_10000_MS INT64_C(253402300800000)

static bool read_time(struct json_place place, const char *name, int64_t *ret_wall_ms,
                      struct error *err) {
    const char *text = NULL;
    int64_t wall_ms = 0;
    if (!json_field_text(place, name, &text, err))
        return false;
    if (!rfc3339_parse(text, &wall_ms))
        return json_field_error(place, name, err, "\"%s\" is not a time of RFC 3339", text);
    if (wall_ms < 0 || wall_ms >= YEAR_10000_MS)
        return json_field_error(place, name, err, "\"%s\" is no time at which backups are made",
                                text);
    *ret_wall_ms = wall_ms;
    return true;
}

static bool read_head(struct json_place place, struct manifest *self, struct error *err) {
    const char *format = NULL;
    uint64_t version = 0;
    json_t *created = NULL;
    if (!json_field_text(place, "format", &format, err))
        return false;
    if (strcmp(format, FORMAT) != 0)
        return json_field_error(place, "format", err, "\"%s\" is not \"" FORMAT "\"", format);
    if (!json_field_size(place, "format_version", &version, err))
        return false;
    if (version > MANIFEST_VERSION)
        return error_set(err, ERROR_UNAVAILABLE, 0,
                         "format_version: %llu is newer than this assay, which knows %d",
                         (unsigned long long)version, MANIFEST_VERSION);
    if (version < 1)
        return json_field_error(place, "format_version", err, "there is no such version");
    if (!json_field_object(place, "created", &created, err))
        return false;
    const struct json_place below = {created, "created"};
    return read_time(below, "start", &self->start_ms, err) &&
           read_time(below, "end", &self->end_ms, err) &&
           json_field_hex(place, "hash_key", self->hash_key, sizeof self->hash_key, err);
}

static int compare_texts(const void *left, const void *right) {
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static bool refuse_twice(const char **texts, size_t count, const char *what, struct error *err) {
    if (count > 0)
        qsort(texts, count, sizeof *texts, compare_texts);
    for (size_t i = 1; i < count; i++)
        if (strcmp(texts[i - 1], texts[i]) == 0)
            return error_set(err, ERROR_PROTOCOL, 0, "the %s \"%s\" stands twice", what, texts[i]);
    return true;
}

static bool check_unique(const struct manifest *self, struct error *err) {
    size_t files = 0, file = 0;
    for (size_t i = 0; i < self->artifact_count; i++)
        files += self->artifacts[i].file_count;
    const char **texts = memory_new(files + self->artifact_count + 1, sizeof *texts);
    for (size_t i = 0; i < self->artifact_count; i++) {
        texts[files + i] = self->artifacts[i].name;
        for (size_t j = 0; j < self->artifacts[i].file_count; j++)
            texts[file++] = self->artifacts[i].files[j].path;
    }
    const bool unique = refuse_twice(texts, files, "path", err) &&
                        refuse_twice(texts + files, self->artifact_count, "artifact", err);
    free(texts);
    return unique;
}

bool manifest_parse(const char *bytes, size_t length, struct manifest **ret_manifest,
                    struct error *err) {
    autofree(manifest) struct manifest *self = memory_new(1, sizeof *self);
    json_t *root = NULL;
    if (!json_read(bytes, length, &root, err))
        return false;
    const struct json_place place = {root, ""};
    const bool good =
        (json_is_object(root) || json_field_error(place, NULL, err, "is not an object")) &&
        read_head(place, self, err) &&
        json_field_each(place, "artifacts", read_artifact, self, err) && check_unique(self, err);
    json_decref(root);
    if (!good)
        return false;
    *ret_manifest = TAKE(self);
    return true;
}
