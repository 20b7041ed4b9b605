#define _GNU_SOURCE
#include "command/suite_choice.h"

#include "base/memory.h"
#include "command/command.h"
#include "command/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *suite_choice_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static bool is_no_suite(const char *name, const struct string_list *bundled,
                        const struct error *no_bundled, struct error *err) {
    error_set(err, ERROR_USAGE, 0, "there is no suite \"%s\"", name);
    if (access(name, X_OK) == 0)
        return error_append(err, "; for the file of this name say ./%s", name);
    if (bundled->count == 0)
        return error_append(err, ": %s", no_bundled->message);
    error_append(err, "; there are:");
    for (size_t i = 0; i < bundled->count; i++)
        error_append(err, " %s", suite_choice_name(bundled->items[i]));
    return error_append(err, "; one of your own is a path, ./%s", name);
}

// A name with a slash is a path; others are bundled suites.
static bool find_suite(const char *name, const struct string_list *bundled,
                       const struct error *no_bundled, struct string_list *ret_paths,
                       struct error *err) {
    if (strchr(name, '/') != NULL) {
        if (access(name, X_OK) != 0)
            return error_set(err, ERROR_USAGE, 0, "suite %s cannot be run: %s", name,
                             strerror(errno));
        autofree_string char *real = realpath(name, NULL);
        string_list_add(ret_paths, real != NULL ? real : name);
        return true;
    }
    for (size_t i = 0; i < bundled->count; i++)
        if (strcmp(suite_choice_name(bundled->items[i]), name) == 0) {
            string_list_add(ret_paths, bundled->items[i]);
            return true;
        }
    return is_no_suite(name, bundled, no_bundled, err);
}

// Looked at before anything is started: a stack that is up for a suite that is not there is up for
// nothing.
static bool find_suites_of_settings(const struct session_options *options,
                                    struct string_list *ret_paths, struct error *err) {
    autofree_string char *fixtures = NULL;
    autofree(plan) struct plan *plan = NULL;
    autodone(string_list) struct string_list warnings = {0};
    if (!session_load_plan(options, &fixtures, &warnings, &plan, err)) {
        print_warnings((const char *const *)warnings.items, warnings.count);
        return false;
    }
    for (size_t i = 0; i < plan->suites.count; i++) {
        if (access(plan->suites.items[i], X_OK) != 0)
            return error_set(err, ERROR_CONFIGURATION, 0, "%s: suite %s cannot be run: %s",
                             plan->settings, plan->suites.items[i], strerror(errno));
        string_list_add(ret_paths, plan->suites.items[i]);
    }
    return true;
}

static bool find_bundled(const struct string_list *bundled, const struct error *no_bundled,
                         struct string_list *ret_paths, struct error *err) {
    if (bundled->count == 0 && err != NULL)
        *err = *no_bundled;
    for (size_t i = 0; i < bundled->count; i++)
        string_list_add(ret_paths, bundled->items[i]);
    return bundled->count > 0;
}

bool suite_choice_make(const struct string_list *named, const struct session_options *options,
                       struct string_list *ret_paths, struct error *err) {
    autodone(string_list) struct string_list bundled = {0};
    struct error no_bundled = {0};
    (void)!place_suites(&bundled, &no_bundled);
    for (size_t i = 0; i < named->count; i++)
        if (!find_suite(named->items[i], &bundled, &no_bundled, ret_paths, err))
            return false;
    if (named->count > 0)
        return true;
    return options->compose_files != NULL ? find_suites_of_settings(options, ret_paths, err)
                                          : find_bundled(&bundled, &no_bundled, ret_paths, err);
}
