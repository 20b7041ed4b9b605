// Asking a service for a key, and what happens to keys that are not read: part of plan_reader.h.
#include "compose/plan_reader.h"

#include "base/check.h"
#include "base/memory.h"
#include "compose/compose_key.h"

#include <stdarg.h>
#include <string.h>

const struct yaml *service_key(struct service_reader *self, const char *key) {
    check(compose_service_key(key) != NULL); // keys are read by the table only
    const struct yaml *value = yaml_get(self->tree, key);
    free(self->where);
    self->where = memory_format("services.%s.%s", self->service->name, key);
    return value != NULL && value->type != YAML_NULL ? value : NULL;
}

bool service_fail(struct service_reader *self, const struct yaml *value, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    autofree_string char *message = memory_format_list(format, arguments);
    va_end(arguments);
    return mark_error(value->mark, self->err, "%s: %s", self->where, message);
}

void service_warn(struct service_reader *self, const struct yaml *value, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    autofree_string char *message = memory_format_list(format, arguments);
    va_end(arguments);
    mark_warning(value->mark, &self->plan->warnings, "%s: %s", self->where, message);
}

bool service_read_fates(struct service_reader *self) {
    for (size_t i = 0; i < self->tree->count; i++) {
        const struct yaml_entry *entry = &self->tree->entries[i];
        const struct compose_key *key = compose_service_key(entry->key);
        const char *name = self->service->name;
        if (key == NULL && strncmp(entry->key, "x-", 2) == 0)
            continue;
        if (key == NULL) {
            const char *near = compose_service_key_like(entry->key);
            if (near != NULL)
                mark_warning(entry->mark, &self->plan->warnings,
                             "services.%s: unknown key \"%s\", left out; did you mean \"%s\"?",
                             name, entry->key, near);
            else
                mark_warning(entry->mark, &self->plan->warnings,
                             "services.%s: unknown key \"%s\", left out", name, entry->key);
        } else if (entry->value->type == YAML_NULL) {
            continue;
        } else if (key->fate == KEY_WARNED) {
            mark_warning(entry->mark, &self->plan->warnings, "services.%s.%s: not honoured: %s",
                         name, key->name, key->note);
        } else if (key->fate == KEY_REFUSED) {
            return mark_error(entry->mark, self->err, "services.%s.%s: not supported: %s", name,
                              key->name, key->note);
        }
    }
    return true;
}
