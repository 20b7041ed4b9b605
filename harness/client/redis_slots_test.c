#include "client/redis_slots.h"

#include "base/check.h"
#include "client/redis_cluster.h"

#include <criterion/criterion.h>
#include <hiredis/hiredis.h>
#include <string.h>

static unsigned slot(const char *key) {
    return redis_slot_of(key, strlen(key));
}

Test(redis_slots, crc_is_the_specifications) {
    cr_expect_eq(redis_crc16("123456789", 9), 0x31C3); // the specification's check value
    cr_expect_eq(redis_crc16("", 0), 0);
    cr_expect_eq(redis_crc16("\0\xff", 2), 0x1EF0);
}

Test(redis_slots, keys_land_where_redis_puts_them) {
    // As CLUSTER KEYSLOT of a Redis 8 server says.
    cr_expect_eq(slot("foo"), 12182);
    cr_expect_eq(slot("bar"), 5061);
    cr_expect_eq(slot("a"), 15495);
    cr_expect_eq(slot(""), 0);
}

Test(redis_slots, a_hash_tag_alone_decides) {
    cr_expect_eq(slot("{user1000}.following"), slot("{user1000}.followers"));
    cr_expect_eq(slot("{user1000}.following"), slot("user1000"));
    cr_expect_eq(slot("foo{{bar}}zap"), slot("{bar"));
    cr_expect_eq(slot("foo{bar}{zap}"), slot("bar"));
}

Test(redis_slots, an_empty_or_unclosed_hash_tag_is_none) {
    cr_expect_eq(slot("foo{}{bar}"), redis_crc16("foo{}{bar}", 10) % 16384);
    cr_expect_eq(slot("foo{bar"), redis_crc16("foo{bar", 7) % 16384);
    cr_expect_eq(slot("}foo{"), redis_crc16("}foo{", 5) % 16384);
}

Test(redis_slots, a_key_may_hold_any_byte) {
    cr_expect_eq(redis_slot_of("\0{a\0b}", 6), redis_slot_of("a\0b", 3));
}

Test(redis_slots, shares_cover_every_slot_once) {
    for (size_t count = 1; count <= 7; count++) {
        unsigned expected = 0;
        for (size_t i = 0; i < count; i++) {
            unsigned first, last;
            redis_slots_share(i, count, &first, &last);
            cr_expect_eq(first, expected);
            cr_expect_leq(last - first + 1, REDIS_SLOT_COUNT / count + 1);
            expected = last + 1;
        }
        cr_expect_eq(expected, REDIS_SLOT_COUNT);
    }
}

Test(redis_slots, refuses_what_are_no_slots) {
    static struct redis_slots slots;
    redis_slots_clear(&slots);
    cr_expect_not(redis_slots_assign(&slots, -1, 5, 0));
    cr_expect_not(redis_slots_assign(&slots, 6, 5, 0));
    cr_expect_not(redis_slots_assign(&slots, 0, REDIS_SLOT_COUNT, 0));
    cr_expect_eq(redis_slots_assigned(&slots), 0);
    cr_expect(redis_slots_assign(&slots, 0, REDIS_SLOT_COUNT - 1, 3));
    cr_expect_eq(redis_slots_assigned(&slots), REDIS_SLOT_COUNT);
}

// An answer as it comes over the wire; in these tests it is left to the end of the process.
static const struct redis_reply *answer(const char *wire) {
    redisReader *reader = redisReaderCreate();
    void *reply = NULL;
    check(redisReaderFeed(reader, wire, strlen(wire)) == REDIS_OK);
    check(redisReaderGetReply(reader, &reply) == REDIS_OK && reply != NULL);
    redisReaderFree(reader);
    return reply;
}

static uint16_t node_by_port(void *context, const char *host, uint16_t port) {
    snprintf(context, 64, "%s", host);
    return port;
}

