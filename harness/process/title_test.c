#define _GNU_SOURCE
#include "process/title.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *bytes;
static size_t length;

static void free_bytes(void) {
    free(bytes);
}

TestSuite(title, .fini = free_bytes, .timeout = 120); // each test is a process of its own

static void read_back(const char *path) {
    struct error err = {0};
    free(bytes);
    bytes = NULL;
    cr_assert(file_read(path, 1 << 20, &bytes, &length, &err), "%s", err.message);
}

static void assert_title(const char *title) {
    title_set(title, NULL);
    read_back("/proc/self/cmdline");
    cr_assert_eq(length, strlen(title) + 1, "%zu bytes: %s", length, bytes);
    cr_assert_str_eq(bytes, title);
}

static size_t arguments_length(void) {
    read_back("/proc/self/cmdline");
    return length;
}

Test(title, shorter_than_the_arguments_is_all_that_is_seen) {
    cr_assert_gt(arguments_length(), sizeof "short");
    assert_title("short");
    read_back("/proc/self/comm");
    cr_assert_str_eq(bytes, "short\n");
}

Test(title, as_long_as_the_arguments_is_seen_whole) {
    char title[4096];
    const size_t area = arguments_length();
    for (size_t taken = area - 1; taken <= area + 1; taken++) { // with its NUL
        memset(title, 'x', sizeof title);
        title[taken - 1] = '\0';
        assert_title(title);
    }
}

Test(title, longer_than_the_arguments_is_seen_whole) {
    char title[4096];
    memset(title, 'x', sizeof title);
    title[arguments_length() + 50] = '\0';
    assert_title(title);
}

static bool is_shown(const char *entry) {
    read_back("/proc/self/environ");
    for (const char *shown = bytes; shown < bytes + length; shown += strlen(shown) + 1)
        if (strcmp(shown, entry) == 0)
            return true;
    return false;
}

Test(title, hides_one_variable_and_keeps_the_others) {
    char *first = strdup(environ[0]);
    char *second = strdup(environ[1]);
    cr_assert(is_shown(first));
    char *name = strndup(first, strcspn(first, "="));

    title_set("short", name);
    cr_assert_null(getenv(name));
    cr_assert_not(is_shown(first));
    cr_assert(is_shown(second));
    cr_assert_str_eq(environ[0], second);
    free(first);
    free(second);
    free(name);
}

Test(title, hides_no_variable_that_only_begins_like_it) {
    char *first = strdup(environ[0]);
    char *name = strndup(first, strcspn(first, "=") - 1);
    title_set("short", name);
    cr_assert(is_shown(first));
    free(name);
    free(first);
}
