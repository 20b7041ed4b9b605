#define _GNU_SOURCE
#include "image/folder_walk.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static bool collect(const char *folder, const char *within, struct string_list *paths,
                    struct error *err);

static bool collect_entry(const char *folder, const char *path, struct string_list *paths,
                          struct error *err) {
    autofree_string char *full = path_join(folder, path);
    struct stat status;
    if (lstat(full, &status) != 0)
        return error_set_errno(err, "cannot look at %s", full);
    if (S_ISDIR(status.st_mode))
        return collect(folder, path, paths, err);
    if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode))
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "%s is neither a file, a folder nor a symbolic link", full);
    string_list_add(paths, path);
    return true;
}

static bool collect(const char *folder, const char *within, struct string_list *paths,
                    struct error *err) {
    autofree_string char *full = path_join(folder, within);
    DIR *handle = opendir(full);
    if (handle == NULL)
        return error_set_errno(err, "cannot open the folder %s", full);
    bool good = true;
    errno = 0;
    for (const struct dirent *entry; good && (entry = readdir(handle)) != NULL; errno = 0) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        autofree_string char *path = within[0] != '\0' ? path_join(within, entry->d_name)
                                                       : memory_copy_string(entry->d_name);
        good = collect_entry(folder, path, paths, err);
    }
    if (good && errno != 0)
        good = error_set_errno(err, "cannot read the folder %s", full);
    closedir(handle);
    return good;
}

bool folder_walk(const char *folder, struct string_list *ret_paths, struct error *err) {
    autodone(string_list) struct string_list paths = {0};
    if (!collect(folder, "", &paths, err))
        return false;
    string_list_sort(&paths);
    *ret_paths = paths;
    paths = (struct string_list){0};
    return true;
}
