#define _GNU_SOURCE
#include "engine/relay.h"

#include "base/file.h"
#include "base/memory.h"
#include "engine/exec.h"
#include "engine/near_container.h"
#include "engine/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LONGEST_MS (24 * 60 * 60 * 1000)

// Ends when either side has. A background command has its own standard input, hence 4. It waits for
// both before it ends: an orphan that was killed would be reaped by the container's first process,
// and PostgreSQL takes that for the crash of one of its own and throws everybody out.
static const char SCRIPT[] = "exec 3<>\"/dev/tcp/127.0.0.1/$0\" 4<&0 || exit 7; "
                             "cat <&3 & reader=$!; cat <&4 >&3 & writer=$!; "
                             "wait -n; kill $reader $writer 2>/dev/null; wait; exit 0";

struct connection {
    struct relay *relay;
    pthread_t thread;
    int fd;
    bool started; // to be joined
    bool ended;   // its thread has nothing more to do
};

struct relay {
    struct engine *engine;
    char *container;
    uint16_t port;
    bool by_engine;
    char *folder; // of the socket alone
    char *path;
    char *link; // to it
    int listener;
    int stop[2]; // a pipe: its closing ends the accepting
    pthread_t acceptor;
    bool accepting;
    pthread_mutex_t lock; // guards what follows
    struct connection connections[RELAY_CONNECTIONS];
    char problem[ERROR_MESSAGE_SIZE];
};

// ---- one connection

static ssize_t read_client(void *context, void *buffer, size_t size, struct error *err) {
    const struct connection *self = context;
    (void)err;
    ssize_t length;
    do
        length = recv(self->fd, buffer, size, 0);
    while (length < 0 && errno == EINTR);
    return length > 0 ? length : 0; // one that is gone has nothing more to say
}

struct talk {
    struct connection *connection;
    struct text complaint;
};

static bool pass_on(void *context, enum stream_source source, const char *bytes, size_t length) {
    struct talk *self = context;
    if (source == STREAM_STDERR) {
        text_append_bytes(&self->complaint, bytes, length);
        return true;
    }
    while (length > 0) {
        const ssize_t sent = send(self->connection->fd, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return false;
        if (sent > 0) {
            bytes += sent;
            length -= (size_t)sent;
        }
    }
    return true;
}

static void note_problem(struct relay *self, const char *problem) {
    pthread_mutex_lock(&self->lock);
    snprintf(self->problem, sizeof self->problem, "%s", problem);
    pthread_mutex_unlock(&self->lock);
}

static bool serve_nearby(struct connection *self) {
    const struct relay *relay = self->relay;
    if (relay->by_engine)
        return false;
    autoclose_fd int server = near_container_connect(relay->engine, relay->container, relay->port);
    if (server < 0)
        return false;
    pump(self->fd, server);
    return true;
}

static void serve_by_engine(struct connection *self) {
    struct relay *relay = self->relay;
    char port[8];
    snprintf(port, sizeof port, "%u", relay->port);
    struct talk talk = {.connection = self};
    text_init(&talk.complaint, 1024);
    const char *const argv[] = {"bash", "-c", SCRIPT, port, NULL};
    const struct exec_options options = {.argv = argv,
                                         .source = read_client,
                                         .source_context = self,
                                         .source_fd = &self->fd,
                                         .timeout_ms = LONGEST_MS,
                                         .sink = pass_on,
                                         .context = &talk};
    struct exec_result result = {0};
    struct error problem = {0};
    if (!exec_run(relay->engine, relay->container, &options, &result, &problem))
        note_problem(relay, problem.message);
    else if (result.exit_status == 126 || result.exit_status == 127)
        note_problem(relay, "the container has no bash, which a relay needs");
    else if (result.exit_status > 0)
        note_problem(relay, text_string(&talk.complaint));
    exec_result_done(&result);
    text_done(&talk.complaint);
}

static void *serve(void *context) {
    struct connection *self = context;
    struct relay *relay = self->relay;
    if (!serve_nearby(self))
        serve_by_engine(self);
    shutdown(self->fd, SHUT_RDWR); // the number stays taken until it is joined
    pthread_mutex_lock(&relay->lock);
    self->ended = true;
    pthread_mutex_unlock(&relay->lock);
    return NULL;
}

// ---- accepting

static void join(struct connection *self) {
    if (!self->started)
        return;
    pthread_join(self->thread, NULL);
    close(self->fd);
    *self = (struct connection){.fd = -1};
}

// NULL: all are taken.
static struct connection *free_connection(struct relay *self) {
    struct connection *found = NULL;
    for (size_t i = 0; i < RELAY_CONNECTIONS; i++) {
        struct connection *each = &self->connections[i];
        pthread_mutex_lock(&self->lock);
        const bool ended = each->ended;
        pthread_mutex_unlock(&self->lock);
        if (ended)
            join(each);
        if (!each->started)
            found = each;
    }
    return found;
}

static void accept_one(struct relay *self, struct connection *connection) {
    const int fd = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    *connection = (struct connection){.relay = self, .fd = fd};
    if (pthread_create(&connection->thread, NULL, serve, connection) == 0)
        connection->started = true;
    else
        close(fd);
}

static void *accept_all(void *context) {
    struct relay *self = context;
    for (;;) {
        struct connection *connection = free_connection(self);
        struct pollfd waited[] = {
            {.fd = self->stop[0], .events = POLLIN},
            {.fd = connection != NULL ? self->listener : -1, .events = POLLIN}};
        poll(waited, 2, connection != NULL ? -1 : 100); // one that ends wakes nobody
        if (waited[0].revents != 0)
            return NULL;
        if (waited[1].revents != 0)
            accept_one(self, connection);
    }
}

// ---- the relay

static bool listen_at(struct relay *self, struct error *err) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(self->path) >= sizeof address.sun_path)
        return error_set(err, ERROR_SYSTEM, ENAMETOOLONG, "%s is too long for a socket's name",
                         self->path);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", self->path);
    self->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return (self->listener >= 0 &&
            bind(self->listener, (const struct sockaddr *)&address, sizeof address) == 0 &&
            listen(self->listener, RELAY_CONNECTIONS) == 0) ||
           error_set_errno(err, "cannot listen at %s", self->path);
}

