// Scope-bound ownership, after systemd: `autofree(text) struct text name = …` calls text_done at
// the end of the scope; TAKE(pointer) hands ownership on.
//
// A header that declares `struct thing` with `void thing_free(struct thing *)` adds
//     DEFINE_AUTOFREE(thing, thing_free);
// and callers write `autofree(thing) struct thing *x = NULL;`.
// Not for Criterion test bodies: a failed assertion longjmps past cleanup attributes.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// For `struct thing *` variables.
#define DEFINE_AUTOFREE(name, destructor)                       \
    static inline void autofree_##name(struct name **pointer) { \
        if (*pointer != NULL)                                   \
            destructor(*pointer);                               \
    }                                                           \
    struct name

// For `struct thing` values in the caller's storage.
#define DEFINE_AUTODONE(name, destructor)                    \
    static inline void autodone_##name(struct name *value) { \
        destructor(value);                                   \
    }                                                        \
    struct name

#define autofree(name) __attribute__((cleanup(autofree_##name)))
#define autodone(name) __attribute__((cleanup(autodone_##name)))

static inline void autofree_string(char **pointer) {
    free(*pointer);
}

static inline void autoclose_fd(int *fd) {
    if (*fd >= 0)
        close(*fd);
}

static inline void autoclose_stream(FILE **stream) {
    if (*stream != NULL)
        fclose(*stream);
}

#define autofree_string __attribute__((cleanup(autofree_string))) // autofree_string char *x = NULL;
#define autoclose_fd __attribute__((cleanup(autoclose_fd)))       // autoclose_fd int fd = -1;
#define autoclose_stream __attribute__((cleanup(autoclose_stream)))

#define TAKE(pointer)                                 \
    __extension__({                                   \
        __typeof__(pointer) *take_from_ = &(pointer); \
        __typeof__(pointer) taken_ = *take_from_;     \
        *take_from_ = NULL;                           \
        taken_;                                       \
    })
