// The negative control of a file's check: a copy of it, damaged in a way and at a place that a seed
// chooses, which the same reader must refuse. The copy has no name and goes with the process.
#pragma once

#include "verify/backup/backup_folder.h"

struct damage_result {
    char what[160];                  // "cut to 1234 of 5678 bytes"
    bool refused;                    // for the right reason
    char answer[ERROR_MESSAGE_SIZE]; // what the reader said
};

// false: no copy could be made (a full disk, cancelled).
bool damage_try(const struct backup_file *file, uint64_t seed, const struct cancel *cancel,
                struct damage_result *ret_result, struct error *err) must_use;
