// `networks`, `network_mode`, `container_name`: part of plan_reader.h. Links are connected at the
// end (plan_connect.c).
#include "compose/plan_reader.h"

#include "base/memory.h"

#include <arpa/inet.h>
#include <string.h>

static void add_alias(struct plan_attachment *attachment, const char *alias) {
    size_t count = 0;
    while (attachment->aliases[count] != NULL) {
        if (strcmp(attachment->aliases[count], alias) == 0)
            return;
        count++;
    }
    attachment->aliases = memory_resize(attachment->aliases, count + 2, sizeof(char *));
    attachment->aliases[count] = memory_copy_string(alias);
    attachment->aliases[count + 1] = NULL;
}

static struct plan_attachment *attach(struct service_reader *self, size_t network) {
    struct plan_service *service = self->service;
    service->attachments = memory_resize(service->attachments, service->attachment_count + 1,
                                         sizeof *service->attachments);
    struct plan_attachment *attachment = &service->attachments[service->attachment_count++];
    *attachment =
        (struct plan_attachment){.network = network, .aliases = memory_new(1, sizeof(char *))};
    add_alias(attachment, service->name);
    return attachment;
}

// The address keeps its place: offset 5 of the file's subnet is offset 5 of the run's own.
static bool read_address(struct service_reader *self, const struct yaml *value,
                         struct plan_attachment *attachment) {
    const struct plan_network *network = &self->plan->networks[attachment->network];
    const char *text = NULL;
    struct in_addr address;
    if (!yaml_read_text(value, self->where, &text, self->err))
        return false;
    if (inet_pton(AF_INET, text, &address) != 1)
        return service_fail(self, value, "\"%s\" is not an IPv4 address", text);
    if (!network->has_subnet)
        return service_fail(self, value,
                            "ipv4_address needs a subnet: give networks.%s an ipam.config with one",
                            network->key);
    const uint32_t number = ntohl(address.s_addr);
    const uint32_t size = network->prefix_length == 0 ? 0 : 1u << (32 - network->prefix_length);
    const uint32_t offset = number - network->subnet_address;
    if (number < network->subnet_address || offset >= size)
        return service_fail(self, value, "%s is not within the subnet of networks.%s", text,
                            network->key);
    if (offset == 0 || offset == size - 1)
        return service_fail(self, value, "%s is the network's own or its broadcast address", text);
    if (offset == 1)
        return service_fail(self, value, "%s is the gateway's: take a higher one", text);
    attachment->has_address = true;
    attachment->address_offset = offset;
    return true;
}

static bool read_aliases(struct service_reader *self, const struct yaml *aliases,
                         struct plan_attachment *attachment) {
    if (!yaml_expect(aliases, YAML_LIST, self->where, self->err))
        return false;
    for (size_t i = 0; i < aliases->count; i++) {
        const char *text = NULL;
        if (!yaml_read_text(aliases->items[i], self->where, &text, self->err))
            return false;
        add_alias(attachment, text);
    }
    return true;
}

static bool read_attachment(struct service_reader *self, const struct yaml_entry *network) {
    size_t index = 0;
    if (!plan_use_network(self, network->key, network->value, &index))
        return false;
    struct plan_attachment *attachment = attach(self, index);
    if (network->value->type == YAML_NULL)
        return true;
    free(self->where);
    self->where = memory_format("services.%s.networks.%s", self->service->name, network->key);
    if (!yaml_expect(network->value, YAML_MAP, self->where, self->err))
        return false;
    for (size_t i = 0; i < network->value->count; i++) {
        const struct yaml_entry *entry = &network->value->entries[i];
        bool read = true;
        if (entry->value->type == YAML_NULL || strncmp(entry->key, "x-", 2) == 0)
            continue;
        if (strcmp(entry->key, "aliases") == 0)
            read = read_aliases(self, entry->value, attachment);
        else if (strcmp(entry->key, "ipv4_address") == 0)
            read = read_address(self, entry->value, attachment);
        else
            mark_warning(entry->mark, &self->plan->warnings, "%s.%s: not honoured", self->where,
                         entry->key);
        if (!read)
            return false;
    }
    return true;
}

// true with *ret_done: the mode settles it, and no network is attached.
static bool read_mode(struct service_reader *self, const struct yaml *networks, bool *ret_done) {
    const struct yaml *mode = service_key(self, "network_mode");
    const char *text = NULL;
    *ret_done = false;
    if (mode == NULL)
        return true;
    if (!yaml_read_text(mode, self->where, &text, self->err))
        return false;
    if (networks != NULL)
        return service_fail(self, mode, "network_mode and networks exclude each other");
    if (strcmp(text, "none") != 0)
        return service_fail(self, mode,
                            "\"%s\" is not supported: a throwaway stack keeps to its own networks",
                            text);
    *ret_done = true;
    return true;
}

bool service_read_networks(struct service_reader *self) {
    bool none = false;
    const struct yaml *networks = service_key(self, "networks");
    if (!read_mode(self, networks, &none))
        return false;
    if (none)
        return true;
    (void)service_key(self, "networks");
    for (size_t i = 0; networks != NULL && i < networks->count; i++)
        if (!read_attachment(self, &networks->entries[i]))
            return false;
    size_t index = 0;
    if (networks == NULL || networks->count == 0) {
        if (!plan_use_network(self, "default", self->tree, &index))
            return false;
        attach(self, index);
    }
    const struct yaml *name = service_key(self, "container_name");
    const char *text = NULL;
    if (name == NULL)
        return true;
    if (!yaml_read_text(name, self->where, &text, self->err))
        return false;
    service_warn(self, name,
                 "the container gets a name of its own; \"%s\" stays as a network alias", text);
    for (size_t i = 0; i < self->service->attachment_count; i++)
        add_alias(&self->service->attachments[i], text);
    return true;
}
