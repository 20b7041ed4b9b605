#define _GNU_SOURCE
#include "run/engine_daemon.h"

#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/engine.h"
#include "run/address_pool.h"
#include "run/engine_remains.h"
#include "run/engine_spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define READY_DEADLINE_MS 30000
#define STOP_DEADLINE_MS 10000
#define LOG_TAIL_BYTES ((size_t)1200)
#define LOG_LIMIT ((size_t)64 * 1024 * 1024)

static const char installation[] = "apt-get install --no-install-recommends docker.io iptables";

// FNV-1a, 64 bits (Fowler, Noll, Vo): tells places apart, no more.
static uint64_t hash_of(const char *text) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

bool engine_place_init(struct engine_place *self, const char *state_folder, struct error *err) {
    autofree_string char *wanted = path_join(state_folder, "engine");
    if (!folder_make(wanted, 0700, err))
        return false;
    autofree_string char *folder = realpath(wanted, NULL);
    if (folder == NULL)
        return error_set_errno(err, "cannot resolve %s", wanted);
    // The longest socket of all is containerd's own.
    const size_t longest = strlen(folder) + strlen("/exec/containerd/containerd.sock.ttrpc");
    if (longest >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return error_set(err, ERROR_UNAVAILABLE, ENAMETOOLONG,
                         "the path %s is too long for a unix socket: set ASSAY_STATE to a shorter "
                         "folder",
                         folder);
    *self = (struct engine_place){
        .data_root = path_join(folder, "data"),
        .exec_root = path_join(folder, "exec"),
        .socket = path_join(folder, "engine.sock"),
        .host = memory_format("unix://%s/engine.sock", folder),
        .pid_file = path_join(folder, "engine.pid"),
        .log = path_join(folder, "dockerd.log"),
        .configuration = path_join(folder, "daemon.json"),
        .cgroup = memory_format("assay-%016llx", (unsigned long long)hash_of(folder)),
    };
    self->folder = TAKE(folder);
    return true;
}

void engine_place_done(struct engine_place *self) {
    free(self->folder);
    free(self->data_root);
    free(self->exec_root);
    free(self->socket);
    free(self->host);
    free(self->pid_file);
    free(self->log);
    free(self->configuration);
    free(self->cgroup);
    *self = (struct engine_place){0};
}

#ifdef __linux__
static bool has_control_groups(void) {
    autofree_string char *mounts = NULL;
    return file_read("/proc/self/mountinfo", LOG_LIMIT, &mounts, NULL, NULL) &&
           strstr(mounts, " - cgroup") != NULL;
}

bool engine_daemon_possible(struct error *err) {
    static const char *const programs[] = {"dockerd", "containerd", "runc", "iptables"};
    if (geteuid() != 0)
        return error_set(err, ERROR_UNAVAILABLE, EPERM,
                         "only root can start a private Docker engine: start yours, set "
                         "DOCKER_HOST, or run as root");
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        autofree_string char *path = engine_spawn_lookup(programs[i]);
        if (path == NULL)
            return error_set(err, ERROR_UNAVAILABLE, ENOENT,
                             "a private Docker engine needs %s, which is not installed: %s",
                             programs[i], installation);
    }
    if (!has_control_groups())
        return error_set(err, ERROR_UNAVAILABLE, ENOTSUP,
                         "a private Docker engine needs control groups, and none are mounted: "
                         "apt-get install cgroupfs-mount && cgroupfs-mount");
    return true;
}
#else
bool engine_daemon_possible(struct error *err) {
    return error_set(err, ERROR_UNAVAILABLE, ENOTSUP,
                     "a private Docker engine can be started on Linux only: start yours, or set "
                     "DOCKER_HOST");
}
#endif

bool engine_daemon_find(const struct engine_place *place, pid_t *ret_pid, struct error *err) {
    return engine_process_find(place, ENGINE_PROCESS_DAEMON, ret_pid, err);
}

bool engine_daemon_answers(const struct engine_place *place, struct error *err) {
    const struct engine_options options = {
        .host = place->host, .connect_timeout_ms = 1000, .idle_timeout_ms = 2000};
    struct engine *engine = NULL;
    if (!engine_open(&options, &engine, err))
        return false;
    engine_close(engine);
    return true;
}

// Puts the last lines of the log behind err's message: dockerd says there why it did not start.
static void append_log(const struct engine_place *place, struct error *err) {
    autofree_string char *log = NULL;
    size_t length = 0;
    if (err == NULL || !file_read(place->log, LOG_LIMIT, &log, &length, NULL) || length == 0)
        return;
    while (length > 0 && log[length - 1] == '\n')
        log[--length] = '\0';
    const char *tail = length > LOG_TAIL_BYTES ? log + length - LOG_TAIL_BYTES : log;
    error_append(err, "; the end of %s:\n%s", place->log, tail);
}

