// assay backup create: the servers of a running stack are dumped, with the sums of what they hold.
#define _GNU_SOURCE
#include "command/backup_command.h"

#include "base/file.h"
#include "base/memory.h"
#include "command/arguments.h"
#include "command/byte_progress.h"
#include "command/command.h"
#include "command/interrupt.h"
#include "command/session.h"
#include "command/target.h"
#include "verify/backup/creation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "usage: assay backup create [--compose FILE | --target FILE | --project NAME | --stack NAME]\n"
    "                           [options]\n"
    "\n"
    "Dumps every database server of a running stack: PostgreSQL and MySQL with their own tools "
    "inside\n"
    "their containers, MongoDB and Redis through their protocols. What each holds is summed as "
    "well,\n"
    "so that `assay backup verify` can tell whether a restored server holds the same, row for "
    "row.\n"
    "Servers are told by the programs that run.\n"
    "\n"
    "  --compose FILE     the stack of this Compose file (default: the one here)\n"
    "  --target FILE      the stack of the Compose file that this assay.yaml names\n"
    "  --project NAME     the stack of this Compose project\n"
    "  --stack NAME       a stack of `assay up`\n"
    "  --service NAME     only this service; may be given several times\n"
    "  --into DIR         where backups lie, one below the other (default: " BACKUP_ROOT ")\n"
    "  --key FILE         signs the manifest; `assay backup key FILE` makes one\n"
    "\n"
    "examples:\n"
    "  assay backup create\n"
    "  assay backup create --project shop --service db --into /var/backups/shop\n"
    "  assay backup create && assay backup verify latest --against manifest\n"
    "\n"
    "exit status: 0 made (its path is printed), 1 a server could not be dumped, 2 usage or\n"
    "configuration, 3 the engine or the disk did not do it, 130 interrupted; unless it is 0, "
    "there\n"
    "is no backup\n";

struct create_arguments {
    struct target_choice target;
    struct string_list services;
    const char *into;
    const char *key;
};

#define MEMBER(name) offsetof(struct create_arguments, name)

static const struct argument ROWS[] = {
    {"compose", ARGUMENT_LIST, MEMBER(target.compose), NULL},
    {"service", ARGUMENT_LIST, MEMBER(services), NULL},
    {"target", ARGUMENT_TEXT, MEMBER(target.settings), NULL},
    {"project", ARGUMENT_TEXT, MEMBER(target.project), NULL},
    {"stack", ARGUMENT_TEXT, MEMBER(target.stack), NULL},
    {"into", ARGUMENT_TEXT, MEMBER(into), NULL},
    {"key", ARGUMENT_TEXT, MEMBER(key), NULL},
    {0},
};

// ---- making it

static void show_service(void *context, const char *service, const char *state) {
    session_show(context, "services", service, state, false);
}

static bool make(struct session *session, const struct create_arguments *arguments,
                 const struct target *target, const struct signing_key *key, char **ret_path,
                 struct string_list *notes, struct error *err) {
    autodone(origins) struct origins origins = {0};
    const char *const *services = (const char *const *)arguments->services.items;
    if (!target_open_engine(target, session, err) ||
        !origins_find(session->engine, target->label,
                      arguments->services.count > 0 ? services : NULL, &origins, err))
        return false;
    struct byte_count count = {0};
    struct byte_progress *progress =
        byte_progress_open(session->live, "files", arguments->into, "writing", &count);
    const struct creation creation = {.engine = session->engine,
                                      .origins = &origins,
                                      .root = arguments->into,
                                      .sockets = run_folder(session->run),
                                      .key = key,
                                      .cancel = &session->cancel,
                                      .counter = &count.done,
                                      .progress = show_service,
                                      .context = session};
    const bool made = creation_run(&creation, ret_path, notes, err);
    byte_progress_close(progress);
    return made;
}

static int create(const struct create_arguments *arguments, const struct signing_key *key) {
    struct session session = {0};
    struct target target = {0};
    struct error problem = {0};
    autofree_string char *path = NULL;
    autodone(string_list) struct string_list notes = {0};
    bool made = cancel_init(&session.cancel, &problem);
    if (made) {
        interrupt_cancels(&session.cancel);
        made = target_find(&arguments->target, &session.cancel, &target, &problem) &&
               run_open(&(const struct run_options){.cancel = &session.cancel}, &session.run,
                        &problem);
    }
    if (made) {
        session.live = live_open(stderr, &(const struct live_options){0});
        made = make(&session, arguments, &target, key, &path, &notes, &problem);
        live_close(TAKE(session.live));
    }
    session_close(&session);
    target_done(&target);
    print_warnings((const char *const *)notes.items, notes.count);
    if (!made) {
        const int status = report_error(&problem);
        return problem.domain == ERROR_SERVICE ? EXIT_FAILED : status;
    }
    puts(path);
    return EXIT_PASSED;
}

static int read_key_and_create(const struct create_arguments *arguments) {
    autofree(signing_key) struct signing_key *key = NULL;
    struct error problem = {0};
    if (target_choice_count(&arguments->target) > 1)
        return usage_error("backup create", "one of --compose, --target, --project and --stack");
    if (arguments->key != NULL && !signing_key_read(arguments->key, &key, &problem)) {
        error_prefix(&problem, "--key");
        return report_error(&problem);
    }
    return create(arguments, key);
}

int command_create_backup(int argc, char **argv) {
    struct create_arguments arguments = {.into = BACKUP_ROOT};
    int status = arguments_read("backup create", HELP, ROWS, argc, argv, &arguments);
    if (status < 0)
        status = read_key_and_create(&arguments);
    string_list_done(&arguments.target.compose);
    string_list_done(&arguments.services);
    return status;
}
