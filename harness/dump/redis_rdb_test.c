#include "base/memory.h"
#include "base/text.h"
#include "dump/crc64.h"
#include "dump/dump_test_sample.h"

#include <criterion/criterion.h>
#include <string.h>

#define BYTES(literal) literal, sizeof literal - 1

static const char *const CHECKED[] = {"redis-8.0.rdb", "redis-8.0-cluster.rdb"};
static const char UNCHECKED[] = "redis-8.0-no-checksum.rdb";

static void expect_facts(const char *name, uint64_t keys, const char *database) {
    struct sample sample = sample_load(name);
    struct dump_facts facts = {0};
    struct error err = {0};
    cr_expect(FORMAT_REDIS_RDB.recognises(sample.bytes, sample.length));
    cr_assert(sample_read(&FORMAT_REDIS_RDB, sample.bytes, sample.length, &facts, &err), "%s",
              err.message);
    cr_expect_str_eq(facts.server_version, "8.0.2");
    cr_expect_eq(facts.record_count, keys);
    cr_expect_eq(facts.databases.count, database == NULL ? 2 : 1);
    if (database == NULL)
        cr_expect_null(facts.database);
    else
        cr_expect_str_eq(facts.database, database);
    dump_facts_done(&facts);
    sample_done(&sample);
}

Test(redis_rdb, reads_what_redis_wrote) {
    expect_facts(CHECKED[0], 28, NULL);
    expect_facts(CHECKED[1], 26, "0"); // of a cluster, with slots and frequencies
    expect_facts(UNCHECKED, 28, NULL); // with idle times
}

Test(redis_rdb, refuses_every_truncation) {
    for (int i = 0; i < 3; i++) {
        struct sample sample = sample_load(i < 2 ? CHECKED[i] : UNCHECKED);
        sample_refuse_truncations(&FORMAT_REDIS_RDB, &sample, NULL);
        sample_done(&sample);
    }
}

Test(redis_rdb, refuses_every_flipped_bit) {
    for (int i = 0; i < 2; i++) {
        struct sample sample = sample_load(CHECKED[i]);
        sample_refuse_flips(&FORMAT_REDIS_RDB, &sample, 0, sample.length);
        sample_done(&sample);
    }
}

Test(redis_rdb, without_a_checksum_flipped_bits_do_no_harm) {
    struct sample sample = sample_load(UNCHECKED);
    const size_t refused = sample_survive_flips(&FORMAT_REDIS_RDB, &sample);
    cr_expect_gt(refused, 8 * sample.length / 4, "%zu of %zu", refused, 8 * sample.length);
    sample_done(&sample);
}

Test(redis_rdb, refuses_what_follows_the_end) {
    struct sample sample = sample_load(CHECKED[0]);
    struct text more = {0};
    text_append_bytes(&more, sample.bytes, sample.length);
    text_append_char(&more, '\0');
    sample_expect(&FORMAT_REDIS_RDB, more.bytes, more.length, "goes on after its end", "a byte");
    text_done(&more);
    sample_done(&sample);
}

// ---- files made here

static struct text made;

static void end(void) {
    text_done(&made);
}

TestSuite(redis_rdb, .fini = end);

static void finish(void) {
    struct crc64 kind;
    crc64_init(&kind, CRC64_JONES);
    text_append_char(&made, (char)0xff);
    const uint64_t crc = crc64_update(&kind, 0, made.bytes, made.length);
    for (int i = 0; i < 8; i++)
        text_append_char(&made, (char)(crc >> 8 * i));
}

static void make(const char *magic, const char *bytes, size_t length) {
    text_clear(&made);
    text_append(&made, magic);
    text_append_bytes(&made, bytes, length);
    finish();
}

// Whatever stands between the magic number and the end mark.
static void expect_body(const char *bytes, size_t length, const char *words, const char *title) {
    make("REDIS0012", bytes, length);
    sample_expect(&FORMAT_REDIS_RDB, made.bytes, made.length, words, title);
}

