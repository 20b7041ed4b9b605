// Networks, volumes, secrets and configs that a service refers to: part of plan_reader.h.
#include "compose/plan_reader.h"

#include "base/memory.h"
#include "compose/suggestion.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *key_at(const void *context, size_t i) {
    const struct yaml *section = context;
    return section != NULL && i < section->count ? section->entries[i].key : NULL;
}

// "services.db.networks: there is no network "frnt"; did you mean "front"?"
static bool undeclared(struct service_reader *self, const char *section, const char *key,
                       const struct yaml *by) {
    const char *near = suggestion(key, key_at, yaml_get(self->compose->root, section));
    service_fail(self, by, "\"%s\" is not declared under %s: at the top level", key, section);
    return near != NULL ? error_append(self->err, "; did you mean \"%s\"?", near) : false;
}

static bool read_flag(const struct yaml *tree, const char *key, const char *where, bool *ret_flag,
                      struct error *err) {
    const struct yaml *value = yaml_get(tree, key);
    if (value == NULL || value->type == YAML_NULL)
        return true;
    if (strcmp(key, "external") == 0 &&
        value->type == YAML_MAP) { // external: {name: …}, the old way
        *ret_flag = true;
        return true;
    }
    return yaml_read_bool(value, where, ret_flag, err);
}

static void warn_unknown(struct plan *plan, const struct yaml *tree, const char *where,
                         const char *const *known) {
    for (size_t i = 0; tree != NULL && i < tree->count; i++) {
        const struct yaml_entry *entry = &tree->entries[i];
        size_t j = 0;
        while (known[j] != NULL && strcmp(known[j], entry->key) != 0)
            j++;
        if (known[j] != NULL || strncmp(entry->key, "x-", 2) == 0)
            continue;
        const char *near = suggestion_of(entry->key, known);
        if (near != NULL)
            mark_warning(entry->mark, &plan->warnings,
                         "%s: unknown key \"%s\", left out; did you mean \"%s\"?", where,
                         entry->key, near);
        else
            mark_warning(entry->mark, &plan->warnings, "%s: unknown key \"%s\", left out", where,
                         entry->key);
    }
}

static bool parse_subnet(const char *text, struct plan_network *network) {
    const char *slash = strchr(text, '/');
    struct in_addr address;
    char *end = NULL;
    if (slash == NULL)
        return false;
    autofree_string char *host = memory_copy_bytes(text, (size_t)(slash - text));
    const long length = strtol(slash + 1, &end, 10);
    if (inet_pton(AF_INET, host, &address) != 1 || slash[1] == '\0' || *end != '\0' || length < 8 ||
        length > 29)
        return false;
    network->subnet_address = ntohl(address.s_addr) & (UINT32_MAX << (32 - length));
    network->prefix_length = (int)length;
    network->has_subnet = true;
    return true;
}

static bool read_subnet(struct plan *plan, const struct yaml *item, const char *where,
                        struct plan_network *network, struct error *err) {
    if (!yaml_expect(item, YAML_MAP, where, err))
        return false;
    const struct yaml *subnet = yaml_get(item, "subnet");
    const char *text = NULL;
    if (subnet == NULL || subnet->type == YAML_NULL)
        return true;
    if (!yaml_read_text(subnet, where, &text, err))
        return false;
    if (strchr(text, ':') != NULL) {
        mark_warning(subnet->mark, &plan->warnings, "%s: IPv6 is not honoured", where);
        return true;
    }
    if (network->has_subnet) {
        mark_warning(subnet->mark, &plan->warnings, "%s: only the first subnet is honoured", where);
        return true;
    }
    if (!parse_subnet(text, network))
        return mark_error(subnet->mark, err,
                          "%s: expected a subnet such as 10.5.0.0/24 (/8 to /29), found \"%s\"",
                          where, text);
    return true;
}

static bool read_ipam(struct plan *plan, const struct yaml *ipam, const char *where,
                      struct plan_network *network, struct error *err) {
    if (ipam == NULL || ipam->type == YAML_NULL)
        return true;
    autofree_string char *place = memory_format("%s.ipam.config", where);
    if (!yaml_expect(ipam, YAML_MAP, where, err))
        return false;
    const struct yaml *config = yaml_get(ipam, "config");
    if (config == NULL || config->type == YAML_NULL)
        return true;
    if (!yaml_expect(config, YAML_LIST, place, err))
        return false;
    for (size_t i = 0; i < config->count; i++)
        if (!read_subnet(plan, config->items[i], place, network, err))
            return false;
    return true;
}

static bool read_driver(struct plan *plan, const struct yaml *driver, const char *where,
                        struct error *err) {
    const char *text = NULL;
    if (driver == NULL || driver->type == YAML_NULL)
        return true;
    if (!yaml_read_text(driver, where, &text, err))
        return false;
    if (strcmp(text, "host") == 0 || strcmp(text, "none") == 0)
        return mark_error(driver->mark, err, "%s: the driver \"%s\" is not supported", where, text);
    if (strcmp(text, "bridge") != 0)
        mark_warning(driver->mark, &plan->warnings,
                     "%s: the driver \"%s\" is not honoured: bridge is used", where, text);
    return true;
}

