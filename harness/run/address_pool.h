// Private addresses for the networks of a private engine that no route of this host covers.
//
// Source: RFC 1918; /proc/net/route in proc(5) (destination and mask as hexadecimal numbers whose
// bytes stand in network order in memory).
#pragma once

#define ADDRESS_POOL_SIZE 20

// The first of our candidates (each a /16) that no route in `route_file` meets, as
// "10.231.0.0/16"; the first candidate when every one is met or the file cannot be read.
void address_pool_choose(const char *route_file, char pool[ADDRESS_POOL_SIZE]);
