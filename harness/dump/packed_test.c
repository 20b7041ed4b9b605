#include "dump/packed.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define BYTES(literal) literal, sizeof literal - 1

static const char *problem_of(enum packed kind, const char *bytes, size_t length, unsigned group) {
    // Of exactly this size, so that reading past it is noticed.
    uint8_t *copy = memory_new(length > 0 ? length : 1, 1);
    memcpy(copy, bytes, length);
    const char *problem = packed_problem(kind, copy, length, group);
    free(copy);
    return problem;
}

struct example {
    const char *title;
    enum packed kind;
    unsigned group;
    const char *bytes;
    size_t length;
    const char *words; // NULL: it is right
};

static void expect_all(const struct example *examples, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct example *example = &examples[i];
        const char *problem =
            problem_of(example->kind, example->bytes, example->length, example->group);
        if (example->words == NULL)
            cr_expect_null(problem, "%s: %s", example->title, problem);
        else
            cr_expect(problem != NULL && strstr(problem, example->words) != NULL,
                      "%s: wanted \"%s\", got \"%s\"", example->title, example->words, problem);
        if (example->words != NULL)
            continue;
        for (size_t length = 0; length < example->length; length++)
            cr_expect_not_null(problem_of(example->kind, example->bytes, length, example->group),
                               "%s cut to %zu", example->title, length);
    }
}

Test(packed, listpacks) {
    static const struct example EXAMPLES[] = {
        {"empty", PACKED_LISTPACK, 1, BYTES("\7\0\0\0\0\0\xff"), NULL},
        {"7 bits, string", PACKED_LISTPACK, 2, BYTES("\14\0\0\0\2\0\5\1\x81x\2\xff"), NULL},
        {"not counted", PACKED_LISTPACK, 1, BYTES("\11\0\0\0\xff\xff\5\1\xff"), NULL},
        {"every number", PACKED_LISTPACK, 1,
         BYTES("\43\0\0\0\5\0"
               "\xc1\2\2"
               "\xf1\1\2\3"
               "\xf2\1\2\3\4"
               "\xf3\1\2\3\4\5"
               "\xf4\1\2\3\4\5\6\7\x8\x9"
               "\xff"),
         NULL},
        {"count", PACKED_LISTPACK, 1, BYTES("\11\0\0\0\2\0\5\1\xff"), "as many entries as it says"},
        {"group", PACKED_LISTPACK, 2, BYTES("\11\0\0\0\1\0\5\1\xff"), "last group"},
        {"length", PACKED_LISTPACK, 1, BYTES("\12\0\0\0\1\0\5\1\xff"), "not as long as it says"},
        {"end mark", PACKED_LISTPACK, 1, BYTES("\11\0\0\0\1\0\5\1\xfe"), "end mark"},
        {"back length", PACKED_LISTPACK, 1, BYTES("\11\0\0\0\1\0\5\2\xff"), "two lengths"},
        {"unknown", PACKED_LISTPACK, 1, BYTES("\11\0\0\0\1\0\xf5\1\xff"), "unknown encoding"},
        {"string beyond", PACKED_LISTPACK, 1, BYTES("\11\0\0\0\1\0\x8a\1\xff"), "beyond its end"},
        {"string of 4 GiB", PACKED_LISTPACK, 1, BYTES("\15\0\0\0\1\0\xf0\xff\xff\xff\xff\1\xff"),
         "beyond its end"},
    };
    expect_all(EXAMPLES, sizeof EXAMPLES / sizeof EXAMPLES[0]);
}

