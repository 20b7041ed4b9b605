#define _GNU_SOURCE
#include "process/owner.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROC_FILE_LIMIT ((size_t)64 * 1024)

// Inode numbers of the namespaces that exist from boot on: fixed in the kernel's
// include/linux/proc_ns.h (PROC_PID_INIT_INO, PROC_TIME_INIT_INO).
#define INITIAL_PID_NAMESPACE "4026531836"
#define INITIAL_TIME_NAMESPACE "4026531834"
#define INITIAL "initial"

// The first line of a small file in /proc or /etc; false when it cannot be read or does not fit.
static bool read_line(const char *path, char *line, size_t size, struct error *err) {
    autofree_string char *bytes = NULL;
    if (!file_read(path, PROC_FILE_LIMIT, &bytes, NULL, err))
        return false;
    const size_t length = strcspn(bytes, "\n");
    if (length == 0 || length >= size)
        return error_set(err, ERROR_SYSTEM, EINVAL, "%s does not hold what it should", path);
    memcpy(line, bytes, length);
    line[length] = '\0';
    return true;
}

// machine-id(5): the id is confidential; what leaves the host is a keyed hash.
static bool host_identity(char host[20], struct error *err) {
    static const char key[] = "assay host identity";
    char machine_id[64] = "";
    char name[HOST_NAME_MAX + 1] = "";
    struct error problem = {0};
    // Not everywhere (ENOENT), or empty (EINVAL): the host name alone must do. That it cannot be
    // read now would make us another host's, whose runs nobody here may sweep.
    if (!read_line("/etc/machine-id", machine_id, sizeof machine_id, &problem) &&
        problem.code != ENOENT && problem.code != EINVAL && problem.code != EACCES) {
        if (err != NULL)
            *err = problem;
        return false;
    }
    gethostname(name, sizeof name - 1);
    unsigned char hash[crypto_generichash_BYTES_MIN];
    crypto_generichash_state state;
    crypto_generichash_init(&state, (const unsigned char *)key, sizeof key, sizeof hash);
    crypto_generichash_update(&state, (const unsigned char *)machine_id, sizeof machine_id);
    crypto_generichash_update(&state, (const unsigned char *)name, strlen(name));
    crypto_generichash_final(&state, hash, sizeof hash);
    sodium_bin2hex(host, 17, hash, 8);
    return true;
}

// The number in a link such as "pid:[4026531836]", or `initial` where the kernel has no such
// namespace. Any other failure is one: taken for initial, a container would pass for the host.
static bool namespace_number(const char *path, const char *initial, char number[12],
                             struct error *err) {
    char link[64] = "";
    if (readlink(path, link, sizeof link - 1) < 0 && errno != ENOENT)
        return error_set_errno(err, "cannot read %s", path);
    const char *bracket = strchr(link, '[');
    const size_t digits = bracket != NULL ? strspn(bracket + 1, "0123456789") : 0;
    snprintf(number, 12, "%.*s", digits > 0 ? (int)digits : 11, digits > 0 ? bracket + 1 : initial);
    return true;
}

static bool own_namespaces(char namespaces[28], struct error *err) {
    char pid_namespace[12];
    char time_namespace[12];
    if (!namespace_number("/proc/self/ns/pid", INITIAL_PID_NAMESPACE, pid_namespace, err) ||
        !namespace_number("/proc/self/ns/time", INITIAL_TIME_NAMESPACE, time_namespace, err))
        return false;
    if (strcmp(pid_namespace, INITIAL_PID_NAMESPACE) == 0 &&
        strcmp(time_namespace, INITIAL_TIME_NAMESPACE) == 0)
        snprintf(namespaces, 28, INITIAL);
    else
        snprintf(namespaces, 28, "%s.%s", pid_namespace, time_namespace);
    return true;
}

// From /proc/PID/stat: "pid (comm) state ppid …". comm may hold blanks and parentheses, so fields
// are counted from the last one.
static bool read_process(pid_t pid, char *ret_state, uint64_t *ret_start_ticks, struct error *err) {
    char path[48];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    char line[1024];
    if (!read_line(path, line, sizeof line, err))
        return false;
    const char *field = strrchr(line, ')');
    char state = '\0';
    uint64_t ticks = 0;
    // Fields 3 (state) and, 18 fields further on, 22 (starttime).
    const bool found = field != NULL && sscanf(field + 1,
                                               " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                                               "%*s %*s %*s %*s %*s %*s %*s %" SCNu64,
                                               &state, &ticks) == 2;
    if (!found)
        return error_set(err, ERROR_SYSTEM, EINVAL, "%s has an unknown form", path);
    *ret_state = state;
    *ret_start_ticks = ticks;
    return true;
}

