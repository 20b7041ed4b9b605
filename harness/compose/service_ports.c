// `ports` and `expose`: checked, so that a typing error is found, and told to the engine as
// exposed; no port of this machine is ever bound for them. Where to ask a service, if x-assay does
// not say. Part of plan_reader.h.
#include "compose/plan_reader.h"

#include "base/memory.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

// "80" or "8000-8010"; *ret_first and *ret_last within 1 to 65535 (0 allowed for a published port).
static bool parse_range(const char *text, long least, long *ret_first, long *ret_last) {
    char *end = NULL;
    if (*text < '0' || *text > '9')
        return false;
    *ret_first = *ret_last = strtol(text, &end, 10);
    if (*end == '-' && end[1] >= '0' && end[1] <= '9')
        *ret_last = strtol(end + 1, &end, 10);
    return *end == '\0' && *ret_first >= least && *ret_first <= *ret_last && *ret_last <= 65535;
}

static bool valid_protocol(const char *protocol) {
    return strcmp(protocol, "tcp") == 0 || strcmp(protocol, "udp") == 0 ||
           strcmp(protocol, "sctp") == 0;
}

// Ranges are rare and have no effect but in the container's description; single ports are told.
static void expose(struct service_reader *self, long first, long last, const char *protocol) {
    if (first != last)
        return;
    json_t *exposed = json_object_get(self->service->config, "ExposedPorts");
    if (exposed == NULL) {
        exposed = json_object();
        json_object_set_new(self->service->config, "ExposedPorts", exposed);
    }
    autofree_string char *port = memory_format("%ld/%s", first, protocol);
    json_object_set_new(exposed, port, json_object());
}

// Cuts "…/udp" off.
static const char *take_protocol(char *text) {
    char *slash = strrchr(text, '/');
    if (slash == NULL)
        return "tcp";
    *slash = '\0';
    return slash + 1;
}

static bool valid_address(const char *text) {
    struct in6_addr address;
    autofree_string char *bare =
        text[0] == '[' ? memory_copy_bytes(text + 1, strlen(text) - 2) : memory_copy_string(text);
    return inet_pton(AF_INET, bare, &address) == 1 || inet_pton(AF_INET6, bare, &address) == 1;
}

// [ADDRESS:][PUBLISHED:]TARGET[/PROTOCOL]
static bool read_short(struct service_reader *self, const struct yaml *item) {
    autofree_string char *text = memory_copy_string(item->text);
    const char *protocol = take_protocol(text);
    long first = 0;
    long last = 0;
    long published_first = 0;
    long published_last = 0;
    char *target = strrchr(text, ':');
    if (target != NULL)
        *target++ = '\0';
    char *published = target != NULL ? strrchr(text, ':') : NULL;
    // Without an address, what stands before the target is the published port.
    if (target != NULL && published == NULL)
        published = text;
    else if (published != NULL)
        *published++ = '\0';
    const bool has_address = published != NULL && published != text;
    if (!parse_range(target != NULL ? target : text, 1, &first, &last) ||
        !valid_protocol(protocol) ||
        (published != NULL && *published != '\0' &&
         !parse_range(published, 0, &published_first, &published_last)) ||
        (has_address && *text != '\0' && !valid_address(text)))
        return service_fail(self, item,
                            "expected [address:][published:]target[/protocol], found \"%s\"",
                            item->text);
    if (published != NULL && *published != '\0' && first != last &&
        published_last - published_first != last - first)
        return service_fail(self, item, "the two ranges of \"%s\" differ in length", item->text);
    expose(self, first, last, protocol);
    return true;
}

static bool read_long(struct service_reader *self, const struct yaml *item) {
    const struct yaml *target = yaml_get(item, "target");
    const struct yaml *protocol = yaml_get(item, "protocol");
    const char *name = "tcp";
    long long port = 0;
    if (target == NULL)
        return service_fail(self, item, "target is missing");
    if (!yaml_read_integer(target, self->where, 1, 65535, &port, self->err) ||
        (protocol != NULL && !yaml_read_text(protocol, self->where, &name, self->err)))
        return false;
    if (!valid_protocol(name))
        return service_fail(self, protocol, "unknown protocol \"%s\"", name);
    const struct yaml *published = yaml_get(item, "published");
    long first = 0;
    long last = 0;
    if (published != NULL && published->type != YAML_NULL &&
        (published->type != YAML_TEXT ||
         (*published->text != '\0' && !parse_range(published->text, 0, &first, &last))))
        return service_fail(self, published, "published is a port or a range of ports");
    expose(self, (long)port, (long)port, name);
    return true;
}

static bool read_expose(struct service_reader *self, const struct yaml *item) {
    autofree_string char *text = memory_copy_string(item->text);
    const char *protocol = take_protocol(text);
    long first = 0;
    long last = 0;
    if (!parse_range(text, 1, &first, &last) || !valid_protocol(protocol))
        return service_fail(self, item, "expected a port, found \"%s\"", item->text);
    expose(self, first, last, protocol);
    return true;
}

// The one TCP port that the file knows; 0: none, or several.
static uint16_t only_port(const struct plan_service *service) {
    json_t *exposed = json_object_get(service->config, "ExposedPorts");
    const char *name = NULL;
    json_t *nothing = NULL;
    uint16_t only = 0;
    json_object_foreach (exposed, name, nothing) {
        if (strstr(name, "/tcp") == NULL)
            continue;
        if (only != 0)
            return 0;
        only = (uint16_t)strtoul(name, NULL, 10);
    }
    return only;
}

// Where nothing is said: a server of a known protocol has its usual port, and what its file
// publishes may be something else (a console). HTTP is anywhere.
static void choose_port(struct plan_service *service) {
    const bool anywhere = service->kind == NULL || strcmp(service->kind->name, "http") == 0;
    if (service->port == 0 && anywhere)
        service->port = only_port(service);
    if (service->port == 0 && service->kind != NULL)
        service->port = service->kind->port;
}

bool service_read_ports(struct service_reader *self) {
    const struct yaml *ports = service_key(self, "ports");
    for (size_t i = 0; ports != NULL && i < ports->count; i++) {
        const struct yaml *item = ports->items[i];
        if (item->type != YAML_TEXT && !yaml_expect(item, YAML_MAP, self->where, self->err))
            return false;
        if (item->type == YAML_MAP ? !read_long(self, item) : !read_short(self, item))
            return false;
    }
    const struct yaml *exposed = service_key(self, "expose");
    for (size_t i = 0; exposed != NULL && i < exposed->count; i++)
        if (!read_expose(self, exposed->items[i]))
            return false;
    choose_port(self->service);
    return true;
}