static bool read_network(struct plan *plan, const struct yaml_entry *entry,
                         struct plan_network *network, struct error *err) {
    static const char *const known[] = {"name",        "driver",      "driver_opts", "ipam",
                                        "external",    "internal",    "attachable",  "labels",
                                        "enable_ipv4", "enable_ipv6", NULL};
    const struct yaml *tree = entry->value;
    autofree_string char *where = memory_format("networks.%s", entry->key);
    bool external = false;
    bool ipv6 = false;
    if (!read_flag(tree, "internal", where, &network->internal, err) ||
        !read_flag(tree, "external", where, &external, err) ||
        !read_flag(tree, "enable_ipv6", where, &ipv6, err) ||
        !read_driver(plan, yaml_get(tree, "driver"), where, err) ||
        !read_ipam(plan, yaml_get(tree, "ipam"), where, network, err))
        return false;
    warn_unknown(plan, tree, where, known);
    if (external)
        mark_warning(entry->mark, &plan->warnings,
                     "%s: external: a network of the run's own stands in its place", where);
    if (ipv6)
        mark_warning(entry->mark, &plan->warnings, "%s: IPv6 is not honoured", where);
    if (yaml_get(tree, "driver_opts") != NULL)
        mark_warning(entry->mark, &plan->warnings, "%s: driver_opts are not honoured", where);
    return true;
}

bool plan_use_network(struct service_reader *self, const char *key, const struct yaml *by,
                      size_t *ret_index) {
    struct plan *plan = self->plan;
    for (size_t i = 0; i < plan->network_count; i++) {
        if (strcmp(plan->networks[i].key, key) == 0) {
            *ret_index = i;
            return true;
        }
    }
    const struct yaml_entry *entry = compose_section(self->compose, "networks", key);
    if (entry == NULL && strcmp(key, "default") != 0)
        return undeclared(self, "networks", key, by);
    struct plan_network network = {.mark = entry != NULL ? entry->mark : self->mark};
    if (entry != NULL && !read_network(plan, entry, &network, self->err))
        return false;
    network.key = memory_copy_string(key);
    plan->networks = memory_resize(plan->networks, plan->network_count + 1, sizeof *plan->networks);
    plan->networks[plan->network_count] = network;
    *ret_index = plan->network_count++;
    return true;
}

// A volume that hides something else behind driver_opts would be empty here without a word.
static bool read_volume_options(struct plan *plan, const struct yaml_entry *entry,
                                const char *where, struct error *err) {
    const struct yaml *options = yaml_get(entry->value, "driver_opts");
    const struct yaml *driver = yaml_get(entry->value, "driver");
    const struct yaml *type = yaml_get(options, "type");
    if (driver != NULL && driver->type == YAML_TEXT && strcmp(driver->text, "local") != 0)
        mark_warning(driver->mark, &plan->warnings,
                     "%s: the driver \"%s\" is not honoured: local is used", where, driver->text);
    if (options == NULL || options->count == 0)
        return true;
    if (type != NULL && type->type == YAML_TEXT && strcmp(type->text, "tmpfs") == 0) {
        mark_warning(options->mark, &plan->warnings,
                     "%s: driver_opts are not honoured: an ordinary volume is used", where);
        return true;
    }
    return mark_error(options->mark, err,
                      "%s: driver_opts are not supported: what they mount would be missing", where);
}

bool plan_use_volume(struct service_reader *self, const char *key, const struct yaml *by) {
    static const char *const known[] = {"name",     "driver", "driver_opts",
                                        "external", "labels", NULL};
    struct plan *plan = self->plan;
    for (size_t i = 0; i < plan->volume_count; i++)
        if (strcmp(plan->volumes[i].key, key) == 0)
            return true;
    const struct yaml_entry *entry = compose_section(self->compose, "volumes", key);
    if (entry == NULL)
        return undeclared(self, "volumes", key, by);
    autofree_string char *where = memory_format("volumes.%s", key);
    bool external = false;
    if (!read_flag(entry->value, "external", where, &external, self->err) ||
        !read_volume_options(plan, entry, where, self->err))
        return false;
    warn_unknown(plan, entry->value, where, known);
    if (external)
        mark_warning(entry->mark, &plan->warnings,
                     "%s: external: a fresh, empty volume stands in its place", where);
    plan->volumes = memory_resize(plan->volumes, plan->volume_count + 1, sizeof *plan->volumes);
    plan->volumes[plan->volume_count++] =
        (struct plan_volume){.key = memory_copy_string(key), .mark = entry->mark};
    return true;
}

