// assay run: a throwaway copy of a stack, suites against it, a report.
#define _GNU_SOURCE
#include "command/command.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "command/bundled_suite.h"
#include "command/drill_backups.h"
#include "command/publication.h"
#include "command/run_arguments.h"
#include "command/session.h"
#include "command/suite_choice.h"
#include "scenario/suite_runner.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_LINES_OF_A_FAILURE 40

static struct session_options session_options_of(const struct run_arguments *arguments) {
    return (struct session_options){
        .compose_files = (const char *const *)arguments->compose_files.items,
        .profiles = (const char *const *)arguments->profiles.items,
        .settings = arguments->settings,
        .substitute = arguments->substitute,
        .offline = arguments->offline,
        .jobs = arguments->jobs,
    };
}

static int list_tests(const struct string_list *paths, bool only_count) {
    struct error problem = {0};
    autodone(string_list) struct string_list tests = {0};
    for (size_t i = 0; i < paths->count; i++)
        if (!suite_list(paths->items[i], &tests, &problem))
            return report_error(&problem);
    for (size_t i = 0; i < tests.count && !only_count; i++)
        puts(tests.items[i]);
    if (only_count)
        printf("%zu\n", tests.count);
    return EXIT_PASSED;
}

static void show_suite(void *context, const char *suite, const struct tally *tally, size_t planned,
                       bool ended) {
    struct session *session = context;
    if (session->live == NULL)
        return;
    char detail[96];
    const size_t skipped = tally->not_verified + tally->not_applicable;
    const size_t done = tally->passed + tally->failed + skipped;
    snprintf(detail, sizeof detail, "%zu of %zu, %zu failed, %zu skipped", done,
             planned > done ? planned : done, tally->failed, skipped);
    const char *state = !ended ? "running" : tally->failed > 0 ? "failed" : "done";
    const enum live_mark mark = tally->failed > 0 ? LIVE_BAD : !ended ? LIVE_WORKING : LIVE_GOOD;
    live_set(session->live, "suites", suite, mark, state, detail);
}

// A suite that is not bundled is about the service of its own name, if there is one.
static const char *subject_of(const struct session *session, const char *suite) {
    const char *bundled = bundled_suite_subject(suite);
    return bundled != NULL || plan_find(session->plan, suite) == NULL ? bundled : suite;
}

// Nobody asked for a bundled suite whose service the profile leaves out; that it did not run is
// said.
static bool is_wanted(struct session *session, const struct run_arguments *arguments,
                      const char *path, const char *subject) {
    if (arguments->suites.count > 0 || subject == NULL || plan_find(session->plan, subject) != NULL)
        return true;
    autofree_string char *note = memory_format(
        "the suite %s was not run: %s is not in this profile", suite_choice_name(path), subject);
    report_add_warning(session->report, note);
    return false;
}

static bool run_suites(struct session *session, const struct run_arguments *arguments,
                       const struct string_list *paths, struct error *err) {
    struct suite_job *jobs = memory_new(paths->count, sizeof *jobs);
    size_t count = 0;
    for (size_t i = 0; i < paths->count; i++) {
        const char *subject = subject_of(session, suite_choice_name(paths->items[i]));
        if (is_wanted(session, arguments, paths->items[i], subject))
            jobs[count++] = (struct suite_job){.path = paths->items[i], .subject = subject};
    }
    const struct suite_runner runner = {
        .environment_file = session->environment_file,
        .folder = run_folder(session->run),
        .jobs = arguments->jobs,
        .shard = arguments->shard,
        .shards = arguments->shards,
        .cancel = &session->cancel,
        .progress = show_suite,
        .context = session,
    };
    const bool ok = suite_runner_run(&runner, jobs, count, session->report, err);
    free(jobs);
    return ok;
}

// What the services said while their tests failed.
static void attach_logs(struct session *session) {
    for (size_t i = 0; i < session->report->suite_count; i++) {
        struct suite_result *suite = &session->report->suites[i];
        if (suite->subject == NULL || suite_tally(suite).failed == 0)
            continue;
        autofree_string char *tail =
            stack_log_tail(session->stack, suite->subject, LOG_LINES_OF_A_FAILURE);
        if (tail[0] != '\0')
            suite->service_log = TAKE(tail);
    }
}

static void wait_for_enter(struct session *session) {
    fprintf(stderr, "assay: the stack stays until Enter or Ctrl-C; where everything is: %s\n",
            session->environment_file);
    struct pollfd ends[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                            {.fd = session->cancel.pipe_read, .events = POLLIN}};
    poll(ends, 2, -1);
}

// Everything between an open session and its report. false: the environment could not be built.
static bool verify(struct session *session, const struct run_arguments *arguments,
                   struct string_list *paths, struct error *err) {
    if (paths->count == 0)
        report_add_warning(session->report, "no suite was run: name one with --suite, or list them "
                                            "under `suites:` in assay.yaml");
    if (!session_bring_up(session, err))
        return false;
    const bool ok = run_suites(session, arguments, paths, err);
    attach_logs(session);
    stack_describe(session->stack, session->report);
    if (arguments->keep && ok && report_exit_status(session->report) != EXIT_PASSED)
        wait_for_enter(session);
    return ok;
}

static bool drill(const struct run_arguments *arguments, struct report *report, struct error *err) {
    const struct drill_request request = {.offline = arguments->offline};
    return drill_backups(&request, report, err);
}

static int run(const struct run_arguments *arguments, struct string_list *paths) {
    const struct session_options options = session_options_of(arguments);
    struct session session;
    struct error problem = {0};
    const int64_t started_us = clock_monotonic_us();
    bool ok = session_open(&session, &options, "assay run", &problem);
    if (!ok && exit_status_of(&problem) == EXIT_USAGE) {
        print_warnings((const char *const *)session.report->warnings,
                       session.report->warning_count);
        session_close(&session);
        return report_error(&problem);
    }
    ok = ok && publication_possible(&arguments->formats, arguments->report_folder, &problem) &&
         verify(&session, arguments, paths, &problem);
    session.report->duration_us = clock_monotonic_us() - started_us;
    if (!ok)
        session.report->failure = memory_copy_string(problem.message);
    session_tear_down(&session);
    live_close(TAKE(session.live));
    ok = ok && (!arguments->drill || drill(arguments, session.report, &problem));
    int status = ok ? report_exit_status(session.report) : exit_status_of(&problem);
    if (!publication_make(session.report, &arguments->formats, arguments->report_folder) &&
        status == EXIT_PASSED)
        status = EXIT_ENVIRONMENT;
    session_close(&session);
    return status;
}

int command_run(int argc, char **argv) {
    struct run_arguments arguments = {0};
    autodone(string_list) struct string_list paths = {0};
    struct error problem = {0};
    int status = run_arguments_read(argc, argv, &arguments);
    if (status < 0) {
        const struct session_options options = session_options_of(&arguments);
        status = !suite_choice_make(&arguments.suites, &options, &paths, &problem)
                     ? report_error(&problem)
                 : arguments.count || arguments.list ? list_tests(&paths, arguments.count)
                                                     : run(&arguments, &paths);
    }
    run_arguments_done(&arguments);
    return status;
}
