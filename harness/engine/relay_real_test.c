#define _GNU_SOURCE
#include "engine/relay.h"

#include "base/eventually.h"
#include "base/memory.h"
#include "engine/logs.h"
#include "engine/real_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

REAL_SUITE(relay_real);

#define PORT 7007
#define MOST_BYTES ((size_t)3 * MEBIBYTE)

// Answers each connection with what it got, in capitals; "bye" ends the connection from there.
// Says so when it reaps a process that a signal has killed: none of its own is.
static const char SERVER[] =
    "exec perl -e 'use IO::Socket::INET; $| = 1; $SIG{CHLD} = sub { "
    "while (waitpid(-1, 1) > 0) { print \"reaped a killed one\\n\" if $? & 127 } }; "
    "my $s = IO::Socket::INET->new(LocalAddr => \"127.0.0.1\", LocalPort => 7007, Listen => 50, "
    "ReuseAddr => 1) or die; print \"up\\n\"; while (1) { my $c = $s->accept() or next; "
    "next if fork; while (sysread($c, my $b, 65536)) { last if $b =~ /^bye/; $b = uc $b; "
    "my $o = 0; while ($o < length $b) { $o += syswrite($c, $b, length($b) - $o, $o) } } exit }'";

static struct relay *relay;
static bool by_engine;

// Both ways of a relay do the same.
#define BOTH_WAYS(name)                  \
    static void name(void);              \
    Test(relay_real, name##_by_engine) { \
        by_engine = true;                \
        name();                          \
    }                                    \
    Test(relay_real, name) {             \
        name();                          \
    }                                    \
    static void name(void)

static void open_relay(uint16_t port) {
    const char *container = start(SERVER, NULL);
    if (strcmp(run_in(container, "command -v bash >/dev/null && perl -MIO::Socket::INET -e "
                                 "'print 1' 2>/dev/null"),
               "1") != 0)
        cr_skip_test("%s has no bash or no perl", real_image());
    must(relay_open(test.engine, container, port, test.folder, &relay, &test.err,
                    .by_engine = by_engine));
}

