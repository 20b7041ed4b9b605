// Writes a fixed report in every format: the terminal's to standard output, the others to files.
//
//   write_reports FOLDER
#include "reports/sample_fixture.h"

#include "base/json_memory.h"
#include "value/result.h"

#include <stdio.h>

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    json_memory_init();
    const struct report_options options = {.stream = stdout, .folder = argv[1]};
    struct report *report = sample_report();
    struct error problem = {0};
    bool ok = true;
    const struct report_writer *writer;
    for (size_t i = 0; ok && (writer = report_writer_at(i)) != NULL; i++)
        ok = report_publish(report, writer, &options, &problem);
    sample_forget();
    if (ok)
        return 0;
    fprintf(stderr, "write_reports: %s\n", problem.message);
    return 3;
}
