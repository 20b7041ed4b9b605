#define _GNU_SOURCE
#include "command/session.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "command/interrupt.h"
#include "command/place.h"
#include "command/preparation.h"
#include "run/sweep.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *const DEVSTACK_PROFILES[] = {"standard", NULL};

static bool is_folder(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

// A folder stands for the Compose files that are found in it, or that its assay.yaml names.
static void choose_files(const char *const *named, struct plan_options *options) {
    if (named[1] == NULL && is_folder(named[0]))
        options->folder = named[0];
    else
        options->files = named;
}

static void choose_devstack(const char *fixtures, struct plan_options *options, const char **files,
                            char **ret_path) {
    *ret_path = path_join(fixtures, "devstack/compose.yaml");
    files[0] = *ret_path;
    options->files = files;
    if (options->profiles == NULL)
        options->profiles = DEVSTACK_PROFILES;
}

bool session_load_plan(const struct session_options *options, char **ret_fixtures,
                       struct string_list *warnings, struct plan **ret_plan, struct error *err) {
    struct error no_fixtures = {0};
    const bool has_fixtures = place_fixtures(ret_fixtures, &no_fixtures);
    struct plan_options wanted = {
        .profiles = options->profiles,
        .services = options->services,
        .settings = options->settings,
        .warnings = warnings,
    };
    const char *files[] = {NULL, NULL};
    autofree_string char *devstack = NULL;
    if (options->compose_files != NULL) {
        choose_files(options->compose_files, &wanted);
    } else if (!has_fixtures) {
        if (err != NULL)
            *err = no_fixtures;
        return false;
    } else {
        choose_devstack(*ret_fixtures, &wanted, files, &devstack);
    }
    return plan_load(&wanted, ret_plan, err);
}

static bool load_plan(struct session *self, struct error *err) {
    autodone(string_list) struct string_list warnings = {0};
    if (session_load_plan(&self->options, &self->fixtures, &warnings, &self->plan, err))
        return true;
    for (size_t i = 0; i < warnings.count; i++)
        report_add_warning(self->report, warnings.items[i]);
    return false;
}

static bool open_engine(struct session *self, const char *host, struct error *err) {
    const struct engine_options options = {
        .host = host,
        .certificates = self->private_engine == NULL ? self->location.certificates : NULL,
        .verify_peer = self->location.verify_peer,
        .cancel = &self->cancel,
    };
    return engine_open(&options, &self->engine, err);
}

bool session_may_use_private_engine(const struct engine_location *location,
                                    const struct error *problem) {
    return problem->domain == ERROR_UNAVAILABLE && strcmp(location->origin, "default") == 0;
}

static bool open_private_engine(struct session *self, struct error *err) {
    if (self->live != NULL)
        live_note(self->live, "no Docker engine answers: starting a private one");
    autofree_string char *state = state_folder();
    return private_engine_open(state, &self->cancel, &self->private_engine, err) &&
           open_engine(self, private_engine_host(self->private_engine), err);
}

bool session_find_engine(struct session *self, struct error *err) {
    struct error problem = {0};
    if (!engine_locate(&self->location, err))
        return false;
    if (open_engine(self, self->location.host, &problem))
        return true;
    if (!session_may_use_private_engine(&self->location, &problem)) {
        if (err != NULL)
            *err = problem;
        return false;
    }
    if (open_private_engine(self, err))
        return true;
    return error_append(err, " (and the user's own engine: %s)", problem.message);
}

static void describe_engine(struct session *self) {
    autodone(engine_facts) struct engine_facts facts = {0};
    if (engine_facts(self->engine, &facts, NULL))
        self->report->engine =
            memory_format("Docker %s at %s%s", facts.version, engine_host(self->engine),
                          self->private_engine != NULL ? " (private)" : "");
}

// What a dead run left and the engine does not let go of, such as a network that it believes in
// use, is in nobody's way: every run has names and networks of its own.
static bool sweep_first(struct session *self, struct error *err) {
    struct sweep_count swept = {0};
    struct error problem = {0};
    if (!sweep_dead(self->engine, &swept, &problem)) {
        error_prefix(&problem, "cleaning up after dead runs");
        if (problem.domain == ERROR_UNAVAILABLE || problem.domain == ERROR_CANCELLED) {
            if (err != NULL)
                *err = problem;
            return false;
        }
        report_add_warning(self->report, problem.message);
    }
    if (swept.containers + swept.networks + swept.volumes > 0) {
        autofree_string char *note =
            memory_format("removed what dead runs had left: %d containers, %d networks, %d volumes",
                          swept.containers, swept.networks, swept.volumes);
        report_add_warning(self->report, note);
    }
    return true;
}

bool session_open(struct session *self, const struct session_options *options, const char *title,
                  struct error *err) {
    *self = (struct session){.options = *options, .report = report_new(title)};
    self->report->started_wall_ms = clock_wall_ms();
    if (!cancel_init(&self->cancel, err))
        return false;
    interrupt_cancels(&self->cancel);
    if (!load_plan(self, err))
        return false;
    self->report->project = memory_copy_string(self->plan->name);
    for (size_t i = 0; i < self->plan->warnings.count; i++)
        report_add_warning(self->report, self->plan->warnings.items[i]);
    const struct run_options run_options = {.cancel = &self->cancel,
                                            .lease_ms = self->options.lease_ms};
    if (!run_open(&run_options, &self->run, err))
        return false;
    self->report->run_id = memory_copy_string(run_id(self->run));
    if (!self->options.quiet)
        self->live = live_open(stderr, &(const struct live_options){0});
    if (!session_find_engine(self, err) ||
        !run_uses_engine(self->run, engine_host(self->engine), err))
        return false;
    describe_engine(self);
    return sweep_first(self, err);
}

static enum live_mark image_mark(const char *state) {
    if (strcmp(state, "present") == 0 || strcmp(state, "ready") == 0)
        return LIVE_GOOD;
    return strcmp(state, "missing") == 0 ? LIVE_SKIPPED : LIVE_WORKING;
}

static enum live_mark service_mark(enum service_state state) {
    static const enum live_mark marks[] = {
        [SERVICE_WAITING] = LIVE_WAITING,  [SERVICE_CREATING] = LIVE_WORKING,
        [SERVICE_STARTING] = LIVE_WORKING, [SERVICE_READY] = LIVE_GOOD,
        [SERVICE_COMPLETED] = LIVE_GOOD,   [SERVICE_FAILED] = LIVE_BAD,
        [SERVICE_MISSING] = LIVE_SKIPPED,
    };
    return marks[state];
}

static void show_image(void *context, const char *image, const char *state, const char *detail) {
    struct session *self = context;
    if (self->live != NULL)
        live_set(self->live, "images", image, image_mark(state), state, detail);
}

static void show_service(void *context, const char *service, enum service_state state,
                         const char *detail) {
    struct session *self = context;
    if (self->live != NULL)
        live_set(self->live, "services", service, service_mark(state), service_state_name(state),
                 detail);
}

bool session_make_images(struct session *self, struct error *err) {
    autofree_string char *recipes =
        self->fixtures != NULL ? path_join(self->fixtures, "images") : NULL;
    const struct image_options options = {
        .recipes = recipes,
        .substitute = self->options.substitute,
        .offline = self->options.offline,
        .jobs = self->options.jobs,
        .host_network = self->private_engine != NULL,
        .progress = show_image,
        .context = self,
        .cancel = &self->cancel,
    };
    return image_choices_make(self->engine, self->plan, &options, &self->images, err) &&
           preparation_make(self, err);
}

bool session_bring_up(struct session *self, struct error *err) {
    if (!session_make_images(self, err))
        return false;
    const struct stack_options options = {.progress = show_service, .context = self};
    const bool up =
        stack_up(self->run, self->engine, self->plan, &self->images, &options, &self->stack, err);
    if (!up) {
        self->left_behind = true; // of what was begun, not all may be known: the guardian looks
        return false;
    }
    self->environment_file = path_join(run_folder(self->run), "environment");
    return stack_write_environment(self->stack, self->environment_file, err);
}

void session_show(struct session *self, const char *section, const char *name, const char *state,
                  bool wrong) {
    const bool done = strcmp(state, "done") == 0;
    if (self->live != NULL)
        live_set(self->live, section, name,
                 wrong  ? LIVE_BAD
                 : done ? LIVE_GOOD
                        : LIVE_WORKING,
                 state, NULL);
}

void session_leave(struct session *self) {
    stack_free(TAKE(self->stack));
}

void session_tear_down(struct session *self) {
    struct error problem = {0};
    if (self->stack != NULL && !stack_down(self->stack, &problem)) {
        self->left_behind = true; // the guardian tries again when the run closes
        autofree_string char *warning = memory_format("tear-down: %s", problem.message);
        report_add_warning(self->report, warning);
    }
    stack_free(TAKE(self->stack));
}

void session_close(struct session *self) {
    live_close(self->live);
    session_tear_down(self);
    image_choices_done(&self->images);
    engine_close(self->engine);
    if (self->run != NULL)
        run_close(self->run, !self->left_behind);
    private_engine_close(self->private_engine);
    plan_free(self->plan);
    engine_location_done(&self->location);
    report_free(self->report);
    interrupt_forget();
    cancel_done(&self->cancel);
    free(self->environment_file);
    free(self->fixtures);
    *self = (struct session){0};
}
