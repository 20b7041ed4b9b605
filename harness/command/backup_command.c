// assay backup: what it does is a table; each subcommand is a file of its own.
#include "command/backup_command.h"

#include "command/command.h"

#include <stdio.h>
#include <string.h>

static const char HELP[] =
    "usage: assay backup <subcommand> [options]\n"
    "\n"
    "  create                 dump the servers of a running stack, with the sums of what they "
    "hold\n"
    "  list                   the backups below a root\n"
    "  show [latest|PATH]     what a backup says of itself\n"
    "  verify [latest|PATH]   restore a backup into throwaway servers and prove that it is whole\n"
    "  rotate                 remove old backups: 7 daily, 4 weekly and 12 monthly ones stay\n"
    "  report --month YYYY-MM what the verifications of a month came to\n"
    "  drill                  ask whether what can befall a backup is found: every row of the "
    "tables\n"
    "  key FILE               make the pair of keys that sign and check manifests\n"
    "\n"
    "  assay backup <subcommand> --help    options and examples\n"
    "  assay verify-backup                 the same as `assay backup verify`, for cron\n";

static const struct subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
} SUBCOMMANDS[] = {
    {"create", command_create_backup},  {"list", command_list_backups},
    {"show", command_show_backup},      {"verify", command_verify_backup},
    {"rotate", command_rotate_backups}, {"report", command_report_backups},
    {"key", command_backup_key},        {"drill", command_drill_backups},
};

int command_backup(int argc, char **argv) {
    if (argc < 2) {
        fputs(HELP, stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        fputs(HELP, stdout);
        return EXIT_PASSED;
    }
    for (size_t i = 0; i < sizeof SUBCOMMANDS / sizeof *SUBCOMMANDS; i++)
        if (strcmp(argv[1], SUBCOMMANDS[i].name) == 0)
            return SUBCOMMANDS[i].run(argc - 1, argv + 1);
    return usage_error("backup", "there is no subcommand \"%s\"", argv[1]);
}
