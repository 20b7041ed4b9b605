// The options of a command as a table: a row an option, and each value goes to a member of a struct
// of the command's own.
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum argument_kind {
    ARGUMENT_FLAG, // bool: the option takes no value
    ARGUMENT_TEXT, // const char *: borrowed from argv
    ARGUMENT_LIST, // struct string_list: the option may be given several times
    ARGUMENT_READ, // whatever read() makes of it
};

struct argument {
    const char *name; // without its "--"
    enum argument_kind kind;
    size_t offset; // of the member; not for ARGUMENT_READ
    bool (*read)(void *values, const char *text, struct error *err);
};

// Fills `values`. -1: go on; otherwise the exit status, for --help (prints `help`) and for wrong
// usage, which has been reported. The last row has no name.
int arguments_read(const char *command, const char *help, const struct argument *rows, int argc,
                   char **argv, void *values);

// A whole number from `least` to `most`, and nothing else.
bool argument_number(const char *text, long least, long most, long *ret_number);
#define ARGUMENT_MOST_JOBS 10000
// The value of --jobs.
bool argument_jobs(const char *text, int *ret_jobs, struct error *err);
// The value of --seed.
bool argument_seed(const char *text, uint64_t *ret_seed, struct error *err);
// One that nobody gave: short enough to be typed again.
uint64_t argument_random_seed(void);
