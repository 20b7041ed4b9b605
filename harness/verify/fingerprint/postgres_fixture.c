#define _GNU_SOURCE
#include "verify/fingerprint/postgres_fixture.h"

#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/string_list.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

// The server's programs refuse to run as root.
static void become(const struct passwd *user) {
    if (geteuid() == 0 &&
        (setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
        _exit(126);
}

static pid_t spawn(const struct postgres_server *self, const struct passwd *user,
                   const char *const *arguments) {
    autodone(string_list) struct string_list argv = {0};
    for (; *arguments != NULL; arguments++)
        string_list_add(&argv, *arguments);
    const pid_t parent = getpid(), child = fork();
    if (child != 0)
        return child;
    autofree_string char *log = path_join(self->folder, "log");
    become(user);
    prctl(PR_SET_PDEATHSIG, SIGQUIT); // after the change of user, which clears it
    const int output = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (getppid() != parent || dup2(output, 1) < 0 || dup2(output, 2) < 0 ||
        chdir(self->folder) != 0)
        _exit(126);
    execv(argv.items[0], argv.items);
    _exit(127);
}

static bool initialise(const struct postgres_server *self, const struct passwd *user,
                       char *programs, struct error *err) {
    autofree_string char *program = path_join(programs, "initdb");
    autofree_string char *data = path_join(self->folder, "data");
    const char *const argv[] = {program, "-D", data, "-U",   "postgres",   "-A",
                                "trust", "-N", "-E", "UTF8", "--locale=C", NULL};
    int status = -1;
    const pid_t child = spawn(self, user, argv);
    return (child > 0 && waitpid(child, &status, 0) == child && status == 0) ||
           error_set(err, ERROR_SYSTEM, 0, "initdb failed: see %s/log", self->folder);
}

static uint16_t free_port(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 &&
                       getsockname(fd, (struct sockaddr *)&address, &size) == 0;
    close(fd);
    return bound ? ntohs(address.sin_port) : 0;
}

static bool answers(void *context, struct error *err) {
    const struct postgres_server *self = context;
    struct postgres *postgres = NULL;
    if (!postgres_open(&self->endpoint, &postgres, err))
        return false;
    postgres_close(postgres);
    return true;
}

static bool serve(struct postgres_server *self, const struct passwd *user, char *programs,
                  struct error *err) {
    autofree_string char *program = path_join(programs, "postgres");
    autofree_string char *data = path_join(self->folder, "data");
    self->endpoint = (struct endpoint){.service = "postgres",
                                       .host = "127.0.0.1",
                                       .port = free_port(),
                                       .user = "postgres",
                                       .database = "postgres"};
    autofree_string char *port = memory_format("%u", (unsigned)self->endpoint.port);
    const char *const argv[] = {program, "-D",
                                data,    "-p",
                                port,    "-F",
                                "-h",    "127.0.0.1",
                                "-c",    "unix_socket_directories=",
                                "-c",    "shared_buffers=16MB",
                                NULL};
    self->pid = spawn(self, user, argv);
    return eventually(deadline_in_ms(60000), answers, self, err, .interval_ms = 20);
}

bool postgres_server_start(struct postgres_server *self, struct error *err) {
    const char *place = getenv("TMPDIR");
    const struct passwd *user = getpwnam("postgres");
    glob_t found = {0};
    if (user == NULL || glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) != 0 ||
        found.gl_pathc == 0)
        return error_set(err, ERROR_UNAVAILABLE, 0, "this machine has no PostgreSQL");
    self->folder = memory_format("%s/assay-postgres-XXXXXX", place != NULL ? place : "/tmp");
    const bool made = mkdtemp(self->folder) != NULL;
    const bool owned = made && (geteuid() != 0 || chown(self->folder, user->pw_uid, -1) == 0);
    const bool started = (owned || error_set_errno(err, "cannot make %s", self->folder)) &&
                         initialise(self, user, found.gl_pathv[found.gl_pathc - 1], err) &&
                         serve(self, user, found.gl_pathv[found.gl_pathc - 1], err);
    globfree(&found);
    return started;
}

void postgres_server_stop(struct postgres_server *self) {
    if (self->pid > 0) {
        kill(self->pid, SIGQUIT); // nothing of it is kept
        waitpid(self->pid, NULL, 0);
    }
    if (self->folder != NULL)
        (void)!file_remove_tree(self->folder, NULL);
    free(self->folder);
    *self = (struct postgres_server){0};
}