Test(redis_rdb, reads_the_types_of_older_versions) {
    static const struct {
        const char *title;
        const char *value; // with its type and the key "k"
        size_t length;
    } VALUES[] = {
        {"list", BYTES("\1\1k"
                       "\2\1a\xc0\5")},
        {"set", BYTES("\2\1k"
                      "\1\1a")},
        {"sorted set of texts", BYTES("\3\1k"
                                      "\4\1a\3"
                                      "1.5"
                                      "\1b\4"
                                      "-1e9"
                                      "\1c\xff\1d\xfe")},
        {"hash", BYTES("\4\1k"
                       "\1\1a\1b")},
        {"sorted set", BYTES("\5\1k"
                             "\1\1a\0\0\0\0\0\0\xf0\x3f")},
        {"module", BYTES("\7\1k"
                         "\x81\1\2\3\4\5\6\7\x8\1\5\2\5\3\1\2\3\4\4\1\2\3\4\5\6\7\x8\5\1x\0")},
        {"zipmap", BYTES("\x9\1k"
                         "\12\1\1a\1\2b??\xff?")},
        {"ziplist", BYTES("\12\1k"
                          "\17\17\0\0\0\14\0\0\0\2\0\0\xf3\2\xf6\xff")},
        {"intset", BYTES("\13\1k"
                         "\12\2\0\0\0\1\0\0\0\1\0")},
        {"sorted set in a ziplist", BYTES("\14\1k"
                                          "\17\17\0\0\0\14\0\0\0\2\0\0\xf3\2\xf6\xff")},
        {"hash in a ziplist", BYTES("\15\1k"
                                    "\17\17\0\0\0\14\0\0\0\2\0\0\xf3\2\xf6\xff")},
        {"list of ziplists", BYTES("\16\1k"
                                   "\1\17\17\0\0\0\14\0\0\0\2\0\0\xf3\2\xf6\xff")},
        {"first stream", BYTES("\17\1k"
                               "\0\0\5\0\1\1g\1\0\0\0")},
        {"second stream", BYTES("\23\1k"
                                "\0\0\5\0\0\0\0\0\5\1\1g\1\0\1\0\0")},
        {"third stream", BYTES("\25\1k"
                               "\0\0\5\0\0\0\0\0\5\1\1g\1\0\1"
                               "\1"
                               "1234567890123456"
                               "12345678"
                               "\1"
                               "\1\1c"
                               "12345678"
                               "12345678"
                               "\1"
                               "1234567890123456")},
        {"hash with expiries, before 7.4", BYTES("\26\1k"
                                                 "\1\0\1a\1b")},
        {"hash with expiries in a listpack, before 7.4", BYTES("\27\1k"
                                                               "\15\15\0\0\0\3\0\5\1\5\1\5\1\xff")},
        {"hash with expiries", BYTES("\30\1k"
                                     "12345678"
                                     "\1\1\1a\1b")},
        {"hash with expiries in a listpack", BYTES("\31\1k"
                                                   "12345678"
                                                   "\15\15\0\0\0\3\0\5\1\5\1\5\1\xff")},
    };
    for (size_t i = 0; i < sizeof VALUES / sizeof VALUES[0]; i++) {
        if (strcmp(VALUES[i].title, "zipmap") == 0)
            continue; // see below
        expect_body(VALUES[i].value, VALUES[i].length, NULL, VALUES[i].title);
        struct sample sample = {VALUES[i].title, (uint8_t *)made.bytes, made.length};
        sample_refuse_truncations(&FORMAT_REDIS_RDB, &sample, NULL);
        sample_refuse_flips(&FORMAT_REDIS_RDB, &sample, 0, sample.length);
    }
    expect_body(BYTES("\x9\1k"
                      "\11\1\1a\1\2b??\xff"),
                NULL, "zipmap");
}

Test(redis_rdb, reads_every_opcode) {
    expect_body(BYTES("\xfa\11redis-ver\5"
                      "7.4.1"
                      "\xfe\0\xfb\1\0\xf4\1\1\0"
                      "\xf5\3lib"
                      "\xf7\1\2\1\1\5\0"
                      "\xfd"
                      "1234"
                      "\xf8\5\xf9\1"
                      "\0\1k\1v"
                      "\xfc"
                      "12345678"
                      "\0\1l\1v"),
                NULL, "all of them");
    expect_body(BYTES("\0\1k\x41\0"
                      "0123456789012345678901234567890123456789012345678901234567890123"
                      "0123456789012345678901234567890123456789012345678901234567890123"
                      "0123456789012345678901234567890123456789012345678901234567890123"
                      "0123456789012345678901234567890123456789012345678901234567890123"),
                NULL, "a length of 14 bits");
    expect_body(BYTES("\0\1k\x80\0\0\0\1v\0\1l\x81\0\0\0\0\0\0\0\1v"), NULL, "long lengths");
    expect_body(BYTES("\0\1k\xc3\x5\x40\x15\0"
                      "a\xe0\x0b\0"),
                NULL, "a compressed string");
}

