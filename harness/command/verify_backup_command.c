// assay backup verify: a backup is read, restored into throwaway servers, and asked whether it is
// whole.
#define _GNU_SOURCE
#include "command/backup_command.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "command/arguments.h"
#include "command/byte_progress.h"
#include "command/command.h"
#include "command/interrupt.h"
#include "command/keep_records.h"
#include "command/place.h"
#include "command/publication.h"
#include "command/running_servers.h"
#include "command/session.h"
#include "compose/settings.h"
#include "verify/backup/latest.h"
#include "verify/backup/record.h"
#include "verify/backup/verification.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_FORMATS "terminal"
#define DEFAULT_REPORT_FOLDER "assay-report"
#define SETTINGS_FILE "assay.yaml"

static const char HELP[] =
    "usage: assay backup verify [latest|NAME|PATH] [options]\n"
    "\n"
    "Reads every file of a backup to its proven end, restores each into a throwaway server of its\n"
    "kind, and asks that server whether it is sound. The backup itself is only read, and proven\n"
    "unchanged afterwards. It is a folder, or one file; what is in it is told from its content:\n"
    "pg_dump (plain, custom, directory, tar), pg_dumpall, mysqldump, mongodump (folder, archive),\n"
    "Redis RDB, the tar of a data directory of PostgreSQL, MySQL or Redis; each also compressed "
    "by\n"
    "gzip, zstd, xz, bzip2 or lz4.\n"
    "\n"
    "  --root DIR         where backups lie, one below the other (default: " BACKUP_ROOT ");\n"
    "                     latest is the newest there by the date in its name, and the default\n"
    "  --against WHAT     manifest: content and schema as they were when `assay backup create` "
    "made\n"
    "                     it, and not verified without its manifest; live: also as the running\n"
    "                     servers hold them now; none: not compared (default: the manifest, if\n"
    "                     there is one)\n"
    "  --compose FILE, --target FILE, --project NAME, --stack NAME\n"
    "                     whose servers, for --against live (default: the Compose file here)\n"
    "  --settings FILE    its backup.smoke says what the restored servers must answer (default:\n"
    "                     " SETTINGS_FILE ", if it is here)\n"
    "  --key FILE.pub     whose signature the manifest must have\n"
    "  --records DIR      keeps a log, a report and the history (default:\n"
    "                     " RECORDS_FOLDER ")\n"
    "  --metrics FILE     also writes metrics for node_exporter: a file that ends in .prom\n"
    "  --alert URL        when a check failed, an alert to this Alertmanager\n"
    "  --runbook URL      what the alert points to\n"
    "  --seed N           of the negative controls (default: another each time; reports name it)\n"
    "  --jobs N           files read at once (default: one per processor)\n"
    "  --report DIR       folder for report files (default: " DEFAULT_REPORT_FOLDER ")\n"
    "  --format LIST      of terminal, junit, tap, json, github (default: " DEFAULT_FORMATS ")\n"
    "  --offline          never ask a registry for images\n"
    "\n"
    "examples:\n"
    "  assay backup verify /var/backups/app/2026-11-21\n"
    "  assay backup verify latest --root /var/backups/app\n"
    "  0 3 * * 0 cd /srv/app && assay verify-backup latest     a crontab line, every Sunday\n"
    "  assay backup verify dump.sql.gz --format terminal\n"
    "\n"
    "exit status: 0 all verified and passed, 1 a check failed, 2 usage or configuration,\n"
    "3 the environment could not be built, 4 something not verified, 130 interrupted\n";

struct verify_arguments {
    const char *which;
    const char *root;
    const char *records;
    const char *against;
    struct target_choice target;
    const char *settings;
    const char *key;
    const char *metrics;
    const char *alert;
    const char *runbook;
    struct string_list formats;
    const char *report_folder;
    uint64_t seed;
    int jobs;
    bool offline;
};

static bool read_formats(void *values, const char *text, struct error *err) {
    struct verify_arguments *self = values;
    return publication_formats(text, &self->formats, err);
}

static bool read_jobs(void *values, const char *text, struct error *err) {
    struct verify_arguments *self = values;
    return argument_jobs(text, &self->jobs, err);
}

static bool read_against(void *values, const char *text, struct error *err) {
    struct verify_arguments *self = values;
    self->against = text;
    return strcmp(text, "manifest") == 0 || strcmp(text, "live") == 0 ||
           strcmp(text, "none") == 0 ||
           error_set(err, ERROR_USAGE, 0, "--against takes manifest, live or none, not \"%s\"",
                     text);
}

static bool read_seed(void *values, const char *text, struct error *err) {
    struct verify_arguments *self = values;
    return argument_seed(text, &self->seed, err);
}

static bool is_against(const struct verify_arguments *self, const char *what) {
    return self->against != NULL && strcmp(self->against, what) == 0;
}

#define MEMBER(name) offsetof(struct verify_arguments, name)

