// What a real server says seldom, or only when it is old, or in a cluster.
#include "verify/fingerprint/redis_fingerprint.h"

#include "base/memory.h"
#include "verify/fingerprint/redis_fake.h"

#include <criterion/criterion.h>
#include <string.h>

static const uint8_t KEY[ROW_HASH_KEY_SIZE] = "a key of a test";

static struct {
    struct redis_fake *fakes[2];
    struct redis_cluster *cluster;
    struct fingerprint *before, *after;
    struct text slots;
    struct error err;
} held;

static void stop_servers(void) {
    redis_cluster_close(TAKE(held.cluster));
    for (size_t i = 0; i < 2; i++)
        redis_fake_free(TAKE(held.fakes[i]));
}

static void release(void) {
    stop_servers();
    fingerprint_free(held.before);
    fingerprint_free(held.after);
    text_done(&held.slots);
}

TestSuite(redis_fingerprint_fake, .fini = release, .timeout = 30);

static bool look(const struct redis_fake_answer *answers, struct fingerprint **ret_fingerprint) {
    stop_servers();
    held.fakes[0] = redis_fake_new(answers);
    const struct kind_members members = {redis_fake_endpoint(held.fakes[0]), 1};
    cr_assert(redis_cluster_open(&members, &held.cluster, &held.err), "%s", held.err.message);
    fingerprint_free(TAKE(*ret_fingerprint));
    return redis_fingerprint(held.cluster, KEY, ret_fingerprint, &held.err);
}

static void expect_equal(const struct redis_fake_answer *one, const struct redis_fake_answer *other,
                         bool equal) {
    struct differences differences = {0};
    struct text text = {0};
    cr_assert(look(one, &held.before), "%s", held.err.message);
    cr_assert(look(other, &held.after), "%s", held.err.message);
    const bool are = fingerprint_equal(held.before, held.after, &differences);
    differences_format(&differences, &text);
    cr_expect_eq(are, equal, "%s", text_string(&text));
    differences_done(&differences);
    text_done(&text);
}

static void expect_rows(const struct fingerprint *fingerprint, uint64_t rows) {
    const struct fingerprint_object *lasting = fingerprint_find(fingerprint, "database", "0");
    const struct fingerprint_object *expiring =
        fingerprint_find(fingerprint, "database", "0, keys that expire");
    cr_assert(lasting != NULL && expiring != NULL);
    cr_expect_eq(lasting->content.total.rows, rows);
    cr_expect_eq(expiring->content.total.rows, 0);
}

static void expect_failure(const struct redis_fake_answer *answers, enum error_domain domain,
                           const char *said) {
    cr_expect_not(look(answers, &held.after), "%s", said);
    cr_expect_eq(held.err.domain, domain, "%s", held.err.message);
    cr_expect_not_null(strstr(held.err.message, said), "%s", held.err.message);
    cr_expect_null(held.after);
}

#define STRING_KEY(key, value)                                                      \
    {"TYPE " key, "+string\r\n"}, {"GETRANGE " key " 0 65535", "+" value "\r\n"}, { \
        "PEXPIRETIME " key, ":-1\r\n"                                               \
    }
#define ONE_KEY "*2\r\n$1\r\n0\r\n*1\r\n+a\r\n"

Test(redis_fingerprint_fake, counts_a_key_that_is_sent_twice_once) {
    static const struct redis_fake_answer twice[] = {
        {"SCAN 0 COUNT 100", "*2\r\n$1\r\n7\r\n*3\r\n+a\r\n+b\r\n+b\r\n"},
        {"SCAN 7 COUNT 100", "*2\r\n$1\r\n0\r\n*2\r\n+b\r\n+c\r\n"},
        STRING_KEY("a", "1"),
        STRING_KEY("b", "2"),
        STRING_KEY("c", "3"),
        {NULL, NULL},
    };
    static const struct redis_fake_answer once[] = {
        {"SCAN 0 COUNT 100", "*2\r\n$1\r\n0\r\n*3\r\n+c\r\n+b\r\n+a\r\n"},
        STRING_KEY("a", "1"),
        STRING_KEY("b", "2"),
        STRING_KEY("c", "3"),
        {NULL, NULL},
    };
    expect_equal(twice, once, true);
    expect_rows(held.before, 3);
}