static struct relay *relay_new(struct engine *engine, const char *container, uint16_t port,
                               const char *folder) {
    struct relay *self = memory_new(1, sizeof *self);
    self->engine = engine;
    self->container = memory_copy_string(container);
    self->port = port;
    uint32_t number = 0;
    (void)!getrandom(&number, sizeof number, 0);
    self->folder = memory_format("%s/relay-%08x", folder, number);
    self->listener = self->stop[0] = self->stop[1] = -1;
    for (size_t i = 0; i < RELAY_CONNECTIONS; i++)
        self->connections[i].fd = -1;
    pthread_mutex_init(&self->lock, NULL);
    return self;
}

bool relay_open_with(struct engine *engine, const char *container, uint16_t port,
                     const char *folder, const struct relay_options *options,
                     struct relay **ret_relay, struct error *err) {
    autofree(relay) struct relay *self = relay_new(engine, container, port, folder);
    self->by_engine = options->by_engine;
    if (mkdir(self->folder, 0700) != 0) {
        error_set_errno(err, "cannot make %s", self->folder);
        free(TAKE(self->folder));
        return false;
    }
    self->path = path_join(self->folder, "server.sock");
    self->link = memory_format("%s/.s.PGSQL.%u", self->folder, self->port);
    if (symlink("server.sock", self->link) != 0)
        return error_set_errno(err, "cannot make %s", self->link);
    if (!listen_at(self, err))
        return false;
    if (pipe2(self->stop, O_CLOEXEC) != 0)
        return error_set_errno(err, "pipe2");
    const int failure = pthread_create(&self->acceptor, NULL, accept_all, self);
    if (failure != 0)
        return error_set(err, ERROR_SYSTEM, failure, "no thread for a relay: %s",
                         strerror(failure));
    self->accepting = true;
    *ret_relay = TAKE(self);
    return true;
}

static void close_fd(int fd) {
    if (fd >= 0)
        close(fd);
}

void relay_hang_up(struct relay *self) {
    if (self == NULL)
        return;
    close_fd(self->stop[1]);
    self->stop[1] = -1;
    if (self->accepting)
        pthread_join(self->acceptor, NULL);
    self->accepting = false;
    close_fd(self->listener);
    self->listener = -1;
    for (size_t i = 0; i < RELAY_CONNECTIONS; i++)
        if (self->connections[i].started)
            shutdown(self->connections[i].fd, SHUT_RDWR);
}

void relay_close(struct relay *self) {
    if (self == NULL)
        return;
    relay_hang_up(self);
    for (size_t i = 0; i < RELAY_CONNECTIONS; i++)
        join(&self->connections[i]);
    close_fd(self->stop[0]);
    if (self->path != NULL) {
        unlink(self->path);
        unlink(self->link);
    }
    if (self->folder != NULL)
        rmdir(self->folder);
    pthread_mutex_destroy(&self->lock);
    free(self->path);
    free(self->link);
    free(self->folder);
    free(self->container);
    free(self);
}

const char *relay_path(const struct relay *self) {
    return self->path;
}

const char *relay_problem(struct relay *self, char *buffer, size_t size) {
    pthread_mutex_lock(&self->lock);
    snprintf(buffer, size, "%s", self->problem);
    pthread_mutex_unlock(&self->lock);
    return buffer;
}

bool relay_explain(struct relay *self, struct error *err) {
    char said[ERROR_MESSAGE_SIZE];
    return relay_problem(self, said, sizeof said)[0] != '\0' ? error_prefix(err, "%s", said)
                                                             : false;
}
