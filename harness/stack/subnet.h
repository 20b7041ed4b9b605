// IPv4 subnets that nothing on this host uses.
#pragma once

#include "base/error.h"

#include <stdint.h>

#define SUBNET_TEXT_SIZE 24

// A random subnet of this length within 10.0.0.0/8 that no route of this host overlaps
// (/proc/net/route, see proc(5)). The engine still has the last word.
bool subnet_pick_free(int prefix_length, uint32_t *ret_address, struct error *err) must_use;

void subnet_format(uint32_t address, int prefix_length, char text[SUBNET_TEXT_SIZE]);
void subnet_format_address(uint32_t address, char text[SUBNET_TEXT_SIZE]);

// Whether the two overlap: pure, for tests and for the above.
bool subnet_overlap(uint32_t left, int left_length, uint32_t right, int right_length);

// Whether a route of this table overlaps it, the default route aside. A line of /proc/net/route:
// interface, destination and others in hexadecimal, network byte order.
bool subnet_is_routed(uint32_t address, int length, const char *routes);

// Whether one of this host's interfaces has an address within the subnet: then containers of a
// local engine can be reached at their own addresses.
bool subnet_is_on_this_host(uint32_t address, int prefix_length);
bool subnet_parse_address(const char *text, uint32_t *ret_address) must_use;
