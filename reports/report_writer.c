#include "reports/report_writer.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <string.h>

// Far more than any report of a real run; a bound, so that a runaway one is an error.
#define REPORT_LIMIT ((size_t)256 * 1024 * 1024)

const struct report_writer *report_writer_at(size_t index) {
    static const struct report_writer *const all[] = {
        &writer_terminal, &writer_junit, &writer_tap, &writer_json, &writer_github,
    };
    return index < sizeof all / sizeof all[0] ? all[index] : NULL;
}

bool report_writer_find(const char *name, const struct report_writer **ret_writer,
                        struct error *err) {
    const struct report_writer *writer;
    for (size_t i = 0; (writer = report_writer_at(i)) != NULL; i++)
        if (strcmp(writer->name, name) == 0) {
            *ret_writer = writer;
            return true;
        }
    error_set(err, ERROR_USAGE, 0, "\"%.64s\" is no report format; there are", name);
    for (size_t i = 0; (writer = report_writer_at(i)) != NULL; i++)
        error_append(err, "%s %s", i > 0 ? "," : "", writer->name);
    return false;
}

static bool print(FILE *stream, const struct text *content, struct error *err) {
    errno = 0;
    if (content->length > 0 && fwrite(content->bytes, content->length, 1, stream) != 1)
        return error_set_errno(err, "cannot print the report");
    return fflush(stream) == 0 || error_set_errno(err, "cannot print the report");
}

static bool save(const struct report_writer *writer, const char *folder, const struct text *content,
                 struct error *err) {
    autofree_string char *name = memory_format("assay%s", writer->file_suffix);
    autofree_string char *path = path_join(folder, name);
    return folder_make(folder, 0755, err) &&
           file_write_atomic(path, text_string(content), content->length, 0644, err);
}

static bool publish(const struct report *report, const struct report_writer *writer,
                    const struct report_options *options, struct error *err) {
    autodone(text) struct text content = {0};
    text_init(&content, REPORT_LIMIT);
    if (!writer->compose(report, options, &content, err))
        return false;
    if (content.overflowed)
        return error_set(err, ERROR_SYSTEM, EFBIG, "the report is larger than %zu MiB",
                         REPORT_LIMIT >> 20);
    const bool to_file = writer->file_suffix != NULL && options->folder != NULL;
    if (to_file ? !save(writer, options->folder, &content, err)
                : !print(options->stream, &content, err))
        return false;
    return writer->publish_more == NULL || writer->publish_more(report, options, err);
}

bool report_publish(const struct report *report, const struct report_writer *writer,
                    const struct report_options *options, struct error *err) {
    return publish(report, writer, options, err) ||
           error_prefix(err, "the %s report was not written", writer->name);
}
