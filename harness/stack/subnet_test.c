#include "stack/subnet.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define NET(a, b, c, d) \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

Test(subnet, tells_which_overlap) {
    static const struct {
        uint32_t left;
        int left_length;
        uint32_t right;
        int right_length;
        bool overlap;
    } cases[] = {
        {NET(10, 0, 0, 0), 8, NET(10, 9, 8, 0), 24, true},
        {NET(10, 9, 8, 0), 24, NET(10, 0, 0, 0), 8, true},
        {NET(10, 9, 8, 0), 24, NET(10, 9, 9, 0), 24, false},
        {NET(10, 9, 8, 0), 23, NET(10, 9, 9, 0), 24, true},
        {NET(10, 9, 8, 0), 29, NET(10, 9, 8, 8), 29, false},
        {NET(10, 9, 8, 7), 32, NET(10, 9, 8, 7), 32, true},
        {0, 0, NET(10, 9, 8, 7), 32, true}, // the default route overlaps everything
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(subnet_overlap(cases[i].left, cases[i].left_length, cases[i].right,
                                    cases[i].right_length),
                     cases[i].overlap, "case %zu", i);
}

Test(subnet, is_routed_where_a_line_of_the_table_overlaps_it) {
    char routes[512];
    snprintf(routes, sizeof routes,
             "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
             "eth0\t00000000\t%08X\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
             "br0\t%08X\t00000000\t0001\t0\t0\t0\t%08X\t0\t0\t0\n",
             htonl(NET(192, 168, 0, 1)), htonl(NET(10, 9, 8, 0)), htonl(NET(255, 255, 255, 0)));
    cr_expect(subnet_is_routed(NET(10, 9, 8, 128), 29, routes));
    cr_expect(subnet_is_routed(NET(10, 0, 0, 0), 9, routes));
    cr_expect_not(subnet_is_routed(NET(10, 9, 9, 0), 24, routes));
    cr_expect_not(subnet_is_routed(NET(10, 128, 0, 0), 9, routes));
}

Test(subnet, picks_one_within_the_private_block_with_no_host_bits) {
    for (int length = 9; length <= 29; length++) {
        struct error problem = {0};
        uint32_t address = 0;
        cr_assert(subnet_pick_free(length, &address, &problem), "%s", problem.message);
        cr_expect(subnet_overlap(address, length, NET(10, 0, 0, 0), 8));
        cr_expect_eq(address & (~(uint32_t)0 >> length), 0, "/%d", length);
        cr_expect_not(subnet_is_on_this_host(address, length), "/%d", length);
    }
}

Test(subnet, picks_another_one_each_time) {
    uint32_t first = 0;
    uint32_t second = 0;
    struct error problem = {0};
    cr_assert(subnet_pick_free(29, &first, &problem));
    cr_assert(subnet_pick_free(29, &second, &problem));
    cr_assert_neq(first, second); // fails once in two million times
}

Test(subnet, refuses_lengths_that_a_run_cannot_have) {
    static const int wrong[] = {-1, 0, 8, 30, 32, 33};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error problem = {0};
        uint32_t address = 0;
        cr_expect_not(subnet_pick_free(wrong[i], &address, &problem));
        cr_expect_eq(problem.domain, ERROR_CONFIGURATION);
    }
}

Test(subnet, writes_and_reads_addresses) {
    char text[SUBNET_TEXT_SIZE];
    uint32_t address = 0;
    subnet_format(NET(255, 255, 255, 248), 29, text);
    cr_assert_str_eq(text, "255.255.255.248/29");
    subnet_format_address(NET(10, 0, 200, 1), text);
    cr_assert_str_eq(text, "10.0.200.1");
    cr_assert(subnet_parse_address("10.0.200.1", &address));
    cr_assert_eq(address, NET(10, 0, 200, 1));
    static const char *const wrong[] = {"", "10.0.0", "10.0.0.256", "::1", "10.0.0.1/24", "x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_not(subnet_parse_address(wrong[i], &address), "%s", wrong[i]);
}

Test(subnet, knows_the_loopback_as_this_hosts) {
    cr_assert(subnet_is_on_this_host(NET(127, 0, 0, 0), 8));
    cr_assert_not(subnet_is_on_this_host(NET(240, 0, 0, 0), 4)); // reserved, RFC 1112
}
