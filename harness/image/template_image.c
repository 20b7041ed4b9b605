#include "image/template_image.h"

#include "base/memory.h"
#include "base/string_list.h"
#include "base/text.h"
#include "engine/container.h"
#include "engine/image.h"

#include <string.h>

static void free_json(json_t **json) {
    json_decref(*json);
}
#define autofree_json __attribute__((cleanup(free_json)))

// A Dockerfile word in double quotes, where $, " and \ have a meaning.
static char *quoted(const char *value) {
    autodone(text) struct text text = {0};
    text_append_char(&text, '"');
    for (const char *at = value; *at != '\0'; at++) {
        if (strchr("\"\\$", *at) != NULL)
            text_append_char(&text, '\\');
        text_append_char(&text, *at);
    }
    text_append_char(&text, '"');
    return text_take(&text);
}

static void change_pair(struct string_list *changes, const char *instruction, const char *name,
                        const char *value) {
    autofree_string char *value_text = quoted(value);
    string_list_addf(changes, "%s %s=%s", instruction, name, value_text);
}

// The container's own Cmd would take the image's place where none is named. ENTRYPOINT first:
// it clears the command.
static void change_commands(struct string_list *changes, const json_t *config) {
    static const char *const pairs[][2] = {{"Entrypoint", "ENTRYPOINT"}, {"Cmd", "CMD"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const json_t *value = json_object_get(config, pairs[i][0]);
        if (!json_is_array(value))
            continue;
        autofree_string char *text = json_dumps(value, JSON_COMPACT);
        string_list_addf(changes, "%s %s", pairs[i][1], text);
    }
}

static void change_environment(struct string_list *changes, const json_t *config) {
    size_t i;
    const json_t *variable;
    json_array_foreach (json_object_get(config, "Env"), i, variable) {
        const char *text = json_string_value(variable);
        const char *sign = text != NULL ? strchr(text, '=') : NULL;
        if (sign == NULL)
            continue;
        autofree_string char *name = memory_copy_bytes(text, (size_t)(sign - text));
        change_pair(changes, "ENV", name, sign + 1);
    }
}

static void change_word(struct string_list *changes, const char *instruction, const json_t *value) {
    const char *word = json_string_value(value);
    if (word != NULL && word[0] != '\0')
        string_list_addf(changes, "%s %s", instruction, word);
}

// An engine takes the container's labels along and cannot drop one: what the run gave is emptied.
static void change_labels(struct string_list *changes, const struct template_image *self,
                          const json_t *container, const json_t *original) {
    const json_t *kept = json_object_get(original, "Labels");
    json_t *labels = json_object_get(json_object_get(container, "Config"), "Labels");
    for (void *at = json_object_iter(labels); at != NULL; at = json_object_iter_next(labels, at))
        if (json_object_get(kept, json_object_iter_key(at)) == NULL)
            change_pair(changes, "LABEL", json_object_iter_key(at), "");
    autofree_string char *owner = memory_format("%s/%s", self->project, self->service);
    change_pair(changes, "LABEL", "io.assay.prepared", self->key);
    change_pair(changes, "LABEL", "io.assay.prepared.for", owner);
}

static bool same(const json_t *left, const json_t *right) {
    const bool left_empty =
        left == NULL || json_is_null(left) || (json_is_array(left) && json_array_size(left) == 0);
    const bool right_empty = right == NULL || json_is_null(right) ||
                             (json_is_array(right) && json_array_size(right) == 0);
    return left_empty || right_empty ? left_empty == right_empty : json_equal(left, right);
}

// Engines differ in how they merge: look, do not believe.
static bool verify(struct engine *engine, const struct template_image *self, const json_t *original,
                   struct error *err) {
    static const char *const keys[] = {"Entrypoint", "Cmd",     "WorkingDir",
                                       "StopSignal", "Volumes", "Shell"};
    autofree_json json_t *image = NULL;
    if (!image_inspect(engine, self->reference, &image, err))
        return false;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (!same(json_object_get(json_object_get(image, "Config"), keys[i]),
                  json_object_get(original, keys[i])))
            return error_set(err, ERROR_PROTOCOL, 0,
                             "the committed template differs from its image in %s", keys[i]);
    return true;
}

bool template_image_commit(struct engine *engine, const struct template_image *self,
                           struct error *err) {
    autofree_json json_t *container = NULL;
    if (!container_inspect(engine, self->container, &container, err))
        return false;
    const json_t *original = json_object_get(self->original, "Config");
    autodone(string_list) struct string_list changes = {0};
    change_commands(&changes, original);
    change_environment(&changes, original);
    change_word(&changes, "USER", json_object_get(original, "User"));
    change_word(&changes, "WORKDIR", json_object_get(original, "WorkingDir"));
    change_labels(&changes, self, container, original);
    const char *tag = self->reference + strlen(self->repository) + 1;
    if (!image_commit(engine, self->container, self->repository, tag,
                      (const char *const *)changes.items, err))
        return false;
    if (verify(engine, self, original, err))
        return true;
    if (!image_remove(engine, self->reference, NULL))
        return error_append(err, "; %s is left behind", self->reference);
    return false;
}