static const struct argument ROWS[] = {
    {"root", ARGUMENT_TEXT, MEMBER(root), NULL},
    {"records", ARGUMENT_TEXT, MEMBER(records), NULL},
    {"against", ARGUMENT_READ, 0, read_against},
    {"compose", ARGUMENT_LIST, MEMBER(target.compose), NULL},
    {"target", ARGUMENT_TEXT, MEMBER(target.settings), NULL},
    {"project", ARGUMENT_TEXT, MEMBER(target.project), NULL},
    {"stack", ARGUMENT_TEXT, MEMBER(target.stack), NULL},
    {"settings", ARGUMENT_TEXT, MEMBER(settings), NULL},
    {"key", ARGUMENT_TEXT, MEMBER(key), NULL},
    {"metrics", ARGUMENT_TEXT, MEMBER(metrics), NULL},
    {"alert", ARGUMENT_TEXT, MEMBER(alert), NULL},
    {"runbook", ARGUMENT_TEXT, MEMBER(runbook), NULL},
    {"seed", ARGUMENT_READ, 0, read_seed},
    {"jobs", ARGUMENT_READ, 0, read_jobs},
    {"report", ARGUMENT_TEXT, MEMBER(report_folder), NULL},
    {"format", ARGUMENT_READ, 0, read_formats},
    {"offline", ARGUMENT_FLAG, MEMBER(offline), NULL},
    {0},
};

// -1: go on; otherwise the exit status.
static int read_arguments(int argc, char **argv, struct verify_arguments *self) {
    struct error problem = {0};
    *self = (struct verify_arguments){.which = "latest",
                                      .root = BACKUP_ROOT,
                                      .records = RECORDS_FOLDER,
                                      .seed = argument_random_seed(),
                                      .report_folder = DEFAULT_REPORT_FOLDER};
    if (argc > 1 && argv[1][0] != '-') {
        self->which = argv[1];
        argv[1] = argv[0];
        argc--;
        argv++;
    }
    const int status = arguments_read("backup verify", HELP, ROWS, argc, argv, self);
    if (status >= 0)
        return status;
    const int targets = target_choice_count(&self->target);
    if (targets > 1)
        return usage_error("backup verify", "one of --compose, --target, --project and --stack");
    if (targets == 1 && !is_against(self, "live"))
        return usage_error("backup verify",
                           "--compose, --target, --project and --stack go with --against live");
    if (self->formats.count == 0 && !publication_formats(DEFAULT_FORMATS, &self->formats, &problem))
        return usage_error("backup verify", "%s", problem.message);
    return -1;
}

// ---- reading

static bool read_backup(const struct verify_arguments *arguments, const char *path,
                        struct backup **ret_backup, struct error *err) {
    autodone(cancel) struct cancel cancel;
    struct byte_count count = {0};
    if (!cancel_init(&cancel, err))
        return false;
    interrupt_cancels(&cancel);
    struct live *live = live_open(stderr, &(const struct live_options){0});
    struct byte_progress *progress = byte_progress_open(live, "files", path, "reading", &count);
    const struct backup_options options = {
        .cancel = &cancel, .jobs = arguments->jobs, .counter = &count.done, .total = &count.total};
    const bool opened = backup_open(path, &options, ret_backup, err);
    byte_progress_close(progress);
    live_close(live);
    interrupt_forget();
    return opened;
}

// ---- what the user asks of it

struct questions {
    struct settings *settings; // NULL: none
    struct smoke *smoke;       // borrows from them
};

static void questions_done(struct questions *self) {
    smoke_free(self->smoke);
    settings_free(self->settings);
}

static bool read_questions(const struct verify_arguments *arguments,
                           struct questions *ret_questions, struct error *err) {
    const char *path = arguments->settings != NULL  ? arguments->settings
                       : file_exists(SETTINGS_FILE) ? SETTINGS_FILE
                                                    : NULL;
    return path == NULL ||
           (settings_load(path, &ret_questions->settings, err) &&
            smoke_read(ret_questions->settings->backup, &ret_questions->smoke, err));
}

// ---- what it says of itself

// And what the running servers say.
struct statement {
    struct testimony testimony;
    struct running_servers running;
};

static void statement_done(struct statement *self) {
    testimony_done(&self->testimony);
    running_servers_done(&self->running);
}

static bool read_statement(const struct verify_arguments *arguments, const struct backup *backup,
                           struct statement *ret_statement, struct error *err) {
    struct public_key key;
    if (arguments->key != NULL && !public_key_read(arguments->key, &key, err))
        return error_prefix(err, "--key");
    struct testimony *testimony = &ret_statement->testimony;
    testimony->demanded = is_against(arguments, "manifest");
    testimony->must_be_signed = arguments->key != NULL;
    if (is_against(arguments, "none"))
        testimony->there = testimony_is_there(backup);
    else
        testimony_read(backup, arguments->key != NULL ? &key : NULL, testimony);
    return !is_against(arguments, "live") ||
           running_servers_look(&ret_statement->running, &arguments->target, backup, err);
}

// ---- verifying

static void show_artifact(void *context, const char *artifact, const char *state, bool wrong) {
    session_show(context, "artifacts", artifact, state, wrong);
}

