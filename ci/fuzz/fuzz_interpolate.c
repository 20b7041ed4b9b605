// Variables in a value, and files of KEY=VALUE lines. A seed is the content of a .env file; its
// last line alone is interpolated too.
#include "compose/dotenv.h"
#include "compose/interpolate.h"

#include "base/memory.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const char *bytes, size_t size, bool raw, struct variables *into) {
    struct string_list warnings = {0};
    struct error err = {0};
    const struct dotenv_options options = {.file = ".env", .raw = raw, .warnings = &warnings};
    if (!dotenv_parse(into, bytes, size, &options, &err) && err.domain != ERROR_CONFIGURATION)
        __builtin_trap();
    string_list_done(&warnings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    autofree_string char *bytes = memory_copy_bytes(data, size);
    struct variables variables = {.closed = true, .own_first = true};
    parse(bytes, size, true, &variables);
    parse(bytes, size, false, &variables);
    const char *line = strrchr(bytes, '\n');
    char *text = NULL;
    struct string_list warnings = {0};
    struct error err = {0};
    const struct mark mark = {"compose.yaml", 1, 1};
    if (!interpolate(line != NULL ? line + 1 : bytes, &variables, mark, &warnings, &text, &err) &&
        err.domain != ERROR_CONFIGURATION)
        __builtin_trap();
    free(text);
    string_list_done(&warnings);
    variables_done(&variables);
    return 0;
}
