#define _GNU_SOURCE
#include "run/engine_remains.h"

#include "base/clock.h"
#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/string_list.h"
#include "engine/engine.h"
#include "engine/network.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROC_READ_LIMIT ((size_t)256 * 1024)
#define KILL_DEADLINE_MS 5000
#define ANSWER_TIMEOUT_MS 2000

static const struct {
    const char *name;
    enum engine_process sort;
} our_programs[] = {
    {"dockerd", ENGINE_PROCESS_DAEMON},
    {"containerd", ENGINE_PROCESS_CONTAINERD},
    {"containerd-shim", ENGINE_PROCESS_HELPER},
    {"containerd-shim-runc-v1", ENGINE_PROCESS_HELPER},
    {"containerd-shim-runc-v2", ENGINE_PROCESS_HELPER},
    {"runc", ENGINE_PROCESS_HELPER},
};

// ENGINE_PROCESS_UNKNOWN: it could not be read. Otherwise it is NONE, with *ret_bytes NULL for a
// process that is gone, or that is another user's and not for us to read.
static enum engine_process read_proc(pid_t pid, const char *file, char **ret_bytes,
                                     size_t *ret_length) {
    autofree_string char *path = memory_format("/proc/%d/%s", (int)pid, file);
    struct error problem = {0};
    if (file_read(path, PROC_READ_LIMIT, ret_bytes, ret_length, &problem))
        return ENGINE_PROCESS_NONE;
    const bool hidden = problem.code == ENOENT || problem.code == ESRCH || problem.code == EACCES ||
                        problem.code == EFBIG; // ours begin with their paths and are short
    return hidden ? ENGINE_PROCESS_NONE : ENGINE_PROCESS_UNKNOWN;
}

static bool is_below(const char *path, const char *folder) {
    const size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static enum engine_process program_sort(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    for (size_t i = 0; i < sizeof our_programs / sizeof our_programs[0]; i++)
        if (strcmp(name, our_programs[i].name) == 0)
            return our_programs[i].sort;
    return ENGINE_PROCESS_NONE;
}

// By name and by an argument that is a path of this place: a name or a path alone (an editor that
// has our log open) proves nothing.
static enum engine_process judge_by_arguments(const struct engine_place *place, pid_t pid) {
    autofree_string char *arguments = NULL;
    size_t length = 0;
    const enum engine_process unread = read_proc(pid, "cmdline", &arguments, &length);
    if (arguments == NULL || length == 0)
        return unread;
    const enum engine_process sort = program_sort(arguments);
    if (sort == ENGINE_PROCESS_NONE)
        return sort;
    for (size_t at = 0; at < length; at += strlen(arguments + at) + 1)
        if (is_below(arguments + at, place->data_root) ||
            is_below(arguments + at, place->exec_root))
            return sort;
    return ENGINE_PROCESS_NONE;
}

// What is gone meanwhile counts as one.
static enum engine_process unless_zombie(pid_t pid, enum engine_process sort) {
    autofree_string char *status = NULL;
    const enum engine_process unread = read_proc(pid, "stat", &status, NULL);
    if (status == NULL)
        return unread;
    const char *after_name = strrchr(status, ')'); // the name may itself hold spaces and ")"
    const bool zombie = after_name != NULL && strncmp(after_name, ") Z", 3) == 0;
    return zombie ? ENGINE_PROCESS_NONE : sort;
}

enum engine_process engine_process_judge(const struct engine_place *place, pid_t pid) {
    const enum engine_process sort = judge_by_arguments(place, pid);
    if (sort != ENGINE_PROCESS_NONE)
        return sort;
    autofree_string char *groups = NULL;
    autofree_string char *mark = memory_format("/%s/", place->cgroup);
    const enum engine_process unread = read_proc(pid, "cgroup", &groups, NULL);
    if (groups == NULL)
        return unread;
    return strstr(groups, mark) != NULL ? unless_zombie(pid, ENGINE_PROCESS_CONTAINED)
                                        : ENGINE_PROCESS_NONE;
}

// Calls visit for each process id of /proc until it returns false.
static bool each_process(bool (*visit)(void *context, pid_t pid), void *context,
                         struct error *err) {
    autodone(string_list) struct string_list names = {0};
    if (!folder_list("/proc", &names, err))
        return false;
    bool wanted = true;
    for (size_t i = 0; wanted && i < names.count; i++) {
        char *end = NULL;
        const long pid = strtol(names.items[i], &end, 10);
        if (*end == '\0' && pid > 1)
            wanted = visit(context, (pid_t)pid);
    }
    return true;
}

struct process_search {
    const struct engine_place *place;
    enum engine_process sort;
    pid_t found;
    pid_t unknown;
};

static bool search_process(void *context, pid_t pid) {
    struct process_search *search = context;
    const enum engine_process sort = engine_process_judge(search->place, pid);
    if (sort == ENGINE_PROCESS_UNKNOWN)
        search->unknown = pid;
    if (sort == search->sort)
        search->found = pid;
    return search->found == 0;
}

bool engine_process_find(const struct engine_place *place, enum engine_process sort, pid_t *ret_pid,
                         struct error *err) {
    struct process_search search = {.place = place, .sort = sort};
    if (!each_process(search_process, &search, err))
        return false;
    if (search.found == 0 && search.unknown != 0)
        return error_set(err, ERROR_SYSTEM, EIO,
                         "cannot tell whether process %d belongs to the private engine: "
                         "/proc/%d cannot be read",
                         (int)search.unknown, (int)search.unknown);
    *ret_pid = search.found;
    return true;
}

struct killing {
    const struct engine_place *place;
    int living;
};

static bool kill_if_ours(void *context, pid_t pid) {
    struct killing *killing = context;
    const enum engine_process sort = engine_process_judge(killing->place, pid);
    killing->living += sort != ENGINE_PROCESS_NONE ? 1 : 0;
    if (sort != ENGINE_PROCESS_NONE && sort != ENGINE_PROCESS_UNKNOWN)
        kill(pid, SIGKILL);
    return true;
}

// Kills and asks again, for a shim may be starting a process just then.
static bool none_lives(void *context, struct error *err) {
    struct killing *killing = context;
    killing->living = 0;
    if (!each_process(kill_if_ours, killing, err))
        return false;
    if (killing->living == 0)
        return true;
    return error_set(err, ERROR_SYSTEM, EBUSY, "%d processes of the private engine do not end",
                     killing->living);
}

static int remove_group(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)status;
    (void)walk;
    if (type == FTW_DP)
        rmdir(path); // its files go with it
    return 0;
}

