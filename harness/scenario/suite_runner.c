#define _GNU_SOURCE
#include "scenario/suite_runner.h"

#include "base/file.h"
#include "base/memory.h"
#include "process/child.h"
#include "run/run_folder.h"
#include "scenario/recorder.h"
#include "scenario/suite_results.h"

#include <libgen.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_JOBS 4
#define DEFAULT_TESTS_AT_ONCE 4
#define DEFAULT_TIMEOUT_MS (10 * 60 * 1000)
#define LIST_TIMEOUT_MS 60000
#define LIST_LIMIT ((size_t)1024 * 1024)
#define RESULTS_LIMIT ((size_t)64 * 1024 * 1024)
#define OUTPUT_LIMIT ((size_t)32 * 1024)

extern char **environ;

// The name behind a branch of the tree; NULL: the line is no branch. Criterion draws it in ASCII
// where the locale is not UTF-8.
static const char *name_on_branch(const char *line) {
    static const char *const branches[] = {"── ", "|-- ", "`-- "};
    for (size_t i = 0; i < sizeof branches / sizeof *branches; i++) {
        const char *branch = strstr(line, branches[i]);
        if (branch != NULL)
            return branch + strlen(branches[i]);
    }
    return NULL;
}

// Criterion's list is a tree for people: "postgres: 12 tests" over "├── name" and "└── name".
static void read_list(const char *listing, struct string_list *ret_tests) {
    autofree_string char *copy = memory_copy_string(listing);
    autofree_string char *suite = NULL;
    char *rest = NULL;
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        const char *name = name_on_branch(line);
        char *colon = strstr(line, ": ");
        if (name != NULL && suite != NULL) {
            string_list_addf(ret_tests, "%s/%s", suite, name);
        } else if (colon != NULL) {
            *colon = '\0';
            free(suite);
            suite = memory_copy_string(line);
        }
    }
}

// Our own environment without what belongs to us: ASSAY_ variables of an outer run, and boxfort's
// mark of a Criterion test process, in which no other Criterion executable would start.
static void add_environment(struct string_list *environment) {
    for (char **variable = environ; *variable != NULL; variable++)
        if (strncmp(*variable, "ASSAY_", strlen("ASSAY_")) != 0 &&
            strncmp(*variable, "BXFI_", strlen("BXFI_")) != 0)
            string_list_add(environment, *variable);
}

bool suite_list(const char *path, struct string_list *ret_tests, struct error *err) {
    const char *const argv[] = {path, "--list", "--color=never", NULL};
    autodone(string_list) struct string_list environment = {0};
    add_environment(&environment);
    const struct child_options options = {.argv = argv,
                                          .environment = (const char *const *)environment.items,
                                          .output_limit = LIST_LIMIT,
                                          .dies_with_us = true};
    autofree(child) struct child *child = NULL;
    autodone(child_end) struct child_end end = {0};
    if (!child_spawn(&options, &child, err) ||
        !child_wait(child, deadline_in_ms(LIST_TIMEOUT_MS), NULL, &end, err))
        return error_prefix(err, "suite %s", path);
    if (end.timed_out || !end.exited || end.exit_status != 0)
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "%s does not list its tests%s: is it a Criterion executable?", path,
                         end.timed_out ? " in time" : "");
    const size_t before = ret_tests->count;
    read_list(text_string(&end.output), ret_tests);
    return ret_tests->count > before ||
           error_set(err, ERROR_CONFIGURATION, 0, "%s has no test", path);
}

// One suite of a run.
struct suite_task {
    const struct suite_runner *runner;
    const struct suite_job *job;
    pthread_mutex_t *progress_lock;
    char *results_path;
    size_t results_read; // bytes of the results file that were read
    size_t of_shard;     // tests that fall to it; 0: all that the suite plans
    struct suite_result result;
    struct suite_progress progress;
};

static void tell(struct suite_task *self, bool ended) {
    if (self->runner->progress == NULL)
        return;
    const struct tally tally = suite_tally(&self->result);
    pthread_mutex_lock(self->progress_lock);
    self->runner->progress(self->runner->context, self->result.name, &tally, self->progress.planned,
                           ended);
    pthread_mutex_unlock(self->progress_lock);
}