// One entry of each length where the encodings change.
Test(packed, listpacks_with_long_strings) {
    static const size_t LENGTHS[] = {0, 63, 64, 125, 126, 127, 4095, 4096, 16377, 16378, 2100000};
    for (size_t i = 0; i < sizeof LENGTHS / sizeof LENGTHS[0]; i++) {
        const size_t length = LENGTHS[i];
        const size_t header = length <= 63 ? 1 : length <= 4095 ? 2 : 5;
        const size_t entry = header + length;
        const size_t back = entry <= 127 ? 1 : entry < 16383 ? 2 : entry < 2097151 ? 3 : 4;
        const size_t size = 6 + entry + back + 1;
        char *bytes = memory_new(size, 1);
        for (int j = 0; j < 4; j++)
            bytes[j] = (char)(size >> 8 * j);
        bytes[4] = 1;
        char *at = bytes + 6;
        if (header == 1)
            at[0] = (char)(0x80 | length);
        else if (header == 2)
            at[0] = (char)(0xe0 | length >> 8), at[1] = (char)length;
        else
            for (int j = -1; j < 4; j++)
                at[j + 1] = j < 0 ? (char)0xf0 : (char)(length >> 8 * j);
        for (size_t j = 0; j < back; j++)
            at[entry + back - 1 - j] = (char)((entry >> 7 * j & 0x7f) | (j + 1 < back ? 0x80 : 0));
        bytes[size - 1] = (char)0xff;
        const char *problem = problem_of(PACKED_LISTPACK, bytes, size, 1);
        cr_expect_null(problem, "%zu: %s", length, problem);
        free(bytes);
    }
}

Test(packed, ziplists) {
    static const struct example EXAMPLES[] = {
        {"empty", PACKED_ZIPLIST, 1, BYTES("\13\0\0\0\12\0\0\0\0\0\xff"), NULL},
        {"2 and 5, from Redis' own description", PACKED_ZIPLIST, 2,
         BYTES("\17\0\0\0\14\0\0\0\2\0\0\xf3\2\xf6\xff"), NULL},
        {"every encoding", PACKED_ZIPLIST, 1,
         BYTES("\60\0\0\0\54\0\0\0\7\0"
               "\0\1x"
               "\3\x40\1x"
               "\4\x80\0\0\0\1x"
               "\7\xc0\1\2"
               "\4\xd0\1\2\3\4"
               "\6\xe0\1\2\3\4\5\6\7\x8"
               "\12\xfe\1"
               "\xff"),
         NULL},
        {"link of five bytes", PACKED_ZIPLIST, 1,
         BYTES("\23\0\0\0\14\0\0\0\2\0\0\xf3\xfe\2\0\0\0\xf6\xff"), NULL},
        {"length", PACKED_ZIPLIST, 1, BYTES("\14\0\0\0\12\0\0\0\0\0\xff"), "not as long"},
        {"end mark", PACKED_ZIPLIST, 1, BYTES("\13\0\0\0\12\0\0\0\0\0\xfe"), "end mark"},
        {"count", PACKED_ZIPLIST, 1, BYTES("\13\0\0\0\12\0\0\0\1\0\xff"), "as many entries"},
        {"tail", PACKED_ZIPLIST, 1, BYTES("\17\0\0\0\12\0\0\0\2\0\0\xf3\2\xf6\xff"),
         "its last entry"},
        {"link", PACKED_ZIPLIST, 1, BYTES("\17\0\0\0\14\0\0\0\2\0\0\xf3\3\xf6\xff"),
         "the length of the one before"},
        {"encoding", PACKED_ZIPLIST, 1, BYTES("\15\0\0\0\12\0\0\0\1\0\0\xf0\xff"),
         "unknown encoding"},
        {"group", PACKED_ZIPLIST, 2, BYTES("\15\0\0\0\12\0\0\0\1\0\0\xf3\xff"), "last group"},
    };
    expect_all(EXAMPLES, sizeof EXAMPLES / sizeof EXAMPLES[0]);
}

