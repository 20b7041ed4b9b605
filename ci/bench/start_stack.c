// Our side of the benchmarks: what `assay run` does to bring a stack up and to remove it, timed.
//
//   start_stack order [--profile NAME]
//       Makes the images, prints what the peer needs to start the same (order.h) on one line, and
//       stays until its standard input ends: a private engine lives as long.
//   start_stack time [--profile NAME] [--service NAME]... [--select NAME] [--first-boot]
//       One measurement of the services (with what they need; without --service: all), as JSON:
//         images_ms  looking up the images
//         ready_ms   from before images_ms to all ready, and with --select to the first SELECT 1
//         down_ms    from all running to nothing left
//         peak_kib   most memory that this process and its guardian ever held, together (VmHWM)
//         services   each one's time to ready, counted from after images_ms
//       --first-boot: without prepared images.
//
// One measurement a process, so that none profits from the one before. Finding the engine is not
// measured; looking up the images is, because the peer does it within its create call, too.
#define _GNU_SOURCE
#include "order.h"

#include "base/clock.h"
#include "client/mysqldb.h"
#include "client/postgres.h"
#include "command/command.h"

#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct arguments {
    const char *work;
    const char *select; // NULL: no SELECT
    bool first_boot;
    struct string_list profiles;
    struct string_list services;
};

struct timing {
    int64_t images_us;
    int64_t ready_us;
    int64_t down_us;
};

static int usage(void) {
    fputs("usage: start_stack order [--profile NAME]\n"
          "       start_stack time [--profile NAME] [--service NAME]... [--select NAME] "
          "[--first-boot]\n",
          stderr);
    return EXIT_USAGE;
}

static bool read_arguments(int argc, char **argv, struct arguments *arguments) {
    static const struct option options[] = {
        {"profile", required_argument, NULL, 'p'},
        {"service", required_argument, NULL, 's'},
        {"select", required_argument, NULL, 'q'},
        {"first-boot", no_argument, NULL, 'f'},
        {0},
    };
    if (argc < 2)
        return false;
    arguments->work = argv[1];
    optind = 2;
    int option = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'p')
            string_list_add(&arguments->profiles, optarg);
        else if (option == 's')
            string_list_add(&arguments->services, optarg);
        else if (option == 'q')
            arguments->select = optarg;
        else if (option == 'f')
            arguments->first_boot = true;
        else
            return false;
    }
    return optind == argc;
}

// As the application's user, over a connection of its own, as the peer does it.
static bool select_one(const struct endpoint *endpoint, const char *kind, struct error *err) {
    int64_t one = 0;
    if (strcmp(kind, "mysql") == 0) {
        autofree(mysqldb) struct mysqldb *mysql = NULL;
        return mysqldb_open(endpoint, &mysql, err) &&
               mysqldb_simple_integer(mysql, "select 1", NO_PARAMETERS, &one, err);
    }
    autofree(postgres) struct postgres *postgres = NULL;
    return postgres_open(endpoint, &postgres, err) &&
           postgres_simple_integer(postgres, "select 1", NO_PARAMETERS, &one, err);
}

static bool select_from(const struct session *session, const char *name, struct error *err) {
    const struct plan_service *service = plan_find(session->plan, name);
    const struct endpoint *endpoint = stack_endpoint(session->stack, name);
    if (service == NULL || service->kind == NULL || endpoint == NULL)
        return error_set(err, ERROR_USAGE, 0, "--select: no database \"%s\" runs", name);
    return select_one(endpoint, service->kind->name, err);
}

static bool check_ready(const struct session *session, struct error *err) {
    stack_describe(session->stack, session->report);
    for (size_t i = 0; i < session->report->service_count; i++) {
        const struct service_result *service = &session->report->services[i];
        if (!service_is_up(service))
            return error_set(err, ERROR_SERVICE, 0, "%s is %s: %s", service->name,
                             service_state_name(service->state),
                             service->message != NULL ? service->message : "no reason given");
    }
    return true;
}