static bool prepare_files(const struct engine_place *place, struct error *err) {
    autofree_string char *older = memory_format("%s.1", place->log);
    if (rename(place->log, older) != 0 && errno != ENOENT)
        return error_set_errno(err, "cannot rename %s", place->log);
    // Without a file of its own dockerd would read /etc/docker/daemon.json, the user's.
    return file_write_atomic(place->configuration, "{}\n", 3, 0600, err);
}

static bool spawn(const struct engine_place *place, pid_t *ret_pid, struct error *err) {
    autofree_string char *program = engine_spawn_lookup("dockerd");
    if (program == NULL)
        return error_set(err, ERROR_UNAVAILABLE, ENOENT, "dockerd is not installed: %s",
                         installation);
    autofree_string char *cgroup = memory_format("/%s", place->cgroup);
    char pool[ADDRESS_POOL_SIZE];
    address_pool_choose("/proc/net/route", pool);
    autofree_string char *pool_option = memory_format("base=%s,size=24", pool);
    const char *const arguments[] = {
        "dockerd", "--data-root", place->data_root, "--exec-root", place->exec_root, "--pidfile",
        place->pid_file, "--config-file", place->configuration, "--host", place->host, "--group",
        "0", // the socket is root's alone
        "--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-masq=false",
        "--ip-forward=false", "--default-address-pool", pool_option,
        // Not systemd's: the groups are then ours to find and to remove.
        "--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", cgroup,
        "--shutdown-timeout", "1", "--log-level", "warn", NULL};
    return engine_spawn(program, arguments, place->log, ret_pid, err);
}

struct starting {
    const struct engine_place *place;
    pid_t pid;
};

static bool answers(void *context, struct error *err) {
    const struct starting *starting = context;
    return engine_daemon_answers(starting->place, err);
}

static bool has_died(void *context, struct error *err) {
    const struct starting *starting = context;
    if (engine_process_judge(starting->place, starting->pid) != ENGINE_PROCESS_NONE)
        return false;
    error_set(err, ERROR_UNAVAILABLE, 0, "dockerd ended by itself");
    return true;
}

bool engine_daemon_start(const struct engine_place *place, const struct cancel *cancel,
                         struct error *err) {
    struct starting starting = {.place = place};
    if (!engine_daemon_possible(err) || !engine_remains_clear(place, err) ||
        !prepare_files(place, err) || !spawn(place, &starting.pid, err))
        return error_prefix(err, "cannot start a private Docker engine");
    if (eventually(deadline_in_ms(READY_DEADLINE_MS), answers, &starting, err, .interval_ms = 10,
                   .cancel = cancel, .hopeless = has_died))
        return true;
    const bool cancelled = err != NULL && err->domain == ERROR_CANCELLED;
    if (!cancelled) {
        append_log(place, err);
        error_prefix(err, "the private Docker engine did not start");
    }
    if (err != NULL && err->domain == ERROR_TIMEOUT)
        err->domain = ERROR_UNAVAILABLE;
    struct error ignored;
    (void)!engine_daemon_stop(place, &ignored);
    return false;
}

// Since its containerd ends last, a dockerd without one has saved everything; it would only wait
// for a connection to time out (a second and more).
static bool has_finished(void *context, struct error *err) {
    const struct starting *stopping = context;
    pid_t containerd = 0;
    if (engine_process_judge(stopping->place, stopping->pid) == ENGINE_PROCESS_NONE)
        return true;
    if (!engine_process_find(stopping->place, ENGINE_PROCESS_CONTAINERD, &containerd, err))
        return false;
    if (containerd == 0)
        return true;
    return error_set(err, ERROR_TIMEOUT, 0, "dockerd (pid %d) has not ended", (int)stopping->pid);
}

bool engine_daemon_stop(const struct engine_place *place, struct error *err) {
    struct starting stopping = {.place = place};
    if (!engine_daemon_find(place, &stopping.pid, err))
        return false;
    autodone(string_list) struct string_list bridges = {0};
    if (stopping.pid != 0) {
        engine_bridges_list(place, &bridges);
        kill(stopping.pid, SIGTERM);
        // What does not end by itself is killed by engine_remains_clear.
        struct error ignored;
        (void)!eventually(deadline_in_ms(STOP_DEADLINE_MS), has_finished, &stopping, &ignored,
                          .interval_ms = 10);
    }
    return engine_remains_clear(place, err) && engine_bridges_remove(&bridges, err);
}
