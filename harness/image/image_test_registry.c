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
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct test_registry {
    int listener;
    unsigned port;
    const char *reply;
    _Atomic(struct cancel *) cancel;
};

static void *answer(void *context) {
    struct test_registry *self = context;
    for (;;) {
        const int peer = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC);
        if (peer < 0)
            return NULL;
        struct cancel *cancel = atomic_load(&self->cancel);
        if (cancel != NULL)
            cancel_request(cancel);
        if (self->reply == NULL)
            continue; // left open, and silent
        char request[4096];
        if (read(peer, request, sizeof request) > 0 &&
            write(peer, self->reply, strlen(self->reply)) < 0)
            shutdown(peer, SHUT_RDWR);
        close(peer);
    }
}

struct test_registry *test_registry_start(const char *reply) {
    struct test_registry *self = memory_new(1, sizeof *self);
    self->reply = reply;
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
