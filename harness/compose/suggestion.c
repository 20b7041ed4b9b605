#include "compose/suggestion.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { LONGEST = 40 };

// Optimal string alignment distance (Levenshtein with swaps of neighbours), on lower case.
static size_t distance(const char *left, const char *right) {
    const size_t left_length = strlen(left);
    const size_t right_length = strlen(right);
    if (left_length > LONGEST || right_length > LONGEST)
        return LONGEST;
    size_t rows[3][LONGEST + 1];
    for (size_t j = 0; j <= right_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= left_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        const size_t *before = rows[(i + 1) % 3]; // i - 2
        row[0] = i;
        for (size_t j = 1; j <= right_length; j++) {
            const int a = tolower((unsigned char)left[i - 1]);
            const int b = tolower((unsigned char)right[j - 1]);
            size_t best = above[j - 1] + (a != b);
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            const bool swapped = i > 1 && j > 1 && a == tolower((unsigned char)right[j - 2]) &&
                                 b == tolower((unsigned char)left[i - 2]);
            if (swapped && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[left_length % 3][right_length];
}

const char *suggestion(const char *word, const char *(*name_at)(const void *context, size_t i),
                       const void *context) {
    const char *nearest = NULL;
    size_t least = LONGEST;
    const char *name = NULL;
    for (size_t i = 0; (name = name_at(context, i)) != NULL; i++) {
        const size_t edits = distance(word, name);
        if (edits < least && edits * 3 <= strlen(name) + 1) {
            least = edits;
            nearest = name;
        }
    }
    return nearest;
}

static const char *array_at(const void *context, size_t i) {
    return ((const char *const *)context)[i];
}

const char *suggestion_of(const char *word, const char *const *names) {
    return suggestion(word, array_at, names);
}