Test(redis_fingerprint_fake, counts_a_member_or_field_that_is_sent_twice_once) {
    static const struct redis_fake_answer twice[] = {
        {"SCAN 0 COUNT 100", "*2\r\n$1\r\n0\r\n*2\r\n+a\r\n+b\r\n"},
        {"TYPE a", "+set\r\n"},
        {"SSCAN a 0 COUNT 100", "*2\r\n$1\r\n5\r\n*2\r\n+x\r\n+y\r\n"},
        {"SSCAN a 5 COUNT 100", "*2\r\n$1\r\n0\r\n*2\r\n+y\r\n+z\r\n"},
        {"PEXPIRETIME a", ":-1\r\n"},
        {"TYPE b", "+hash\r\n"},
        {"HSCAN b 0 COUNT 100", "*2\r\n$1\r\n5\r\n*4\r\n+f\r\n+1\r\n+g\r\n+2\r\n"},
        {"HSCAN b 5 COUNT 100", "*2\r\n$1\r\n0\r\n*2\r\n+f\r\n+1\r\n"},
        {"PEXPIRETIME b", ":-1\r\n"},
        {NULL, NULL},
    };
    static const struct redis_fake_answer once[] = {
        {"SCAN 0 COUNT 100", "*2\r\n$1\r\n0\r\n*2\r\n+a\r\n+b\r\n"},
        {"TYPE a", "+set\r\n"},
        {"SSCAN a 0 COUNT 100", "*2\r\n$1\r\n0\r\n*3\r\n+z\r\n+x\r\n+y\r\n"},
        {"PEXPIRETIME a", ":-1\r\n"},
        {"TYPE b", "+hash\r\n"},
        {"HSCAN b 0 COUNT 100", "*2\r\n$1\r\n0\r\n*4\r\n+g\r\n+2\r\n+f\r\n+1\r\n"},
        {"PEXPIRETIME b", ":-1\r\n"},
        {NULL, NULL},
    };
    expect_equal(twice, once, true);
}

Test(redis_fingerprint_fake, leaves_out_what_went_while_it_was_read) {
    static const struct redis_fake_answer answers[] = {
        {"SCAN 0 COUNT 100", "*2\r\n$1\r\n0\r\n*4\r\n+a\r\n+b\r\n+c\r\n+d\r\n"},
        {"TYPE a", "+none\r\n"},
        {"TYPE b", "+string\r\n"},
        {"GETRANGE b 0 65535", "$0\r\n\r\n"},
        {"PEXPIRETIME b", ":-2\r\n"},
        {"TYPE c", "+list\r\n"},
        {"LRANGE c 0 99", "-WRONGTYPE Operation against a key of another kind\r\n"},
        STRING_KEY("d", ""),
        {NULL, NULL},
    };
    cr_assert(look(answers, &held.before), "%s", held.err.message);
    expect_rows(held.before, 1);
}

#define MODULE(payload)                                                           \
    {                                                                             \
        {"SCAN 0 COUNT 100", ONE_KEY}, {"TYPE a", "+ReJSON-RL\r\n"},              \
            {"DUMP a", "$16\r\n" payload "\r\n"}, {"PEXPIRETIME a", ":-1\r\n"}, { \
            NULL, NULL                                                            \
        }                                                                         \
    }

Test(redis_fingerprint_fake, takes_a_modules_value_without_version_and_checksum) {
    static const struct redis_fake_answer first[] = MODULE("valueX0123456789");
    static const struct redis_fake_answer other_version[] = MODULE("valueX9876543210");
    static const struct redis_fake_answer other_value[] = MODULE("valueY0123456789");
    expect_equal(first, other_version, true);
    expect_equal(first, other_value, false);
}

#define SORTED_SET(score)                                               \
    {                                                                   \
        {"SCAN 0 COUNT 100", ONE_KEY}, {"TYPE a", "+zset\r\n"},         \
            {"ZRANGE a 0 99 WITHSCORES", "*2\r\n+x\r\n+" score "\r\n"}, \
            {"PEXPIRETIME a", ":-1\r\n"}, {                             \
            NULL, NULL                                                  \
        }                                                               \
    }

