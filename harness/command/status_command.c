// assay status and assay down: the stacks that `assay up` left running.
#include "command/command.h"

#include "base/clock.h"
#include "base/string_list.h"
#include "command/up_arguments.h"
#include "run/lease.h"
#include "run/private_engine.h"
#include "run/run_cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char STATUS_HELP[] =
    "usage: assay status [NAME]\n"
    "\n"
    "Shows the stacks that `assay up` left running: name, project, where its environment file is\n"
    "and how long its lease still runs. With NAME only that one, and its lease is renewed.\n"
    "\n"
    "exit status: 0 there is one, 1 there is none, 3 what there is cannot be read\n";

static const char DOWN_HELP[] =
    "usage: assay down [NAME]\n"
    "\n"
    "Removes a stack that `assay up` left running, at once, whoever uses it.\n"
    "\n"
    "examples:\n"
    "  assay down\n"
    "  assay down mine\n"
    "\n"
    "exit status: 0 removed, 2 there is no such stack, 3 it could not be removed\n";

// At most one argument, a name. -1: go on.
static int read_name(const char *command, const char *help, int argc, char **argv,
                     const char **ret_name) {
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return EXIT_PASSED;
    }
    if (argc > 2 || (argc == 2 && argv[1][0] == '-'))
        return usage_error(command, "unexpected argument \"%s\"", argv[argc - 1]);
    *ret_name = argc == 2 ? argv[1] : NULL;
    return -1;
}

static bool show(const char *state, const char *name, struct error *err) {
    autodone(lease_facts) struct lease_facts facts = {0};
    if (!lease_find(state, name, &facts, err))
        return false;
    const int64_t left_s = (facts.expires_wall_ms - clock_wall_ms()) / 1000;
    printf("%-12s %-16s run %s, lease %lld min %02lld s\n%-12s %s\n", name, facts.project,
           facts.run_id, (long long)(left_s / 60), (long long)(left_s % 60), "", facts.environment);
    return true;
}

static int show_one(const char *state, const char *name) {
    struct error problem = {0};
    autofree(lease) struct lease *lease = NULL;
    if (!lease_claim(state, name, NULL, &lease, &problem))
        return report_error(&problem);
    if (lease_facts(lease) == NULL) {
        fprintf(stderr, "assay: there is no stack \"%s\"; `assay up` makes one\n", name);
        return EXIT_FAILED;
    }
    return lease_renew(lease, &problem) && show(state, name, &problem) ? EXIT_PASSED
                                                                       : report_error(&problem);
}

// One that was removed since it was listed is not one that could not be read.
static int show_all(const char *state) {
    struct error problem = {0};
    autodone(string_list) struct string_list names = {0};
    if (!lease_names(state, &names, &problem))
        return report_error(&problem);
    size_t shown = 0;
    int status = EXIT_PASSED;
    for (size_t i = 0; i < names.count; i++) {
        if (show(state, names.items[i], &problem))
            shown++;
        else if (problem.code != ENOENT)
            status = report_error(&problem);
    }
    if (shown > 0 || status != EXIT_PASSED)
        return status;
    puts("no stack is up; `assay up` makes one");
    return EXIT_FAILED;
}

int command_status(int argc, char **argv) {
    const char *name = NULL;
    const int wrong = read_name("status", STATUS_HELP, argc, argv, &name);
    if (wrong >= 0)
        return wrong;
    autofree_string char *state = state_folder();
    if (name != NULL)
        return show_one(state, name);
    return show_all(state);
}

int command_down(int argc, char **argv) {
    const char *name = NULL;
    const int wrong = read_name("down", DOWN_HELP, argc, argv, &name);
    if (wrong >= 0)
        return wrong;
    autofree_string char *state = state_folder();
    struct error problem = {0};
    if (!stack_end(state, name != NULL ? name : UP_DEFAULT_NAME, &problem))
        return report_error(&problem);
    return EXIT_PASSED;
}
