#include "dump/utf8.h"

#include <criterion/criterion.h>
#include <string.h>

static bool is_utf8(const char *text, size_t cut) {
    struct utf8 utf8 = {0};
    const uint8_t *bytes = (const uint8_t *)text;
    const size_t length = strlen(text);
    if (cut > length)
        cut = length;
    return utf8_feed(&utf8, bytes, cut) && utf8_feed(&utf8, bytes + cut, length - cut) &&
           utf8_is_complete(&utf8);
}

Test(utf8, tells_right_from_wrong_wherever_it_is_cut) {
    static const struct {
        const char *text;
        bool right;
    } TEXTS[] = {
        {"", true},
        {"plain and more than eight bytes", true},
        {"J\xc3\xbcrgen, 12 \xe2\x82\xac, \xf0\x9f\x98\x80, and eight more", true},
        {"\xed\x9f\xbf \xee\x80\x80 \xf4\x8f\xbf\xbf", true}, // beside the surrogates; the last
        {"\xc0\xaf", false},                                  // overlong
        {"\xe0\x80\xaf", false},
        {"\xf0\x80\x80\xaf", false},
        {"\xed\xa0\x80", false}, // a surrogate
        {"\xf4\x90\x80\x80", false},
        {"\xf5\x80\x80\x80", false},
        {"\x80", false},
        {"12345678\xff", false},
        {"cut \xe2\x82", false},
        {"\xe2\x82 not ended", false},
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++)
        for (size_t cut = 0; cut < 40; cut++)
            cr_assert_eq(is_utf8(TEXTS[i].text, cut), TEXTS[i].right, "%s cut at %zu",
                         TEXTS[i].text, cut);
}
