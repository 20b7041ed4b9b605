// image_build(): POST /build with the classic builder (see image.h).
#include "engine/image.h"

#include "base/memory.h"
#include "engine/json_text.h"
#include "engine/progress_stream.h"
#include "engine/query.h"
#include "engine/request.h"

#include <string.h>

#define BUILD_TIMEOUT_MS (30 * 60 * 1000)

// {"A": "1"} from "A=1" …; one without "=" has the value "".
static void add_pairs(struct text *query, const char *key, const char *const *pairs) {
    if (pairs == NULL || pairs[0] == NULL)
        return;
    autodone(text) struct text json = {0};
    for (size_t i = 0; pairs[i] != NULL; i++) {
        const size_t length = strcspn(pairs[i], "=");
        autofree_string char *name = memory_copy_bytes(pairs[i], length);
        text_append_char(&json, i > 0 ? ',' : '{');
        json_text_append(&json, name);
        text_append_char(&json, ':');
        json_text_append(&json, pairs[i][length] == '=' ? pairs[i] + length + 1 : "");
    }
    text_append_char(&json, '}');
    query_add(query, key, text_string(&json));
}

bool image_build(struct engine *engine, const struct image_build *build,
                 const struct image_progress *progress, struct error *err) {
    autodone(text) struct text query = {0};
    query_add(&query, "t", build->tag);
    query_add(&query, "version", "1"); // the classic builder: the other needs a session of gRPC
    query_add(&query, "rm", "1");
    query_add(&query, "forcerm", "1");
    query_add(&query, "networkmode", build->network);
    add_pairs(&query, "buildargs", build->build_arguments);
    add_pairs(&query, "labels", build->labels);
    const struct request request = {
        .method = "POST",
        .path = "/build",
        .query = text_string(&query),
        .body_fd = &build->context_fd,
        // A step may compile in silence for as long as the whole build may take.
        .idle_timeout_ms = REQUEST_NO_IDLE_LIMIT,
        .timeout_ms = build->timeout_ms > 0 ? build->timeout_ms : BUILD_TIMEOUT_MS,
    };
    return progress_perform(engine, &request, progress, err);
}