Test(redis_rdb, says_what_is_wrong) {
    expect_body(BYTES("\6\1k"), "the unknown type or opcode 6", "a type that cannot be read");
    expect_body(BYTES("\x1a\1k"), "the unknown type or opcode 26", "a type of the future");
    expect_body(BYTES("\xf6\1k"), "the unknown type or opcode 246", "an opcode of the past");
    expect_body(BYTES("\0\1k\x82"), "begins with 0x82", "a length");
    expect_body(BYTES("\0\1k\xc4"), "unknown encoding 4", "a string");
    expect_body(BYTES("\xfe\xc0\1"), "a string where a number belongs", "a number");
    expect_body(BYTES("\0\1k\xc3\x5\x40\x16\0"
                      "a\xe0\x0b\0"),
                "shorter than it says", "compressed");
    expect_body(BYTES("\0\1k\xc3\x5\x40\x14\0"
                      "a\xe0\x0b\0"),
                "longer than it says", "compressed");
    expect_body(BYTES("\3\1k\1\1a\xfd"), "not a number", "a score");
    expect_body(BYTES("\3\1k\1\1a\2x1"), "not a number", "a score");
    expect_body(BYTES("\3\1k\1\1a\0"), "not a number", "a score");
    expect_body(BYTES("\5\1k\1\1a\0\0\0\0\0\0\xf8\x7f"), "not a number", "a score");
    expect_body(BYTES("\22\1k\1\3\1a"), "the unknown kind 3", "a list's node");
    expect_body(BYTES("\17\1k\1\3abc"), "identifier has 3 bytes", "a stream");
    expect_body(BYTES("\17\1k\0\5\0\0\0"), "a stream of 5 entries holds none", "a stream");
    expect_body(BYTES("\7\1k\1\6"), "the unknown kind 6", "a module's value");
    expect_body(BYTES("\20\1k\11\11\0\0\0\1\0\5\1\xff"), "database 0, key \"k\": at byte 22 of",
                "a hash of one entry");
}

Test(redis_rdb, versions_before_the_fifth_have_no_checksum) {
    text_clear(&made);
    text_append(&made, "REDIS0004");
    text_append_bytes(&made, BYTES("\0\1k\1v\xff"));
    sample_expect(&FORMAT_REDIS_RDB, made.bytes, made.length, NULL, "version 4");
    make("REDIS0004", BYTES("\0\1k\1v"));
    sample_expect(&FORMAT_REDIS_RDB, made.bytes, made.length, "goes on after its end", "version 4");
}

Test(redis_rdb, a_newer_version_is_not_called_broken_unless_its_checksum_says_so) {
    static const char *const MAGICS[] = {"REDIS0099", "VALKEY080"};
    for (int i = 0; i < 2; i++) {
        struct error err = {0};
        struct dump_facts facts = {0};
        make(MAGICS[i], BYTES("whatever that may hold"));
        cr_expect(FORMAT_REDIS_RDB.recognises((uint8_t *)made.bytes, made.length));
        cr_expect_not(sample_read(&FORMAT_REDIS_RDB, made.bytes, made.length, &facts, &err));
        cr_expect_eq(err.domain, ERROR_UNAVAILABLE, "%s", err.message);
        made.bytes[20] ^= 1;
        cr_expect_not(sample_read(&FORMAT_REDIS_RDB, made.bytes, made.length, &facts, &err));
        cr_expect_eq(err.domain, ERROR_PROTOCOL, "%s", err.message);
    }
}

Test(redis_rdb, a_log_behind_the_snapshot_is_not_called_broken) {
    struct error err = {0};
    struct dump_facts facts = {0};
    make("REDIS0012", BYTES("\xfa\14aof-preamble\xc0\1"));
    text_append(&made, "*2\r\n");
    cr_expect_not(sample_read(&FORMAT_REDIS_RDB, made.bytes, made.length, &facts, &err));
    cr_expect_eq(err.domain, ERROR_UNAVAILABLE, "%s", err.message);
}

Test(redis_rdb, never_allocates_what_a_length_says) {
    static const struct {
        const char *title;
        const char *bytes;
        size_t length;
    } LIES[] = {
        {"10 GB of a string", BYTES("\0\1k\x81\0\0\0\2\x54\x0b\xe4\0abc")},
        {"10 GB of a key", BYTES("\0\x81\0\0\0\2\x54\x0b\xe4\0abc")},
        {"10 GB of a listpack", BYTES("\20\1k\x81\0\0\0\2\x54\x0b\xe4\0abc")},
        {"10 GB out of a few bytes", BYTES("\0\1k\xc3\5\x81\0\0\0\2\x54\x0b\xe4\0\0a\xe0\xff\0")},
        {"all the strings of the world", BYTES("\1\1k\x81\xff\xff\xff\xff\xff\xff\xff\xff\1a")},
        {"all the nodes", BYTES("\17\1k\x81\xff\xff\xff\xff\xff\xff\xff\xff\1a")},
        {"all the pending", BYTES("\17\1k"
                                  "\0\0\5\0\1\1g\1\0\x81\xff\xff\xff\xff\xff\xff\xff\xff")},
    };
    sample_limit_memory((size_t)8 * 1024 * 1024);
    for (size_t i = 0; i < sizeof LIES / sizeof LIES[0]; i++)
        expect_body(LIES[i].bytes, LIES[i].length, "", LIES[i].title);
}
