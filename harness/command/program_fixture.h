// For tests of the program as people run it: a fresh folder to stand in, a fresh state folder, and
// the built `assay` as a child process.
//
// ASSAY_PROGRAM and ASSAY_TEST_FIXTURES come from meson. Tests against an engine use the one that
// DOCKER_HOST names and the image that ASSAY_TEST_IMAGE names (default: the first assay/base:* in
// that engine), and are skipped, saying so, without either.
#pragma once

#include "engine/engine.h"
#include "process/child.h"

#include <criterion/criterion.h>

void program_init(void);      // .init: no engine needed
void program_init_real(void); // .init: skips without an engine and an image
void program_done(void);      // .fini

const char *program_folder(void); // where the test stands
struct engine *program_engine(void);

// Writes a file of the test's folder. %IMAGE% stands for the test image, %NAME% for a project name
// of this test alone, %SERVE% for a command that answers every HTTP request on port 8080 and says
// "<word> serves" in its log, where <word> is its argument.
void program_write(const char *name, const char *content);
size_t program_count_paths(const char *pattern); // of glob(3)
// A file system of 256 KiB at a folder of the test's, for root; others are skipped. In a mount
// namespace of the test's own: it goes with its last process, whatever happens.
void program_mount_small(const char *folder);
const char *program_project(void);
const char *program_image(void); // what %IMAGE% stands for

// Runs `assay <arguments>` to its end, within two minutes; returns its exit status, or minus the
// signal that killed it. What it said is in program_output() and program_errors().
#define assay(...) program_run((const char *const[]){ASSAY_PROGRAM, __VA_ARGS__, NULL})
int program_run(const char *const *argv);
const char *program_output(void);
const char *program_errors(void);

// The same in two halves, for signals in between. The child is freed by program_done.
#define assay_start(...) program_start((const char *const[]){ASSAY_PROGRAM, __VA_ARGS__, NULL})
struct child *program_start(const char *const *argv);
int program_end(struct child *child, int within_ms);

// What containers, networks, volumes and folders of the runs that this process opened there are,
// as text; "" when none. The caller's.
char *program_leftovers(pid_t program);
void program_assert_nothing_left(pid_t program, int within_ms);
// Waits until a container of this test's project runs that is of that service; its id is the
// caller's.
char *program_await_container(const char *service, int within_ms);
int program_container_count(void); // of the test's project

#define assert_says(text, part) \
    cr_assert(strstr((text), (part)) != NULL, "expected \"%s\" in\n%s", (part), (text))