// Reads the lines that were added since the last time; a line still without its end waits.
static void read_new_results(struct suite_task *self) {
    autofree_string char *bytes = NULL;
    size_t length = 0;
    if (!file_exists(self->results_path) ||
        !file_read(self->results_path, RESULTS_LIMIT, &bytes, &length, NULL))
        return;
    const size_t before = self->results_read;
    const char *end = NULL;
    while (self->results_read < length &&
           (end = memchr(bytes + self->results_read, '\n', length - self->results_read)) != NULL) {
        const char *line = bytes + self->results_read;
        if (!suite_results_read_line(line, (size_t)(end - line), &self->result, &self->progress) &&
            self->result.failure == NULL)
            self->result.failure =
                memory_copy_string("its results file holds a line that is not a recorder's");
        self->results_read += (size_t)(end - line) + 1;
    }
    if (self->results_read > before)
        tell(self, false);
}

static void fill_environment(const struct suite_task *self, struct string_list *environment) {
    add_environment(environment);
    string_list_addf(environment, "%s=%s", RUN_RESULTS_VARIABLE, self->results_path);
    if (self->runner->environment_file != NULL)
        string_list_addf(environment, "ASSAY_ENVIRONMENT=%s", self->runner->environment_file);
}

static void on_tick(void *context) {
    read_new_results(context);
}

static bool spawn(struct suite_task *self, const char *filter, struct child **ret_child,
                  struct error *err) {
    char jobs[16];
    snprintf(jobs, sizeof jobs, "-j%d",
             self->runner->tests_at_once > 0 ? self->runner->tests_at_once : DEFAULT_TESTS_AT_ONCE);
    autodone(string_list) struct string_list environment = {0};
    fill_environment(self, &environment);
    const char *const argv[] = {
        self->job->path, jobs, "--color=never", "--quiet", filter != NULL ? "--filter" : NULL,
        filter,          NULL};
    const struct child_options options = {
        .argv = argv,
        .environment = (const char *const *)environment.items,
        .output_limit = OUTPUT_LIMIT,
        .dies_with_us = true,
        .on_tick = on_tick,
        .context = self,
    };
    return child_spawn(&options, ret_child, err);
}

static void fail_suite(struct suite_task *self, char *why) {
    if (self->result.failure == NULL)
        self->result.failure = why;
    else
        free(why);
}

// What is wrong with the suite as a whole, from how it ended and from what it recorded.
static void judge(struct suite_task *self, const struct child_end *end) {
    const struct suite_progress *progress = &self->progress;
    // Criterion plans all of them, whatever its filter leaves.
    const size_t planned = self->of_shard > 0 ? self->of_shard : progress->planned;
    if (end->timed_out)
        fail_suite(self, memory_copy_string("hung: it was killed at its deadline"));
    else if (!end->exited)
        fail_suite(self,
                   memory_format("crashed, signal %d (%s)", end->signal, strsignal(end->signal)));
    else if (!progress->planned_known)
        fail_suite(self,
                   memory_format("recorded nothing (exit status %d): is it linked with libassay?",
                                 end->exit_status));
    else if (planned == 0 || self->result.test_count == 0)
        fail_suite(self, memory_copy_string("ran no test"));
    else if (!progress->ended || self->result.test_count < planned)
        fail_suite(self, memory_format("ended before its last test: %zu of %zu",
                                       self->result.test_count, planned));
    else if (end->exit_status != 0 && suite_tally(&self->result).failed == 0)
        fail_suite(self, memory_format("ended with exit status %d though no test failed",
                                       end->exit_status));
}

static void run_child(struct suite_task *self, const char *filter) {
    struct error problem = {0};
    autofree(child) struct child *child = NULL;
    autodone(child_end) struct child_end end = {0};
    const int timeout_ms =
        self->runner->timeout_ms > 0 ? self->runner->timeout_ms : DEFAULT_TIMEOUT_MS;
    if (!spawn(self, filter, &child, &problem) ||
        !child_wait(child, deadline_in_ms(timeout_ms), self->runner->cancel, &end, &problem)) {
        fail_suite(self, memory_copy_string(problem.message));
        return;
    }
    read_new_results(self);
    judge(self, &end);
    autodone(text) struct text output = {0};
    text_append_bytes(&output, text_string(&end.output), end.output.length);
    text_append_bytes(&output, text_string(&end.errors), end.errors.length);
    self->result.output_tail = output.length > 0 ? text_take(&output) : NULL;
}

