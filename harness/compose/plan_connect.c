// What holds between services: dependencies, links, groups, addresses, the order: part of
// plan_reader.h.
#include "compose/plan_reader.h"

#include "base/memory.h"
#include "base/text.h"
#include "compose/environment_file.h"
#include "compose/suggestion.h"

#include <string.h>

struct connector {
    struct plan *plan;
    const struct compose *compose;
    struct error *err;
};

static size_t index_of(const struct plan *plan, const char *name) {
    size_t i = 0;
    while (i < plan->service_count && strcmp(plan->services[i].name, name) != 0)
        i++;
    return i;
}

static const char *service_at(const void *context, size_t i) {
    const struct yaml *services = context;
    return services != NULL && i < services->count ? services->entries[i].key : NULL;
}

static bool absent(struct connector *self, const char *where, struct mark mark, const char *name) {
    const struct yaml *services = yaml_get(self->compose->root, "services");
    const struct yaml *profiles = yaml_get(yaml_get(services, name), "profiles");
    if (yaml_entry(services, name) == NULL) {
        const char *near = suggestion(name, service_at, services);
        mark_error(mark, self->err, "%s: there is no service \"%s\"", where, name);
        return near != NULL ? error_append(self->err, "; did you mean \"%s\"?", near) : false;
    }
    mark_error(mark, self->err, "%s: the service \"%s\" is not enabled", where, name);
    if (profiles != NULL && profiles->count > 0 && profiles->items[0]->type == YAML_TEXT)
        return error_append(self->err, "; it has the profile \"%s\"", profiles->items[0]->text);
    return false;
}

static void add_dependency(struct plan_service *service, size_t on,
                           enum dependency_condition condition, bool required) {
    for (size_t i = 0; i < service->dependency_count; i++)
        if (service->dependencies[i].service == on)
            return; // depends_on was read before links, and says more
    service->dependencies = memory_resize(service->dependencies, service->dependency_count + 1,
                                          sizeof *service->dependencies);
    service->dependencies[service->dependency_count++] =
        (struct plan_dependency){.service = on, .condition = condition, .required = required};
}

static bool read_condition(struct connector *self, const struct yaml *value, const char *where,
                           enum dependency_condition *ret_condition) {
    static const char *const names[] = {
        [DEPENDS_STARTED] = "service_started",
        [DEPENDS_HEALTHY] = "service_healthy",
        [DEPENDS_COMPLETED] = "service_completed_successfully",
    };
    const char *text = NULL;
    if (value == NULL || value->type == YAML_NULL)
        return true;
    if (!yaml_read_text(value, where, &text, self->err))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret_condition = (enum dependency_condition)i;
            return true;
        }
    }
    return mark_error(value->mark, self->err,
                      "%s: unknown condition \"%s\"; known are service_started, service_healthy "
                      "and service_completed_successfully",
                      where, text);
}

static bool health_is_off(const struct plan_service *service) {
    const json_t *check = json_object_get(service->config, "Healthcheck");
    const char *first = json_string_value(json_array_get(json_object_get(check, "Test"), 0));
    return first != NULL && strcmp(first, "NONE") == 0;
}

static bool read_dependency(struct connector *self, struct plan_service *service,
                            const struct yaml_entry *entry) {
    autofree_string char *where = memory_format("services.%s.depends_on", service->name);
    enum dependency_condition condition = DEPENDS_STARTED;
    bool required = true;
    if (entry->value->type != YAML_NULL && !yaml_expect(entry->value, YAML_MAP, where, self->err))
        return false;
    const struct yaml *needed = yaml_get(entry->value, "required");
    if (!read_condition(self, yaml_get(entry->value, "condition"), where, &condition) ||
        (needed != NULL && !yaml_read_bool(needed, where, &required, self->err)))
        return false;
    const size_t on = index_of(self->plan, entry->key);
    if (on == self->plan->service_count)
        return required ? absent(self, where, entry->mark, entry->key) : true;
    const struct plan_service *other = &self->plan->services[on];
    if (condition == DEPENDS_HEALTHY && other->kind == NULL && health_is_off(other))
        return mark_error(entry->mark, self->err,
                          "%s: \"%s\" can never be healthy: its health check is switched off",
                          where, entry->key);
    add_dependency(service, on, condition, required);
    return true;
}

static void add_alias(struct plan_service *service, const char *alias) {
    for (size_t i = 0; i < service->attachment_count; i++) {
        struct plan_attachment *attachment = &service->attachments[i];
        size_t count = 0;
        bool present = false;
        for (; attachment->aliases[count] != NULL; count++)
            present = present || strcmp(attachment->aliases[count], alias) == 0;
        if (present)
            continue;
        attachment->aliases = memory_resize(attachment->aliases, count + 2, sizeof(char *));
        attachment->aliases[count] = memory_copy_string(alias);
        attachment->aliases[count + 1] = NULL;
    }
}

// links: [service, service:alias]: a dependency, and a name by which the other is found.
static bool read_link(struct connector *self, struct plan_service *service,
                      const struct yaml *item) {
    autofree_string char *where = memory_format("services.%s.links", service->name);
    const size_t length = strcspn(item->text, ":");
    autofree_string char *name = memory_copy_bytes(item->text, length);
    const size_t on = index_of(self->plan, name);
    if (on == self->plan->service_count)
        return absent(self, where, item->mark, name);
    add_dependency(service, on, DEPENDS_STARTED, true);
    if (item->text[length] == ':' && item->text[length + 1] != '\0')
        add_alias(&self->plan->services[on], item->text + length + 1);
    return true;
}