bool owner_self(struct owner *ret_owner, struct error *err) {
    struct owner self = {.pid = getpid()};
    char state;
    if (!read_line("/proc/sys/kernel/random/boot_id", self.boot_id, sizeof self.boot_id, err) ||
        !read_process(self.pid, &state, &self.start_ticks, err) || !host_identity(self.host, err) ||
        !own_namespaces(self.namespaces, err))
        return error_prefix(err, "cannot tell who owns this run");
    *ret_owner = self;
    return true;
}

void owner_format(const struct owner *self, char text[OWNER_TEXT_SIZE]) {
    snprintf(text, OWNER_TEXT_SIZE, "%s/%s/%s/%d/%" PRIu64, self->host, self->boot_id,
             self->namespaces, (int)self->pid, self->start_ticks);
}

// Copies the part before the next '/', which must be `allowed` characters only; returns what
// follows the '/', or NULL.
static const char *parse_word(const char *text, const char *allowed, char *word, size_t size) {
    const size_t length = text != NULL ? strspn(text, allowed) : 0;
    if (length == 0 || length >= size || text[length] != '/')
        return NULL;
    memcpy(word, text, length);
    word[length] = '\0';
    return text + length + 1;
}

static bool parse_number(const char *text, char end, uint64_t limit, uint64_t *ret_number,
                         const char **ret_rest) {
    if (text == NULL || *text < '0' || *text > '9')
        return false;
    char *rest;
    errno = 0;
    const unsigned long long number = strtoull(text, &rest, 10);
    if (errno != 0 || *rest != end || number > limit)
        return false;
    *ret_number = number;
    *ret_rest = end == '\0' ? rest : rest + 1;
    return true;
}

bool owner_parse(const char *text, struct owner *ret_owner, struct error *err) {
    static const char hex[] = "0123456789abcdef";
    static const char hex_or_dash[] = "0123456789abcdef-";
    static const char number_or_initial[] = "0123456789.initial";
    struct owner self = {0};
    const char *rest = parse_word(text, hex, self.host, sizeof self.host);
    rest = parse_word(rest, hex_or_dash, self.boot_id, sizeof self.boot_id);
    rest = parse_word(rest, number_or_initial, self.namespaces, sizeof self.namespaces);
    uint64_t pid = 0;
    if (!parse_number(rest, '/', INT_MAX, &pid, &rest) || pid == 0 ||
        !parse_number(rest, '\0', UINT64_MAX, &self.start_ticks, &rest))
        return error_set(err, ERROR_PROTOCOL, 0, "\"%.150s\" does not name the owner of a run",
                         text != NULL ? text : "");
    self.pid = (pid_t)pid;
    *ret_owner = self;
    return true;
}

static enum owner_state judge_process(const struct owner *self) {
    char state;
    uint64_t start_ticks;
    // Not being in /proc proves nothing: hidepid= hides other users' living processes.
    if (!read_process(self->pid, &state, &start_ticks, NULL))
        return kill(self->pid, 0) != 0 && errno == ESRCH ? OWNER_DEAD : OWNER_UNKNOWN;
    const bool is_zombie = state == 'Z' || state == 'X';
    return start_ticks != self->start_ticks || is_zombie ? OWNER_DEAD : OWNER_ALIVE;
}

enum owner_state owner_judge_from(const struct owner *self, const struct owner *here) {
    const bool same_namespaces = strcmp(self->namespaces, here->namespaces) == 0;
    if (strcmp(self->boot_id, here->boot_id) == 0)
        return same_namespaces ? judge_process(self) : OWNER_UNKNOWN;
    const bool same_host = strcmp(self->host, here->host) == 0;
    const bool outside_containers = same_namespaces && strcmp(self->namespaces, INITIAL) == 0;
    return same_host && outside_containers ? OWNER_DEAD : OWNER_UNKNOWN;
}

enum owner_state owner_judge(const struct owner *self) {
    struct owner here;
    return owner_self(&here, NULL) ? owner_judge_from(self, &here) : OWNER_UNKNOWN;
}
