#define _GNU_SOURCE
#include "command/arguments.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/string_list.h"
#include "command/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

struct options {
    struct option *items; // as getopt_long wants them; val is FIRST_ROW and the row's number
};

#define FIRST_ROW 1000 // behind every character

static void options_done(struct options *self) {
    free(self->items);
}
DEFINE_AUTODONE(options, options_done);

static void options_init(struct options *self, const struct argument *rows) {
    size_t count = 0;
    while (rows[count].name != NULL)
        count++;
    self->items = memory_new(count + 2, sizeof *self->items);
    for (size_t i = 0; i < count; i++)
        self->items[i] = (struct option){
            .name = rows[i].name,
            .has_arg = rows[i].kind == ARGUMENT_FLAG ? no_argument : required_argument,
            .val = FIRST_ROW + (int)i};
    self->items[count] = (struct option){.name = "help", .val = 'h'};
}

static bool take(const struct argument *row, void *values, const char *text, struct error *err) {
    void *member = (char *)values + row->offset;
    switch (row->kind) {
    case ARGUMENT_FLAG:
        *(bool *)member = true;
        return true;
    case ARGUMENT_TEXT:
        *(const char **)member = text;
        return true;
    case ARGUMENT_LIST:
        string_list_add(member, text);
        return true;
    case ARGUMENT_READ:
        return row->read(values, text, err);
    }
    return false;
}

int arguments_read(const char *command, const char *help, const struct argument *rows, int argc,
                   char **argv, void *values) {
    autodone(options) struct options options = {0};
    options_init(&options, rows);
    struct error problem = {0};
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":h", options.items, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help, stdout);
            return EXIT_PASSED;
        }
        if (option == ':')
            return usage_error(command, "%s needs a value", argv[optind - 1]);
        if (option == '?')
            return usage_error(command, "there is no option %s", argv[optind - 1]);
        if (!take(&rows[option - FIRST_ROW], values, optarg, &problem))
            return usage_error(command, "%s", problem.message);
    }
    if (optind < argc)
        return usage_error(command, "unexpected argument \"%s\"", argv[optind]);
    return -1;
}

bool argument_number(const char *text, long least, long most, long *ret_number) {
    char *end = NULL;
    errno = 0;
    const long number = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < least || number > most)
        return false;
    *ret_number = number;
    return true;
}

bool argument_jobs(const char *text, int *ret_jobs, struct error *err) {
    long jobs = 0;
    if (!argument_number(text, 1, ARGUMENT_MOST_JOBS, &jobs))
        return error_set(err, ERROR_USAGE, 0, "--jobs takes a number from 1, not \"%s\"", text);
    *ret_jobs = (int)jobs;
    return true;
}

bool argument_seed(const char *text, uint64_t *ret_seed, struct error *err) {
    char *end = NULL;
    errno = 0;
    *ret_seed = strtoull(text, &end, 10);
    return (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0) ||
           error_set(err, ERROR_USAGE, 0, "--seed takes a number, not \"%s\"", text);
}

uint64_t argument_random_seed(void) {
    uint32_t seed = 0;
    return getrandom(&seed, sizeof seed, 0) == sizeof seed ? seed : (uint32_t)clock_wall_ms();
}
