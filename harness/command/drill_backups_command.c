// assay backup drill: backups are made, and broken in every way that there is a row for; each must
// be found.
#include "command/backup_command.h"

#include "command/arguments.h"
#include "command/command.h"
#include "command/drill_backups.h"
#include "command/publication.h"

#include <stddef.h>

#define DEFAULT_FORMATS "terminal"
#define MOST_ROUNDS 100000
#define DEFAULT_REPORT_FOLDER "assay-report/drill"

static const char HELP[] =
    "usage: assay backup drill [options]\n"
    "\n"
    "Asks whether `assay backup verify` finds what it is there to find. Servers of every kind are\n"
    "started and filled, a backup of them is made, restored and verified. Then what was restored "
    "is\n"
    "altered, a row, a column, an index, a grant at a time, and the files are corrupted; each "
    "must\n"
    "be named, for the right reason. Nothing of yours is touched, and nothing is left.\n"
    "\n"
    "With --random the other question is asked, whether what is sound is found sound: the servers\n"
    "are filled with tables and values that a seed makes up, round after round.\n"
    "\n"
    "  --engine NAME      only postgres, mysql, mongodb or redis; may be given several times\n"
    "  --random ROUNDS    so many random datasets instead; each must be found sound\n"
    "  --seed N           of the first round, the next one has N + 1 (default: another each time)\n"
    "  --report DIR       folder for report files (default: " DEFAULT_REPORT_FOLDER ")\n"
    "  --format LIST      of terminal, junit, tap, json, github (default: " DEFAULT_FORMATS ")\n"
    "  --offline          never ask a registry for images\n"
    "\n"
    "examples:\n"
    "  assay backup drill\n"
    "  assay backup drill --engine mysql\n"
    "  assay backup drill --random 10\n"
    "  assay backup drill --format terminal,tap --report out    every alteration by its name\n"
    "\n"
    "exit status: 0 all was found, 1 something was not, 2 usage or configuration, 3 the "
    "environment\n"
    "could not be built, 4 something not verified, 130 interrupted\n";

struct drill_arguments {
    struct string_list formats;
    const char *report_folder;
    struct string_list engines;
    bool offline;
    size_t random_rounds;
    uint64_t seed;
};

static bool read_formats(void *values, const char *text, struct error *err) {
    struct drill_arguments *self = values;
    return publication_formats(text, &self->formats, err);
}

#define MEMBER(name) offsetof(struct drill_arguments, name)

static bool read_engine(void *values, const char *text, struct error *err) {
    struct drill_arguments *self = values;
    if (!drill_has_engine(text))
        return error_set(err, ERROR_USAGE, 0,
                         "--engine takes postgres, mysql, mongodb or redis, not \"%s\"", text);
    string_list_add(&self->engines, text);
    return true;
}

static bool read_random(void *values, const char *text, struct error *err) {
    struct drill_arguments *self = values;
    long rounds = 0;
    if (!argument_number(text, 1, MOST_ROUNDS, &rounds))
        return error_set(err, ERROR_USAGE, 0, "--random takes a number from 1 to %d, not \"%s\"",
                         MOST_ROUNDS, text);
    self->random_rounds = (size_t)rounds;
    return true;
}

static bool read_seed(void *values, const char *text, struct error *err) {
    struct drill_arguments *self = values;
    return argument_seed(text, &self->seed, err);
}

static const struct argument ROWS[] = {
    {"engine", ARGUMENT_READ, 0, read_engine},
    {"random", ARGUMENT_READ, 0, read_random},
    {"seed", ARGUMENT_READ, 0, read_seed},
    {"report", ARGUMENT_TEXT, MEMBER(report_folder), NULL},
    {"format", ARGUMENT_READ, 0, read_formats},
    {"offline", ARGUMENT_FLAG, MEMBER(offline), NULL},
    {0},
};

static int run(const struct drill_arguments *arguments) {
    const struct drill_request request = {.engines = (const char *const *)arguments->engines.items,
                                          .offline = arguments->offline,
                                          .random_rounds = arguments->random_rounds,
                                          .seed = arguments->seed};
    struct report *report = report_new("assay backup drill");
    struct error problem = {0};
    const bool possible =
        publication_possible(&arguments->formats, arguments->report_folder, &problem);
    const bool done = possible && drill_backups(&request, report, &problem);
    if (!possible || (!done && exit_status_of(&problem) == EXIT_USAGE)) {
        report_free(report);
        return report_error(&problem);
    }
    int status = done ? report_exit_status(report) : exit_status_of(&problem);
    if (!publication_make(report, &arguments->formats, arguments->report_folder) &&
        status == EXIT_PASSED)
        status = EXIT_ENVIRONMENT;
    report_free(report);
    return status;
}

int command_drill_backups(int argc, char **argv) {
    struct drill_arguments arguments = {.report_folder = DEFAULT_REPORT_FOLDER,
                                        .seed = argument_random_seed()};
    struct error problem = {0};
    int status = arguments_read("backup drill", HELP, ROWS, argc, argv, &arguments);
    if (status < 0 && arguments.formats.count == 0 &&
        !publication_formats(DEFAULT_FORMATS, &arguments.formats, &problem))
        status = report_error(&problem);
    if (status < 0)
        status = run(&arguments);
    string_list_done(&arguments.formats);
    string_list_done(&arguments.engines);
    return status;
}
