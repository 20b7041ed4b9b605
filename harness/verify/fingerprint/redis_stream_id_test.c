#include "verify/fingerprint/redis_stream_id.h"

#include <criterion/criterion.h>

static void expect_after(const char *id, const char *expected) {
    char buffer[REDIS_STREAM_ID_SIZE] = "";
    cr_expect(redis_stream_id_after(id, buffer, sizeof buffer), "%s", id);
    cr_expect_str_eq(buffer, expected);
}

Test(redis_stream_id, is_followed_by_the_next) {
    expect_after("0-0", "0-1");
    expect_after("1526919030474-55", "1526919030474-56");
    expect_after("5-18446744073709551614", "5-18446744073709551615");
    expect_after("5-18446744073709551615", "6-0");
    expect_after("18446744073709551615-18446744073709551614",
                 "18446744073709551615-18446744073709551615");
}

Test(redis_stream_id, must_be_one_and_not_the_last) {
    static const char *const wrong[] = {"",
                                        "5",
                                        "-5",
                                        "5-",
                                        "5-x",
                                        "x-5",
                                        "5-5-5",
                                        "+5-5",
                                        "5--5",
                                        " 5-5",
                                        "5-5 ",
                                        "18446744073709551616-0",
                                        "0-18446744073709551616",
                                        "18446744073709551615-18446744073709551615"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char buffer[REDIS_STREAM_ID_SIZE] = "as before";
        cr_expect_not(redis_stream_id_after(wrong[i], buffer, sizeof buffer), "%s", wrong[i]);
        cr_expect_str_eq(buffer, "as before");
    }
}
