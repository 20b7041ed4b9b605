#include "dump/crc64.h"

#include <criterion/criterion.h>
#include <string.h>

Test(crc64, gives_the_published_values) {
    static const char digits[] = "123456789";
    struct crc64 crc;
    crc64_init(&crc, CRC64_JONES);
    cr_expect_eq(crc64_update(&crc, 0, digits, 9), UINT64_C(0xe9c6d914c4b8d9ca));
    crc64_init(&crc, CRC64_ECMA);
    cr_expect_eq(~crc64_update(&crc, UINT64_MAX, digits, 9), UINT64_C(0x995dc9bbdf1939fa));
}

Test(crc64, is_the_same_wherever_the_bytes_are_cut) {
    char text[100];
    struct crc64 crc;
    memset(text, 'x', sizeof text);
    text[50] = 'y';
    crc64_init(&crc, CRC64_JONES);
    const uint64_t whole = crc64_update(&crc, 0, text, sizeof text);
    for (size_t cut = 0; cut <= sizeof text; cut++) {
        const uint64_t first = crc64_update(&crc, 0, text, cut);
        cr_assert_eq(crc64_update(&crc, first, text + cut, sizeof text - cut), whole);
    }
}
