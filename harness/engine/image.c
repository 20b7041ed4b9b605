#include "engine/image.h"

#include "base/memory.h"
#include "engine/query.h"
#include "engine/request.h"

bool image_inspect(struct engine *engine, const char *reference, json_t **ret_json,
                   struct error *err) {
    autofree_string char *path = query_path("/images", reference, "/json");
    const struct request request = {.method = "GET", .path = path};
    return request_json(engine, &request, ret_json, err);
}

bool image_exists(struct engine *engine, const char *reference, bool *ret_exists,
                  struct error *err) {
    json_t *json = NULL;
    struct error reason = {0};
    const bool exists = image_inspect(engine, reference, &json, &reason);
    json_decref(json);
    if (exists || (reason.domain == ERROR_ENGINE && reason.code == 404)) {
        *ret_exists = exists;
        return true;
    }
    if (err != NULL)
        *err = reason;
    return false;
}

bool image_list(struct engine *engine, const char *const *filters, json_t **ret_array,
                struct error *err) {
    autodone(text) struct text query = {0};
    query_add_filters(&query, filters);
    const struct request request = {
        .method = "GET", .path = "/images/json", .query = text_string(&query)};
    return request_json(engine, &request, ret_array, err);
}

bool image_remove(struct engine *engine, const char *reference, struct error *err) {
    autofree_string char *path = query_path("/images", reference, "");
    const struct request request = {.method = "DELETE", .path = path, .slow = true};
    return request_perform(engine, &request, err);
}

bool image_tag(struct engine *engine, const char *reference, const char *repository,
               const char *tag, struct error *err) {
    autofree_string char *path = query_path("/images", reference, "/tag");
    autodone(text) struct text query = {0};
    query_add(&query, "repo", repository);
    query_add(&query, "tag", tag);
    const struct request request = {.method = "POST", .path = path, .query = text_string(&query)};
    return request_perform(engine, &request, err);
}

bool image_commit(struct engine *engine, const char *container, const char *repository,
                  const char *tag, const char *const *changes, struct error *err) {
    autodone(text) struct text query = {0};
    query_add(&query, "container", container);
    query_add(&query, "repo", repository);
    query_add(&query, "tag", tag);
    for (size_t i = 0; changes != NULL && changes[i] != NULL; i++)
        query_add(&query, "changes", changes[i]);
    const struct request request = {
        .method = "POST", .path = "/commit", .query = text_string(&query), .slow = true};
    return request_perform(engine, &request, err);
}
