#define _GNU_SOURCE
#include "verify/backup/record.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "verify/backup/civil_time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "verify-"
#define SAME_SECOND 99 // runs that may begin in one second
#define MS_A_DAY ((int64_t)24 * 60 * 60 * 1000)

bool records_folder_make(const char *folder, struct error *err) {
    return folder_make(folder, 0700, err);
}

bool record_reserve(const char *folder, int64_t started_wall_ms, char **ret_stem,
                    struct error *err) {
    const struct civil_time at = civil_of_utc(started_wall_ms);
    autofree_string char *name = memory_format(PREFIX "%04d%02d%02d-%02d%02d%02d", at.year,
                                               at.month, at.day, at.hour, at.minute, at.second);
    autofree_string char *first = path_join(folder, name);
    for (int number = 1; number <= SAME_SECOND; number++) {
        autofree_string char *stem =
            number == 1 ? memory_copy_string(first) : memory_format("%s-%d", first, number);
        autofree_string char *log = memory_format("%s.log", stem);
        autoclose_fd int fd = open(log, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0) {
            *ret_stem = TAKE(stem);
            return true;
        }
        if (errno != EEXIST)
            return error_set_errno(err, "cannot create %s", log);
    }
    return error_set(err, ERROR_SYSTEM, EEXIST, "%s.log and %d more are there already", first,
                     SAME_SECOND - 1);
}

// ---- old ones -----------------------------------------------------------------------------------

// Moves *at behind `form`, in which d is a digit.
static bool take_form(const char **at, const char *form) {
    const char *next = *at;
    for (; *form != '\0'; form++, next++)
        if (*form == 'd' ? *next < '0' || *next > '9' : *next != *form)
            return false;
    *at = next;
    return true;
}

static int digits_at(const char *at, int count) {
    int number = 0;
    for (int i = 0; i < count; i++)
        number = number * 10 + at[i] - '0';
    return number;
}

// The moment in the name of a file that record_reserve made up, and its siblings.
static bool moment_of(const char *name, int64_t *ret_wall_ms) {
    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
        return false;
    const char *start = name + strlen(PREFIX);
    const char *at = start;
    if (!take_form(&at, "dddddddd-dddddd"))
        return false;
    if (!take_form(&at, "-dd"))
        take_form(&at, "-d");
    if (strcmp(at, ".log") != 0 && strcmp(at, ".json") != 0 && strcmp(at, ".xml") != 0)
        return false;
    const struct civil_time moment = {.year = digits_at(start, 4),
                                      .month = digits_at(start + 4, 2),
                                      .day = digits_at(start + 6, 2),
                                      .has_time = true,
                                      .hour = digits_at(start + 9, 2),
                                      .minute = digits_at(start + 11, 2),
                                      .second = digits_at(start + 13, 2)};
    if (!civil_is_valid(&moment))
        return false;
    *ret_wall_ms = civil_to_utc(&moment);
    return true;
}

static bool is_old(int folder_fd, const char *name, int64_t before_wall_ms) {
    int64_t named_ms;
    struct stat status;
    return moment_of(name, &named_ms) && named_ms < before_wall_ms &&
           fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
           (int64_t)status.st_mtim.tv_sec * 1000 < before_wall_ms;
}

bool records_rotate(const char *folder, int days, int64_t now_wall_ms, size_t *ret_removed,
                    struct error *err) {
    size_t removed = 0;
    bool all = true;
    autodone(string_list) struct string_list names = {0};
    autoclose_fd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT)
        return error_set_errno(err, "cannot open the folder %s", folder);
    if (fd >= 0 && !folder_list(folder, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        if (!is_old(fd, names.items[i], now_wall_ms - days * MS_A_DAY))
            continue;
        if (unlinkat(fd, names.items[i], 0) == 0)
            removed++;
        else if (errno != ENOENT)
            all = error_set_errno(all ? err : NULL, "cannot remove %s/%s", folder, names.items[i]);
    }
    if (ret_removed != NULL)
        *ret_removed = removed;
    return all;
}