Test(redis_slots, learns_the_map_from_cluster_slots) {
    static struct redis_slots slots;
    char host[64] = "";
    redis_slots_clear(&slots);
    const struct redis_reply *reply = answer("*2\r\n"
                                             "*4\r\n:0\r\n:99\r\n*2\r\n$8\r\n10.0.0.1\r\n:71\r\n"
                                             "*2\r\n$8\r\n10.0.0.9\r\n:79\r\n"
                                             "*3\r\n:100\r\n:100\r\n*2\r\n$0\r\n\r\n:72\r\n");
    cr_assert(redis_slots_learn(&slots, reply, "asked", node_by_port, host, NULL));
    cr_expect_eq(slots.owner[0], 71);
    cr_expect_eq(slots.owner[99], 71);
    cr_expect_eq(slots.owner[100], 72);
    cr_expect_eq(slots.owner[101], REDIS_NO_NODE);
    cr_expect_str_eq(host, "asked", "an empty host means the one that was asked");
}

Test(redis_slots, keeps_the_old_map_when_the_answer_is_nonsense) {
    static const char *const nonsense[] = {
        "+OK\r\n",
        "*1\r\n:5\r\n",
        "*1\r\n*2\r\n:0\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\nh\r\n:71\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\nh\r\n:70000\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n*1\r\n$1\r\nh\r\n",
        "*1\r\n*3\r\n$1\r\n0\r\n:1\r\n*2\r\n$1\r\nh\r\n:71\r\n",
    };
    static struct redis_slots slots;
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        char host[64];
        struct error err = {0};
        redis_slots_clear(&slots);
        slots.owner[0] = 7;
        cr_expect_not(
            redis_slots_learn(&slots, answer(nonsense[i]), "asked", node_by_port, host, &err));
        cr_expect_eq(err.domain, ERROR_PROTOCOL);
        cr_expect_eq(slots.owner[0], 7);
    }
}

static size_t key_at(struct redis_words words) {
    return redis_words_key(&words);
}

Test(redis_slots, knows_which_word_is_the_key) {
    cr_expect_eq(key_at(WORDS("GET", "k")), 1);
    cr_expect_eq(key_at(WORDS("ping")), 0);
    cr_expect_eq(key_at(WORDS("Ping", "text")), 0);
    cr_expect_eq(key_at(WORDS("EVAL", "return 1", "0", "x")), 0);
    cr_expect_eq(key_at(WORDS("eval", "return 1", "1", "k", "x")), 3);
    cr_expect_eq(key_at(WORDS("ZUNION", "2", "k1", "k2")), 2);
    cr_expect_eq(key_at(WORDS("OBJECT", "ENCODING", "k")), 2);
    cr_expect_eq(key_at(WORDS("XREAD", "COUNT", "2", "STREAMS", "k", "0")), 4);
    cr_expect_eq(key_at(WORDS("CLUSTER", "SLOTS")), 0);
    cr_expect_eq(key_at(WORDS("EVAL", "s", "9")), 0);
}

static bool parse(const char *text, struct redis_redirection *to) {
    return redis_redirection_parse(text, strlen(text), to);
}

Test(redis_slots, reads_redirections) {
    struct redis_redirection to;
    cr_assert(parse("MOVED 3999 127.0.0.1:6381", &to));
    cr_expect(!to.ask && to.slot == 3999 && to.port == 6381);
    cr_expect_str_eq(to.host, "127.0.0.1");
    cr_assert(parse("ASK 16383 2001:db8::1:6379", &to));
    cr_expect(to.ask && to.slot == 16383 && to.port == 6379);
    cr_expect_str_eq(to.host, "2001:db8::1");
    cr_assert(parse("MOVED 0 :6379", &to));
    cr_expect_str_eq(to.host, "");
}

Test(redis_slots, takes_a_broken_redirection_for_an_error) {
    static const char *const broken[] = {
        "MOVED",           "MOVED ",          "MOVED 1",         "MOVED x h:1",
        "MOVED 1 h",       "MOVED 16384 h:1", "MOVED -1 h:1",    "MOVED 1 h:0",
        "MOVED 1 h:99999", "MOVED 1 h:1x",    "ERR MOVED 1 h:1", "ASK 1 h:",
    };
    struct redis_redirection to = {.slot = 77};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        cr_expect_not(parse(broken[i], &to), "%s", broken[i]);
    char endless[1024];
    memset(endless, 'h', sizeof endless);
    memcpy(endless, "MOVED 1 ", 8);
    cr_expect_not(redis_redirection_parse(endless, sizeof endless, &to));
    cr_expect_eq(to.slot, 77);
}
