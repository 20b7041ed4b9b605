#include "base/memory.h"
#include "base/text.h"
#include "dump/crc64.h"
#include "dump/dump_test_sample.h"

#include <bson/bson.h>
#include <criterion/criterion.h>
#include <string.h>

Test(mongo_archive, reads_what_mongodump_wrote) {
    struct sample sample = sample_load("mongodump-100.18.archive");
    struct dump_facts facts = {0};
    struct error err = {0};
    cr_expect(FORMAT_MONGO_ARCHIVE.recognises(sample.bytes, sample.length));
    cr_assert(sample_read(&FORMAT_MONGO_ARCHIVE, sample.bytes, sample.length, &facts, &err), "%s",
              err.message);
    cr_expect_str_eq(facts.server_version, "7.0.42");
    cr_expect_str_eq(facts.tool, "mongodump 100.18.0");
    cr_expect_null(facts.database);
    cr_expect(string_list_contains(&facts.databases, "shop"));
    cr_expect(string_list_contains(&facts.databases, "stock"));
    cr_expect(string_list_contains(&facts.objects, "shop.orders"));
    cr_expect(string_list_contains(&facts.objects, "shop.empty"));
    cr_expect_eq(facts.object_count, 4);
    cr_expect_eq(facts.record_count, 6);
    dump_facts_done(&facts);
    sample_done(&sample);
}

Test(mongo_archive, reads_a_compressed_one_alike) {
    struct sample sample = sample_load("mongodump-100.18.archive.gz");
    struct dump_facts facts = {0};
    struct error err = {0};
    cr_assert(sample_read(&FORMAT_MONGO_ARCHIVE, sample.bytes, sample.length, &facts, &err), "%s",
              err.message);
    cr_expect_eq(facts.record_count, 6);
    dump_facts_done(&facts);
    sample_refuse_truncations(&FORMAT_MONGO_ARCHIVE, &sample, NULL);
    sample_done(&sample);
}

Test(mongo_archive, refuses_every_truncation) {
    struct sample sample = sample_load("mongodump-100.18.archive");
    sample_refuse_truncations(&FORMAT_MONGO_ARCHIVE, &sample, NULL);
    sample_done(&sample);
}

Test(mongo_archive, refuses_every_flipped_bit_in_a_document) {
    struct sample sample = sample_load("mongodump-100.18.archive");
    struct sample orders = sample_load("mongodump-100.18-orders.bson");
    size_t at = 0;
    while (memcmp(sample.bytes + at, orders.bytes, orders.length) != 0) {
        at++;
        cr_assert(at + orders.length <= sample.length);
    }
    sample_refuse_flips(&FORMAT_MONGO_ARCHIVE, &sample, at, at + orders.length);
    // Of the rest, only what the prelude says of the server and of indexes can change unnoticed.
    const size_t refused = sample_survive_flips(&FORMAT_MONGO_ARCHIVE, &sample);
    cr_expect_gt(refused, 8 * sample.length / 2, "%zu of %zu", refused, 8 * sample.length);
    sample_done(&orders);
    sample_done(&sample);
}

// ---- archives made here

#define TERMINATOR "\xff\xff\xff\xff"

static struct text made;
static struct crc64 crc;

static void begin(void) {
    text_init(&made, (size_t)64 * 1024 * 1024);
    crc64_init(&crc, CRC64_ECMA);
}

static void end(void) {
    text_done(&made);
}

TestSuite(mongo_archive, .init = begin, .fini = end);

static void add(bson_t *document) {
    text_append_bytes(&made, bson_get_data(document), document->len);
    bson_destroy(document);
}

static void add_header(const char *version) {
    text_clear(&made);
    text_append_bytes(&made, "\x6d\xe2\x99\x81", 4);
    add(BCON_NEW("concurrent_collections", BCON_INT32(4), "version", BCON_UTF8(version),
                 "server_version", BCON_UTF8("8.0.1"), "tool_version", BCON_UTF8("100.1")));
}

static void add_collection(const char *database, const char *name, const char *type) {
    add(BCON_NEW("db", BCON_UTF8(database), "collection", BCON_UTF8(name), "metadata",
                 BCON_UTF8("{}"), "size", BCON_INT32(0), "type", BCON_UTF8(type)));
}

static void add_terminator(void) {
    text_append_bytes(&made, TERMINATOR, 4);
}

static void add_block(const char *database, const char *name, bool eof, uint64_t sum) {
    add(BCON_NEW("db", BCON_UTF8(database), "collection", BCON_UTF8(name), "EOF", BCON_BOOL(eof),
                 "CRC", BCON_INT64((int64_t)sum)));
}

// A document of one number; returns the CRC with it.
static uint64_t add_document(uint64_t sum, int number) {
    const size_t from = made.length;
    add(BCON_NEW("n", BCON_INT32(number)));
    return crc64_update(&crc, sum, made.bytes + from, made.length - from);
}

static void expect(const char *words, const char *title) {
    sample_expect(&FORMAT_MONGO_ARCHIVE, made.bytes, made.length, words, title);
}

