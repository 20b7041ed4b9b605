// A run for guardian_test.c: starts a guardian, prints its process id, and waits to be killed. The
// guardian's sweep makes the file that $SWEPT names.
#include "process/guardian.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool sweep(void *context, const struct string_list *told, struct error *err) {
    (void)context;
    (void)told;
    return file_write_atomic(getenv("SWEPT"), "", 0, 0600, err);
}

int main(void) {
    const struct guardian_options options = {.hides = "STRAY_TEST", .sweep = sweep};
    struct guardian *guardian = NULL;
    struct error err = {0};
    if (!guardian_start(&options, &guardian, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    printf("%d\n", (int)guardian_pid(guardian));
    fflush(stdout);
    for (;;)
        pause();
}