static bool read_needs(struct connector *self, struct plan_service *service) {
    const struct yaml *tree = compose_section(self->compose, "services", service->name)->value;
    const struct yaml *depends = yaml_get(tree, "depends_on");
    const struct yaml *links = yaml_get(tree, "links");
    for (size_t i = 0; depends != NULL && i < depends->count; i++)
        if (!read_dependency(self, service, &depends->entries[i]))
            return false;
    for (size_t i = 0; links != NULL && i < links->count; i++)
        if (!read_link(self, service, links->items[i]))
            return false;
    return true;
}

enum visit { UNSEEN, OPEN, DONE };

struct walk {
    struct connector *connector;
    enum visit *visits;
    size_t *path; // services between the first and the present one
    size_t depth;
    size_t *order;
    size_t count;
};

// The mark is where the circle is closed.
static bool report_cycle(const struct walk *self, size_t from, size_t to) {
    const struct plan *plan = self->connector->plan;
    const struct yaml *services = yaml_get(self->connector->compose->root, "services");
    const struct yaml *tree = yaml_get(services, plan->services[from].name);
    const struct yaml_entry *entry =
        yaml_entry(yaml_get(tree, "depends_on"), plan->services[to].name);
    autodone(text) struct text circle = {.limit = 1024};
    size_t start = 0;
    while (self->path[start] != to)
        start++;
    for (size_t i = start; i < self->depth; i++)
        text_appendf(&circle, "%s -> ", plan->services[self->path[i]].name);
    return mark_error(entry != NULL ? entry->mark : plan->services[from].mark, self->connector->err,
                      "services depend on each other in a circle: %s%s", text_string(&circle),
                      plan->services[to].name);
}

static bool visit(struct walk *self, size_t index) {
    const struct plan_service *service = &self->connector->plan->services[index];
    self->visits[index] = OPEN;
    self->path[self->depth++] = index;
    for (size_t i = 0; i < service->dependency_count; i++) {
        const size_t on = service->dependencies[i].service;
        if (self->visits[on] == OPEN)
            return report_cycle(self, index, on);
        if (self->visits[on] == UNSEEN && !visit(self, on))
            return false;
    }
    self->depth--;
    self->visits[index] = DONE;
    self->order[self->count++] = index;
    return true;
}

static void reorder(struct plan *plan, const size_t *order) {
    struct plan_service *sorted = memory_new(plan->service_count, sizeof *sorted);
    size_t *place = memory_new(plan->service_count, sizeof *place);
    for (size_t i = 0; i < plan->service_count; i++) {
        sorted[i] = plan->services[order[i]];
        place[order[i]] = i;
    }
    for (size_t i = 0; i < plan->service_count; i++)
        for (size_t j = 0; j < sorted[i].dependency_count; j++)
            sorted[i].dependencies[j].service = place[sorted[i].dependencies[j].service];
    free(plan->services);
    free(place);
    plan->services = sorted;
}

static bool sort(struct connector *self) {
    const size_t count = self->plan->service_count;
    struct walk walk = {.connector = self,
                        .visits = memory_new(count, sizeof(enum visit)),
                        .path = memory_new(count, sizeof(size_t)),
                        .order = memory_new(count, sizeof(size_t))};
    bool sorted = true;
    for (size_t i = 0; i < count && sorted; i++)
        sorted = walk.visits[i] != UNSEEN || visit(&walk, i);
    if (sorted)
        reorder(self->plan, walk.order);
    free(walk.visits);
    free(walk.path);
    free(walk.order);
    return sorted;
}

static bool compare_pair(struct connector *self, const struct plan_service *left,
                         const struct plan_service *right) {
    autofree_string char *left_name = environment_name(left->name);
    autofree_string char *right_name = environment_name(right->name);
    if (strcmp(left_name, right_name) == 0)
        return mark_error(right->mark, self->err,
                          "services.%s: reads like \"%s\" in the environment file (ASSAY_%s_…); "
                          "rename one",
                          right->name, left->name, left_name);
    if (left->group != NULL && right->group != NULL && strcmp(left->group, right->group) == 0 &&
        left->kind != right->kind)
        return mark_error(right->mark, self->err,
                          "services.%s: in the group \"%s\" with \"%s\", but of another kind",
                          right->name, right->group, left->name);
    for (size_t i = 0; i < left->attachment_count; i++)
        for (size_t j = 0; j < right->attachment_count; j++)
            if (left->attachments[i].network == right->attachments[j].network &&
                left->attachments[i].has_address && right->attachments[j].has_address &&
                left->attachments[i].address_offset == right->attachments[j].address_offset)
                return mark_error(right->mark, self->err,
                                  "services.%s: has the same ipv4_address as \"%s\"", right->name,
                                  left->name);
    return true;
}

bool plan_connect(struct plan *plan, const struct compose *compose, struct error *err) {
    struct connector self = {plan, compose, err};
    for (size_t i = 0; i < plan->service_count; i++) {
        if (!read_needs(&self, &plan->services[i]))
            return false;
        for (size_t j = 0; j < i; j++)
            if (!compare_pair(&self, &plan->services[j], &plan->services[i]))
                return false;
    }
    return sort(&self);
}
