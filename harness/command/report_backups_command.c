// assay backup report: a month of verifications, from the history.
#include "command/backup_command.h"

#include "base/clock.h"
#include "command/arguments.h"
#include "command/command.h"
#include "verify/backup/month.h"
#include "verify/backup/record.h"

#include <stdio.h>
#include <stdlib.h>

static const char HELP[] =
    "usage: assay backup report --month YYYY-MM [options]\n"
    "\n"
    "What the verifications of a month came to: runs, pass rate, how restore times and sizes "
    "went,\n"
    "and how old the newest verified backup is.\n"
    "\n"
    "  --month YYYY-MM    of UTC\n"
    "  --records DIR      the history of verifications (default: " RECORDS_FOLDER ")\n"
    "  --json             as JSON\n"
    "\n"
    "example:\n"
    "  assay backup report --month 2026-11\n"
    "\n"
    "exit status: 0 printed, 2 usage or configuration, 3 the history cannot be read\n";

struct report_arguments {
    const char *month;
    const char *records;
    bool json;
};

#define MEMBER(name) offsetof(struct report_arguments, name)

static const struct argument ROWS[] = {
    {"month", ARGUMENT_TEXT, MEMBER(month), NULL},
    {"records", ARGUMENT_TEXT, MEMBER(records), NULL},
    {"json", ARGUMENT_FLAG, MEMBER(json), NULL},
    {0},
};

static void print_json(const struct month *month) {
    json_t *json = month_to_json(month);
    char *text = json_dumps(json, JSON_INDENT(2));
    puts(text);
    free(text);
    json_decref(json);
}

static void print_text(const struct month *month) {
    autodone(text) struct text text = {0};
    month_append_text(month, &text);
    fputs(text_string(&text), stdout);
}

static int print_month(const struct report_arguments *arguments) {
    struct error problem = {0};
    autofree(history) struct history *history = NULL;
    int year = 0, number = 0;
    if (!month_parse(arguments->month, &year, &number, &problem) ||
        !history_read(arguments->records, &history, &problem))
        return report_error(&problem);
    autofree(month) struct month *month = month_new(history, year, number, clock_wall_ms());
    if (arguments->json)
        print_json(month);
    else
        print_text(month);
    return EXIT_PASSED;
}

int command_report_backups(int argc, char **argv) {
    struct report_arguments arguments = {.records = RECORDS_FOLDER};
    const int status = arguments_read("backup report", HELP, ROWS, argc, argv, &arguments);
    if (status >= 0)
        return status;
    if (arguments.month == NULL)
        return usage_error("backup report", "it needs --month");
    return print_month(&arguments);
}
