#include "engine/network.h"

#include "base/memory.h"
#include "engine/real_fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

REAL_SUITE(network_real);

// A subnet that no network of the engine has: asked for, and another tried when it is refused.
static const char *make_network(char subnet_prefix[16]) {
    autofree_string char *name = unique_name("network");
    for (int third = getpid() % 250, tries = 0; tries < 20; third = (third + 7) % 250, tries++) {
        snprintf(subnet_prefix, 16, "10.213.%d", third);
        autofree_string char *subnet = memory_format("%s.0/24", subnet_prefix);
        json_t *body =
            json_pack("{s:s, s:b, s:{s:s}, s:{s:[{s:s}]}}", "Name", name, "Internal", 1, "Labels",
                      "io.assay.test", "engine", "IPAM", "Config", "Subnet", subnet);
        char *id = NULL;
        const bool made = network_create(test.engine, body, &id, &test.err);
        json_decref(body);
        if (made) {
            string_list_take(&test.networks, id);
            return id;
        }
    }
    cr_assert(false, "no free subnet: %s", test.err.message);
    return NULL;
}

Test(network_real, connects_a_container_at_a_static_address) {
    char prefix[16];
    const char *network = make_network(prefix);
    const char *id = create("exec sleep 600", json_pack("{s:s}", "NetworkMode", network));
    autofree_string char *address = memory_format("%s.77", prefix);
    must(network_disconnect(test.engine, network, id, &test.err));
    json_t *body = json_pack("{s:s, s:{s:{s:s}, s:[s]}}", "Container", id, "EndpointConfig",
                             "IPAMConfig", "IPv4Address", address, "Aliases", "pear");
    must(network_connect(test.engine, network, body, &test.err));
    json_decref(body);
    must(container_start(test.engine, id, &test.err));
    autofree_string char *expected = memory_format("%s", address);
    cr_expect(strstr(run_in(id, "cat /etc/hosts"), expected) != NULL);
    json_t *json = NULL;
    must(network_inspect(test.engine, network, &json, &test.err));
    cr_expect(json_object_get(json_object_get(json, "Containers"), id) != NULL);
    json_decref(json);
    must(container_remove(test.engine, id, &test.err));
    must(network_remove(test.engine, network, &test.err));
    must(network_remove(test.engine, network, &test.err)); // gone is fine
}

Test(network_real, keeps_a_volume_between_two_containers) {
    autofree_string char *name = unique_name("volume");
    json_t *body = json_pack("{s:s, s:{s:s}}", "Name", name, "Labels", "io.assay.test", "engine");
    must(volume_create(test.engine, body, &test.err));
    json_decref(body);
    string_list_add(&test.volumes, name);
    autofree_string char *bind = memory_format("%s:/data", name);
    const char *writer = start("echo kept > /data/file", json_pack("{s:[s]}", "Binds", bind));
    cr_assert_eq(wait_for(writer), 0);
    const char *reader =
        start("test \"$(cat /data/file)\" = kept", json_pack("{s:[s]}", "Binds", bind));
    cr_expect_eq(wait_for(reader), 0);
    const char *const filters[] = {"label=io.assay.test=engine", NULL};
    json_t *found = NULL;
    must(volume_list(test.engine, filters, &found, &test.err));
    cr_expect(json_array_size(found) >= 1);
    json_decref(found);
    must(volume_inspect(test.engine, name, &found, &test.err));
    json_decref(found);
}