Test(mongo_archive, follows_collections_whose_blocks_are_mixed) {
    uint64_t a = UINT64_MAX, b = UINT64_MAX;
    add_header("0.1");
    add_collection("x", "a", "collection");
    add_collection("x", "b", "collection");
    add_terminator();
    add_block("x", "a", false, 0);
    a = add_document(a, 1);
    add_terminator();
    add_block("x", "b", false, 0);
    b = add_document(b, 2);
    add_terminator();
    add_block("x", "a", false, 0);
    a = add_document(add_document(a, 3), 4);
    add_terminator();
    add_block("x", "a", true, ~a);
    add_terminator();
    add_block("x", "b", true, ~b);
    add_terminator();
    struct dump_facts facts = {0};
    struct error err = {0};
    cr_assert(sample_read(&FORMAT_MONGO_ARCHIVE, made.bytes, made.length, &facts, &err), "%s",
              err.message);
    cr_expect_eq(facts.record_count, 4);
    cr_expect_str_eq(facts.database, "x");
    dump_facts_done(&facts);
}

Test(mongo_archive, finds_a_time_series_under_either_name) {
    add_header("0.1");
    add_collection("x", "old", "timeseries");
    add_collection("x", "new", "timeseries");
    add_terminator();
    add_block("x", "system.buckets.old", true, 0);
    add_terminator();
    add_block("x", "new", true, 0);
    add_terminator();
    expect(NULL, "time series");
    add_header("0.1");
    add_collection("x", "plain", "collection");
    add_terminator();
    add_block("x", "system.buckets.plain", true, 0);
    add_terminator();
    expect("does not list x.system.buckets.plain", "buckets of no time series");
}

static void begin_one(void) {
    add_header("0.1");
    add_collection("x", "a", "collection");
    add_terminator();
}

Test(mongo_archive, says_what_is_wrong) {
    begin_one();
    expect("ends without x.a", "no block at all");
    begin_one();
    add_block("x", "a", false, 0);
    const uint64_t sum = add_document(UINT64_MAX, 1);
    add_terminator();
    expect("ends within x.a", "no end");
    add_block("x", "a", true, ~sum + 1);
    add_terminator();
    expect("the documents of x.a have the CRC", "wrong CRC");
    begin_one();
    add_block("x", "a", true, 0);
    add_document(0, 1);
    add_terminator();
    expect("documents of x.a follow its end", "documents behind the end");
    begin_one();
    add_block("x", "a", true, 0);
    add_terminator();
    expect(NULL, "an empty collection");
    add_block("x", "a", true, 0);
    add_terminator();
    expect("x.a goes on after its end", "ended twice");
    begin_one();
    add_terminator();
    expect("a block without a header", "two terminators");
    begin_one();
    add_block("x", "b", true, 0);
    add_terminator();
    expect("the prelude does not list x.b", "an unknown collection");
    add_header("0.1");
    add_collection("x", "a", "collection");
    add_collection("x", "a", "collection");
    add_terminator();
    expect("lists x.a twice", "a collection twice");
    add_header("0.2");
    add_terminator();
    expect("of version \"0.2\"", "another version");
    add_header("0.1");
    add_collection("x", "", "collection");
    add_terminator();
    expect("a collection without a name", "no name");
    begin_one();
    add(BCON_NEW("db", BCON_UTF8("x"), "collection", BCON_UTF8("a")));
    expect("has no \"EOF\"", "half a header");
    begin_one();
    add(BCON_NEW("db", BCON_UTF8("x"), "other", BCON_UTF8("a")));
    expect("the unknown key \"other\"", "an unknown key");
    begin_one();
    add(BCON_NEW("db", BCON_INT32(1)));
    expect("\"db\" is of the wrong type", "a number for a name");
}

Test(mongo_archive, holds_a_hundred_thousand_collections) {
    char name[32];
    add_header("0.1");
    for (int i = 0; i < 100000; i++) {
        snprintf(name, sizeof name, "collection%d", i);
        add_collection("x", name, "collection");
    }
    add_terminator();
    for (int i = 100000; i-- > 0;) {
        snprintf(name, sizeof name, "collection%d", i);
        add_block("x", name, true, 0);
        add_terminator();
    }
    struct dump_facts facts = {0};
    struct error err = {0};
    cr_assert(sample_read(&FORMAT_MONGO_ARCHIVE, made.bytes, made.length, &facts, &err), "%s",
              err.message);
    cr_expect_eq(facts.object_count, 100000);
    cr_expect_eq(facts.objects.count, OBJECT_LIMIT);
    dump_facts_done(&facts);
}

Test(mongo_archive, gives_up_on_more_names_than_it_may_hold) {
    struct error err = {0};
    struct dump_facts facts = {0};
    char name[1000];
    memset(name, 'n', sizeof name - 1);
    add_header("0.1");
    for (int i = 0; i < 20000; i++) {
        snprintf(name + 990, 10, "%d", i);
        add_collection("x", name, "collection");
    }
    cr_expect_not(sample_read(&FORMAT_MONGO_ARCHIVE, made.bytes, made.length, &facts, &err));
    cr_expect_eq(err.domain, ERROR_UNAVAILABLE, "%s", err.message);
}
