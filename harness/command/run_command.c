// assay run: a throwaway copy of a stack, suites against it, a report.
#define _GNU_SOURCE
#include "command/command.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "command/bundled_suite.h"
#include "command/place.h"
#include "command/session.h"
#include "reports/report_writer.h"
#include "reports/style.h"
#include "scenario/suite_runner.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_LINES_OF_A_FAILURE 40
#define DEFAULT_FORMATS "terminal,junit,json"
#define DEFAULT_REPORT_FOLDER "assay-report"

static const char HELP[] =
    "usage: assay run [options]\n"
    "\n"
    "Brings up a throwaway, isolated copy of a Compose stack, runs suites against it, writes a\n"
    "report and removes everything.\n"
    "\n"
    "  --compose FILE     Compose file; may be given several times (default: the bundled "
    "devstack)\n"
    "  --profile NAME     Compose profile; may be given several times (devstack: minimal, "
    "standard,\n"
    "                     full; default standard)\n"
    "  --settings FILE    assay.yaml (default: the one beside the Compose file)\n"
    "  --suite NAME|PATH  only this bundled suite, or a Criterion executable; several times\n"
    "  --jobs N           suites, builds and pulls at once (default: 4, and one per processor)\n"
    "  --shard K/N        only every N-th test, beginning with the K-th\n"
    "  --keep             when something failed, leave the stack running until Enter or Ctrl-C\n"
    "  --report DIR       folder for report files (default: " DEFAULT_REPORT_FOLDER ")\n"
    "  --format LIST      of terminal, junit, tap, json, github (default: " DEFAULT_FORMATS ")\n"
    "  --substitute       recipes may stand in for images that cannot be had; the report says so\n"
    "  --offline          never ask a registry\n"
    "  --count            print the number of tests and start nothing\n"
    "  --list             print the tests' names and start nothing\n"
    "\n"
    "examples:\n"
    "  assay run                                   the bundled devstack, every suite\n"
    "  assay run --profile minimal --suite postgres\n"
    "  assay run --compose compose.yaml --suite ./build/my_suite\n"
    "  assay run --format terminal,github --report out\n"
    "\n"
    "exit status: 0 all verified and passed, 1 something failed, 2 usage or configuration,\n"
    "3 the environment could not be built, 4 something not verified, 130 interrupted\n";

struct run_arguments {
    struct string_list compose_files;
    struct string_list profiles;
    struct string_list suites;
    struct string_list formats;
    const char *settings;
    const char *report_folder;
    int jobs;
    int shard;
    int shards;
    bool keep;
    bool substitute;
    bool offline;
    bool count;
    bool list;
};

static void arguments_done(struct run_arguments *self) {
    string_list_done(&self->compose_files);
    string_list_done(&self->profiles);
    string_list_done(&self->suites);
    string_list_done(&self->formats);
}

enum {
    OPTION_COUNT = 1000,
    OPTION_LIST,
    OPTION_SUBSTITUTE,
    OPTION_OFFLINE,
    OPTION_SHARD,
    OPTION_SETTINGS
};

