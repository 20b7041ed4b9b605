#include "run/address_pool.h"

#include "base/cleanup.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define POOL_MASK 0xffff0000u

static const uint32_t candidates[] = {
    0x0ae70000, 0x0ae80000, 0x0ae90000, 0x0aea0000, 0x0aeb0000, // 10.231 to 10.235
    0xac1d0000, 0xac1e0000, 0x0a9b0000, 0x0a4d0000,             // 172.29, 172.30, 10.155, 10.77
};

static bool meets_a_route(FILE *routes, uint32_t pool) {
    char line[512];
    rewind(routes);
    while (fgets(line, sizeof line, routes) != NULL) {
        unsigned int destination = 0;
        unsigned int mask = 0;
        // Iface Destination Gateway Flags RefCnt Use Metric Mask
        if (sscanf(line, "%*s %x %*x %*x %*d %*d %*d %x", &destination, &mask) != 2 || mask == 0)
            continue; // the heading, or the default route
        const uint32_t common = ntohl(mask) & POOL_MASK;
        if ((ntohl(destination) & common) == (pool & common))
            return true;
    }
    return false;
}

void address_pool_choose(const char *route_file, char pool[ADDRESS_POOL_SIZE]) {
    uint32_t chosen = candidates[0];
    autoclose_stream FILE *routes = fopen(route_file, "re");
    for (size_t i = 0; routes != NULL && i < sizeof candidates / sizeof candidates[0]; i++) {
        if (meets_a_route(routes, candidates[i]))
            continue;
        chosen = candidates[i];
        break;
    }
    snprintf(pool, ADDRESS_POOL_SIZE, "%u.%u.0.0/16", (chosen >> 24) & 0xff, (chosen >> 16) & 0xff);
}
