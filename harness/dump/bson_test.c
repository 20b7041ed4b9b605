#include "base/memory.h"
#include "dump/bson_walk.h"
#include "dump/dump_test_sample.h"

#include <bson/bson.h>
#include <criterion/criterion.h>
#include <string.h>

// Every type, as the driver's own library writes it.
static bson_t *every_type(void) {
    bson_t *document = bson_new(), inner, array;
    bson_oid_t oid;
    bson_decimal128_t decimal;
    bson_t *scope = BCON_NEW("x", BCON_INT32(1));
    bson_oid_init_from_string(&oid, "507f1f77bcf86cd799439011");
    cr_assert(bson_decimal128_from_string("1.5E+300", &decimal));
    BSON_APPEND_DOUBLE(document, "double", -0.0);
    BSON_APPEND_UTF8(document, "string", "J\xc3\xbcrgen");
    bson_append_utf8(document, "with NUL", -1, "a\0b", 3);
    BSON_APPEND_DOCUMENT_BEGIN(document, "document", &inner);
    BSON_APPEND_ARRAY_BEGIN(&inner, "array", &array);
    BSON_APPEND_NULL(&array, "0");
    bson_append_array_end(&inner, &array);
    bson_append_document_end(document, &inner);
    BSON_APPEND_BINARY(document, "binary", BSON_SUBTYPE_BINARY, (const uint8_t *)"abc", 3);
    BSON_APPEND_BINARY(document, "old", BSON_SUBTYPE_BINARY_DEPRECATED, (const uint8_t *)"abc", 3);
    BSON_APPEND_UNDEFINED(document, "undefined");
    BSON_APPEND_OID(document, "oid", &oid);
    BSON_APPEND_BOOL(document, "boolean", true);
    BSON_APPEND_DATE_TIME(document, "date", -1);
    BSON_APPEND_NULL(document, "null");
    BSON_APPEND_REGEX(document, "regex", "^a", "i");
    BSON_APPEND_DBPOINTER(document, "pointer", "a.b", &oid);
    BSON_APPEND_CODE(document, "code", "f()");
    BSON_APPEND_SYMBOL(document, "symbol", "s");
    BSON_APPEND_CODE_WITH_SCOPE(document, "scoped", "g()", scope);
    BSON_APPEND_INT32(document, "int32", INT32_MIN);
    BSON_APPEND_TIMESTAMP(document, "timestamp", 1, 2);
    BSON_APPEND_INT64(document, "int64", INT64_MIN);
    BSON_APPEND_DECIMAL128(document, "decimal", &decimal);
    BSON_APPEND_MINKEY(document, "min");
    BSON_APPEND_MAXKEY(document, "max");
    bson_destroy(scope);
    return document;
}

static struct sample all_types(void) {
    bson_t *document = every_type();
    struct sample sample = {.name = "every type", .length = document->len};
    sample.bytes = (uint8_t *)memory_copy_bytes(bson_get_data(document), document->len);
    bson_destroy(document);
    return sample;
}

static bool is_between_documents(const struct sample *sample, size_t length) {
    size_t at = 0;
    while (at < length) {
        uint32_t size;
        memcpy(&size, sample->bytes + at, sizeof size);
        at += BSON_UINT32_FROM_LE(size);
    }
    return at == length;
}

Test(bson, reads_every_type_that_a_driver_writes) {
    struct sample sample = all_types();
    struct dump_facts facts = {0};
    struct error err = {0};
    cr_assert(sample_read(&FORMAT_BSON, sample.bytes, sample.length, &facts, &err), "%s",
              err.message);
    cr_expect_eq(facts.record_count, 1);
    cr_expect(FORMAT_BSON.recognises(sample.bytes, sample.length));
    sample_refuse_truncations(&FORMAT_BSON, &sample, is_between_documents);
    sample_survive_flips(&FORMAT_BSON, &sample);
    sample_done(&sample);
}

Test(bson, reads_what_mongodump_wrote) {
    struct sample sample = sample_load("mongodump-100.18-orders.bson");
    struct dump_facts facts = {0};
    struct error err = {0};
    cr_assert(sample_read(&FORMAT_BSON, sample.bytes, sample.length, &facts, &err), "%s",
              err.message);
    cr_expect_eq(facts.record_count, 3);
    cr_expect_eq(facts.engine, DUMP_MONGODB);
    sample_refuse_truncations(&FORMAT_BSON, &sample, is_between_documents);
    sample_survive_flips(&FORMAT_BSON, &sample);
    sample_done(&sample);
}

Test(bson, an_empty_collection_is_an_empty_file) {
    sample_expect(&FORMAT_BSON, "", 0, NULL, "empty");
    cr_expect_not(FORMAT_BSON.recognises((const uint8_t *)"", 0));
}

