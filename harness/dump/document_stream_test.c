#include "dump/document_stream.h"

#include "dump/dump_test_sample.h"

#include <criterion/criterion.h>
#include <string.h>

static struct error problem;

struct seen {
    size_t collections;
    size_t documents;
    size_t bytes;
    bool knows_orders; // a document of a collection "orders" was there
};

static struct seen read_sample(const char *name, bool is_archive) {
    const struct sample sample = sample_load(name);
    struct source *source = NULL;
    struct document_stream stream;
    struct seen seen = {0};
    enum document_event event = DOCUMENT_ROW;
    cr_assert(source_open_bytes(sample.bytes, sample.length, &source, &problem));
    document_stream_init(&stream, source, is_archive);
    while (event != DOCUMENT_END) {
        cr_assert(document_stream_next(&stream, &event, &problem), "%s", problem.message);
        seen.collections += event == DOCUMENT_COLLECTION;
        seen.documents += event == DOCUMENT_ROW;
        seen.bytes += event == DOCUMENT_ROW ? stream.length : 0;
        if (event == DOCUMENT_COLLECTION)
            cr_expect_not_null(strstr(stream.metadata, "indexes"), "%s", stream.metadata);
        if (event == DOCUMENT_ROW && is_archive && strcmp(stream.collection, "orders") == 0)
            seen.knows_orders = true;
    }
    document_stream_done(&stream);
    source_close(source);
    return seen;
}

// The reader that proves the file counts as well: both must come to the same.
static uint64_t records_of(const struct dump_format *format, const char *name) {
    struct sample sample = sample_load(name);
    struct dump_facts facts = {0};
    if (sample.length > 2 && sample.bytes[0] == 0x1f)
        cr_skip_test("packed");
    cr_assert(sample_read(format, sample.bytes, sample.length, &facts, &problem), "%s",
              problem.message);
    const uint64_t count = facts.record_count;
    dump_facts_done(&facts);
    sample_done(&sample);
    return count;
}

Test(document_stream, gives_every_document_of_a_collection) {
    static const char name[] = "mongodump-100.18-orders.bson";
    const struct seen seen = read_sample(name, false);
    const struct sample sample = sample_load(name);
    cr_expect_eq(seen.documents, records_of(&FORMAT_BSON, name));
    cr_expect_eq(seen.bytes, sample.length);
    cr_expect_gt(seen.documents, 0u);
}

Test(document_stream, gives_every_document_of_an_archive_under_its_collection) {
    static const char name[] = "mongodump-100.18.archive";
    const struct seen seen = read_sample(name, true);
    cr_expect_eq(seen.documents, records_of(&FORMAT_MONGO_ARCHIVE, name));
    cr_expect_gt(seen.collections, 0u);
    cr_expect(seen.knows_orders);
}

Test(document_stream, unpacks_on_the_way) {
    const struct seen packed = read_sample("mongodump-100.18.archive.gz", true);
    cr_expect_gt(packed.documents, 0u);
}

Test(document_stream, a_length_that_no_document_can_have_is_refused) {
    static const uint8_t wrong[] = {4, 0, 0, 0, 0};
    struct source *source = NULL;
    struct document_stream stream;
    enum document_event event;
    cr_assert(source_open_bytes(wrong, sizeof wrong, &source, &problem));
    document_stream_init(&stream, source, false);
    cr_expect_not(document_stream_next(&stream, &event, &problem));
    cr_expect_eq(problem.domain, ERROR_PROTOCOL);
    document_stream_done(&stream);
    source_close(source);
}
