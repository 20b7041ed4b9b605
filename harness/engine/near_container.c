#define _GNU_SOURCE
#include "engine/near_container.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "engine/container.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_S 10
#define CGROUP_LIMIT ((size_t)64 * 1024)

// Of the container's first process, as the engine knows it; 0: it has none.
static json_int_t process_of(struct engine *engine, const char *container) {
    json_t *facts = NULL;
    if (!container_inspect(engine, container, &facts, NULL))
        return 0;
    const json_t *state = json_object_get(facts, "State");
    const json_int_t process = json_integer_value(json_object_get(state, "Pid"));
    json_decref(facts);
    return process;
}

static bool is_of_container(json_int_t process, const char *container) {
    autofree_string char *path = memory_format("/proc/%" JSON_INTEGER_FORMAT "/cgroup", process);
    autofree_string char *groups = NULL;
    size_t length = 0;
    return file_read(path, CGROUP_LIMIT, &groups, &length, NULL) &&
           strstr(groups, container) != NULL;
}

static int open_network(const char *process) {
    autofree_string char *path = memory_format("/proc/%s/ns/net", process);
    return open(path, O_RDONLY | O_CLOEXEC);
}

// A socket belongs to the network in which it was made, wherever its owner is later.
static int socket_in(int network) {
    autoclose_fd int own = open_network("thread-self");
    if (own < 0 || setns(network, CLONE_NEWNET) != 0)
        return -1;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (setns(own, CLONE_NEWNET) != 0 && fd >= 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool connect_to(int fd, uint16_t port) {
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
}

int near_container_connect(struct engine *engine, const char *container, uint16_t port) {
    if (geteuid() != 0)
        return -1;
    const json_int_t process = process_of(engine, container);
    autofree_string char *name = memory_format("%" JSON_INTEGER_FORMAT, process);
    autoclose_fd int network = process > 0 ? open_network(name) : -1;
    // Asked after it was opened: a number that was given anew meanwhile is another container's.
    if (network < 0 || !is_of_container(process, container))
        return -1;
    const int fd = socket_in(network);
    if (fd < 0 || connect_to(fd, port))
        return fd;
    close(fd);
    return -1;
}
