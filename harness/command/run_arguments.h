// Arguments of `assay run`.
#pragma once

#include "base/string_list.h"

#include <stdbool.h>

#define RUN_DEFAULT_REPORT_FOLDER "assay-report"

struct run_arguments {
    struct string_list compose_files;
    struct string_list profiles;
    struct string_list suites;
    struct string_list formats; // names of report writers; never empty
    const char *settings;
    const char *report_folder;
    int jobs; // 0: the default
    int shard;
    int shards; // 0: not sharded
    bool keep;
    bool substitute;
    bool offline;
    bool count;
    bool list;
    bool drill;
};

// -1: go on; otherwise the exit status (--help, wrong usage).
int run_arguments_read(int argc, char **argv, struct run_arguments *ret_arguments);
void run_arguments_done(struct run_arguments *self);