Test(packed, zipmaps_and_sets_of_numbers) {
    static const struct example EXAMPLES[] = {
        {"two pairs, from Redis' own description", PACKED_ZIPMAP, 1,
         BYTES("\2\3foo\3\0bar\5hello\5\0world\xff"), NULL},
        {"free bytes", PACKED_ZIPMAP, 1, BYTES("\1\1a\1\2b??\xff"), NULL},
        {"long length", PACKED_ZIPMAP, 1, BYTES("\1\xfe\1\0\0\0a\1\0b\xff"), NULL},
        {"count", PACKED_ZIPMAP, 1, BYTES("\2\1a\1\0b\xff"), "as many pairs"},
        {"beyond", PACKED_ZIPMAP, 1, BYTES("\1\1a\5\0b\xff"), "beyond its end"},
        {"end mark", PACKED_ZIPMAP, 1, BYTES("\1\1a\1\0b"), "end mark"},
        {"16 bits", PACKED_INTSET, 1, BYTES("\2\0\0\0\2\0\0\0\xff\xff\1\0"), NULL},
        {"64 bits", PACKED_INTSET, 1, BYTES("\x8\0\0\0\1\0\0\0\1\2\3\4\5\6\7\x8"), NULL},
        {"order", PACKED_INTSET, 1, BYTES("\2\0\0\0\2\0\0\0\1\0\xff\xff"), "not in order"},
        {"twice", PACKED_INTSET, 1, BYTES("\2\0\0\0\2\0\0\0\1\0\1\0"), "not in order"},
        {"size", PACKED_INTSET, 1, BYTES("\3\0\0\0\1\0\0\0\1\0\1"), "unknown size"},
        {"many", PACKED_INTSET, 1, BYTES("\2\0\0\0\xff\xff\xff\xff\1\0"), "as many as it says"},
        {"none", PACKED_INTSET, 1, BYTES("\2\0\0\0\0\0\0\0"), "as many as it says"},
    };
    expect_all(EXAMPLES, sizeof EXAMPLES / sizeof EXAMPLES[0]);
}

// A listpack of small numbers: what a stream is made of.
static const char *stream_of(const char *numbers, size_t count) {
    char bytes[200] = {(char)(7 + 2 * count), 0, 0, 0, (char)count, 0};
    for (size_t i = 0; i < count; i++) {
        bytes[6 + 2 * i] = numbers[i];
        bytes[7 + 2 * i] = 1;
    }
    bytes[6 + 2 * count] = (char)0xff;
    return problem_of(PACKED_STREAM, bytes, 7 + 2 * count, 1);
}

Test(packed, streams) {
    static const struct {
        const char *title;
        const char *numbers;
        size_t count;
        const char *words;
    } STREAMS[] = {
        {"one entry",
         BYTES("\1\0\1\x66\0"
               "\2\0\0\7\4"),
         NULL},
        {"one deleted",
         BYTES("\0\1\1\x66\0"
               "\3\0\0\7\4"),
         NULL},
        {"own fields",
         BYTES("\1\0\1\x66\0"
               "\0\0\0\2\x61\x62\7\7\10"),
         NULL},
        {"too few",
         BYTES("\2\0\1\x66\0"
               "\2\0\0\7\4"),
         "fewer entries"},
        {"too many",
         BYTES("\0\0\1\x66\0"
               "\2\0\0\7\4"),
         "more entries"},
        {"item count",
         BYTES("\1\0\1\x66\0"
               "\2\0\0\7\5"),
         "as many items as it says"},
        {"master's end",
         BYTES("\1\0\1\x66\1"
               "\2\0\0\7\4"),
         "does not end"},
        {"many fields",
         BYTES("\1\0\x7f\x66\0"
               "\2\0\0\7\4"),
         "fewer entries"},
        {"empty", BYTES(""), "fewer entries"},
    };
    for (size_t i = 0; i < sizeof STREAMS / sizeof STREAMS[0]; i++) {
        const char *problem = stream_of(STREAMS[i].numbers, STREAMS[i].count);
        if (STREAMS[i].words == NULL)
            cr_expect_null(problem, "%s: %s", STREAMS[i].title, problem);
        else
            cr_expect(problem != NULL && strstr(problem, STREAMS[i].words) != NULL, "%s: %s",
                      STREAMS[i].title, problem);
    }
    // A text where a number belongs.
    const char *problem = problem_of(PACKED_STREAM, BYTES("\12\0\0\0\1\0\x81x\2\xff"), 1);
    cr_expect(problem != NULL && strstr(problem, "a text where a number") != NULL, "%s", problem);
    problem = problem_of(PACKED_STREAM, BYTES("\20\0\0\0\4\0\xdf\xff\2\0\1\0\1\0\1\xff"), 1);
    cr_expect(problem != NULL && strstr(problem, "a negative number of entries") != NULL, "%s",
              problem);
}
