#define _GNU_SOURCE
#include "process/title.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define STAT_LIMIT ((size_t)4096)
#define FIRST_FIELD 3 // the first one behind "pid (comm)"
#define ARGUMENTS_FIELD 48

// The kernel puts both on the stack, one behind the other, and reads them there when asked.
struct exposed {
    char *arguments;
    char *environment; // and end of the arguments
    char *end;
};

static bool find_exposed(struct exposed *ret_exposed) {
    autofree_string char *stat = NULL;
    if (!file_read("/proc/self/stat", STAT_LIMIT, &stat, NULL, NULL))
        return false;
    const char *field = strrchr(stat, ')'); // comm may hold blanks
    for (int number = FIRST_FIELD; field != NULL && number <= ARGUMENTS_FIELD; number++)
        field = strchr(field + 1, ' ');
    uintptr_t at[4];
    if (field == NULL || sscanf(field, " %" SCNuPTR " %" SCNuPTR " %" SCNuPTR " %" SCNuPTR, &at[0],
                                &at[1], &at[2], &at[3]) != 4)
        return false;
    if (at[0] == 0 || at[1] <= at[0] || at[2] != at[1] || at[3] < at[2])
        return false;
    *ret_exposed = (struct exposed){(char *)at[0], (char *)at[2], (char *)at[3]};
    return true;
}

static bool is_variable(const char *entry, const char *name) {
    const size_t length = strlen(name);
    return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

static void copy_environment(const char *without) {
    size_t count = 0;
    while (environ != NULL && environ[count] != NULL)
        count++;
    char **copy = memory_new(count + 1, sizeof *copy);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (without == NULL || !is_variable(environ[i], without))
            copy[kept++] = memory_copy_string(environ[i]);
    environ = copy; // for the rest of the process's life
}

static char *put(char *at, const char *end, const char *string) {
    const size_t size = strlen(string) + 1;
    if (size > (size_t)(end - at))
        return at;
    memcpy(at, string, size);
    return at + size;
}

// Of arguments whose last byte is not NUL the kernel shows the first string only, and lets it run
// on into the environment: that is how a title of any length is shown as it is.
static void overwrite(const struct exposed *exposed, const char *title) {
    memset(exposed->arguments, 0, (size_t)(exposed->end - exposed->arguments));
    char *at = put(exposed->arguments, exposed->end, title);
    if (at < exposed->environment) {
        exposed->environment[-1] = '.';
        at = exposed->environment;
    }
    for (char **variable = environ; *variable != NULL; variable++)
        at = put(at, exposed->end, *variable);
}

void title_set(const char *title, const char *without) {
    struct exposed exposed;
    prctl(PR_SET_NAME, title);
    if (!find_exposed(&exposed))
        return;
    copy_environment(without);
    overwrite(&exposed, title);
}
