#include "command/up_arguments.h"

#include "command/arguments.h"

#define LONGEST_LEASE_MINUTES (60 * 24 * 30)

static bool read_lease(void *values, const char *text, struct error *err) {
    struct up_arguments *self = values;
    long minutes = 0;
    if (!argument_number(text, 1, LONGEST_LEASE_MINUTES, &minutes))
        return error_set(err, ERROR_USAGE, 0, "--lease takes minutes from 1 to %d, not \"%s\"",
                         LONGEST_LEASE_MINUTES, text);
    self->lease_ms = (int64_t)minutes * 60 * 1000;
    return true;
}

#define MEMBER(name) offsetof(struct up_arguments, name)

static const struct argument ROWS[] = {
    {"name", ARGUMENT_TEXT, MEMBER(name), NULL},
    {"lease", ARGUMENT_READ, 0, read_lease},
    {"compose", ARGUMENT_LIST, MEMBER(compose_files), NULL},
    {"profile", ARGUMENT_LIST, MEMBER(profiles), NULL},
    {"settings", ARGUMENT_TEXT, MEMBER(settings), NULL},
    {"substitute", ARGUMENT_FLAG, MEMBER(substitute), NULL},
    {"offline", ARGUMENT_FLAG, MEMBER(offline), NULL},
    {0},
};

int up_arguments_read(int argc, char **argv, const char *help, struct up_arguments *ret_arguments) {
    ret_arguments->name = UP_DEFAULT_NAME;
    return arguments_read("up", help, ROWS, argc, argv, ret_arguments);
}

void up_arguments_done(struct up_arguments *self) {
    string_list_done(&self->compose_files);
    string_list_done(&self->profiles);
}
