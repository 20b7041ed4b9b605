#include "engine/http_head.h"

#include <criterion/criterion.h>
#include <string.h>

static struct http_head head;
static struct error err;
static size_t used;

static bool feed(const char *string) {
    http_head_init(&head);
    used = 0;
    return http_head_feed(&head, string, strlen(string), &used, &err);
}

Test(http_head, reads_an_upgrade) {
    cr_assert(feed("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n\1rest"));
    cr_expect(head.complete);
    cr_expect_eq(head.status, 101);
    cr_expect_eq(head.content_length, -1);
    cr_expect_eq(used, 60);
}

Test(http_head, reads_a_refusal) {
    cr_assert(feed("HTTP/1.1 409 Conflict\r\ncontent-LENGTH:  17 \r\n\r\n"));
    cr_expect_eq(head.status, 409);
    cr_expect_eq(head.content_length, 17);
}

Test(http_head, knows_chunked) {
    cr_assert(feed("HTTP/1.1 500 Oops\r\nTransfer-Encoding: Chunked\r\n\r\n"));
    cr_expect(head.chunked);
}

Test(http_head, reads_single_bytes) {
    static const char bytes[] = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
    http_head_init(&head);
    for (size_t i = 0; i < sizeof bytes - 1; i++) {
        cr_assert(!head.complete);
        cr_assert(http_head_feed(&head, bytes + i, 1, &used, &err));
        cr_assert_eq(used, 1);
    }
    cr_expect(head.complete);
    cr_expect_eq(head.status, 200);
}

Test(http_head, refuses_what_is_not_http) {
    static const char *const bad[] = {
        "SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 20x OK\r\n\r\n",
        "HTTP/1.1 099 No\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_expect(!feed(bad[i]), "%s", bad[i]);
        cr_expect_eq(err.domain, ERROR_PROTOCOL);
    }
}

Test(http_head, refuses_a_head_without_end) {
    static char endless[HTTP_HEAD_LIMIT + 100];
    memset(endless, 'a', sizeof endless - 1);
    memcpy(endless, "HTTP/1.1 200 OK\r\nA: ", 20);
    cr_expect(!feed(endless));
    cr_expect_eq(err.domain, ERROR_PROTOCOL);
}
