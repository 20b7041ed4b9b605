// `healthcheck` as Healthcheck (Engine API, HealthConfig): part of plan_reader.h.
#include "compose/plan_reader.h"

#include "base/memory.h"

#include <string.h>

static bool read_test(struct service_reader *self, const struct yaml *test, json_t *check) {
    json_t *words = json_array();
    json_object_set_new(check, "Test", words);
    if (test->type == YAML_TEXT) {
        json_array_append_new(words, json_string("CMD-SHELL"));
        json_array_append_new(words, json_string(test->text));
        return true;
    }
    if (!yaml_expect(test, YAML_LIST, self->where, self->err))
        return false;
    for (size_t i = 0; i < test->count; i++) {
        const char *word = NULL;
        if (!yaml_read_text(test->items[i], self->where, &word, self->err))
            return false;
        if (i == 0 && strcmp(word, "NONE") != 0 && strcmp(word, "CMD") != 0 &&
            strcmp(word, "CMD-SHELL") != 0)
            return service_fail(self, test->items[i],
                                "a list begins with NONE, CMD or CMD-SHELL, not \"%s\"", word);
        json_array_append_new(words, json_string(word));
    }
    return true;
}

static bool read_duration(struct service_reader *self, const struct yaml *value, const char *field,
                          json_t *check) {
    long long ns = 0;
    if (!yaml_read_duration(value, self->where, &ns, self->err))
        return false;
    if (ns > 0 && ns < 1000000)
        return service_fail(self, value, "\"%s\" is less than a millisecond", value->text);
    json_object_set_new(check, field, json_integer(ns));
    return true;
}

static bool read_field(struct service_reader *self, const struct yaml_entry *entry, bool *disabled,
                       json_t *check) {
    static const char *const durations[][2] = {{"interval", "Interval"},
                                               {"timeout", "Timeout"},
                                               {"start_period", "StartPeriod"},
                                               {"start_interval", "StartInterval"}};
    if (entry->value->type == YAML_NULL || strncmp(entry->key, "x-", 2) == 0)
        return true;
    for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++)
        if (strcmp(entry->key, durations[i][0]) == 0)
            return read_duration(self, entry->value, durations[i][1], check);
    if (strcmp(entry->key, "test") == 0)
        return read_test(self, entry->value, check);
    if (strcmp(entry->key, "disable") == 0)
        return yaml_read_bool(entry->value, self->where, disabled, self->err);
    if (strcmp(entry->key, "retries") == 0) {
        long long retries = 0;
        if (!yaml_read_integer(entry->value, self->where, 0, 1000000, &retries, self->err))
            return false;
        json_object_set_new(check, "Retries", json_integer(retries));
        return true;
    }
    mark_warning(entry->mark, &self->plan->warnings, "%s: unknown key \"%s\", left out",
                 self->where, entry->key);
    return true;
}

bool service_read_health(struct service_reader *self) {
    const struct yaml *health = service_key(self, "healthcheck");
    if (health == NULL)
        return true;
    json_t *check = json_object();
    json_object_set_new(self->service->config, "Healthcheck", check);
    bool disabled = false;
    autofree_string char *where = memory_copy_string(self->where);
    for (size_t i = 0; i < health->count; i++) {
        free(self->where);
        self->where = memory_format("%s.%s", where, health->entries[i].key);
        if (!read_field(self, &health->entries[i], &disabled, check))
            return false;
    }
    if (disabled)
        json_object_set_new(self->service->config, "Healthcheck",
                            json_pack("{s:[s]}", "Test", "NONE"));
    return true;
}
