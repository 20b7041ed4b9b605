#define _GNU_SOURCE
#include "engine/pump.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MANY ((size_t)2 * 1024 * 1024) // more than sockets hold

// Two pairs: the tests' ends, and those that the pump is given.
struct ends {
    int ours[2];
    int pumped[2];
    pthread_t pumping;
};

static void *run_pump(void *context) {
    const struct ends *self = context;
    pump(self->pumped[0], self->pumped[1]);
    return NULL;
}

static void begin(struct ends *self) {
    for (int i = 0; i < 2; i++) {
        int pair[2];
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        self->ours[i] = pair[0];
        self->pumped[i] = pair[1];
    }
    cr_assert_eq(pthread_create(&self->pumping, NULL, run_pump, self), 0);
}

static void end(struct ends *self) {
    pthread_join(self->pumping, NULL);
    for (int i = 0; i < 2; i++) {
        close(self->pumped[i]);
        close(self->ours[i]);
    }
}

static void expect_heard(int fd, const char *words) {
    char heard[64] = "";
    cr_expect_eq(recv(fd, heard, strlen(words), MSG_WAITALL), (ssize_t)strlen(words));
    cr_expect_str_eq(heard, words);
}

struct speech {
    int fd;
    char *bytes;
};

static void *speak(void *context) {
    const struct speech *self = context;
    cr_expect_eq(send(self->fd, self->bytes, MANY, MSG_NOSIGNAL), (ssize_t)MANY);
    return NULL;
}

Test(pump, both_sides_hear_all_that_the_other_says_at_once) {
    struct ends ends;
    struct speech speeches[2];
    pthread_t speakers[2];
    char *heard = memory_new(MANY, 1);
    begin(&ends);
    for (int i = 0; i < 2; i++) {
        speeches[i] = (struct speech){ends.ours[i], memory_new(MANY, 1)};
        for (size_t at = 0; at < MANY; at++)
            speeches[i].bytes[at] = (char)((at + (size_t)i) * 2654435761u >> 13);
        cr_assert_eq(pthread_create(&speakers[i], NULL, speak, &speeches[i]), 0);
    }
    for (int i = 0; i < 2; i++) { // the second waits until the first was heard to its end
        cr_expect_eq(recv(ends.ours[1 - i], heard, MANY, MSG_WAITALL), (ssize_t)MANY);
        cr_expect_eq(memcmp(heard, speeches[i].bytes, MANY), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(speakers[i], NULL);
        free(speeches[i].bytes);
    }
    shutdown(ends.ours[0], SHUT_RDWR);
    end(&ends);
    free(heard);
}

Test(pump, what_was_said_before_the_end_is_heard) {
    for (int i = 0; i < 2; i++) {
        struct ends ends;
        begin(&ends);
        cr_assert_eq(send(ends.ours[i], "last words", 10, MSG_NOSIGNAL), 10);
        shutdown(ends.ours[i], SHUT_WR);
        expect_heard(ends.ours[1 - i], "last words");
        end(&ends);
    }
}

Test(pump, ends_when_who_is_spoken_to_is_gone) {
    struct ends ends;
    begin(&ends);
    cr_assert_eq(send(ends.ours[0], "hello", 5, MSG_NOSIGNAL), 5);
    expect_heard(ends.ours[1], "hello");
    shutdown(ends.ours[1], SHUT_RDWR);
    end(&ends);
}

// As a relay is closed: from the pumped side.
Test(pump, ends_when_it_is_hung_up_on) {
    struct ends ends;
    begin(&ends);
    shutdown(ends.pumped[0], SHUT_RDWR);
    end(&ends);
}
