// The subcommands of assay. A new one is a file of its own and a line in COMMANDS.
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

// Exit statuses, the same for every command (docs/reports.md).
enum exit_status {
    EXIT_PASSED = 0,       // everything verified and passed
    EXIT_FAILED = 1,       // something failed
    EXIT_USAGE = 2,        // wrong arguments or a wrong configuration file
    EXIT_ENVIRONMENT = 3,  // the environment could not be built
    EXIT_NOT_VERIFIED = 4, // nothing failed, something could not be verified
    EXIT_INTERRUPTED = 130,
};

//          name   function   summary
#define COMMANDS(COMMAND)                                                                         \
    COMMAND("run", command_run, "bring up a throwaway copy of a stack and run suites against it") \
    COMMAND("up", command_up, "bring up a stack that stays, under a lease")                       \
    COMMAND("status", command_status, "show stacks that `up` left running")                       \
    COMMAND("down", command_down, "remove a stack that `up` left running")                        \
    COMMAND("backup", command_backup, "restore a backup into throwaway servers: is it whole?")    \
    COMMAND("verify-backup", command_verify_backup, "`backup verify`, under the name for cron")   \
    COMMAND("images", command_images, "list, build, save or load the images")                     \
    COMMAND("doctor", command_doctor, "say what is here, what is missing, and what mends it")     \
    COMMAND("clean", command_clean, "remove what dead runs left behind")

#define DECLARE_COMMAND(name, function, summary) int function(int argc, char **argv);
COMMANDS(DECLARE_COMMAND)
#undef DECLARE_COMMAND

// The exit status that an error stands for.
int exit_status_of(const struct error *err);
// Prints "assay: <message>" once, to standard error; returns exit_status_of.
int report_error(const struct error *err);
// "assay: warning: …", a line each, to standard error: for a command that shows no report.
void print_warnings(const char *const *warnings, size_t count);
// Prints "assay <command>: unknown option …; see assay <command> --help"; returns EXIT_USAGE.
int usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
