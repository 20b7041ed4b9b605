#define _GNU_SOURCE
#include "image/image_test_registry.h"

#include "base/file.h"
#include "base/memory.h"
#include "image/image_test_ground.h"

#include <archive.h>
#include <archive_entry.h>
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#define DIGEST_SIZE (sizeof "sha256:" + 2 * crypto_hash_sha256_BYTES)

struct blob {
    const char *type;
    char *bytes;
    size_t length;
    char digest[DIGEST_SIZE];
};

struct test_registry {
    int listener;
    unsigned port;
    const char *reply;
    struct blob blobs[3]; // layer, configuration, manifest; none where `reply` is all
    _Atomic(struct cancel *) cancel;
};

static void blob_init(struct blob *self, const char *type, char *bytes, size_t length) {
    unsigned char hash[crypto_hash_sha256_BYTES];
    *self = (struct blob){.type = type, .bytes = bytes, .length = length, .digest = "sha256:"};
    crypto_hash_sha256(hash, (const unsigned char *)bytes, length);
    sodium_bin2hex(self->digest + 7, sizeof self->digest - 7, hash, sizeof hash);
}

#define LAYER_TYPE "application/vnd.docker.image.rootfs.diff.tar"
#define CONFIG_TYPE "application/vnd.docker.container.image.v1+json"
#define MANIFEST_TYPE "application/vnd.docker.distribution.manifest.v2+json"
#define EMPTY_TAR 1024

static void make_image(struct blob blobs[3]) {
    struct utsname host;
    cr_assert_eq(uname(&host), 0);
    blob_init(&blobs[0], LAYER_TYPE, memory_new(EMPTY_TAR, 1), EMPTY_TAR);
    char *config =
        memory_format("{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"/none\"]},"
                      "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}",
                      strcmp(host.machine, "aarch64") == 0 ? "arm64" : "amd64", blobs[0].digest);
    blob_init(&blobs[1], CONFIG_TYPE, config, strlen(config));
    char *manifest = memory_format(
        "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":\"%s\",\"size\":%zu,"
        "\"digest\":\"%s\"},\"layers\":[{\"mediaType\":\"%s\",\"size\":%d,\"digest\":\"%s\"}]}",
        MANIFEST_TYPE, CONFIG_TYPE, blobs[1].length, blobs[1].digest, LAYER_TYPE, EMPTY_TAR,
        blobs[0].digest);
    blob_init(&blobs[2], MANIFEST_TYPE, manifest, strlen(manifest));
}

// An engine asks for "HEAD /v2/a/manifests/1" and "GET /v2/a/blobs/sha256:…".
static const struct blob *find_blob(const struct test_registry *self, const char *request) {
    for (size_t i = 0; i < 3; i++)
        if (strstr(request, self->blobs[i].digest) != NULL)
            return &self->blobs[i];
    return strstr(request, " /v2/a/manifests/1 ") != NULL ? &self->blobs[2] : NULL;
}

static void serve(const struct test_registry *self, int peer, char *request) {
    request[strcspn(request, "\r\n")] = '\0';
    const struct blob *blob = find_blob(self, request);
    const bool exists = blob != NULL || strstr(request, " /v2/ ") != NULL;
    char *head =
        memory_format("HTTP/1.1 %s\r\nContent-Length: %zu\r\nContent-Type: %s\r\n"
                      "Docker-Content-Digest: %s\r\nConnection: close\r\n\r\n",
                      exists ? "200 OK" : "404 Not Found", blob != NULL ? blob->length : 0,
                      blob != NULL ? blob->type : "text/plain", blob != NULL ? blob->digest : "");
    const bool with_body = blob != NULL && strncmp(request, "GET ", 4) == 0;
    if (write(peer, head, strlen(head)) < 0 ||
        (with_body && write(peer, blob->bytes, blob->length) < 0))
        shutdown(peer, SHUT_RDWR);
    free(head);
}

static void *answer(void *context) {
    struct test_registry *self = context;
    for (;;) {
        const int peer = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC);
        if (peer < 0)
            return NULL;
        struct cancel *cancel = atomic_load(&self->cancel);
        if (cancel != NULL)
            cancel_request(cancel);
        const bool has_image = self->blobs[0].bytes != NULL;
        if (self->reply == NULL && !has_image)
            continue; // left open, and silent
        char request[4096] = "";
        if (read(peer, request, sizeof request - 1) <= 0)
            shutdown(peer, SHUT_RDWR);
        else if (has_image)
            serve(self, peer, request);
        else if (write(peer, self->reply, strlen(self->reply)) < 0)
            shutdown(peer, SHUT_RDWR);
        close(peer);
    }
}

static struct test_registry *start(struct test_registry *self) {
    self->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    struct sockaddr *any = (struct sockaddr *)&address;
    cr_assert(bind(self->listener, any, length) == 0 && listen(self->listener, 16) == 0 &&
              getsockname(self->listener, any, &length) == 0);
    self->port = ntohs(address.sin_port);
    pthread_t thread;
    cr_assert(pthread_create(&thread, NULL, answer, self) == 0);
    pthread_detach(thread);
    return self;
}

struct test_registry *test_registry_start(const char *reply) {
    struct test_registry *self = memory_new(1, sizeof *self);
    self->reply = reply;
    return start(self);
}

struct test_registry *test_registry_start_with_an_image(void) {
    struct test_registry *self = memory_new(1, sizeof *self);
    make_image(self->blobs);
    return start(self);
}

const char *test_registry_image(const struct test_registry *self, const char *name) {
    return memory_format("127.0.0.1:%u/%s:1", self->port, name);
}

void test_registry_cancels(struct test_registry *self, struct cancel *cancel) {
    atomic_store(&self->cancel, cancel);
}

static void add(struct archive *archive, const char *name, const char *text) {
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, (la_int64_t)strlen(text));
    cr_assert_eq(archive_write_header(archive, entry), ARCHIVE_OK);
    cr_assert_eq(archive_write_data(archive, text, strlen(text)), (la_ssize_t)strlen(text));
    archive_entry_free(entry);
}

char *test_foreign_archive(const char *name, const char *reference) {
    char *path = ground_file(name, "", 0644); // makes the folder
    char *manifest = memory_format("[{\"Config\":\"config.json\",\"RepoTags\":[\"%s\"],"
                                   "\"Layers\":[]}]",
                                   reference);
    struct archive *archive = archive_write_new();
    archive_write_set_format_ustar(archive);
    cr_assert_eq(archive_write_open_filename(archive, path), ARCHIVE_OK);
    add(archive, "config.json",
        "{\"architecture\":\"s390x\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"/none\"]},"
        "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}");
    add(archive, "manifest.json", manifest);
    cr_assert_eq(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
    return path;
}
