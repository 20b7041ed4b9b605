// The reading half of yaml.h.
#include "compose/yaml.h"

#include "compose/quantity.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *yaml_type_name(enum yaml_type type) {
    static const char *const names[] = {
        [YAML_NULL] = "nothing",
        [YAML_TEXT] = "a single value",
        [YAML_LIST] = "a list",
        [YAML_MAP] = "a mapping",
    };
    return names[type];
}

bool yaml_expect(const struct yaml *value, enum yaml_type type, const char *where,
                 struct error *err) {
    if (value->type == type)
        return true;
    return mark_error(value->mark, err, "%s: expected %s, found %s", where, yaml_type_name(type),
                      yaml_type_name(value->type));
}

bool yaml_read_text(const struct yaml *value, const char *where, const char **ret_text,
                    struct error *err) {
    if (!yaml_expect(value, YAML_TEXT, where, err))
        return false;
    *ret_text = value->text;
    return true;
}

static bool unexpected(const struct yaml *value, const char *where, const char *what,
                       struct error *err) {
    if (value->type != YAML_TEXT)
        return mark_error(value->mark, err, "%s: expected %s, found %s", where, what,
                          yaml_type_name(value->type));
    return mark_error(value->mark, err, "%s: expected %s, found \"%s\"", where, what, value->text);
}

// YAML 1.1's words too: Compose takes them, and they come out of interpolation as text.
bool yaml_read_bool(const struct yaml *value, const char *where, bool *ret_value,
                    struct error *err) {
    static const struct {
        const char *word;
        bool meaning;
    } words[] = {{"true", true}, {"false", false}, {"yes", true}, {"no", false}, {"on", true},
                 {"off", false}, {"y", true},      {"n", false},  {"1", true},   {"0", false}};
    for (size_t i = 0; value->type == YAML_TEXT && i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(value->text, words[i].word) == 0) {
            *ret_value = words[i].meaning;
            return true;
        }
    }
    return unexpected(value, where, "true or false", err);
}

bool yaml_read_integer(const struct yaml *value, const char *where, long long least, long long most,
                       long long *ret_value, struct error *err) {
    if (value->type != YAML_TEXT)
        return unexpected(value, where, "a number", err);
    char *end = NULL;
    errno = 0;
    const long long number = strtoll(value->text, &end, 10);
    if (end == value->text || *end != '\0' || errno != 0)
        return unexpected(value, where, "a whole number", err);
    if (number < least || number > most)
        return mark_error(value->mark, err, "%s: %s is not between %lld and %lld", where,
                          value->text, least, most);
    *ret_value = number;
    return true;
}

bool yaml_read_number(const struct yaml *value, const char *where, double *ret_value,
                      struct error *err) {
    if (value->type != YAML_TEXT)
        return unexpected(value, where, "a number", err);
    char *end = NULL;
    const double number = strtod(value->text, &end);
    if (end == value->text || *end != '\0' || !isfinite(number) || number < 0)
        return unexpected(value, where, "a number", err);
    *ret_value = number;
    return true;
}

bool yaml_read_octal(const struct yaml *value, const char *where, unsigned *ret_mode,
                     struct error *err) {
    if (value->type != YAML_TEXT)
        return unexpected(value, where, "a file mode", err);
    const char *digits = value->text;
    if (strncmp(digits, "0o", 2) == 0)
        digits += 2;
    char *end = NULL;
    const unsigned long mode = strtoul(digits, &end, 8);
    if (*digits < '0' || *digits > '7' || *end != '\0' || mode > 07777)
        return unexpected(value, where, "a file mode such as 0440", err);
    *ret_mode = (unsigned)mode;
    return true;
}

bool yaml_read_bytes(const struct yaml *value, const char *where, long long *ret_bytes,
                     struct error *err) {
    if (value->type == YAML_TEXT && quantity_bytes(value->text, ret_bytes))
        return true;
    return unexpected(value, where, "a size such as 64m or 1gb", err);
}

bool yaml_read_duration(const struct yaml *value, const char *where, long long *ret_ns,
                        struct error *err) {
    if (value->type == YAML_TEXT && quantity_duration(value->text, ret_ns))
        return true;
    return unexpected(value, where, "a duration such as 10s or 1m30s", err);
}