Test(redis_fingerprint_fake, compares_scores_as_numbers) {
    static const struct redis_fake_answer shortest[] = SORTED_SET("0.1");
    static const struct redis_fake_answer of_old[] = SORTED_SET("0.10000000000000001");
    static const struct redis_fake_answer next[] = SORTED_SET("0.10000000000000002");
    static const struct redis_fake_answer zero[] = SORTED_SET("0");
    static const struct redis_fake_answer minus_zero[] = SORTED_SET("-0");
    static const struct redis_fake_answer nonsense[] = SORTED_SET("0.1x");
    expect_equal(shortest, of_old, true);
    expect_equal(shortest, next, false);
    expect_equal(zero, minus_zero, true);
    expect_failure(nonsense, ERROR_PROTOCOL, "a zset: redis: an answer to ZRANGE");
}

Test(redis_fingerprint_fake, needs_a_server_that_knows_when_keys_expire) {
    static const struct redis_fake_answer old[] = {
        {"PEXPIRETIME assay", "-ERR unknown command 'PEXPIRETIME'\r\n"}, {NULL, NULL}};
    expect_failure(old, ERROR_UNAVAILABLE, "older than Redis 7.0");
}

Test(redis_fingerprint_fake, says_what_it_was_not_allowed) {
    static const struct redis_fake_answer no_types[] = {
        {"SCAN 0 COUNT 100", ONE_KEY}, {"TYPE a", "-NOPERM no permissions\r\n"}, {NULL, NULL}};
    static const struct redis_fake_answer no_lists[] = {
        {"SCAN 0 COUNT 100", ONE_KEY},
        {"TYPE a", "+list\r\n"},
        {"LRANGE a 0 99", "-NOPERM no permissions\r\n"},
        {NULL, NULL}};
    expect_failure(no_types, ERROR_SERVICE, "TYPE: redis: NOPERM no permissions");
    expect_failure(no_lists, ERROR_SERVICE, "a list: LRANGE: redis: NOPERM no permissions");
    cr_expect_eq(strncmp(held.err.message, "database 0: 127.0.0.1:", 22), 0, "%s",
                 held.err.message);
}

