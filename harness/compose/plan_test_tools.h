// For tests of what reads Compose files: a fresh folder, files in it, and expectations on the plan.
//
// Each test calls plan_test_folder() first; it then stands in an empty folder of its own, so that
// marks read "compose.yaml:3:5: …". plan_test_leave() in .fini removes it.
#pragma once

#include "compose/plan.h"

void plan_test_folder(void);
void plan_test_leave(void);
void plan_test_write(const char *path, const char *content); // makes folders on the way

// One service "s" with the image "i"; what is given starts in line 4, column 5.
#define SERVICE(lines) "services:\n  s:\n    image: i\n    " lines "\n"

// Loads compose.yaml with no profile, no settings but assay.yaml beside it; the result is freed by
// plan_test_leave().
struct plan *plan_test_load(const char *compose);
struct plan *plan_test_load_files(const char *const *files, const char *const *profiles);

void expect_error(const char *compose, const char *message);   // the whole message
void expect_warning(const char *compose, const char *warning); // one of them
void expect_no_warning(const char *compose);
// Each field of `json` stands so in the first service's config or host_config; null: is absent.
void expect_config(const char *compose, const char *json);
void expect_host(const char *compose, const char *json);
// The first service's mounts, one a line: "bind /path -> /target ro 0440 1:2 size=3 " less what is
// not set.
void expect_mounts(const char *compose, const char *lines);

struct text_case {
    const char *input;
    const char *expected;
};
