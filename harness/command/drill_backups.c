#define _GNU_SOURCE
#include "command/drill_backups.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "command/place.h"
#include "command/session.h"
#include "verify/drill/drill.h"
#include "verify/drill/random_rounds.h"

#include <stdlib.h>
#include <string.h>

static void show(void *context, const char *what, const char *state, bool wrong) {
    session_show(context, "drill", what, state, wrong);
}

bool drill_has_engine(const char *name) {
    for (size_t i = 0; DRILL_ENGINES[i] != NULL; i++)
        if (strcmp(DRILL_ENGINES[i], name) == 0)
            return true;
    return false;
}

// Of an engine: the server that is filled, and the one that is restored into.
static void choose_services(const struct drill_request *request, struct string_list *services) {
    const char *const *engines = request->engines != NULL ? request->engines : DRILL_ENGINES;
    for (size_t i = 0; engines[i] != NULL; i++) {
        autofree_string char *origin = memory_format("%s" DRILL_ORIGIN, engines[i]);
        string_list_add(services, engines[i]);
        string_list_add(services, origin);
    }
}

static bool open_stack(struct session *session, const struct drill_request *request,
                       struct error *err) {
    autodone(string_list) struct string_list services = {0};
    autofree_string char *fixtures = NULL;
    if (!place_fixtures(&fixtures, err))
        return false;
    autofree_string char *stands = path_join(fixtures, "restore/compose.yaml");
    autofree_string char *origins = path_join(fixtures, "drill/compose.yaml");
    const char *const files[] = {stands, origins, NULL};
    choose_services(request, &services);
    const struct session_options options = {.compose_files = files,
                                            .services = (const char *const *)services.items,
                                            .offline = request->offline};
    return session_open(session, &options, "assay backup drill", err) &&
           session_bring_up(session, err);
}

static bool drill(struct session *session, const struct drill_request *request, struct error *err) {
    autofree_string char *tables = path_join(session->fixtures, "drill");
    autofree_string char *label = memory_format("io.assay.run=%s", run_id(session->run));
    const struct drill drill = {.engine = session->engine,
                                .stack = session->stack,
                                .engines = request->engines,
                                .label = label,
                                .tables = tables,
                                .folder = run_folder(session->run),
                                .cancel = &session->cancel,
                                .progress = show,
                                .context = session};
    const bool done =
        request->random_rounds > 0
            ? random_rounds_run(&drill, request->random_rounds, request->seed, session->report, err)
            : drill_run(&drill, session->report, err);
    stack_describe(session->stack, session->report);
    return done;
}

bool drill_backups(const struct drill_request *request, struct report *report, struct error *err) {
    struct session session = {0};
    struct error problem = {0};
    const int64_t started_us = clock_monotonic_us();
    const bool done = open_stack(&session, request, &problem) && drill(&session, request, &problem);
    session_tear_down(&session);
    if (session.report != NULL) {
        report_take(report, session.report, "drill/");
        if (report->engine == NULL)
            report->engine = TAKE(session.report->engine);
        if (report->run_id == NULL)
            report->run_id = TAKE(session.report->run_id);
        if (report->started_wall_ms == 0)
            report->started_wall_ms = session.report->started_wall_ms;
    }
    session_close(&session);
    report->duration_us += clock_monotonic_us() - started_us;
    if (!done && report->failure == NULL)
        report->failure = memory_format("drill: %s", problem.message);
    if (!done && err != NULL)
        *err = problem;
    return done;
}
