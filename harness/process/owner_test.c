#define _GNU_SOURCE
#include "process/owner.h"

#include "base/clock.h"
#include "base/eventually.h"
#include "process/child.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct owner here(void) {
    struct owner self;
    struct error err;
    cr_assert(owner_self(&self, &err), "%s", err.message);
    return self;
}

// A process that does nothing until it is killed, and its owner.
static pid_t start_idle(struct owner *ret_owner) {
    int ready[2];
    cr_assert_eq(pipe(ready), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        struct owner self;
        const bool known = owner_self(&self, NULL);
        if (!known || write(ready[1], &self, sizeof self) != (ssize_t)sizeof self)
            _exit(1);
        for (;;)
            pause();
    }
    cr_assert_eq(read(ready[0], ret_owner, sizeof *ret_owner), (ssize_t)sizeof *ret_owner);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static bool is_zombie(void *context, struct error *err) {
    (void)err;
    siginfo_t end = {0};
    return waitid(P_PID, *(const id_t *)context, &end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           end.si_pid != 0;
}

Test(owner, of_this_process_is_alive) {
    const struct owner self = here();
    cr_expect_eq(self.pid, getpid());
    cr_expect_eq(owner_judge(&self), OWNER_ALIVE);
}

Test(owner, survives_being_written_and_read) {
    const struct owner self = here();
    char text[OWNER_TEXT_SIZE];
    owner_format(&self, text);
    struct owner parsed;
    struct error err;
    cr_assert(owner_parse(text, &parsed, &err), "%s: %s", text, err.message);
    cr_expect_str_eq(parsed.host, self.host);
    cr_expect_str_eq(parsed.boot_id, self.boot_id);
    cr_expect_str_eq(parsed.namespaces, self.namespaces);
    cr_expect_eq(parsed.pid, self.pid);
    cr_expect_eq(parsed.start_ticks, self.start_ticks);
    cr_expect_eq(owner_judge(&parsed), OWNER_ALIVE);
}

Test(owner, is_the_same_whatever_the_process_is_called) {
    const struct owner before = here();
    prctl(PR_SET_NAME, "a) Z 1 (b) (");
    const struct owner after = here();
    cr_expect_eq(after.start_ticks, before.start_ticks);
    cr_expect_eq(owner_judge(&before), OWNER_ALIVE);
}

Test(owner, of_a_living_child_is_alive_and_of_a_reaped_one_is_dead) {
    struct owner child;
    const pid_t pid = start_idle(&child);
    cr_expect_eq(owner_judge(&child), OWNER_ALIVE);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    cr_expect_eq(owner_judge(&child), OWNER_DEAD);
}

Test(owner, of_a_zombie_is_dead) {
    struct owner child;
    const pid_t pid = start_idle(&child);
    kill(pid, SIGKILL);
    struct error err;
    id_t id = (id_t)pid;
    cr_assert(eventually(deadline_in_ms(20000), is_zombie, &id, &err), "%s", err.message);
    cr_expect_eq(owner_judge(&child), OWNER_DEAD);
    waitpid(pid, NULL, 0);
}

Test(owner, whose_number_another_process_has_now_is_dead) {
    struct owner self = here();
    self.start_ticks--;
    cr_expect_eq(owner_judge(&self), OWNER_DEAD);
}

// Two owners that differ in one part, and what one must think of the other.
struct judgement {
    char host[20];
    char boot_id[40];
    char namespaces[28];
    enum owner_state expected;
};

ParameterizedTestParameters(owner, judges_strangers_by_what_can_be_proved) {
    static struct judgement table[] = {
        {"aaaa", "0-0", "initial", OWNER_DEAD},                  // an earlier boot of this host
        {"bbbb", "0-0", "initial", OWNER_UNKNOWN},               // another host
        {"aaaa", "0-0", "4026532201.4026531834", OWNER_UNKNOWN}, // a container, another boot
        {"aaaa", "1-1", "4026532201.4026531834", OWNER_UNKNOWN}, // a container, this boot
        {"bbbb", "1-1", "4026532201.4026531834", OWNER_UNKNOWN},
    };
    return cr_make_param_array(struct judgement, table, sizeof table / sizeof table[0]);
}

ParameterizedTest(struct judgement *row, owner, judges_strangers_by_what_can_be_proved) {
    const struct owner here = {.host = "aaaa", .boot_id = "1-1", .namespaces = "initial", .pid = 1};
    struct owner other = {.pid = 1};
    snprintf(other.host, sizeof other.host, "%s", row->host);
    snprintf(other.boot_id, sizeof other.boot_id, "%s", row->boot_id);
    snprintf(other.namespaces, sizeof other.namespaces, "%s", row->namespaces);
    cr_expect_eq(owner_judge_from(&other, &here), row->expected, "%s %s %s", row->host,
                 row->boot_id, row->namespaces);
}

Test(owner, of_the_same_container_is_judged_by_its_process_and_of_an_earlier_boot_never) {
    struct owner self = here();
    struct owner inside = self;
    snprintf(self.namespaces, sizeof self.namespaces, "4026532201.4026531834");
    snprintf(inside.namespaces, sizeof inside.namespaces, "4026532201.4026531834");
    cr_expect_eq(owner_judge_from(&inside, &self), OWNER_ALIVE);
    snprintf(inside.boot_id, sizeof inside.boot_id, "0-0");
    cr_expect_eq(owner_judge_from(&inside, &self), OWNER_UNKNOWN);
}

Test(owner, of_the_same_boot_is_known_again_although_the_host_was_renamed) {
    struct owner self = here();
    snprintf(self.host, sizeof self.host, "0123456789abcdef");
    cr_expect_eq(owner_judge(&self), OWNER_ALIVE);
}

Test(owner, text_that_is_not_an_owner_is_refused) {
    static const char *const wrong[] = {
        "",
        "/",
        "////",
        "ab/ab-1/initial/1",
        "ab/ab-1/initial/0/5",
        "ab/ab-1/initial/-1/5",
        "ab/ab-1/initial/ 1/5",
        "ab/ab-1/initial/1/5 ",
        "ab/ab-1/initial/1/",
        "ab/ab-1/initial/1/5/6",
        "ab/ab-1/initial/4294967296/5",
        "ab/ab-1/initial/1/99999999999999999999999",
        "ab/ab-1//1/5",
        "ab/AB-1/initial/1/5",
        "ab/ab-1/initial\n/1/5",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/ab-1/initial/1/5",
        NULL,
    };
    for (size_t i = 0; wrong[i] != NULL; i++) {
        struct owner parsed = {.pid = 77};
        struct error err = {0};
        cr_expect_not(owner_parse(wrong[i], &parsed, &err), "\"%s\" was taken", wrong[i]);
        cr_expect_eq(err.domain, ERROR_PROTOCOL);
        cr_expect_eq(parsed.pid, 77, "\"%s\" changed the result", wrong[i]);
    }
    struct owner parsed;
    cr_expect_not(owner_parse(NULL, &parsed, NULL));
}

Test(owner, longest_text_fits) {
    struct owner self = {.pid = INT32_MAX, .start_ticks = UINT64_MAX};
    memset(self.host, 'f', sizeof self.host - 1);
    memset(self.boot_id, 'a', sizeof self.boot_id - 1);
    memset(self.namespaces, '4', sizeof self.namespaces - 1);
    char text[OWNER_TEXT_SIZE];
    owner_format(&self, text);
    struct owner parsed;
    cr_expect(owner_parse(text, &parsed, NULL), "%s", text);
    cr_expect_eq(parsed.start_ticks, UINT64_MAX);
}

// Convention 4: what failed half way is freed like the rest.
Test(process, destructors_take_null) {
    child_end_done(NULL);
    child_free(NULL);
}
