// Fuzzes the reader of the HTTP head of a hijacked connection: no input may crash it, and its
// answer must not depend on how the input is cut into pieces.
//
//     clang -g -O1 -fsanitize=fuzzer,address,undefined -D_POSIX_C_SOURCE=200809L -Iharness \
//         ci/fuzz/fuzz_http_head.c harness/engine/http_head.c harness/engine/reply.c \
//         harness/base/error.c harness/base/memory.c harness/base/text.c -ljansson -o fuzz
//     ./fuzz -max_total_time=60 -max_len=20000 /tmp/new ci/fuzz/corpus/http_head
#include "engine/http_head.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Reads until the head is complete or refused; returns how many bytes it took.
static size_t read_in_pieces(struct http_head *head, const uint8_t *data, size_t size, size_t piece,
                             bool *ret_fed) {
    struct error err = {0};
    size_t taken = 0;
    http_head_init(head);
    *ret_fed = true;
    for (size_t at = 0; at < size && *ret_fed && !head->complete; at += piece) {
        const size_t length = size - at < piece ? size - at : piece;
        size_t used = 0;
        *ret_fed = http_head_feed(head, data + at, length, &used, &err);
        check(used <= length);
        check(!*ret_fed || head->complete || used == length);
        taken += used;
    }
    check(*ret_fed || err.domain == ERROR_PROTOCOL);
    return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct http_head whole;
    static struct http_head single;
    bool whole_fed = false;
    bool single_fed = false;
    const size_t whole_taken = read_in_pieces(&whole, data, size, size > 0 ? size : 1, &whole_fed);
    const size_t single_taken = read_in_pieces(&single, data, size, 1, &single_fed);
    check(whole_fed == single_fed);
    if (!whole_fed)
        return 0;
    check(whole_taken == single_taken && whole.complete == single.complete);
    if (!whole.complete)
        return 0;
    check(whole.status >= 100 && whole.status <= 999 && whole.content_length >= -1);
    check(whole.status == single.status && whole.content_length == single.content_length &&
          whole.chunked == single.chunked);
    return 0;
}
