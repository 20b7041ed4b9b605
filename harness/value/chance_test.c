#include "value/chance.h"

#include <criterion/criterion.h>
#include <inttypes.h>

// The first numbers of seed 1234567, from the authors' own program.
Test(chance, gives_the_numbers_of_its_source) {
    static const uint64_t expected[] = {
        UINT64_C(6457827717110365317), UINT64_C(3203168211198807973), UINT64_C(9817491932198370423),
        UINT64_C(4593380528125082431), UINT64_C(16408922859458223821)};
    struct chance chance = {1234567};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const uint64_t number = chance_next(&chance);
        cr_assert(number == expected[i], "number %zu is %" PRIu64, i, number);
    }
}

Test(chance, reaches_every_number_below_its_bound_and_no_other) {
    struct chance chance = {7};
    size_t times[6] = {0};
    for (size_t i = 0; i < 600; i++)
        times[chance_below(&chance, 6)]++;
    for (size_t i = 0; i < 6; i++)
        cr_assert(times[i] > 50, "%zu came %zu times", i, times[i]);
}
