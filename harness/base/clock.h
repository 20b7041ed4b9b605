// Monotonic time and deadlines. The wall clock is for labels in reports only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

int64_t clock_monotonic_us(void); // microseconds since some fixed point
int64_t clock_wall_ms(void);      // milliseconds since 1970-01-01 UTC

// "2026-11-22T14:53:50Z" into a buffer of CLOCK_TEXT_SIZE bytes.
#define CLOCK_TEXT_SIZE 32
const char *clock_format_utc(int64_t wall_ms, char buffer[CLOCK_TEXT_SIZE]);

struct deadline {
    int64_t at_us; // on the clock of clock_monotonic_us()
};

struct deadline deadline_in_ms(int64_t ms);
int64_t deadline_left_ms(struct deadline deadline); // 0 when passed; rounded up
bool deadline_passed(struct deadline deadline);
struct deadline deadline_earlier(struct deadline left, struct deadline right);