static int join(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", relay_path(relay));
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    const struct timeval patience = {.tv_sec = 20};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

// As many bytes as asked for, fewer when the other side hangs up; -1: silence.
static ssize_t take(int fd, char *buffer, size_t size) {
    size_t length = 0;
    while (length < size) {
        const ssize_t got = recv(fd, buffer + length, size - length, 0);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    return (ssize_t)length;
}

static bool answers(void *context, struct error *err) {
    char answer[3] = "";
    const int fd = join();
    const bool heard = send(fd, "abc", 3, MSG_NOSIGNAL) == 3 && take(fd, answer, 3) == 3 &&
                       memcmp(answer, "ABC", 3) == 0;
    close(fd);
    (void)context;
    return heard || error_set(err, ERROR_UNAVAILABLE, 0, "no answer");
}

static void wait_for_answer(void) {
    must(eventually(deadline_in_ms(20000), answers, NULL, &test.err));
}

BOTH_WAYS(passes_megabytes_in_both_directions_at_once) {
    open_relay(PORT);
    wait_for_answer();
    char *bytes = memory_new(MOST_BYTES, 1), *back = memory_new(MOST_BYTES, 1);
    for (size_t i = 0; i < MOST_BYTES; i++)
        bytes[i] = (char)(i * 2654435761u >> 13);
    bytes[0] = 'x';
    const int fd = join();
    const pid_t writer = fork();
    if (writer == 0) {
        size_t sent = 0;
        ssize_t length;
        while (sent < MOST_BYTES &&
               (length = send(fd, bytes + sent, MOST_BYTES - sent, MSG_NOSIGNAL)) > 0)
            sent += (size_t)length;
        _exit(0);
    }
    cr_expect_eq(take(fd, back, MOST_BYTES), (ssize_t)MOST_BYTES);
    for (size_t i = 0; i < MOST_BYTES; i++)
        if (bytes[i] >= 'a' && bytes[i] <= 'z')
            bytes[i] = (char)(bytes[i] - 'a' + 'A');
    cr_expect(memcmp(bytes, back, MOST_BYTES) == 0);
    close(fd);
    relay_close(relay);
}

BOTH_WAYS(hangs_up_when_the_server_does) {
    open_relay(PORT);
    wait_for_answer();
    char answer[8];
    const int fd = join();
    cr_assert_eq(send(fd, "bye", 3, MSG_NOSIGNAL), 3);
    cr_expect_eq(take(fd, answer, sizeof answer), 0);
    close(fd);
    relay_close(relay);
}

BOTH_WAYS(a_port_where_nobody_listens_hangs_up_and_says_why) {
    open_relay(PORT + 1);
    char answer[8], said[512];
    const int fd = join();
    cr_expect_eq(take(fd, answer, sizeof answer), 0);
    close(fd);
    cr_expect(strstr(relay_problem(relay, said, sizeof said), "refused") != NULL, "%s", said);
    relay_close(relay);
}

BOTH_WAYS(hangs_up_on_who_is_there_and_on_who_comes) {
    open_relay(PORT);
    wait_for_answer();
    char answer[3];
    const int fd = join();
    cr_expect_eq(send(fd, "abc", 3, MSG_NOSIGNAL), 3);
    cr_expect_eq(take(fd, answer, 3), 3);
    relay_hang_up(relay);
    cr_expect_eq(take(fd, answer, 3), 0);
    close(fd);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", relay_path(relay));
    const int late = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_expect_neq(connect(late, (const struct sockaddr *)&address, sizeof address), 0);
    close(late);
    relay_close(relay);
}

static void expect_hung_up_on(const char *why) {
    char answer[8], said[512];
    const int fd = join();
    while (take(fd, answer, sizeof answer) ==
           sizeof answer) { // the engine's own words come this way
    }
    close(fd);
    cr_expect(strstr(relay_problem(relay, said, sizeof said), why) != NULL, "%s", said);
    relay_close(relay);
}

Test(relay_real, a_container_that_has_no_bash_is_said_to_have_none) {
    const char *container = start("rm -f /bin/bash /usr/bin/bash; echo up; sleep 600", NULL);
    while (strcmp(run_in(container, "command -v bash >/dev/null || printf gone"), "gone") != 0)
        pause_ms(20, NULL);
    must(relay_open(test.engine, container, PORT, test.folder, &relay, &test.err,
                    .by_engine = true));
    expect_hung_up_on("has no bash");
}

Test(relay_real, a_container_that_is_gone_is_named_by_the_engine) {
    must(relay_open(test.engine, "assay-nobody", PORT, test.folder, &relay, &test.err));
    expect_hung_up_on("No such container: assay-nobody");
}

BOTH_WAYS(serves_more_than_it_can_at_once_one_after_the_other) {
    open_relay(PORT);
    wait_for_answer();
    for (int i = 0; i < RELAY_CONNECTIONS + 4; i++)
        cr_expect(answers(NULL, &test.err));
    int several[RELAY_CONNECTIONS];
    char answer[3];
    for (size_t i = 0; i < RELAY_CONNECTIONS; i++)
        several[i] = join();
    for (size_t i = 0; i < RELAY_CONNECTIONS; i++) {
        cr_expect_eq(send(several[i], "abc", 3, MSG_NOSIGNAL), 3);
        cr_expect_eq(take(several[i], answer, 3), 3);
    }
    relay_close(relay); // hangs up on all of them
    for (size_t i = 0; i < RELAY_CONNECTIONS; i++) {
        cr_expect_eq(take(several[i], answer, 3), 0);
        close(several[i]);
    }
}

// What runs in the container for it.
static long relay_processes(void) {
    return strtol(run_in(test.containers.items[0],
                         "grep -l '/dev/t[c]p' /proc/[0-9]*/cmdline 2>/dev/null | wc -l"),
                  NULL, 10);
}

static bool has_no_relay_left(void *context, struct error *err) {
    const long count = relay_processes();
    (void)context;
    return count == 0 || error_set(err, ERROR_TIMEOUT, 0, "%ld processes are left", count);
}

BOTH_WAYS(leaves_no_orphan_that_the_servers_own_process_would_reap) {
    open_relay(PORT);
    wait_for_answer();
    for (int i = 0; i < 5; i++) {
        char answer[3];
        const int fd = join();
        cr_expect_eq(send(fd, i % 2 == 0 ? "abc" : "bye", 3, MSG_NOSIGNAL), 3);
        cr_expect_geq(take(fd, answer, 3), 0);
        close(fd);
    }
    relay_close(relay);
    must(eventually(deadline_in_ms(10000), has_no_relay_left, NULL, &test.err));
    struct text said = {0};
    must(container_log_tail(test.engine, test.containers.items[0], 100, &said, &test.err));
    cr_expect(strstr(text_string(&said), "up") != NULL);
    cr_expect_null(strstr(text_string(&said), "reaped"), "%s", text_string(&said));
    text_done(&said);
}

Test(relay_real, needs_nothing_of_a_container_that_is_near) {
    open_relay(PORT);
    wait_for_answer();
    const int fd = join();
    char answer[3];
    cr_expect_eq(send(fd, "abc", 3, MSG_NOSIGNAL), 3);
    cr_expect_eq(take(fd, answer, 3), 3);
    if (geteuid() == 0)
        cr_expect_eq(relay_processes(), 0);
    close(fd);
    relay_close(relay);
    must(relay_open(test.engine, test.containers.items[0], PORT, test.folder, &relay, &test.err,
                    .by_engine = true));
    const int other = join();
    cr_expect_eq(send(other, "abc", 3, MSG_NOSIGNAL), 3);
    cr_expect_eq(take(other, answer, 3), 3);
    cr_expect_gt(relay_processes(), 0);
    close(other);
    relay_close(relay);
}

BOTH_WAYS(leaves_neither_a_socket_nor_a_process) {
    open_relay(PORT);
    wait_for_answer();
    const int fd = join();
    struct stat status;
    cr_expect_eq(lstat(relay_path(relay), &status), 0);
    char *path = memory_copy_string(relay_path(relay));
    char *folder = memory_copy_string(path);
    *strrchr(folder, '/') = '\0';
    cr_expect_eq(lstat(folder, &status), 0);
    cr_expect_eq(status.st_mode & 0777, 0700);
    relay_close(relay);
    close(fd);
    cr_expect_neq(lstat(path, &status), 0);
    cr_expect_neq(lstat(folder, &status), 0);
    must(eventually(deadline_in_ms(10000), has_no_relay_left, NULL, &test.err));
}
