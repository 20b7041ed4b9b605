// assay backup rotate: old backups go, by the dates in their names; the newest verified one never.
#define _GNU_SOURCE
#include "command/backup_command.h"

#include "base/memory.h"
#include "command/arguments.h"
#include "command/command.h"
#include "verify/backup/record.h"
#include "verify/backup/rotation_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char HELP[] =
    "usage: assay backup rotate [options]\n"
    "\n"
    "Removes old backups below a root, by the dates in their names, and says what that frees. "
    "Kept\n"
    "are the newest ones of 7 days, of 4 weeks (Sunday's) and of 12 months (the 1st's); always "
    "the\n"
    "newest, and the newest that was verified; and whatever has no date in its name. As long as\n"
    "none was verified, none is removed.\n"
    "\n"
    "  --root DIR         where backups lie, one below the other (default: " BACKUP_ROOT ")\n"
    "  --daily N          days to keep (7)\n"
    "  --weekly N         weeks to keep (4)\n"
    "  --monthly N        months to keep (12)\n"
    "  --records DIR      the history of verifications (default: " RECORDS_FOLDER ")\n"
    "  --unverified       remove although no backup was ever verified\n"
    "  --dry-run          only say what would be removed\n"
    "\n"
    "examples:\n"
    "  assay backup rotate --dry-run\n"
    "  assay backup rotate --root /var/backups/app --daily 14\n"
    "\n"
    "exit status: 0 done, 2 usage or configuration, 3 something could not be removed\n";

struct rotate_arguments {
    const char *root;
    const char *records;
    struct rotation_policy policy;
    bool unverified;
    bool dry_run;
};

static bool read_count(const char *option, const char *text, int *count, struct error *err) {
    long number = 0;
    if (!argument_number(text, 0, 10000, &number))
        return error_set(err, ERROR_USAGE, 0, "--%s takes a number, not \"%s\"", option, text);
    *count = (int)number;
    return true;
}

static bool read_daily(void *values, const char *text, struct error *err) {
    return read_count("daily", text, &((struct rotate_arguments *)values)->policy.daily, err);
}
static bool read_weekly(void *values, const char *text, struct error *err) {
    return read_count("weekly", text, &((struct rotate_arguments *)values)->policy.weekly, err);
}
static bool read_monthly(void *values, const char *text, struct error *err) {
    return read_count("monthly", text, &((struct rotate_arguments *)values)->policy.monthly, err);
}

#define MEMBER(name) offsetof(struct rotate_arguments, name)

static const struct argument ROWS[] = {
    {"root", ARGUMENT_TEXT, MEMBER(root), NULL},
    {"records", ARGUMENT_TEXT, MEMBER(records), NULL},
    {"daily", ARGUMENT_READ, 0, read_daily},
    {"weekly", ARGUMENT_READ, 0, read_weekly},
    {"monthly", ARGUMENT_READ, 0, read_monthly},
    {"unverified", ARGUMENT_FLAG, MEMBER(unverified), NULL},
    {"dry-run", ARGUMENT_FLAG, MEMBER(dry_run), NULL},
    {0},
};

// Scripts name backups by the clock on their wall.
static struct civil_time today(void) {
    struct tm here;
    const time_t now = time(NULL);
    localtime_r(&now, &here);
    return (struct civil_time){
        .year = here.tm_year + 1900, .month = here.tm_mon + 1, .day = here.tm_mday};
}

static int rotate(const struct rotate_arguments *arguments) {
    struct error problem = {0};
    autofree(history) struct history *history = NULL;
    autofree(rotation_folder) struct rotation_folder *folder = NULL;
    autodone(text) struct text plan = {0};
    const struct civil_time now = today();
    if (!rotation_policy_check(&arguments->policy, &problem) ||
        !history_read(arguments->records, &history, &problem) ||
        !rotation_folder_open(arguments->root, history, &folder, &problem))
        return report_error(&problem);
    rotation_folder_decide(folder, &arguments->policy, &now);
    rotation_folder_append_plan(folder, &plan, &arguments->policy, &now);
    fputs(text_string(&plan), stdout);
    if (arguments->dry_run) {
        puts("nothing was removed: --dry-run");
        return EXIT_PASSED;
    }
    struct rotation_freed freed = {0};
    const bool removed = rotation_folder_apply(folder, &freed, &problem);
    printf("%zu removed\n", freed.count);
    return removed ? EXIT_PASSED : report_error(&problem);
}

int command_rotate_backups(int argc, char **argv) {
    struct rotate_arguments arguments = {
        .root = BACKUP_ROOT, .records = RECORDS_FOLDER, .policy = ROTATION_POLICY_DEFAULT};
    const int status = arguments_read("backup rotate", HELP, ROWS, argc, argv, &arguments);
    arguments.policy.unverified = arguments.unverified;
    return status >= 0 ? status : rotate(&arguments);
}