#define BYTES(literal) literal, sizeof literal - 1

Test(bson, says_what_is_wrong_and_where) {
    static const struct {
        const char *title;
        const char *bytes;
        size_t length;
        const char *words; // NULL: it is right
    } DOCUMENTS[] = {
        {"empty document", BYTES("\5\0\0\0\0"), NULL},
        {"null",
         BYTES("\10\0\0\0\x0a"
               "a\0\0"),
         NULL},
        {"length 4", BYTES("\4\0\0\0\0"), "says that it has 4 bytes"},
        {"length above the longest", BYTES("\1\100\0\1\0"), "says that it has 16793601 bytes"},
        {"negative length", BYTES("\xff\xff\xff\xff\0"), "says that it has 4294967295 bytes"},
        {"no terminator", BYTES("\5\0\0\0\1"), "does not end in a NUL, but in 0x01"},
        {"ends early", BYTES("\6\0\0\0\0\0"), "ends 1 bytes before its length says"},
        {"unknown type",
         BYTES("\10\0\0\0\x14"
               "a\0\0"),
         "unknown type 0x14"},
        {"open name",
         BYTES("\10\0\0\0\x0a"
               "abc"),
         "has no end in its document"},
        {"name not UTF-8",
         BYTES("\11\0\0\0\x0a"
               "\xc3"
               "a\0\0"),
         "is not UTF-8"},
        {"name cut in a character",
         BYTES("\10\0\0\0\x0a"
               "\xc3\0\0"),
         "is not UTF-8"},
        {"boolean 2",
         BYTES("\11\0\0\0\x08"
               "a\0\2\0"),
         "is 2, not 0 or 1"},
        {"int32 cut",
         BYTES("\11\0\0\0\x10"
               "a\0\2\0"),
         "needs 4 bytes, its document has only 1"},
        {"string",
         BYTES("\16\0\0\0\2"
               "a\0\2\0\0\0x\0\0"),
         NULL},
        {"string of 0",
         BYTES("\15\0\0\0\2"
               "a\0\0\0\0\0\0\0"),
         "no room for its terminator"},
        {"string beyond",
         BYTES("\16\0\0\0\2"
               "a\0\3\0\0\0x\0\0"),
         "needs 3 bytes"},
        {"string of 4 GiB",
         BYTES("\16\0\0\0\2"
               "a\0\xff\xff\xff\xff"
               "x\0\0"),
         "needs 4294967295"},
        {"string not ended",
         BYTES("\16\0\0\0\2"
               "a\0\2\0\0\0xy\0"),
         "does not end in a NUL"},
        {"string not UTF-8",
         BYTES("\16\0\0\0\2"
               "a\0\2\0\0\0\xff\0\0"),
         "\"a\" is not UTF-8"},
        {"document of 3",
         BYTES("\15\0\0\0\3"
               "a\0\3\0\0\0\0\0"),
         "says that it has 3 bytes"},
        {"document beyond",
         BYTES("\15\0\0\0\3"
               "a\0\6\0\0\0\0\0"),
         "needs 2 bytes"},
        {"binary beyond",
         BYTES("\16\0\0\0\5"
               "a\0\2\0\0\0\0x\0"),
         "needs 2 bytes"},
        {"old binary",
         BYTES("\21\0\0\0\5"
               "a\0\4\0\0\0\2\1\0\0\0\0"),
         "lengths of the old binary"},
        {"old binary of 2",
         BYTES("\17\0\0\0\5"
               "a\0\2\0\0\0\2xy\0"),
         "has no inner length"},
        {"code with scope",
         BYTES("\26\0\0\0\x0f"
               "a\0\16\0\0\0\1\0\0\0\0\5\0\0\0\0\0"),
         NULL},
        {"code with scope, short",
         BYTES("\26\0\0\0\x0f"
               "a\0\15\0\0\0\1\0\0\0\0\5\0\0\0\0"),
         "says that it has 13 bytes"},
        {"code with scope, elsewhere",
         BYTES("\30\0\0\0\x0f"
               "a\0\17\0\0\0\1\0\0\0\0\5\0\0\0\0\0\0"),
         "another place than its length says"},
        {"second document cut", BYTES("\5\0\0\0\0\5\0"), "document 2"},
    };
    for (size_t i = 0; i < sizeof DOCUMENTS / sizeof DOCUMENTS[0]; i++) {
        sample_expect(&FORMAT_BSON, DOCUMENTS[i].bytes, DOCUMENTS[i].length, DOCUMENTS[i].words,
                      DOCUMENTS[i].title);
        struct error err = {0};
        struct dump_facts facts = {0};
        if (sample_read(&FORMAT_BSON, DOCUMENTS[i].bytes, DOCUMENTS[i].length, &facts, &err))
            continue;
        cr_expect_eq(err.domain, ERROR_PROTOCOL);
        cr_expect_not_null(strstr(err.message, "at byte "), "%s", err.message);
    }
}