// The tests of this shard as a Criterion filter: "postgres/@(a|b)"; false: none falls to it.
static bool shard_filter(struct suite_task *self, char **ret_filter) {
    const struct suite_runner *runner = self->runner;
    struct error problem = {0};
    autodone(string_list) struct string_list tests = {0};
    if (!suite_list(self->job->path, &tests, &problem)) {
        fail_suite(self, memory_copy_string(problem.message));
        return false;
    }
    autodone(text) struct text filter = {0};
    text_append(&filter, "@(");
    size_t chosen = 0;
    for (size_t i = 0; i < tests.count; i++)
        if (i % (size_t)runner->shards == (size_t)runner->shard - 1)
            text_appendf(&filter, "%s%s", chosen++ > 0 ? "|" : "", tests.items[i]);
    text_append(&filter, ")");
    *ret_filter = chosen > 0 ? text_take(&filter) : NULL;
    self->of_shard = chosen;
    return chosen > 0;
}

static void run_suite(struct suite_task *self) {
    const int64_t started_us = clock_monotonic_us();
    autofree_string char *filter = NULL;
    const bool sharded = self->runner->shards > 1;
    if (!sharded || shard_filter(self, &filter))
        run_child(self, filter);
    self->result.duration_us = clock_monotonic_us() - started_us;
    tell(self, true);
}

// The tasks, handed out one by one to as many workers as may run at once.
struct suite_queue {
    struct suite_task *tasks;
    size_t count;
    size_t next;
    pthread_mutex_t lock;
    const struct cancel *cancel;
};

static void *work(void *context) {
    struct suite_queue *queue = context;
    for (;;) {
        pthread_mutex_lock(&queue->lock);
        const size_t mine = queue->next++;
        pthread_mutex_unlock(&queue->lock);
        if (mine >= queue->count)
            return NULL;
        if (cancel_requested(queue->cancel))
            fail_suite(&queue->tasks[mine], memory_copy_string("interrupted before it began"));
        else
            run_suite(&queue->tasks[mine]);
    }
}

static void run_queue(struct suite_queue *queue, size_t workers) {
    pthread_t *threads = memory_new(workers, sizeof *threads);
    size_t started = 0;
    while (started < workers && pthread_create(&threads[started], NULL, work, queue) == 0)
        started++;
    if (started == 0)
        work(queue);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

static void task_init(struct suite_task *self, const struct suite_runner *runner,
                      const struct suite_job *job, pthread_mutex_t *progress_lock) {
    *self = (struct suite_task){.runner = runner, .job = job, .progress_lock = progress_lock};
    autofree_string char *copy = memory_copy_string(job->path);
    self->result.name = memory_copy_string(job->name != NULL ? job->name : basename(copy));
    self->result.subject = memory_copy_string(job->subject);
    self->result.command = memory_copy_string(job->path);
    self->results_path = memory_format("%s/%s.results", runner->folder, self->result.name);
    unlink(self->results_path);
}

bool suite_runner_run(const struct suite_runner *self, const struct suite_job *jobs, size_t count,
                      struct report *report, struct error *err) {
    pthread_mutex_t progress_lock = PTHREAD_MUTEX_INITIALIZER;
    struct suite_task *tasks = memory_new(count, sizeof *tasks);
    for (size_t i = 0; i < count; i++)
        task_init(&tasks[i], self, &jobs[i], &progress_lock);
    struct suite_queue queue = {
        .tasks = tasks, .count = count, .lock = PTHREAD_MUTEX_INITIALIZER, .cancel = self->cancel};
    const size_t at_once = (size_t)(self->jobs > 0 ? self->jobs : DEFAULT_JOBS);
    run_queue(&queue, at_once < count ? at_once : count);
    for (size_t i = 0; i < count; i++) {
        *report_add_suite(report) = tasks[i].result; // the report owns its strings from here
        unlink(tasks[i].results_path);
        free(tasks[i].results_path);
    }
    free(tasks);
    return cancel_check(self->cancel, err);
}