Test(redis_fingerprint_fake, refuses_answers_that_make_no_sense) {
    static const struct {
        struct redis_fake_answer answers[5];
        const char *said;
    } cases[] = {
        {{{"SCAN 0 COUNT 100", ":1\r\n"}}, "an answer to SCAN"},
        {{{"SCAN 0 COUNT 100", "*2\r\n*0\r\n*0\r\n"}}, "an answer to SCAN"},
        {{{"SCAN 0 COUNT 100", "*2\r\n+0\r\n+0\r\n"}}, "an answer to SCAN"},
        {{{"SCAN 0 COUNT 100", ONE_KEY}, {"TYPE a", "*0\r\n"}}, "an answer to TYPE"},
        {{{"SCAN 0 COUNT 100", ONE_KEY},
          {"TYPE a", "+string\r\n"},
          {"GETRANGE a 0 65535", ":1\r\n"}},
         "an answer to GETRANGE"},
        {{{"SCAN 0 COUNT 100", ONE_KEY}, {"TYPE a", "+list\r\n"}, {"LRANGE a 0 99", "+x\r\n"}},
         "an answer to LRANGE"},
        {{{"SCAN 0 COUNT 100", ONE_KEY},
          {"TYPE a", "+zset\r\n"},
          {"ZRANGE a 0 99 WITHSCORES", "*1\r\n+x\r\n"}},
         "an answer to ZRANGE"},
        {{{"SCAN 0 COUNT 100", ONE_KEY},
          {"TYPE a", "+set\r\n"},
          {"SSCAN a 0 COUNT 100", "*1\r\n+0\r\n"}},
         "an answer to SSCAN"},
        {{{"SCAN 0 COUNT 100", ONE_KEY},
          {"TYPE a", "+hash\r\n"},
          {"HSCAN a 0 COUNT 100", "*2\r\n+0\r\n:1\r\n"}},
         "an answer to HSCAN"},
        {{{"SCAN 0 COUNT 100", ONE_KEY},
          {"TYPE a", "+stream\r\n"},
          {"XRANGE a - + COUNT 100", "*1\r\n*1\r\n+1-1\r\n"}},
         "an answer to XRANGE"},
        {{{"SCAN 0 COUNT 100", ONE_KEY}, {"TYPE a", "+vectorset\r\n"}, {"VINFO a", "*0\r\n"}},
         "an answer to VINFO"},
        {{{"SCAN 0 COUNT 100", ONE_KEY}, {"TYPE a", "+module\r\n"}, {"DUMP a", "+short\r\n"}},
         "an answer to DUMP"},
        {{{"FUNCTION LIST WITHCODE", "*1\r\n*0\r\n"}}, "a library without"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_failure(cases[i].answers, ERROR_PROTOCOL, cases[i].said);
}

// ---- a cluster of two, each with half of the slots; "a" is of the second, "b" of the first

static bool look_at_both(const struct redis_fake_answer *first,
                         const struct redis_fake_answer *second, unsigned last_slot) {
    static struct redis_fake_answer answers[2][16];
    const struct redis_fake_answer *const wanted[] = {first, second};
    struct endpoint endpoints[2];
    stop_servers();
    for (size_t i = 0; i < 2; i++) {
        size_t count = 0;
        for (; wanted[i][count].command != NULL; count++)
            answers[i][count] = wanted[i][count];
        answers[i][count] = (struct redis_fake_answer){"CLUSTER SLOTS", NULL};
        held.fakes[i] = redis_fake_new(answers[i]);
        endpoints[i] = *redis_fake_endpoint(held.fakes[i]);
    }
    text_clear(&held.slots);
    text_appendf(&held.slots,
                 "*2\r\n*3\r\n:0\r\n:8191\r\n*2\r\n+127.0.0.1\r\n:%u\r\n"
                 "*3\r\n:8192\r\n:%u\r\n*2\r\n+127.0.0.1\r\n:%u\r\n",
                 endpoints[0].port, last_slot, endpoints[1].port);
    for (size_t i = 0; i < 2; i++)
        for (size_t at = 0; answers[i][at].command != NULL; at++)
            if (strcmp(answers[i][at].command, "CLUSTER SLOTS") == 0)
                answers[i][at].reply = text_string(&held.slots);
    const struct kind_members members = {endpoints, 2};
    cr_assert(redis_cluster_open(&members, &held.cluster, &held.err), "%s", held.err.message);
    fingerprint_free(TAKE(held.after));
    return redis_fingerprint(held.cluster, KEY, &held.after, &held.err);
}

static const struct redis_fake_answer WITH_A[] = {
    {"SCAN 0 COUNT 100", ONE_KEY}, STRING_KEY("a", "1"), {NULL, NULL}};
static const struct redis_fake_answer WITH_B[] = {
    {"SCAN 0 COUNT 100", "*2\r\n$1\r\n0\r\n*1\r\n+b\r\n"}, STRING_KEY("b", "2"), {NULL, NULL}};

Test(redis_fingerprint_fake, of_a_cluster_is_that_of_one_server_with_its_keys) {
    static const struct redis_fake_answer alone[] = {
        {"SCAN 0 COUNT 100", "*2\r\n$1\r\n0\r\n*2\r\n+a\r\n+b\r\n"},
        STRING_KEY("a", "1"),
        STRING_KEY("b", "2"),
        {NULL, NULL},
    };
    struct differences differences = {0};
    cr_assert(look(alone, &held.before), "%s", held.err.message);
    cr_assert(look_at_both(WITH_B, WITH_A, 16383), "%s", held.err.message);
    expect_rows(held.after, 2);
    cr_expect(fingerprint_equal(held.before, held.after, &differences));
    differences_done(&differences);
}

Test(redis_fingerprint_fake, of_half_a_cluster_is_refused) {
    cr_expect_not(look_at_both(WITH_B, WITH_A, 16382));
    cr_expect_eq(held.err.domain, ERROR_SERVICE);
    cr_expect_not_null(strstr(held.err.message, "no node holds the slot 16383"), "%s",
                       held.err.message);
}

Test(redis_fingerprint_fake, of_a_cluster_with_several_databases_is_refused) {
    static const struct redis_fake_answer with_databases[] = {
        {"INFO keyspace",
         "$56\r\n# Keyspace\r\ndb0:keys=1,expires=0\r\ndb3:keys=1,expires=0\r\n\r\n"},
        {NULL, NULL}};
    cr_expect_not(look_at_both(WITH_B, with_databases, 16383));
    cr_expect_eq(held.err.domain, ERROR_UNAVAILABLE, "%s", held.err.message);
    cr_expect_not_null(strstr(held.err.message, "other databases than 0"), "%s", held.err.message);
}
