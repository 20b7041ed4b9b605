// Writes a report (value/result.h) in one of several formats.
//
//   terminal  for a person; the last line is "N passed, N failed, N skipped"
//   junit     JUnit XML, as Jenkins, GitLab and GitHub actions read it
//   tap       Test Anything Protocol 14 (testanything.org/tap-version-14-specification.html)
//   json      described by report.schema.json
//   github    workflow commands ("::error …") that GitHub shows beside the code, and a step summary
//
// Skipped always means: not verified, or not applicable. Strings of the report may hold anything: a
// writer escapes what its format cannot hold, and what a reader of the format would act upon.
#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "base/string_list.h"
#include "base/text.h"
#include "value/result.h"

#include <stdbool.h>
#include <stdio.h>

struct report_options {
    FILE *stream;       // where formats for reading along go
    const char *folder; // where files go, made when it is not there; NULL: they go to the stream
    const char *source_root;  // paths below it are written relative to it (annotations)
    const char *step_summary; // $GITHUB_STEP_SUMMARY: the github format appends to it; may be NULL
    bool colours;             // see style_wants_colours()
    bool in_workflow;         // the stream is read by GitHub Actions: defuse what it would obey
};

struct report_writer {
    const char *name;
    const char *file_suffix; // the file is "assay<suffix>"; NULL: always goes to the stream
    bool (*compose)(const struct report *report, const struct report_options *options,
                    struct text *out, struct error *err);
    // What else is to be done; may be NULL.
    bool (*publish_more)(const struct report *report, const struct report_options *options,
                         struct error *err);
};

extern const struct report_writer writer_terminal;
extern const struct report_writer writer_junit;
extern const struct report_writer writer_tap;
extern const struct report_writer writer_json;
extern const struct report_writer writer_github;

const struct report_writer *report_writer_at(size_t index); // NULL after the last

// An unknown name is ERROR_USAGE and the message lists those that are known.
bool report_writer_find(const char *name, const struct report_writer **ret_writer,
                        struct error *err) must_use;

// Writes to the stream, or to options->folder: readers see the whole file or the one before it. A
// full disk, a closed pipe or a folder that is not writable is ERROR_SYSTEM and names the file.
bool report_publish(const struct report *report, const struct report_writer *writer,
                    const struct report_options *options, struct error *err) must_use;
