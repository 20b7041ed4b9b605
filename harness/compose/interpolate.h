// Variables in the values of a Compose file (Compose specification, "Interpolation"):
//   $X ${X}       the value; not set: empty, with a warning
//   ${X:-d} ${X-d}   d when X is not set (or, with the colon, empty)
//   ${X:+r} ${X+r}   r when X is set (and, with the colon, not empty), else empty
//   ${X:?e} ${X?e}   an error with the message e when X is not set (or empty)
//   $$            a dollar
// d, r and e may hold variables themselves. A $ that starts none of these stays as it is.
#pragma once

#include "base/string_list.h"
#include "compose/mark.h"
#include "compose/variables.h"
#include "compose/yaml.h"

// *ret_text is the caller's. Errors: ERROR_CONFIGURATION with the mark.
bool interpolate(const char *text, const struct variables *variables, struct mark mark,
                 struct string_list *warnings, char **ret_text, struct error *err) must_use;

// Every text value of a tree, not the keys, in place.
bool interpolate_tree(struct yaml *value, const struct variables *variables,
                      struct string_list *warnings, struct error *err) must_use;
