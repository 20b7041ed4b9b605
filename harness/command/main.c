#include "command/command.h"

#include "base/json_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
#define COMMAND_LINE(name, function, summary) {name, function, summary},
    COMMANDS(COMMAND_LINE)
#undef COMMAND_LINE
};

#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static void print_help(FILE *to) {
    fputs("assay: verifies containerised stacks, and shows the evidence\n"
          "\n"
          "usage: assay <command> [options]\n"
          "\n",
          to);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  %-13s %s\n", commands[i].name, commands[i].summary);
    fputs("\n"
          "  assay <command> --help    options and examples\n"
          "  assay --version\n"
          "\n"
          "exit status: 0 everything verified and passed; 1 something failed; 2 wrong usage or\n"
          "configuration; 3 the environment could not be built; 4 something not verified;\n"
          "130 interrupted\n",
          to);
}

int exit_status_of(const struct error *err) {
    switch (err->domain) {
    case ERROR_USAGE:
    case ERROR_CONFIGURATION:
        return EXIT_USAGE;
    case ERROR_CANCELLED:
        return EXIT_INTERRUPTED;
    default:
        return EXIT_ENVIRONMENT;
    }
}

int report_error(const struct error *err) {
    fprintf(stderr, "assay: %s\n", err->message);
    return exit_status_of(err);
}

void print_warnings(const char *const *warnings, size_t count) {
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "assay: warning: %s\n", warnings[i]);
}

int usage_error(const char *command, const char *format, ...) {
    fprintf(stderr, "assay %s: ", command);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "; see `assay %s --help`\n", command);
    return EXIT_USAGE;
}

// Started with a standard stream closed, the next file opened would take its number, and what we
// print would land in it.
static void open_standard_streams(void) {
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd)
            _exit(EXIT_ENVIRONMENT);
}

// Who asked for a list or for help and got half of it, on a full disk, must not be told that all is
// well.
static int when_printed(int status) {
    errno = 0;
    const bool broken = ferror(stdout) != 0; // earlier: the cause is not known any more
    if (fflush(stdout) == 0 && !broken)
        return status;
    fprintf(stderr, "assay: cannot print all of the output%s%s\n", errno != 0 ? ": " : "",
            errno != 0 ? strerror(errno) : "");
    return status == EXIT_PASSED ? EXIT_ENVIRONMENT : status;
}

static int run(int argc, char **argv) {
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("assay " ASSAY_VERSION);
        return 0;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "assay: there is no command \"%s\"; see `assay --help`\n", argv[1]);
    return EXIT_USAGE;
}

int main(int argc, char **argv) {
    open_standard_streams();
    signal(SIGPIPE, SIG_IGN);
    json_memory_init();
    return when_printed(run(argc, argv));
}
