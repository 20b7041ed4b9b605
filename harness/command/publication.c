#define _GNU_SOURCE
#include "command/publication.h"

#include "base/file.h"
#include "base/memory.h"
#include "command/command.h"
#include "reports/report_writer.h"
#include "reports/style.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool publication_formats(const char *list, struct string_list *ret_formats, struct error *err) {
    autofree_string char *copy = memory_copy_string(list);
    char *rest = NULL;
    for (char *name = strtok_r(copy, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        const struct report_writer *writer = NULL;
        if (!report_writer_find(name, &writer, err))
            return false;
        string_list_add(ret_formats, name);
    }
    return ret_formats->count > 0 || error_set(err, ERROR_USAGE, 0, "--format names no format");
}

static bool publish_one(const struct report *report, const struct report_writer *writer,
                        const struct report_options *options) {
    struct error problem = {0};
    if (report_publish(report, writer, options, &problem))
        return true;
    report_error(&problem);
    return false;
}

bool publication_make(const struct report *report, const struct string_list *formats,
                      const char *folder) {
    const char *workflow = getenv("GITHUB_ACTIONS");
    const struct report_options options = {
        .stream = stdout,
        .folder = folder,
        .step_summary = getenv("GITHUB_STEP_SUMMARY"),
        .colours = style_wants_colours(stdout),
        .source_root = getenv("GITHUB_WORKSPACE"),
        .in_workflow = workflow != NULL && strcmp(workflow, "true") == 0,
    };
    const struct report_writer *last = NULL; // the terminal's closing line is the last of all
    bool published = true;
    for (size_t i = 0; i < formats->count; i++) {
        const struct report_writer *writer = NULL;
        if (!report_writer_find(formats->items[i], &writer, NULL))
            continue; // the arguments were checked
        if (writer == &writer_terminal)
            last = writer;
        else
            published = publish_one(report, writer, &options) && published;
    }
    return (last == NULL || publish_one(report, last, &options)) && published;
}

bool publication_possible(const struct string_list *formats, const char *folder,
                          struct error *err) {
    for (size_t i = 0; i < formats->count; i++) {
        const struct report_writer *writer = NULL;
        if (!report_writer_find(formats->items[i], &writer, err))
            return false;
        if (writer->file_suffix == NULL)
            continue;
        if (!folder_make(folder, 0755, err))
            return error_prefix(err, "--report");
        if (access(folder, W_OK | X_OK) != 0)
            return error_set_errno(err, "--report: cannot write to %s", folder);
    }
    return true;
}