// {"a": {"a": … {} … }}: so many documents in each other.
static char *nested(unsigned levels, size_t *ret_length) {
    *ret_length = 8 * (size_t)(levels - 1) + 5;
    char *bytes = memory_new(*ret_length, 1);
    for (unsigned i = 0; i < levels; i++) {
        const uint32_t size = BSON_UINT32_TO_LE((uint32_t)(8 * (levels - 1 - i) + 5));
        memcpy(bytes + 7 * i, &size, 4);
        if (i + 1 < levels)
            memcpy(bytes + 7 * i + 4, "\3a\0", 3);
    }
    return bytes;
}

Test(bson, allows_as_many_levels_as_a_server_and_no_more) {
    size_t length;
    char *bytes = nested(BSON_LEVELS, &length);
    sample_expect(&FORMAT_BSON, bytes, length, NULL, "the deepest");
    free(bytes);
    bytes = nested(BSON_LEVELS + 1, &length);
    sample_expect(&FORMAT_BSON, bytes, length, "more than 200 levels", "too deep");
    free(bytes);
    bytes = nested(100000, &length);
    sample_expect(&FORMAT_BSON, bytes, length, "more than 200 levels", "far too deep");
    free(bytes);
}

Test(bson, walks_texts_longer_than_what_it_holds) {
    static const size_t SIZE = 3 * 1000 * 1000;
    char *text = memory_new(SIZE + 1, 1);
    for (size_t i = 0; i < SIZE; i += 3)
        memcpy(text + i, "\xe2\x82\xac", 3);
    bson_t *document = BCON_NEW("text", BCON_UTF8(text), "after", BCON_INT32(1));
    sample_expect(&FORMAT_BSON, bson_get_data(document), document->len, NULL, "long");
    uint8_t *bytes = (uint8_t *)memory_copy_bytes(bson_get_data(document), document->len);
    bytes[1500000] ^= 0x80;
    sample_expect(&FORMAT_BSON, bytes, document->len, "is not UTF-8", "broken in the middle");
    free(bytes);
    bson_destroy(document);
    free(text);
}

static bool keep_texts(void *context, const struct bson_element *element, struct error *err) {
    struct string_list *seen = context;
    (void)err;
    string_list_addf(seen, "%s:%02x:%s:%d:%lld", element->name, element->type, element->text,
                     element->text_is_whole, (long long)element->number);
    return true;
}

Test(bson, shows_the_elements_of_the_document_itself) {
    struct source *source = NULL;
    struct error err = {0};
    struct cursor cursor;
    struct string_list seen = {0};
    bson_t *document = BCON_NEW("s", BCON_UTF8("text"), "d", "{", "x", BCON_UTF8("inner"), "}", "n",
                                BCON_INT64(-5), "b", BCON_BOOL(true));
    bson_append_utf8(document, "nul", -1, "a\0b", 3);
    cr_assert(source_open_bytes(bson_get_data(document), document->len, &source, &err));
    cursor_init(&cursor, source);
    cr_assert(bson_walk(&cursor, keep_texts, &seen, &err), "%s", err.message);
    cr_assert_eq(seen.count, 5);
    cr_expect_str_eq(seen.items[0], "s:02:text:1:0");
    cr_expect_str_eq(seen.items[2], "n:12::0:-5");
    cr_expect_str_eq(seen.items[3], "b:08::0:1");
    cr_expect_str_eq(seen.items[4], "nul:02:a:0:0");
    string_list_done(&seen);
    source_close(source);
    bson_destroy(document);
}

Test(bson, is_not_seen_in_other_files) {
    static const struct {
        const char *bytes;
        size_t length;
    } OTHERS[] = {
        {BYTES("-- MySQL dump 10.13")}, {BYTES("PGDMP\1\16\0\4\10")},  {BYTES("REDIS0012\372\11")},
        {BYTES("\0\0\0\0\0\0\0\0")},    {BYTES("\x89PNG\r\n\x1a\n")},  {BYTES("SELECT 1;\n")},
        {BYTES("\x40\0\0\0\x99x\0\0")}, {BYTES("\x40\0\0\0\2\1\2\0")}, {BYTES("\5\0\0")},
    };
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++)
        cr_expect_not(FORMAT_BSON.recognises((const uint8_t *)OTHERS[i].bytes, OTHERS[i].length),
                      "%zu", i);
}

Test(bson, an_empty_document_may_begin_a_file) {
    cr_expect(bson_may_begin((const uint8_t *)"\5\0\0\0\0", 5));
    cr_expect_not(bson_may_begin((const uint8_t *)"\5\0\0\0\1", 5));
}
