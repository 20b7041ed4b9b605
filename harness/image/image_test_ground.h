// For the tests of images: a folder that goes when the test ends, with the state folder in it.
#pragma once

#include <stddef.h>
#include <sys/types.h>

// Makes the folder and points ASSAY_STATE into it. For .init.
void ground_set_up(void);
void ground_tear_down(void); // .fini

char *ground_path(const char *name); // of the folder; freed at the end of the process
// Writes a file, its folders included; the path as from ground_path.
char *ground_file(const char *name, const char *content, mode_t mode);
// A recipe folder "recipes" with a base and the recipe "pebble"; `salt` makes its tags its own.
char *ground_recipes(const char *salt);
