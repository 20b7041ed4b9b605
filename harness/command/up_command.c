// assay up: a stack that stays, under a lease.
#define _GNU_SOURCE
#include "command/command.h"

#include "base/memory.h"
#include "command/session.h"
#include "command/up_arguments.h"
#include "reports/phrase.h"
#include "run/lease.h"

#include <stdio.h>
#include <string.h>

static const char HELP[] =
    "usage: assay up [--name NAME] [--lease MINUTES] [--compose FILE|DIR] [--profile NAME]\n"
    "                [--settings FILE] [--substitute] [--offline]\n"
    "\n"
    "Brings up a throwaway copy of a stack and leaves it running. It is removed when nobody has "
    "used\n"
    "it for the length of its lease, or by `assay down`. Prints where everything is: the path\n"
    "of a 0600 file for `set -a; . FILE`.\n"
    "\n"
    "  --name NAME        to have several (default: default)\n"
    "  --lease MINUTES    without use, until it is removed (default: 30)\n"
    "\n"
    "examples:\n"
    "  assay up\n"
    "  assay up --name mine --compose compose.yaml --lease 120\n"
    "  set -a; . \"$(assay up)\"; set +a; echo $ASSAY_POSTGRES_HOST\n"
    "\n"
    "exit status: 0 every service is ready, 1 one is not, 2 usage or configuration,\n"
    "3 the environment could not be built, 130 interrupted\n";

// Every service that is not ready, with its reason, for a person.
static bool explain_failures(const struct session *session) {
    autofree(report) struct report *report = report_new("up");
    stack_describe(session->stack, report);
    bool all_ready = true;
    for (size_t i = 0; i < report->service_count; i++) {
        const struct service_result *service = &report->services[i];
        if (service->state == SERVICE_READY || service->state == SERVICE_COMPLETED)
            continue;
        all_ready = false;
        fprintf(stderr, "assay: %s: %s: %s\n", service->name, service_state_name(service->state),
                service->message != NULL ? service->message : "");
        if (service->log_tail != NULL)
            fprintf(stderr, "%s\n", service->log_tail);
    }
    return all_ready;
}

static void print_warnings_of(const struct session *session) {
    print_warnings((const char *const *)session->report->warnings, session->report->warning_count);
}

static bool hand_over(struct session *session, struct lease *lease,
                      const struct up_arguments *arguments, struct error *err) {
    const struct lease_facts facts = {
        .run_id = (char *)(uintptr_t)run_id(session->run),
        .folder = (char *)(uintptr_t)run_folder(session->run),
        .engine_host = (char *)(uintptr_t)engine_host(session->engine),
        .environment = session->environment_file,
        .project = session->plan->name,
        .idle_ms = arguments->lease_ms,
    };
    return lease_grant(lease, &facts, err) && run_keep(session->run, arguments->name, err);
}

static int bring_up(struct lease *lease, const struct up_arguments *arguments) {
    const struct session_options options = {
        .compose_files = (const char *const *)arguments->compose_files.items,
        .profiles = (const char *const *)arguments->profiles.items,
        .settings = arguments->settings,
        .substitute = arguments->substitute,
        .offline = arguments->offline,
        .lease_ms = arguments->lease_ms > 0 ? arguments->lease_ms : LEASE_DEFAULT_IDLE_MS,
    };
    struct session session;
    struct error problem = {0};
    int status = EXIT_PASSED;
    if (!session_open(&session, &options, "assay up", &problem) ||
        !session_bring_up(&session, &problem)) {
        live_close(TAKE(session.live));
        print_warnings_of(&session);
        status = report_error(&problem);
    } else {
        live_close(TAKE(session.live));
        print_warnings_of(&session);
        if (!explain_failures(&session))
            status = EXIT_FAILED;
        else if (!hand_over(&session, lease, arguments, &problem))
            status = report_error(&problem);
        else
            puts(session.environment_file);
    }
    if (status == EXIT_PASSED)
        session_leave(&session);
    session_close(&session);
    return status;
}

int command_up(int argc, char **argv) {
    struct up_arguments arguments = {0};
    int status = up_arguments_read(argc, argv, HELP, &arguments);
    autofree_string char *state = state_folder();
    autofree(lease) struct lease *lease = NULL;
    struct error problem = {0};
    if (status < 0 && !lease_claim(state, arguments.name, NULL, &lease, &problem))
        status = report_error(&problem);
    if (status < 0 && lease_facts(lease) != NULL) {
        fprintf(stderr, "assay: \"%s\" is up already; its lease is renewed\n", arguments.name);
        puts(lease_facts(lease)->environment);
        status = EXIT_PASSED;
    }
    if (status < 0)
        status = bring_up(lease, &arguments);
    up_arguments_done(&arguments);
    return status;
}
