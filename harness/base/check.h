// check(x): an assertion about our own code that stays on in release builds.
// For programmer errors only; what a system under test does wrong is a struct error.
#pragma once

#include <stdio.h>
#include <stdlib.h>

#define check(condition)                                                                         \
    do {                                                                                         \
        if (!(condition)) {                                                                      \
            fprintf(stderr, "assay: %s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                             \
        }                                                                                        \
    } while (0)
