#include "compose/quantity.h"

#include <criterion/criterion.h>

static long long duration(const char *text) {
    long long ns = -1;
    return quantity_duration(text, &ns) ? ns : -1;
}

static long long bytes(const char *text) {
    long long size = -1;
    return quantity_bytes(text, &size) ? size : -1;
}

Test(quantity, reads_durations_of_several_parts) {
    cr_expect_eq(duration("1m30s"), 90000000000);
    cr_expect_eq(duration("2h32m"), 9120000000000);
    cr_expect_eq(duration("500ms"), 500000000);
    cr_expect_eq(duration("1.5s"), 1500000000);
    cr_expect_eq(duration("10us"), 10000);
    cr_expect_eq(duration("10µs"), 10000);
    cr_expect_eq(duration("1d"), 86400000000000);
    cr_expect_eq(duration("0"), 0);
}

Test(quantity, refuses_what_is_no_duration) {
    cr_expect_eq(duration(""), -1);
    cr_expect_eq(duration("10"), -1, "a number needs a unit");
    cr_expect_eq(duration("-1s"), -1);
    cr_expect_eq(duration("1x"), -1);
    cr_expect_eq(duration("s"), -1);
    cr_expect_eq(duration("1s "), -1);
    cr_expect_eq(duration("99999999999h"), -1, "more than 2^63 ns");
}

Test(quantity, reads_sizes_in_powers_of_1024) {
    cr_expect_eq(bytes("300000"), 300000);
    cr_expect_eq(bytes("64m"), 67108864);
    cr_expect_eq(bytes("64MB"), 67108864);
    cr_expect_eq(bytes("2KiB"), 2048);
    cr_expect_eq(bytes("1.5g"), 1610612736);
    cr_expect_eq(bytes("10 b"), 10);
}

Test(quantity, refuses_what_is_no_size) {
    cr_expect_eq(bytes(""), -1);
    cr_expect_eq(bytes("-1"), -1);
    cr_expect_eq(bytes("1x"), -1);
    cr_expect_eq(bytes("m"), -1);
    cr_expect_eq(bytes("1mm"), -1);
    cr_expect_eq(bytes("0x10"), -1);
    cr_expect_eq(bytes("1e9"), -1);
    cr_expect_eq(bytes("99999999999999g"), -1);
}
