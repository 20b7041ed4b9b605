// assay clean: removes what dead runs left behind, and nothing else.
#include "command/command.h"

#include "command/session.h"
#include "run/sweep.h"

#include <stdio.h>
#include <string.h>

static const char HELP[] =
    "usage: assay clean\n"
    "\n"
    "Removes containers, networks, volumes and folders that carry assay's own labels and whose\n"
    "owner is provably dead. Nothing without our labels is ever touched; what belongs to a run\n"
    "that lives, or to a stack whose lease still runs, stays.\n"
    "\n"
    "example:\n"
    "  assay clean\n"
    "\n"
    "exit status: 0 clean, 3 the engine could not be asked\n";

static int clean(void) {
    struct session session = {0};
    struct sweep_count swept = {0};
    struct error problem = {0};
    const bool ok = cancel_init(&session.cancel, &problem) &&
                    session_find_engine(&session, &problem) &&
                    sweep_dead(session.engine, &swept, &problem);
    session_close(&session);
    if (!ok)
        return report_error(&problem);
    printf("removed %d containers, %d networks, %d volumes, %d folders", swept.containers,
           swept.networks, swept.volumes, swept.folders);
    if (swept.kept > 0)
        printf("; kept %d that live or cannot be judged", swept.kept);
    putchar('\n');
    return EXIT_PASSED;
}

int command_clean(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(HELP, stdout);
        return EXIT_PASSED;
    }
    if (argc > 1)
        return usage_error("clean", "unexpected argument \"%s\"", argv[1]);
    return clean();
}
