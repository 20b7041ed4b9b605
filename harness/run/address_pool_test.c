#define _GNU_SOURCE
#include "run/address_pool.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADING "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"

// `routes` as /proc/net/route shows them on a little-endian machine.
static void assert_pool(const char *routes, const char *expected) {
    char path[] = "/tmp/assay-routes-XXXXXX";
    close(mkstemp(path));
    const bool written = file_write_atomic(path, routes, strlen(routes), 0600, NULL);
    char pool[ADDRESS_POOL_SIZE] = "";
    address_pool_choose(path, pool);
    unlink(path);
    cr_assert(written);
    cr_assert_str_eq(pool, expected);
}

Test(address_pool, is_the_first_candidate_on_a_host_with_a_default_route_only) {
    assert_pool(HEADING "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
                "10.231.0.0/16");
}

Test(address_pool, avoids_a_smaller_network_inside_a_candidate) {
    assert_pool(HEADING "br-1\t0005E70A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
                "10.232.0.0/16");
}

Test(address_pool, avoids_a_larger_network_around_candidates) {
    assert_pool(HEADING "tun0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n",
                "172.29.0.0/16");
}

Test(address_pool, is_the_first_candidate_where_routes_cannot_be_read) {
    char pool[ADDRESS_POOL_SIZE] = "";
    address_pool_choose("/nowhere/at/all", pool);
    cr_assert_str_eq(pool, "10.231.0.0/16");
}

Test(address_pool, survives_lines_that_are_no_routes) {
    assert_pool("\n\nfoo bar\n\xff\xfe\t\t\t\n", "10.231.0.0/16");
}
