#define _GNU_SOURCE
#include "base/file.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/secret_reveal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    char folder[64];
    char *path;
    struct secret *secret;
} held;

static void hold(void) {
    snprintf(held.folder, sizeof held.folder, "/tmp/assay-secret-XXXXXX");
    cr_assert_not_null(mkdtemp(held.folder));
    held.path = path_join(held.folder, "password");
}

static void release(void) {
    secret_free(held.secret);
    cr_expect(file_remove_tree(held.folder, NULL));
    free(held.path);
}

TestSuite(secret, .init = hold, .fini = release);

static void read_back(const char *content, size_t length) {
    struct error err = {0};
    cr_assert(file_write_atomic(held.path, content, length, 0600, NULL));
    cr_assert(secret_read_file(held.path, &held.secret, &err), "%s", err.message);
}

Test(secret, generated_is_128_bits_in_hex_and_never_the_same) {
    held.secret = secret_generate();
    cr_expect_eq(secret_length(held.secret), 32);
    cr_expect_eq(strspn(secret_reveal(held.secret), "0123456789abcdef"), 32);
    struct secret *other = secret_generate();
    cr_expect_not(secret_equal(held.secret, other));
    secret_free(other);
}

Test(secret, copy_is_equal_and_its_own) {
    held.secret = secret_from_bytes("hunter2", 7);
    struct secret *copy = secret_copy(held.secret);
    cr_expect(secret_equal(held.secret, copy));
    cr_expect_neq(secret_reveal(held.secret), secret_reveal(copy));
    secret_free(copy);
    cr_expect_null(secret_copy(NULL));
    cr_expect_null(secret_reveal(NULL));
    secret_free(NULL);
}

Test(secret, compares_all_bytes_and_the_length) {
    held.secret = secret_from_bytes("hunter2", 7);
    struct secret *longer = secret_from_bytes("hunter22", 8);
    struct secret *other = secret_from_bytes("hunter3", 7);
    cr_expect_not(secret_equal(held.secret, longer));
    cr_expect_not(secret_equal(held.secret, other));
    secret_free(longer);
    secret_free(other);
}

Test(secret, may_be_empty) {
    held.secret = secret_from_bytes(NULL, 0);
    cr_expect_eq(secret_length(held.secret), 0);
    cr_expect_str_eq(secret_reveal(held.secret), "");
    cr_expect_not(secret_occurs_in(held.secret, "anything", 8));
}

Test(secret, is_found_in_bytes_that_hold_it) {
    held.secret = secret_from_bytes("hunter2", 7);
    cr_expect(secret_occurs_in(held.secret, "\0the hunter2!", 13));
    cr_expect_not(secret_occurs_in(held.secret, "the hunter", 10));
}

// No folder: a test that ends by a signal does not clean up.
Test(freed_secret, is_unreadable, .signal = SIGSEGV) {
    struct secret *secret = secret_generate();
    const volatile char *bytes = secret_reveal(secret);
    secret_free(secret);
    cr_expect_neq(bytes[0], 'x');
}

Test(secret, file_is_read_without_its_line_end) {
    read_back("hunter2\r\n", 9);
    cr_expect_str_eq(secret_reveal(held.secret), "hunter2");
}

Test(secret, file_keeps_blanks_inside) {
    read_back(" two words \n", 12);
    cr_expect_str_eq(secret_reveal(held.secret), " two words ");
}

Test(secret, file_over_the_limit_is_refused_and_its_content_not_told) {
    char *huge = memory_new(64 * 1024 + 2, 1);
    memset(huge, 'S', 64 * 1024 + 1);
    struct error err = {0};
    cr_assert(file_write_atomic(held.path, huge, 64 * 1024 + 1, 0600, NULL));
    cr_expect_not(secret_read_file(held.path, &held.secret, &err));
    cr_expect_eq(err.domain, ERROR_CONFIGURATION);
    cr_expect(strstr(err.message, "SSSS") == NULL);
    cr_expect_null(held.secret);
    free(huge);
}

Test(secret, file_that_is_not_there_is_named) {
    struct error err = {0};
    cr_expect_not(secret_read_file(held.path, &held.secret, &err));
    cr_expect_eq(err.code, ENOENT);
    cr_expect(strstr(err.message, held.path) != NULL);
}

Test(secret, file_is_written_for_the_owner_only_and_never_over_another) {
    umask(0);
    struct error err = {0};
    held.secret = secret_generate();
    cr_assert(secret_write_file(held.secret, held.path, &err), "%s", err.message);
    struct stat status;
    cr_assert_eq(stat(held.path, &status), 0);
    cr_expect_eq(status.st_mode & 07777, (mode_t)0600);
    cr_expect_eq(status.st_size, 32);
    cr_expect_not(secret_write_file(held.secret, held.path, &err));
    cr_expect_eq(err.code, EEXIST);
    cr_expect(strstr(err.message, secret_reveal(held.secret)) == NULL);
}

Test(secret, file_is_not_left_half_written) {
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    held.secret = secret_generate();
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 10, .rlim_max = before.rlim_max});
    struct error err = {0};
    const bool written = secret_write_file(held.secret, held.path, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    cr_expect_not(written);
    cr_expect_not(file_exists(held.path));
}
