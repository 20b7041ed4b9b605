#define _GNU_SOURCE
#include "base/clock.h"

#include <time.h>

static int64_t now_us(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_monotonic_us(void) {
    return now_us(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void) {
    return now_us(CLOCK_REALTIME) / 1000;
}

const char *clock_format_utc(int64_t wall_ms, char buffer[CLOCK_TEXT_SIZE]) {
    const time_t seconds = (time_t)(wall_ms / 1000);
    struct tm broken_down;
    gmtime_r(&seconds, &broken_down);
    strftime(buffer, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &broken_down);
    return buffer;
}

struct deadline deadline_in_ms(int64_t ms) {
    return (struct deadline){clock_monotonic_us() + ms * 1000};
}

int64_t deadline_left_ms(struct deadline deadline) {
    const int64_t left_us = deadline.at_us - clock_monotonic_us();
    return left_us > 0 ? (left_us + 999) / 1000 : 0;
}

bool deadline_passed(struct deadline deadline) {
    return clock_monotonic_us() >= deadline.at_us;
}

struct deadline deadline_earlier(struct deadline left, struct deadline right) {
    return left.at_us < right.at_us ? left : right;
}
