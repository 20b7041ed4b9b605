// For tests: records of a history, and a folder that goes with the test.
#pragma once

#include "verify/backup/history.h"

// A folder of this test's alone, made on the first call; sample_done removes it and what
// sample_own was given.
const char *sample_folder(void);
const char *sample_path(const char *name); // in it
char *sample_own(char *string);            // freed by sample_done
const char *sample_text(const char *name); // the content of a file in it, "" when there is none
void sample_write(const char *name, const char *content);
void sample_done(void);

// A run of postgres (passed, 1000 bytes, 500 ms) and mysql of the same outcome as the run.
// `started` is "2026-11-22T03:00:00Z".
struct history_record sample_record(const char *id, const char *started, enum outcome outcome);

// A history of these, the test's own until sample_done.
struct history *sample_history(const struct history_record *records, size_t count);
