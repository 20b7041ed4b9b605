#define _GNU_SOURCE
#include "command/up_arguments.h"

#include "command/command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define LONGEST_LEASE_MINUTES (60 * 24 * 30)

enum { OPTION_NAME = 1000, OPTION_LEASE, OPTION_SETTINGS, OPTION_SUBSTITUTE, OPTION_OFFLINE };

static const struct option OPTIONS[] = {
    {"name", required_argument, NULL, OPTION_NAME},
    {"lease", required_argument, NULL, OPTION_LEASE},
    {"compose", required_argument, NULL, 'f'},
    {"profile", required_argument, NULL, 'p'},
    {"settings", required_argument, NULL, OPTION_SETTINGS},
    {"substitute", no_argument, NULL, OPTION_SUBSTITUTE},
    {"offline", no_argument, NULL, OPTION_OFFLINE},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static bool read_lease(const char *text, int64_t *ret_ms) {
    char *end = NULL;
    const long minutes = strtol(text, &end, 10);
    if (end == text || *end != '\0' || minutes < 1 || minutes > LONGEST_LEASE_MINUTES)
        return false;
    *ret_ms = (int64_t)minutes * 60 * 1000;
    return true;
}

int up_arguments_read(int argc, char **argv, const char *help, struct up_arguments *ret_arguments) {
    ret_arguments->name = UP_DEFAULT_NAME;
    opterr = 0;
    int option = 0;
    while ((option = getopt_long(argc, argv, ":h", OPTIONS, NULL)) != -1) {
        switch (option) {
        case OPTION_NAME:
            ret_arguments->name = optarg;
            break;
        case OPTION_LEASE:
            if (!read_lease(optarg, &ret_arguments->lease_ms))
                return usage_error("up", "--lease takes minutes from 1 to %d, not \"%s\"",
                                   LONGEST_LEASE_MINUTES, optarg);
            break;
        case OPTION_SETTINGS:
            ret_arguments->settings = optarg;
            break;
        case OPTION_SUBSTITUTE:
            ret_arguments->substitute = true;
            break;
        case OPTION_OFFLINE:
            ret_arguments->offline = true;
            break;
        case 'f':
            string_list_add(&ret_arguments->compose_files, optarg);
            break;
        case 'p':
            string_list_add(&ret_arguments->profiles, optarg);
            break;
        case 'h':
            fputs(help, stdout);
            return EXIT_PASSED;
        case ':':
            return usage_error("up", "%s needs a value", argv[optind - 1]);
        default:
            return usage_error("up", "there is no option %s", argv[optind - 1]);
        }
    }
    if (optind < argc)
        return usage_error("up", "unexpected argument \"%s\"", argv[optind]);
    return -1;
}

void up_arguments_done(struct up_arguments *self) {
    string_list_done(&self->compose_files);
    string_list_done(&self->profiles);
}