static bool text_of(const struct yaml *tree, const char *key, const char *where,
                    const char **ret_text, struct error *err) {
    const struct yaml *value = yaml_get(tree, key);
    *ret_text = NULL;
    return value == NULL || value->type == YAML_NULL || yaml_read_text(value, where, ret_text, err);
}

static bool read_generate(const struct yaml *tree, const char *where, bool *ret_generate,
                          struct error *err) {
    const struct yaml *own = yaml_get(tree, "x-assay");
    if (own == NULL || own->type == YAML_NULL)
        return true;
    if (!yaml_expect(own, YAML_MAP, where, err))
        return false;
    for (size_t i = 0; i < own->count; i++)
        if (strcmp(own->entries[i].key, "generate") != 0)
            return mark_error(own->entries[i].mark, err,
                              "%s.x-assay: unknown key \"%s\"; known is generate", where,
                              own->entries[i].key);
    return read_flag(own, "generate", where, ret_generate, err);
}

// Exactly one source; a config's value from the environment is taken now, a secret's only when it
// is written to its file.
static bool choose_source(struct service_reader *self, const struct yaml_entry *entry,
                          const char *where, bool secret, struct plan_content *content) {
    const char *file = NULL;
    const char *environment = NULL;
    const char *text = NULL;
    if (!text_of(entry->value, "file", where, &file, self->err) ||
        !text_of(entry->value, "environment", where, &environment, self->err) ||
        !text_of(entry->value, "content", where, &text, self->err))
        return false;
    if (secret && text != NULL)
        return mark_error(yaml_get(entry->value, "content")->mark, self->err,
                          "%s: a secret has no content:; use file or environment", where);
    const int given = (file != NULL) + (environment != NULL) + (text != NULL);
    if (given != 1)
        return mark_error(entry->mark, self->err, "%s: expected exactly one of file, %s%s", where,
                          secret ? "environment" : "environment, content",
                          secret ? " (or x-assay: {generate: true})" : "");
    if (file != NULL && access(file, R_OK) != 0)
        return mark_error(yaml_get(entry->value, "file")->mark, self->err,
                          "%s: there is no readable file %s", where, file);
    const char *value =
        environment != NULL ? variables_get(&self->compose->variables, environment) : NULL;
    if (environment != NULL && value == NULL)
        return mark_error(yaml_get(entry->value, "environment")->mark, self->err,
                          "%s: the variable %s is not set", where, environment);
    content->file = memory_copy_string(file);
    if (environment != NULL && secret && getenv(environment) == NULL)
        return mark_error(yaml_get(entry->value, "environment")->mark, self->err,
                          "%s: the variable %s stands in .env only; a secret is taken from the "
                          "environment of assay itself",
                          where, environment);
    if (environment != NULL && secret)
        content->environment = memory_copy_string(environment);
    else
        content->content = memory_copy_string(environment != NULL ? value : text);
    return true;
}

static bool read_content(struct service_reader *self, const struct yaml_entry *entry, bool secret,
                         const char *where, struct plan_content *content) {
    static const char *const known[] = {
        "name",   "environment",     "file",        "external", "labels",
        "driver", "template_driver", "driver_opts", "content",  NULL};
    bool external = false;
    if (!read_flag(entry->value, "external", where, &external, self->err) ||
        !read_generate(entry->value, where, &content->generate, self->err))
        return false;
    warn_unknown(self->plan, entry->value, where, known);
    if (content->generate && !secret)
        return mark_error(entry->mark, self->err, "%s: only secrets are generated", where);
    if (external && !secret)
        return mark_error(entry->mark, self->err,
                          "%s: external: its content is not known here; give a file or content",
                          where);
    if (external && !content->generate) {
        mark_warning(entry->mark, &self->plan->warnings,
                     "%s: external: a generated value stands in its place", where);
        content->generate = true;
    }
    return content->generate || choose_source(self, entry, where, secret, content);
}

static bool contains(const struct plan_content *contents, size_t count, const char *key) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(contents[i].key, key) == 0)
            return true;
    return false;
}

bool plan_use_content(struct service_reader *self, const char *section, const char *key,
                      const struct yaml *by) {
    const bool secret = strcmp(section, "secrets") == 0;
    struct plan *plan = self->plan;
    struct plan_content **list = secret ? &plan->secrets : &plan->configs;
    size_t *count = secret ? &plan->secret_count : &plan->config_count;
    if (contains(*list, *count, key))
        return true;
    const struct yaml_entry *entry = compose_section(self->compose, section, key);
    if (entry == NULL)
        return undeclared(self, section, key, by);
    autofree_string char *where = memory_format("%s.%s", section, key);
    *list = memory_resize(*list, *count + 1, sizeof **list);
    struct plan_content *content = &(*list)[(*count)++]; // in the plan at once: plan_free frees it
    *content = (struct plan_content){.key = memory_copy_string(key), .mark = entry->mark};
    return read_content(self, entry, secret, where, content);
}
