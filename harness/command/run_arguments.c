#define _GNU_SOURCE
#include "command/run_arguments.h"

#include "base/memory.h"
#include "command/arguments.h"
#include "command/command.h"
#include "command/publication.h"

#include <string.h>

#define DEFAULT_FORMATS "terminal,junit,json"

static const char HELP[] =
    "usage: assay run [options]\n"
    "\n"
    "Brings up a throwaway, isolated copy of a Compose stack, runs suites against it, writes a\n"
    "report and removes everything.\n"
    "\n"
    "  --compose FILE     Compose file, several times to merge them; or the folder that it is in\n"
    "                     (default: the bundled devstack)\n"
    "  --profile NAME     Compose profile; may be given several times (devstack: minimal, "
    "standard,\n"
    "                     full; default standard)\n"
    "  --settings FILE    assay.yaml (default: the one beside the Compose file)\n"
    "  --suite NAME|PATH  only this bundled suite, or a Criterion executable; several times\n"
    "                     (default: `suites` of assay.yaml; with the devstack every bundled "
    "suite)\n"
    "  --jobs N           suites, builds and pulls at once (default: 4, and one per processor)\n"
    "  --shard K/N        only every N-th test, beginning with the K-th\n"
    "  --drill            afterwards `assay backup drill`, in the same report\n"
    "  --keep             when something failed, leave the stack running until Enter or Ctrl-C\n"
    "  --report DIR       folder for report files (default: " RUN_DEFAULT_REPORT_FOLDER ")\n"
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

static bool read_formats(void *values, const char *text, struct error *err) {
    struct run_arguments *self = values;
    return publication_formats(text, &self->formats, err);
}

static bool read_jobs(void *values, const char *text, struct error *err) {
    struct run_arguments *self = values;
    return argument_jobs(text, &self->jobs, err);
}

static bool read_shard(void *values, const char *text, struct error *err) {
    struct run_arguments *self = values;
    autofree_string char *copy = memory_copy_string(text);
    char *slash = strchr(copy, '/');
    long shard = 0;
    long shards = 0;
    if (slash != NULL)
        *slash = '\0';
    if (slash == NULL || !argument_number(slash + 1, 1, ARGUMENT_MOST_JOBS, &shards) ||
        !argument_number(copy, 1, shards, &shard))
        return error_set(err, ERROR_USAGE, 0, "--shard takes K/N, such as 1/3, not \"%s\"", text);
    self->shard = (int)shard;
    self->shards = (int)shards;
    return true;
}

#define MEMBER(name) offsetof(struct run_arguments, name)

static const struct argument ROWS[] = {
    {"compose", ARGUMENT_LIST, MEMBER(compose_files), NULL},
    {"profile", ARGUMENT_LIST, MEMBER(profiles), NULL},
    {"settings", ARGUMENT_TEXT, MEMBER(settings), NULL},
    {"suite", ARGUMENT_LIST, MEMBER(suites), NULL},
    {"jobs", ARGUMENT_READ, 0, read_jobs},
    {"shard", ARGUMENT_READ, 0, read_shard},
    {"keep", ARGUMENT_FLAG, MEMBER(keep), NULL},
    {"report", ARGUMENT_TEXT, MEMBER(report_folder), NULL},
    {"format", ARGUMENT_READ, 0, read_formats},
    {"substitute", ARGUMENT_FLAG, MEMBER(substitute), NULL},
    {"offline", ARGUMENT_FLAG, MEMBER(offline), NULL},
    {"count", ARGUMENT_FLAG, MEMBER(count), NULL},
    {"drill", ARGUMENT_FLAG, MEMBER(drill), NULL},
    {"list", ARGUMENT_FLAG, MEMBER(list), NULL},
    {0},
};

int run_arguments_read(int argc, char **argv, struct run_arguments *ret_arguments) {
    struct error problem = {0};
    ret_arguments->report_folder = RUN_DEFAULT_REPORT_FOLDER;
    const int status = arguments_read("run", HELP, ROWS, argc, argv, ret_arguments);
    if (status < 0 && ret_arguments->formats.count == 0 &&
        !publication_formats(DEFAULT_FORMATS, &ret_arguments->formats, &problem))
        return usage_error("run", "%s", problem.message);
    return status;
}

void run_arguments_done(struct run_arguments *self) {
    string_list_done(&self->compose_files);
    string_list_done(&self->profiles);
    string_list_done(&self->suites);
    string_list_done(&self->formats);
}
