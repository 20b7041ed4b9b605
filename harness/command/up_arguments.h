// Arguments of `assay up`, and the one of `status` and `down`.
#pragma once

#include "base/string_list.h"

#include <stdbool.h>
#include <stdint.h>

struct up_arguments {
    const char *name;
    const char *settings;
    int64_t lease_ms; // 0: the default
    bool substitute;
    bool offline;
    struct string_list compose_files;
    struct string_list profiles;
};

// -1: go on; otherwise the exit status (--help, wrong usage).
int up_arguments_read(int argc, char **argv, const char *help, struct up_arguments *ret_arguments);
void up_arguments_done(struct up_arguments *self);

#define UP_DEFAULT_NAME "default"