static bool bring_up(struct session *session, const struct arguments *arguments,
                     struct timing *timing, struct error *err) {
    for (size_t i = 0; arguments->first_boot && i < session->plan->service_count; i++)
        session->plan->services[i].prepare = false;
    const int64_t started_us = clock_monotonic_us();
    if (!session_make_images(session, err))
        return false;
    timing->images_us = clock_monotonic_us() - started_us;
    const struct stack_options options = {0};
    if (!stack_up(session->run, session->engine, session->plan, &session->images, &options,
                  &session->stack, err))
        return false;
    if (arguments->select != NULL && stack_all_ready(session->stack) &&
        !select_from(session, arguments->select, err))
        return false;
    timing->ready_us = clock_monotonic_us() - started_us;
    return check_ready(session, err);
}

static bool take_down(struct session *session, struct timing *timing, struct error *err) {
    const int64_t started_us = clock_monotonic_us();
    session_tear_down(session);
    timing->down_us = clock_monotonic_us() - started_us;
    return !session->left_behind ||
           error_set(err, ERROR_ENGINE, 0, "%s",
                     session->report->warnings[session->report->warning_count - 1]);
}

// VmHWM of proc(5); 0 when there is no such process.
static long peak_kib(const char *process) {
    char path[64];
    char line[256];
    long kib = 0;
    snprintf(path, sizeof path, "/proc/%s/status", process);
    autoclose_stream FILE *status = fopen(path, "re");
    while (status != NULL && kib == 0 && fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    return kib;
}

static long peak_of_all_kib(const struct session *session) {
    char guardian[32];
    snprintf(guardian, sizeof guardian, "%ld", (long)run_guardian(session->run));
    return peak_kib("self") + peak_kib(guardian);
}

static void print_line(json_t *value) {
    json_dumpf(value, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
    putchar('\n');
    fflush(stdout);
    json_decref(value);
}

static double milliseconds(int64_t us) {
    return (double)us / 1000;
}

static void print_timing(const struct session *session, const struct timing *timing) {
    json_t *services = json_object();
    for (size_t i = 0; i < session->report->service_count; i++) {
        const struct service_result *service = &session->report->services[i];
        json_object_set_new(services, service->name, json_real(milliseconds(service->ready_us)));
    }
    print_line(json_pack("{s:f, s:f, s:f, s:I, s:o}", "images_ms", milliseconds(timing->images_us),
                         "ready_ms", milliseconds(timing->ready_us), "down_ms",
                         milliseconds(timing->down_us), "peak_kib",
                         (json_int_t)peak_of_all_kib(session), "services", services));
}

static bool time_stack(struct session *session, const struct arguments *arguments,
                       struct error *err) {
    struct timing timing = {0};
    if (!bring_up(session, arguments, &timing, err) || !take_down(session, &timing, err))
        return false;
    print_timing(session, &timing);
    return true;
}

static void wait_for_end_of_input(const struct session *session) {
    struct pollfd ends[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                            {.fd = session->cancel.pipe_read, .events = POLLIN}};
    char ignored[256];
    do
        poll(ends, 2, -1);
    while (!cancel_requested(&session->cancel) && read(STDIN_FILENO, ignored, sizeof ignored) > 0);
}

static bool print_order(struct session *session, struct error *err) {
    json_t *order = NULL;
    if (!order_make(session, &order, err))
        return false;
    print_line(order);
    wait_for_end_of_input(session);
    return true;
}

static int work(const struct arguments *arguments) {
    const struct session_options options = {
        .profiles =
            arguments->profiles.count > 0 ? (const char *const *)arguments->profiles.items : NULL,
        .services =
            arguments->services.count > 0 ? (const char *const *)arguments->services.items : NULL,
        .quiet = strcmp(arguments->work, "time") == 0,
    };
    struct session session;
    struct error problem = {0};
    const bool ok =
        session_open(&session, &options, "benchmark", &problem) &&
        (strcmp(arguments->work, "time") == 0 ? time_stack(&session, arguments, &problem)
                                              : print_order(&session, &problem));
    session_close(&session);
    if (!ok)
        fprintf(stderr, "start_stack: %s\n", problem.message);
    return ok ? EXIT_PASSED : EXIT_ENVIRONMENT;
}

int main(int argc, char **argv) {
    struct arguments arguments = {0};
    const bool understood =
        read_arguments(argc, argv, &arguments) &&
        (strcmp(arguments.work, "time") == 0 || strcmp(arguments.work, "order") == 0);
    const int status = understood ? work(&arguments) : usage();
    string_list_done(&arguments.profiles);
    string_list_done(&arguments.services);
    return status;
}
