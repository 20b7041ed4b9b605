// Programs that are known to be bad, one for each thing that ci/faults/run and ci/faults/memcheck
// look for: they must find every one.
//
//   careless memory|write|hang|mute|litter|lose
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Takes it for granted that there is memory.
static int memory(void) {
    char *block = malloc(100);
    memset(block, 'x', 99);
    block[99] = '\0';
    puts(block);
    return 0;
}

// Does not ask whether what it wrote has arrived.
static int careless_write(void) {
    const ssize_t ignored = write(STDOUT_FILENO, "the result\n", 11);
    return ignored == 12;
}

// Tries again for ever.
static int hang(void) {
    char *block;
    while ((block = malloc(100)) == NULL) {
    }
    free(block);
    return 0;
}

// Notices, and keeps it to itself.
static int mute(void) {
    char *block = malloc(100);
    free(block);
    return block == NULL;
}

// Forgets what it has made when something goes wrong.
static int litter(void) {
    char base[4096];
    char folder[4104];
    snprintf(base, sizeof base, "%s/assay", getenv("XDG_RUNTIME_DIR"));
    snprintf(folder, sizeof folder, "%s/run", base);
    mkdir(base, 0700);
    mkdir(folder, 0700);
    char *block = malloc(100);
    if (block == NULL) {
        fputs("careless: out of memory\n", stderr);
        return 3;
    }
    free(block);
    return rmdir(folder) != 0 || rmdir(base) != 0;
}

// Keeps nothing that would lead to the memory.
static int lose(void) {
    for (int i = 0; i < 10; i++) {
        char *block = malloc(100);
        memset(block, 0, 100);
    }
    return 0;
}

static const struct {
    const char *name;
    int (*run)(void);
} WAYS[] = {{"memory", memory}, {"write", careless_write}, {"hang", hang},
            {"mute", mute},     {"litter", litter},        {"lose", lose}};

int main(int argc, char **argv) {
    for (size_t i = 0; argc > 1 && i < sizeof WAYS / sizeof *WAYS; i++)
        if (strcmp(argv[1], WAYS[i].name) == 0)
            return WAYS[i].run();
    return 2;
}
