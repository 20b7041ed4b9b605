#define _GNU_SOURCE
#include "command/proxy_fixture.h"

#include "command/program_fixture.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_un address_of(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", path);
    return address;
}

// false: nothing more comes from there, which the other side is told.
static bool pass_some(int from, int to) {
    char bytes[65536];
    const ssize_t length = read(from, bytes, sizeof bytes);
    for (ssize_t sent = 0, now = 0; sent < length; sent += now)
        if ((now = write(to, bytes + sent, (size_t)(length - sent))) <= 0)
            return false;
    if (length <= 0)
        shutdown(to, SHUT_WR);
    return length > 0;
}

_Noreturn static void pass_on(int client, const char *engine) {
    const struct sockaddr_un address = address_of(engine);
    const int server = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(server, (const struct sockaddr *)&address, sizeof address) != 0)
        _exit(1);
    struct pollfd ready[] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
    while (ready[0].fd >= 0 || ready[1].fd >= 0) {
        poll(ready, 2, -1);
        for (int i = 0; i < 2; i++)
            if (ready[i].fd >= 0 && ready[i].revents != 0 &&
                !pass_some(ready[i].fd, i == 0 ? server : client))
                ready[i].fd = -1;
    }
    _exit(0);
}

_Noreturn static void accept_all(int listener, const char *engine) {
    for (;;) {
        const int client = accept(listener, NULL, NULL);
        if (client >= 0 && fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            close(listener);
            pass_on(client, engine);
        }
        if (client >= 0)
            close(client);
    }
}

static int listen_at(const char *path) {
    const struct sockaddr_un address = address_of(path);
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(path);
    cr_assert_eq(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(listener, 64), 0);
    return listener;
}

void proxy_fixture_open(const char *host, struct proxy *ret_proxy) {
    static const char scheme[] = "unix://";
    if (strncmp(host, scheme, strlen(scheme)) != 0)
        cr_skip_test("the engine is not at a unix socket: %s", host);
    snprintf(ret_proxy->host, sizeof ret_proxy->host, "unix://%s/engine.sock", program_folder());
    const int listener = listen_at(ret_proxy->host + strlen(scheme));
    ret_proxy->group = fork();
    if (ret_proxy->group == 0) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGCHLD, SIG_IGN);
        accept_all(listener, host + strlen(scheme));
    }
    setpgid(ret_proxy->group, ret_proxy->group);
    close(listener);
}

void proxy_fixture_signal(const struct proxy *self, int signal) {
    cr_assert_eq(kill(-self->group, signal), 0);
}

void proxy_fixture_close(struct proxy *self) {
    if (self->group > 0) {
        kill(-self->group, SIGKILL);
        waitpid(self->group, NULL, 0);
    }
    self->group = 0;
}
