#define _GNU_SOURCE
#include "stack/subnet.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define PRIVATE_BLOCK 0x0a000000u // 10.0.0.0/8, RFC 1918
#define PRIVATE_LENGTH 8
#define PICKS 200
#define ROUTES "/proc/net/route"
#define ROUTES_LIMIT ((size_t)16 * 1024 * 1024)

static uint32_t mask_of(int length) {
    return length <= 0 ? 0 : ~(uint32_t)0 << (32 - length);
}

bool subnet_overlap(uint32_t left, int left_length, uint32_t right, int right_length) {
    const uint32_t mask = mask_of(left_length < right_length ? left_length : right_length);
    return (left & mask) == (right & mask);
}

bool subnet_is_routed(uint32_t address, int length, const char *routes) {
    autofree_string char *lines = memory_copy_string(routes);
    char *rest = lines;
    for (const char *line; (line = strsep(&rest, "\n")) != NULL;) {
        unsigned destination = 0;
        unsigned mask = 0;
        if (sscanf(line, "%*s %x %*s %*s %*s %*s %*s %x", &destination, &mask) != 2 || mask == 0)
            continue;
        const int route_length = __builtin_popcount(mask);
        if (subnet_overlap(address, length, ntohl(destination), route_length))
            return true;
    }
    return false;
}

bool subnet_pick_free(int prefix_length, uint32_t *ret_address, struct error *err) {
    if (prefix_length < 9 || prefix_length > 29)
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "a subnet of /%d cannot be copied: between /9 and /29 can", prefix_length);
    autofree_string char *routes = NULL;
    struct error problem = {0};
    // A host without the table has no networks that a container's could meet.
    if (!file_read(ROUTES, ROUTES_LIMIT, &routes, NULL, &problem) && problem.code != ENOENT) {
        if (err != NULL)
            *err = problem;
        return error_prefix(err, "cannot tell which subnets are free");
    }
    for (int pick = 0; pick < PICKS; pick++) {
        const uint32_t random = randombytes_random() & ~mask_of(PRIVATE_LENGTH);
        const uint32_t address = (PRIVATE_BLOCK | random) & mask_of(prefix_length);
        if (routes == NULL || !subnet_is_routed(address, prefix_length, routes)) {
            *ret_address = address;
            return true;
        }
    }
    return error_set(err, ERROR_UNAVAILABLE, 0,
                     "no subnet of /%d in 10.0.0.0/8 is free of this host's routes", prefix_length);
}

void subnet_format_address(uint32_t address, char text[SUBNET_TEXT_SIZE]) {
    snprintf(text, SUBNET_TEXT_SIZE, "%u.%u.%u.%u", address >> 24, address >> 16 & 255,
             address >> 8 & 255, address & 255);
}

void subnet_format(uint32_t address, int prefix_length, char text[SUBNET_TEXT_SIZE]) {
    subnet_format_address(address, text);
    const size_t used = strlen(text);
    snprintf(text + used, SUBNET_TEXT_SIZE - used, "/%d", prefix_length);
}

bool subnet_parse_address(const char *text, uint32_t *ret_address) {
    struct in_addr address;
    if (inet_pton(AF_INET, text, &address) != 1)
        return false;
    *ret_address = ntohl(address.s_addr);
    return true;
}

bool subnet_is_on_this_host(uint32_t address, int prefix_length) {
    struct ifaddrs *interfaces = NULL;
    if (getifaddrs(&interfaces) != 0)
        return false;
    bool found = false;
    for (struct ifaddrs *each = interfaces; each != NULL && !found; each = each->ifa_next) {
        if (each->ifa_addr == NULL || each->ifa_addr->sa_family != AF_INET)
            continue;
        struct sockaddr_in inet;
        memcpy(&inet, each->ifa_addr, sizeof inet);
        found = subnet_overlap(address, prefix_length, ntohl(inet.sin_addr.s_addr), 32);
    }
    freeifaddrs(interfaces);
    return found;
}