static const struct option OPTIONS[] = {
    {"compose", required_argument, NULL, 'f'},
    {"profile", required_argument, NULL, 'p'},
    {"settings", required_argument, NULL, OPTION_SETTINGS},
    {"suite", required_argument, NULL, 's'},
    {"jobs", required_argument, NULL, 'j'},
    {"shard", required_argument, NULL, OPTION_SHARD},
    {"keep", no_argument, NULL, 'k'},
    {"report", required_argument, NULL, 'r'},
    {"format", required_argument, NULL, 'F'},
    {"substitute", no_argument, NULL, OPTION_SUBSTITUTE},
    {"offline", no_argument, NULL, OPTION_OFFLINE},
    {"count", no_argument, NULL, OPTION_COUNT},
    {"list", no_argument, NULL, OPTION_LIST},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static bool read_formats(const char *list, struct string_list *ret_formats, struct error *err) {
    autofree_string char *copy = memory_copy_string(list);
    char *rest = NULL;
    for (char *name = strtok_r(copy, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        const struct report_writer *writer = NULL;
        if (!report_writer_find(name, &writer, err))
            return false;
        string_list_add(ret_formats, name);
    }
    return ret_formats->count > 0 || error_set(err, ERROR_USAGE, 0, "--format names no format");
}

static bool read_number(const char *text, int least, int *ret_number) {
    char *end = NULL;
    const long number = strtol(text, &end, 10);
    if (end == text || *end != '\0' || number < least || number > 10000)
        return false;
    *ret_number = (int)number;
    return true;
}

static bool read_shard(const char *text, struct run_arguments *arguments) {
    autofree_string char *copy = memory_copy_string(text);
    char *slash = strchr(copy, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    return read_number(copy, 1, &arguments->shard) &&
           read_number(slash + 1, 1, &arguments->shards) && arguments->shard <= arguments->shards;
}

// -1: go on; otherwise the exit status.
static int read_arguments(int argc, char **argv, struct run_arguments *arguments) {
    struct error problem = {0};
    opterr = 0;
    int option = 0;
    while ((option = getopt_long(argc, argv, ":h", OPTIONS, NULL)) != -1) {
        switch (option) {
        case 'f':
            string_list_add(&arguments->compose_files, optarg);
            break;
        case 'p':
            string_list_add(&arguments->profiles, optarg);
            break;
        case OPTION_SETTINGS:
            arguments->settings = optarg;
            break;
        case 's':
            string_list_add(&arguments->suites, optarg);
            break;
        case 'j':
            if (!read_number(optarg, 1, &arguments->jobs))
                return usage_error("run", "--jobs takes a number from 1, not \"%s\"", optarg);
            break;
        case OPTION_SHARD:
            if (!read_shard(optarg, arguments))
                return usage_error("run", "--shard takes K/N, such as 1/3, not \"%s\"", optarg);
            break;
        case 'k':
            arguments->keep = true;
            break;
        case 'r':
            arguments->report_folder = optarg;
            break;
        case 'F':
            if (!read_formats(optarg, &arguments->formats, &problem))
                return usage_error("run", "%s", problem.message);
            break;
        case OPTION_SUBSTITUTE:
            arguments->substitute = true;
            break;
        case OPTION_OFFLINE:
            arguments->offline = true;
            break;
        case OPTION_COUNT:
            arguments->count = true;
            break;
        case OPTION_LIST:
            arguments->list = true;
            break;
        case 'h':
            fputs(HELP, stdout);
            return EXIT_PASSED;
        case ':':
            return usage_error("run", "%s needs a value", argv[optind - 1]);
        default:
            return usage_error("run", "there is no option %s", argv[optind - 1]);
        }
    }
    if (optind < argc)
        return usage_error("run", "unexpected argument \"%s\"", argv[optind]);
    if (arguments->formats.count == 0 &&
        !read_formats(DEFAULT_FORMATS, &arguments->formats, &problem))
        return usage_error("run", "%s", problem.message);
    return -1;
}

static const char *name_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static bool is_no_suite(const char *name, const struct string_list *bundled,
                        const struct error *no_bundled, struct error *err) {
    error_set(err, ERROR_USAGE, 0, "there is no suite \"%s\"", name);
    if (access(name, X_OK) == 0)
        return error_append(err, "; for the file of this name say ./%s", name);
    if (bundled->count == 0)
        return error_append(err, ": %s", no_bundled->message);
    error_append(err, "; there are:");
    for (size_t i = 0; i < bundled->count; i++)
        error_append(err, " %s", name_of(bundled->items[i]));
    return error_append(err, "; one of your own is a path, ./%s", name);
}

// A name with a slash is a path; others are bundled suites.
static bool find_suite(const char *name, const struct string_list *bundled,
                       const struct error *no_bundled, struct string_list *ret_paths,
                       struct error *err) {
    if (strchr(name, '/') != NULL) {
        if (access(name, X_OK) != 0)
            return error_set(err, ERROR_USAGE, 0, "suite %s cannot be run: %s", name,
                             strerror(errno));
        autofree_string char *real = realpath(name, NULL);
        string_list_add(ret_paths, real != NULL ? real : name);
        return true;
    }
    for (size_t i = 0; i < bundled->count; i++)
        if (strcmp(name_of(bundled->items[i]), name) == 0) {
            string_list_add(ret_paths, bundled->items[i]);
            return true;
        }
    return is_no_suite(name, bundled, no_bundled, err);
}

static bool find_suites(const struct run_arguments *arguments, struct string_list *ret_paths,
                        struct error *err) {
    autodone(string_list) struct string_list bundled = {0};
    struct error no_bundled = {0};
    const bool wants_bundled = arguments->suites.count == 0 && arguments->compose_files.count == 0;
    if (!place_suites(&bundled, &no_bundled) && wants_bundled) {
        if (err != NULL)
            *err = no_bundled;
        return false;
    }
    for (size_t i = 0; i < arguments->suites.count; i++)
        if (!find_suite(arguments->suites.items[i], &bundled, &no_bundled, ret_paths, err))
            return false;
    for (size_t i = 0; wants_bundled && i < bundled.count; i++)
        string_list_add(ret_paths, bundled.items[i]);
    return true;
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
        "the suite %s was not run: %s is not in this profile", name_of(path), subject);
    report_add_warning(session->report, note);
    return false;
}

static bool run_suites(struct session *session, const struct run_arguments *arguments,
                       const struct string_list *paths, struct error *err) {
    struct suite_job *jobs = memory_new(paths->count, sizeof *jobs);
    size_t count = 0;
    for (size_t i = 0; i < paths->count; i++) {
        const char *subject = subject_of(session, name_of(paths->items[i]));
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

static bool publish(const struct session *session, const struct run_arguments *arguments,
                    struct error *err) {
    const char *workflow = getenv("GITHUB_ACTIONS");
    const struct report_options options = {
        .stream = stdout,
        .folder =
            arguments->report_folder != NULL ? arguments->report_folder : DEFAULT_REPORT_FOLDER,
        .step_summary = getenv("GITHUB_STEP_SUMMARY"),
        .colours = style_wants_colours(stdout),
        .source_root = getenv("GITHUB_WORKSPACE"),
        .in_workflow = workflow != NULL && strcmp(workflow, "true") == 0,
    };
    const struct report_writer *last = NULL; // the terminal's closing line is the last of all
    for (size_t i = 0; i < arguments->formats.count; i++) {
        const struct report_writer *writer = NULL;
        if (!report_writer_find(arguments->formats.items[i], &writer, err))
            return false;
        if (writer == &writer_terminal)
            last = writer;
        else if (!report_publish(session->report, writer, &options, err))
            return false;
    }
    return last == NULL || report_publish(session->report, last, &options, err);
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
    for (size_t i = 0; paths->count == 0 && i < session->plan->suites.count; i++)
        string_list_add(paths, session->plan->suites.items[i]);
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

static int run(const struct run_arguments *arguments, struct string_list *paths) {
    const struct session_options options = {
        .compose_files = (const char *const *)arguments->compose_files.items,
        .profiles = (const char *const *)arguments->profiles.items,
        .settings = arguments->settings,
        .substitute = arguments->substitute,
        .offline = arguments->offline,
        .jobs = arguments->jobs,
    };
    struct session session;
    struct error problem = {0};
    const int64_t started_us = clock_monotonic_us();
    bool ok = session_open(&session, &options, "assay run", &problem);
    if (!ok && exit_status_of(&problem) == EXIT_USAGE) {
        session_close(&session);
        return report_error(&problem);
    }
    ok = ok && verify(&session, arguments, paths, &problem);
    session.report->duration_us = clock_monotonic_us() - started_us;
    if (!ok)
        session.report->failure = memory_copy_string(problem.message);
    session_tear_down(&session);
    live_close(TAKE(session.live));
    int status = ok ? report_exit_status(session.report) : exit_status_of(&problem);
    struct error unpublished = {0};
    if (!publish(&session, arguments, &unpublished)) {
        report_error(&unpublished);
        status = status == EXIT_PASSED ? EXIT_ENVIRONMENT : status;
    }
    session_close(&session);
    return status;
}

int command_run(int argc, char **argv) {
    struct run_arguments arguments = {0};
    autodone(string_list) struct string_list paths = {0};
    struct error problem = {0};
    int status = read_arguments(argc, argv, &arguments);
    if (status < 0)
        status = !find_suites(&arguments, &paths, &problem) ? report_error(&problem)
                 : arguments.count || arguments.list        ? list_tests(&paths, arguments.count)
                                                            : run(&arguments, &paths);
    arguments_done(&arguments);
    return status;
}
