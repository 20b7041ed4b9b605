#define _GNU_SOURCE
#include "image/build_context.h"
#include "image/image_test_ground.h"

#include <archive.h>
#include <archive_entry.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(build_context, .init = ground_set_up, .fini = ground_tear_down);

// "name mode" lines of a tar.
static char *listing(int fd) {
    char *text = calloc(1, 4096);
    struct archive *reader = archive_read_new();
    archive_read_support_format_tar(reader);
    cr_assert(lseek(fd, 0, SEEK_SET) == 0 && archive_read_open_fd(reader, fd, 512) == ARCHIVE_OK);
    struct archive_entry *entry;
    while (archive_read_next_header(reader, &entry) == ARCHIVE_OK)
        snprintf(text + strlen(text), 4096 - strlen(text), "%s %o\n", archive_entry_pathname(entry),
                 archive_entry_perm(entry));
    archive_read_free(reader);
    return text;
}

static struct build_context open_context(const char *folder, const char *dockerfile) {
    struct build_context context = {0};
    struct error err = {0};
    cr_assert(build_context_open(folder, dockerfile, "assay/base:abc", &context, &err), "%s",
              err.message);
    return context;
}

Test(build_context, has_the_modes_of_git_whatever_the_umask_was) {
    free(ground_file("recipe/Dockerfile", "FROM x\n", 0600));
    free(ground_file("recipe/sub/run", "true\n", 0700));
    struct build_context context = open_context(ground_path("recipe"), NULL);
    cr_expect_str_eq(listing(context.fd), "Dockerfile 644\nsub/run 755\n");
}

Test(build_context, brings_the_hosts_ca_bundle_only_to_a_recipe_that_copies_it) {
    char *bundle = ground_file("bundle.crt", "CERTIFICATE\n", 0600);
    cr_assert(setenv("SSL_CERT_FILE", bundle, 1) == 0);
    free(ground_file("recipe/Dockerfile", "FROM x\nCOPY host-ca.crt /\n", 0644));
    struct build_context context = open_context(ground_path("recipe"), NULL);
    cr_expect_str_eq(listing(context.fd), "Dockerfile 644\nhost-ca.crt 644\n");
}

Test(build_context, takes_a_dockerfile_that_the_folder_does_not_have) {
    free(ground_file("base/suite", "trixie\n", 0644));
    struct build_context context = open_context(ground_path("base"), "FROM x\n");
    cr_expect_str_eq(listing(context.fd), "suite 644\nDockerfile 644\n");
}

Test(build_context, refuses_a_symbolic_link) {
    free(ground_file("recipe/Dockerfile", "FROM x\n", 0644));
    cr_assert(symlink("/etc/passwd", ground_path("recipe/link")) == 0);
    struct build_context context = {0};
    struct error err = {0};
    cr_expect_not(build_context_open(ground_path("recipe"), NULL, NULL, &context, &err));
    cr_expect_not_null(strstr(err.message, "recipe/link is a symbolic link"), "%s", err.message);
}

static bool has_argument(const struct build_context *context, const char *start) {
    for (size_t i = 0; i < context->arguments.count; i++)
        if (strncmp(context->arguments.items[i], start, strlen(start)) == 0)
            return true;
    return false;
}

Test(build_context, leaves_out_an_index_address_with_a_password) {
    setenv("PIP_INDEX_URL", "https://me:hunter2@pypi.example/simple", 1);
    setenv("GOPROXY", "https://proxy.example", 1);
    setenv("HTTPS_PROXY", "http://me:hunter2@proxy.example:3128", 1);
    free(ground_file("recipe/Dockerfile", "FROM x\n", 0644));
    struct build_context context = open_context(ground_path("recipe"), NULL);
    cr_expect(has_argument(&context, "BASE=assay/base:abc"));
    cr_expect(has_argument(&context, "GOPROXY=https://proxy.example"));
    cr_expect(has_argument(&context, "HTTPS_PROXY="), "the engine keeps this one out of history");
    cr_expect_not(has_argument(&context, "PIP_INDEX_URL="));
}
