// The stream of a server that answers SYNC in chosen ways: tcp_fake speaks before it is asked, as a
// server may as well, for nothing is read before SYNC is sent.
#include "client/redis_dump.h"

#include "base/text.h"
#include "client/tcp_fake.h"

#include <criterion/criterion.h>
#include <string.h>

static struct text taken;

static bool take(void *context, const void *bytes, size_t length, struct error *err) {
    (void)context, (void)err;
    text_append_bytes(&taken, bytes, length);
    return true;
}

static bool dump(const char *said, struct error *err) {
    struct tcp_fake *fake = tcp_fake_new(TCP_FAKE_GARBAGE, said);
    struct endpoint endpoint = *tcp_fake_endpoint(fake);
    endpoint.password = NULL; // or it would want an answer to AUTH first
    text_clear(&taken);
    const bool read = redis_dump(&endpoint, take, NULL, err);
    tcp_fake_free(fake);
    return read;
}

#define MARK "6a09e667f3bcc908b2fb1366ea957d3e3adec175"

Test(redis_dump, takes_as_many_bytes_as_were_announced) {
    struct error err = {0};
    cr_assert(dump("\n\n$9\r\nREDIS0011+more", &err), "%s", err.message);
    cr_expect_str_eq(text_string(&taken), "REDIS0011");
}

Test(redis_dump, takes_all_before_the_mark) {
    struct error err = {0};
    cr_assert(dump("$EOF:" MARK "\r\nREDIS00116a09e667f3" MARK, &err), "%s", err.message);
    cr_expect_str_eq(text_string(&taken), "REDIS00116a09e667f3");
    cr_assert(dump("$EOF:" MARK "\r\n" MARK, &err), "%s", err.message);
    cr_expect_eq(taken.length, 0);
}

Test(redis_dump, a_stream_without_its_end_is_an_error) {
    struct error err = {0};
    cr_expect_not(dump("$10\r\nREDIS0011", &err));
    cr_expect_eq(err.domain, ERROR_TIMEOUT, "%s", err.message);
    cr_expect_not(dump("$EOF:" MARK "\r\nREDIS0011", &err));
    cr_expect_eq(err.domain, ERROR_TIMEOUT, "%s", err.message);
}

Test(redis_dump, says_what_the_server_answers_instead) {
    static const struct {
        const char *said;
        enum error_domain domain;
        const char *message;
    } cases[] = {
        {"-NOAUTH Authentication required.\r\n", ERROR_SERVICE, "NOAUTH Authentication required"},
        {"+OK\r\n", ERROR_PROTOCOL, "something else"},
        {"$-1\r\n", ERROR_PROTOCOL, "something else"},
        {"$12x\r\n", ERROR_PROTOCOL, "something else"},
        {"$EOF:short\r\n", ERROR_PROTOCOL, "something else"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        cr_expect_not(dump(cases[i].said, &err), "%s", cases[i].said);
        cr_expect_eq(err.domain, cases[i].domain, "%s: %s", cases[i].said, err.message);
        cr_expect(strstr(err.message, cases[i].message) != NULL, "%s", err.message);
    }
}
