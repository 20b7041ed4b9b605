#define _GNU_SOURCE
#include "command/place.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool program_folder(char **ret_folder, struct error *err) {
    char path[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length < 0)
        return error_set_errno(err, "cannot find out where this program is");
    path[length] = '\0';
    *strrchr(path, '/') = '\0';
    *ret_folder = memory_copy_string(path);
    return true;
}

// The first of the candidates that exists; they are relative to the program's folder.
static bool find_folder(const char *what, const char *const *candidates, char **ret_folder,
                        struct error *err) {
    autofree_string char *program = NULL;
    autodone(text) struct text looked = {0};
    if (!program_folder(&program, err))
        return false;
    for (; *candidates != NULL; candidates++) {
        autofree_string char *candidate = path_join(program, *candidates);
        char *real = realpath(candidate, NULL);
        if (real != NULL) {
            *ret_folder = real;
            return true;
        }
        text_appendf(&looked, "%s%s", looked.length > 0 ? " nor " : "", candidate);
    }
    return error_set(err, ERROR_UNAVAILABLE, 0,
                     "assay's %s are not here, neither %s: is the installation whole?", what,
                     text_string(&looked));
}

bool place_fixtures(char **ret_folder, struct error *err) {
    const char *chosen = getenv("ASSAY_FIXTURES");
    if (chosen != NULL) {
        *ret_folder = memory_copy_string(chosen);
        return true;
    }
    static const char *const candidates[] = {"../fixtures", "../share/assay/fixtures", NULL};
    return find_folder("fixtures", candidates, ret_folder, err);
}

// A suite that cannot be looked at must not be missing from the tests that ran.
static bool look_at(const char *path, bool *ret_program, struct error *err) {
    struct stat status;
    if (stat(path, &status) != 0)
        return error_set_errno(err, "cannot look at %s", path);
    *ret_program = S_ISREG(status.st_mode) && (status.st_mode & 0111) != 0;
    return true;
}

static bool list_executables(const char *folder, struct string_list *ret_paths, struct error *err) {
    autodone(string_list) struct string_list names = {0};
    if (!folder_list(folder, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        autofree_string char *path = path_join(folder, names.items[i]);
        bool program = false;
        if (!look_at(path, &program, err))
            return false;
        if (program)
            string_list_add(ret_paths, path);
    }
    return true;
}

bool place_suites(struct string_list *ret_paths, struct error *err) {
    static const char *const candidates[] = {"suites", "../libexec/assay/suites", NULL};
    autofree_string char *folder = NULL;
    if (!find_folder("suites", candidates, &folder, err) ||
        !list_executables(folder, ret_paths, err))
        return false;
    if (ret_paths->count > 0)
        return true;
    autofree_string char *build_file = path_join(folder, "../build.ninja");
    error_set(err, ERROR_UNAVAILABLE, 0, "no suite is in %s", folder);
    if (!file_exists(build_file))
        return error_append(err, ": is the installation whole?");
    *strrchr(folder, '/') = '\0';
    return error_append(err, ": `ninja -C %s` builds them", folder);
}