// One line of mountinfo: "36 35 98:0 /root /mount/point options … - type source options".
static bool parse_mount(char *line, char **ret_point, char **ret_type) {
    char *separator = strstr(line, " - ");
    char *point = line;
    for (int field = 0; field < 4 && point != NULL; field++)
        point = (point = strchr(point, ' ')) != NULL ? point + 1 : NULL;
    if (separator == NULL || point == NULL || point > separator)
        return false;
    char *type = separator + 3;
    point[strcspn(point, " ")] = '\0';
    type[strcspn(type, " ")] = '\0';
    *ret_point = point;
    *ret_type = type;
    return true;
}

static void clear_mounts_and_groups(const struct engine_place *place) {
    autofree_string char *mounts = NULL;
    if (!file_read("/proc/self/mountinfo", PROC_READ_LIMIT * 16, &mounts, NULL, NULL))
        return;
    autodone(string_list) struct string_list below = {0};
    char *rest = mounts;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        char *point = NULL;
        char *type = NULL;
        if (!parse_mount(line, &point, &type))
            continue;
        if (is_below(point, place->folder))
            string_list_add(&below, point);
        if (strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0) {
            autofree_string char *group = path_join(point, place->cgroup);
            nftw(group, remove_group, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
        }
    }
    // There are some only where the daemon could not have a mount namespace of its own.
    for (size_t i = below.count; i > 0; i--)
        umount2(below.items[i - 1], MNT_DETACH);
}

bool engine_remains_clear(const struct engine_place *place, struct error *err) {
    struct killing killing = {.place = place};
    if (!eventually(deadline_in_ms(KILL_DEADLINE_MS), none_lives, &killing, err))
        return false;
    clear_mounts_and_groups(place);
    unlink(place->socket);
    unlink(place->pid_file);
    return file_remove_tree(place->exec_root, err);
}

// ---- bridges

static void add_bridge(const json_t *network, struct string_list *ret_names) {
    const char *id = json_string_value(json_object_get(network, "Id"));
    const char *driver = json_string_value(json_object_get(network, "Driver"));
    const char *named = json_string_value(
        json_object_get(json_object_get(network, "Options"), "com.docker.network.bridge.name"));
    if (id == NULL || driver == NULL || strcmp(driver, "bridge") != 0)
        return;
    if (named != NULL)
        string_list_add(ret_names, named);
    else
        string_list_addf(ret_names, "br-%.12s", id);
}

void engine_bridges_list(const struct engine_place *place, struct string_list *ret_names) {
    const struct engine_options options = {.host = place->host,
                                           .connect_timeout_ms = ANSWER_TIMEOUT_MS,
                                           .idle_timeout_ms = ANSWER_TIMEOUT_MS};
    autofree(engine) struct engine *engine = NULL;
    json_t *networks = NULL;
    const char *const filters[] = {NULL};
    if (!engine_open(&options, &engine, NULL) || !network_list(engine, filters, &networks, NULL))
        return;
    size_t index;
    const json_t *network;
    json_array_foreach (networks, index, network) {
        add_bridge(network, ret_names);
    }
    json_decref(networks);
}

bool engine_bridges_remove(const struct string_list *names, struct error *err) {
    if (names->count == 0)
        return true;
    autoclose_fd int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (control < 0)
        return error_set_errno(err, "cannot open a socket to remove bridges");
    bool removed = true;
    for (size_t i = 0; i < names->count; i++) {
        struct ifreq request = {0}; // flags 0: down, as a bridge must be to be removed
        strncpy(request.ifr_name, names->items[i], IFNAMSIZ - 1);
        if (if_nametoindex(request.ifr_name) == 0)
            continue;
        if (ioctl(control, SIOCSIFFLAGS, &request) != 0 ||
            ioctl(control, SIOCBRDELBR, request.ifr_name) != 0)
            removed = error_set_errno(err, "cannot remove the bridge %s", request.ifr_name);
    }
    return removed;
}
