#define _GNU_SOURCE
#include "verify/backup/latest.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/string_list.h"
#include "verify/backup/backup_name.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static bool is_backup(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0 && (S_ISDIR(status.st_mode) || S_ISREG(status.st_mode));
}

static bool is_there(const char *path) {
    struct stat status;
    return stat(path, &status) == 0;
}

static int64_t moment_in(const char *path) {
    struct civil_time moment;
    const char *slash = strrchr(path, '/');
    return backup_name_moment(slash != NULL ? slash + 1 : path, &moment) ? civil_to_utc(&moment)
                                                                         : -1;
}

static bool choose_latest(const char *root, struct backup_choice *ret_choice, struct error *err) {
    autodone(string_list) struct string_list names = {0};
    struct civil_time newest;
    const char *chosen = NULL;
    if (!folder_list(root, &names, err)) {
        if (err != NULL)
            err->domain = ERROR_CONFIGURATION;
        return error_prefix(err, "no latest backup");
    }
    for (size_t i = 0; i < names.count; i++) {
        struct civil_time moment;
        autofree_string char *path = path_join(root, names.items[i]);
        if (names.items[i][0] == '.' || !is_backup(path) ||
            !backup_name_moment(names.items[i], &moment))
            continue;
        if (chosen == NULL || civil_compare(&moment, &newest) >= 0) {
            chosen = names.items[i];
            newest = moment;
        }
    }
    if (chosen == NULL)
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "no latest backup: nothing in %s has a date in its name, such as "
                         "20261121-030000; name the backup itself",
                         root);
    *ret_choice = (struct backup_choice){.path = path_join(root, chosen),
                                         .taken_wall_ms = civil_to_utc(&newest)};
    return true;
}

bool backup_choose(const char *root, const char *which, struct backup_choice *ret_choice,
                   struct error *err) {
    if (strcmp(which, "latest") == 0)
        return choose_latest(root, ret_choice, err);
    autofree_string char *below = path_join(root, which);
    if (!is_there(below) && !is_there(which))
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "there is no backup %s, neither in %s nor here", which, root);
    const char *path = is_there(below) ? below : which;
    *ret_choice =
        (struct backup_choice){.path = memory_copy_string(path), .taken_wall_ms = moment_in(path)};
    return true;
}