static bool bring_up(struct session *session, const struct verify_arguments *arguments,
                     const struct string_list *services, struct error *err) {
    autofree_string char *fixtures = NULL;
    if (!place_fixtures(&fixtures, err))
        return false;
    autofree_string char *compose = path_join(fixtures, "restore/compose.yaml");
    const char *const files[] = {compose, NULL};
    const struct session_options options = {
        .compose_files = files,
        .services = (const char *const *)services->items,
        .offline = arguments->offline,
    };
    return session_open(session, &options, "assay backup verify", err) &&
           session_bring_up(session, err);
}

static bool verify(struct session *session, const struct verify_arguments *arguments,
                   const struct backup *backup, struct statement *statement,
                   const struct smoke *smoke, struct error *err) {
    struct running_servers *running = &statement->running;
    const struct comparison_live live = {running->manifest, running_servers_hunt, running};
    struct byte_count count = {.total = backup_bytes(backup)};
    struct byte_progress *progress =
        byte_progress_open(session->live, "artifacts", "all", "restoring", &count);
    const struct verification verification = {
        .engine = session->engine,
        .stack = session->stack,
        .backup = backup,
        .testimony = &statement->testimony,
        .live = running->manifest != NULL ? &live : NULL,
        .smoke = smoke,
        .folder = session->run != NULL ? run_folder(session->run) : NULL,
        .seed = arguments->seed,
        .cancel = &session->cancel, // never requested while no session is open
        .counter = &count.done,
        .progress = show_artifact,
        .context = session,
    };
    running->session = session;
    for (size_t i = 0; i < running->notes.count; i++)
        report_add_warning(session->report, running->notes.items[i]);
    const bool done = verification_run(&verification, session->report, err);
    byte_progress_close(progress);
    if (session->stack != NULL)
        stack_describe(session->stack, session->report);
    return done;
}

// What can be said without a server is said even if none can be had.
static int verify_backup(const struct verify_arguments *arguments, const struct backup *backup,
                         struct statement *statement, const struct smoke *smoke,
                         int64_t taken_wall_ms) {
    struct session session = {0};
    struct error problem = {0}, cancelled = {0};
    autodone(string_list) struct string_list services = {0};
    const int64_t started_us = clock_monotonic_us();
    verification_services(backup, &services);
    const bool up = services.count == 0 || bring_up(&session, arguments, &services, &problem);
    if (session.report == NULL)
        session.report = report_new("assay backup verify");
    if (session.report->started_wall_ms == 0)
        session.report->started_wall_ms = clock_wall_ms();
    free(session.report->project);
    session.report->project = memory_copy_string(backup->path);
    const bool done = (!up && problem.domain == ERROR_CANCELLED) ||
                      verify(&session, arguments, backup, statement, smoke, &cancelled);
    const struct error *failure = !up ? &problem : !done ? &cancelled : NULL;
    session.report->duration_us = clock_monotonic_us() - started_us;
    if (failure != NULL)
        session.report->failure = memory_copy_string(failure->message);
    session_tear_down(&session);
    live_close(TAKE(session.live));
    int status = failure == NULL ? report_exit_status(session.report) : exit_status_of(failure);
    const struct keep_options keep = {.folder = arguments->records,
                                      .metrics = arguments->metrics,
                                      .alert = arguments->alert,
                                      .runbook = arguments->runbook,
                                      .taken_wall_ms = taken_wall_ms,
                                      .seed = arguments->seed};
    const bool kept = status == EXIT_INTERRUPTED || keep_records(session.report, backup, &keep);
    const bool published =
        publication_make(session.report, &arguments->formats, arguments->report_folder);
    if ((!kept || !published) && status == EXIT_PASSED)
        status = EXIT_ENVIRONMENT;
    session_close(&session);
    return status;
}

// What would make the work be done for nothing is asked before it.
static bool prepare(const struct verify_arguments *arguments, struct error *err) {
    if (!publication_possible(&arguments->formats, arguments->report_folder, err))
        return false;
    return records_folder_make(arguments->records, err) || error_prefix(err, "--records");
}

int command_verify_backup(int argc, char **argv) {
    struct verify_arguments arguments;
    struct backup_choice choice = {0};
    autofree(backup) struct backup *backup = NULL;
    struct statement statement = {0};
    struct questions questions = {0};
    struct error problem = {0};
    int status = read_arguments(argc, argv, &arguments);
    if (status < 0)
        status = !read_questions(&arguments, &questions, &problem) ||
                         !backup_choose(arguments.root, arguments.which, &choice, &problem) ||
                         !prepare(&arguments, &problem) ||
                         !read_backup(&arguments, choice.path, &backup, &problem) ||
                         !read_statement(&arguments, backup, &statement, &problem)
                     ? report_error(&problem)
                     : verify_backup(&arguments, backup, &statement, questions.smoke,
                                     choice.taken_wall_ms);
    questions_done(&questions);
    statement_done(&statement);
    string_list_done(&arguments.target.compose);
    string_list_done(&arguments.formats);
    free(choice.path);
    return status;
}
