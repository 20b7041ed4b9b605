#define _GNU_SOURCE
#include "image/build_lock.h"

#include "base/clock.h"
#include "base/eventually.h"
#include "image/image_test_ground.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(build_lock, .init = ground_set_up, .fini = ground_tear_down, .timeout = 120);

static void note_waiting(void *context) {
    *(int *)context += 1;
}

Test(build_lock, is_free_for_another_thing) {
    int first = -1;
    int second = -1;
    int waited = 0;
    cr_assert(build_lock_take("one", NULL, NULL, NULL, &first, NULL));
    cr_expect(build_lock_take("two", NULL, note_waiting, &waited, &second, NULL));
    cr_expect_eq(waited, 0);
}

static void *request_soon(void *cancel) {
    pause_ms(50, NULL);
    cancel_request(cancel);
    return NULL;
}

Test(build_lock, stops_waiting_when_the_user_interrupts) {
    struct cancel cancel;
    struct error err = {0};
    int held = -1;
    int second = -1;
    int waited = 0;
    cr_assert(cancel_init(&cancel, NULL) && build_lock_take("it", NULL, NULL, NULL, &held, NULL));
    pthread_t thread;
    cr_assert(pthread_create(&thread, NULL, request_soon, &cancel) == 0);
    cr_expect_not(build_lock_take("it", &cancel, note_waiting, &waited, &second, &err));
    cr_expect_eq(err.domain, ERROR_CANCELLED);
    cr_expect_eq(waited, 1, "the waiting was reported %d times", waited);
    pthread_join(thread, NULL);
}

// A child that holds the lock and says so with one byte.
static pid_t holder(int *ret_said) {
    int ends[2];
    cr_assert(pipe(ends) == 0);
    const pid_t child = fork();
    if (child == 0) {
        int lock = -1;
        if (build_lock_take("it", NULL, NULL, NULL, &lock, NULL) && write(ends[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    *ret_said = ends[0];
    return child;
}

Test(build_lock, is_let_go_by_a_process_that_is_killed) {
    int said = -1;
    const pid_t child = holder(&said);
    char byte;
    cr_assert(read(said, &byte, 1) == 1);
    cr_assert(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    int lock = -1;
    const struct deadline soon = deadline_in_ms(20000);
    cr_expect(build_lock_take("it", NULL, NULL, NULL, &lock, NULL));
    cr_expect_not(deadline_passed(soon));
}

struct two {
    int inside;
    int most;
    pthread_mutex_t lock;
};

static void *enter(void *context) {
    struct two *two = context;
    int lock = -1;
    if (!build_lock_take("it", NULL, NULL, NULL, &lock, NULL))
        return NULL;
    pthread_mutex_lock(&two->lock);
    two->inside++;
    two->most = two->inside > two->most ? two->inside : two->most;
    pthread_mutex_unlock(&two->lock);
    pause_ms(20, NULL);
    pthread_mutex_lock(&two->lock);
    two->inside--;
    pthread_mutex_unlock(&two->lock);
    close(lock);
    return NULL;
}

Test(build_lock, lets_in_one_at_a_time) {
    struct two two = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        cr_assert(pthread_create(&threads[i], NULL, enter, &two) == 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    cr_expect_eq(two.most, 1);
}
