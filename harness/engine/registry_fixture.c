#define _GNU_SOURCE
#include "engine/registry_fixture.h"

#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "engine/image.h"
#include "engine/progress_stream.h"
#include "engine/query.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "docker-registry"
#define LOG_LIMIT ((size_t)1024 * 1024)
#define START_MS 20000

// bcrypt of REGISTRY_PASSWORD: docker-registry takes no other hash.
#define HTPASSWD REGISTRY_USER ":$2b$05$abcdefghijklmnopqrstuutXu9KzOt.1yBoZUeFWoT/914/JfszCO\n"
// base64url of {"username":"reader","password":"open-sesame"}: the value of X-Registry-Auth.
#define PUSH_AUTH "eyJ1c2VybmFtZSI6InJlYWRlciIsInBhc3N3b3JkIjoib3Blbi1zZXNhbWUifQ=="

static struct error problem;
#define must_do(call) cr_assert((call), "%s", problem.message)

static void write_file(const struct registry_fixture *self, const char *name, const char *content,
                       mode_t mode) {
    autofree_string char *path = path_join(self->folder, name);
    must_do(file_write_atomic(path, content, strlen(content), mode, &problem));
}

// ---- the process

// NULL: it is not installed.
static char *find_program(void) {
    autofree_string char *folders = memory_copy_string(getenv("PATH"));
    char *rest = folders;
    for (char *folder; (folder = strsep(&rest, ":")) != NULL;) {
        autofree_string char *path = path_join(folder, PROGRAM);
        if (access(path, X_OK) == 0)
            return TAKE(path);
    }
    return NULL;
}

static void write_configuration(const struct registry_fixture *self, bool asks_who) {
    autofree_string char *auth =
        asks_who ? memory_format("auth:\n  htpasswd:\n    realm: assay\n    path: %s/htpasswd\n",
                                 self->folder)
                 : memory_copy_string("");
    autofree_string char *content =
        memory_format("version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: %s/storage\n"
                      "http:\n  addr: 127.0.0.1:0\n%s",
                      self->folder, auth);
    write_file(self, "registry.yml", content, 0600);
    write_file(self, "htpasswd", HTPASSWD, 0600);
}

static pid_t spawn(const struct registry_fixture *self, const char *program) {
    autofree_string char *log = path_join(self->folder, "log");
    autofree_string char *configuration = path_join(self->folder, "registry.yml");
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child != 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int output = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (getppid() != parent || dup2(output, 1) < 0 || dup2(output, 2) < 0)
        _exit(126);
    char *const environment[] = {NULL}; // REGISTRY_… would be settings of it
    execle(program, program, "serve", configuration, (char *)NULL, environment);
    _exit(127);
}

// It chose a free port itself, and its log says which: msg="listening on 127.0.0.1:40123".
static bool listens(void *context, struct error *err) {
    struct registry_fixture *self = context;
    autofree_string char *path = path_join(self->folder, "log");
    autofree_string char *log = NULL;
    if (!file_read(path, LOG_LIMIT, &log, NULL, err))
        return false;
    static const char mark[] = "listening on ";
    const char *at = strstr(log, mark);
    char quote[2];
    return (at != NULL && sscanf(at + strlen(mark), "%31[0-9.:]%1[\"]", self->name, quote) == 2) ||
           error_set(err, ERROR_UNAVAILABLE, 0, PROGRAM " does not listen: %s", log);
}

static bool has_ended(void *context, struct error *err) {
    const struct registry_fixture *self = context;
    siginfo_t end = {0};
    return waitid(P_PID, (id_t)self->pid, &end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           end.si_pid == self->pid && !error_set(err, ERROR_UNAVAILABLE, 0, PROGRAM " has ended");
}

void registry_fixture_require(void) {
    const char *host = getenv("DOCKER_HOST");
    autofree_string char *program = find_program();
    if (program == NULL)
        cr_skip_test(PROGRAM " is not installed: no real registry to pull from");
    if (host != NULL && strncmp(host, "unix://", strlen("unix://")) != 0)
        cr_skip_test("the engine is not on this machine and reaches no registry of ours: %s", host);
}

void registry_fixture_open(struct registry_fixture *self, struct engine *engine, const char *folder,
                           bool asks_who) {
    autofree_string char *program = find_program();
    cr_assert_not_null(program);
    *self = (struct registry_fixture){.engine = engine, .folder = path_join(folder, "registry")};
    must_do(folder_make(self->folder, 0700, &problem));
    write_configuration(self, asks_who);
    cr_assert_eq(setenv("DOCKER_CONFIG", self->folder, 1), 0);
    self->pid = spawn(self, program);
    cr_assert_gt(self->pid, 0);
    must_do(eventually(deadline_in_ms(START_MS), listens, self, &problem, .hopeless = has_ended));
}

static void reap(struct registry_fixture *self) {
    if (self->pid <= 0)
        return;
    kill(self->pid, SIGKILL); // a paused one, too
    while (waitpid(self->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    self->pid = 0;
}

void registry_fixture_stop(struct registry_fixture *self) {
    cr_assert_gt(self->pid, 0);
    reap(self);
}

void registry_fixture_pause(struct registry_fixture *self) {
    int status = 0;
    cr_assert_eq(kill(self->pid, SIGSTOP), 0);
    cr_assert_eq(waitpid(self->pid, &status, WUNTRACED), self->pid);
    cr_assert(WIFSTOPPED(status));
}

// ---- its images

char *registry_fixture_reference(const struct registry_fixture *self, const char *tail) {
    return memory_format("%s/%s", self->name, tail);
}

struct layer {
    char *tar;
    size_t length;
    char digest[sizeof "sha256:" + 2 * crypto_hash_sha256_BYTES];
};

static void layer_done(struct layer *self) {
    free(self->tar);
}
DEFINE_AUTODONE(layer, layer_done);

// A tar with one file of noise in it.
static void layer_init(struct layer *self, const char *name) {
    autofree_string char *noise = memory_new(1, REGISTRY_LAYER_BYTES);
    randombytes_buf(noise, REGISTRY_LAYER_BYTES);
    const struct archive_extra file = {name, noise, REGISTRY_LAYER_BYTES, 0644, NULL};
    autoclose_fd int fd = -1;
    must_do(archive_folder(NULL, &file, 1, &fd, &problem));
    const off_t length = lseek(fd, 0, SEEK_END);
    cr_assert_gt(length, 0);
    *self = (struct layer){
        .tar = memory_new(1, (size_t)length), .length = (size_t)length, .digest = "sha256:"};
    cr_assert_eq(pread(fd, self->tar, self->length, 0), (ssize_t)self->length);
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)self->tar, self->length);
    sodium_bin2hex(self->digest + 7, sizeof self->digest - 7, hash, sizeof hash);
}

// In one request, as `docker load` does: no other test's cleaning comes between.
static void load(struct registry_fixture *self, const char *reference) {
    autodone(layer) struct layer first = {0};
    autodone(layer) struct layer second = {0};
    autodone(engine_facts) struct engine_facts facts = {0};
    layer_init(&first, "first");
    layer_init(&second, "second");
    must_do(engine_facts(self->engine, &facts, &problem));
    autofree_string char *config =
        memory_format("{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"/none\"]},"
                      "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\",\"%s\"]}}",
                      facts.architecture, first.digest, second.digest);
    autofree_string char *manifest =
        memory_format("[{\"Config\":\"config.json\",\"RepoTags\":[\"%s\"],"
                      "\"Layers\":[\"first.tar\",\"second.tar\"]}]",
                      reference);
    const struct archive_extra files[] = {{"config.json", config, strlen(config), 0644, NULL},
                                          {"manifest.json", manifest, strlen(manifest), 0644, NULL},
                                          {"first.tar", first.tar, first.length, 0644, NULL},
                                          {"second.tar", second.tar, second.length, 0644, NULL}};
    autoclose_fd int fd = -1;
    must_do(archive_folder(NULL, files, sizeof files / sizeof files[0], &fd, &problem));
    must_do(image_load(self->engine, fd, NULL, &problem));
}

static void push(struct registry_fixture *self, const char *name, const char *tag) {
    autofree_string char *repository = registry_fixture_reference(self, name);
    autofree_string char *path = query_path("/images", repository, "/push");
    autodone(text) struct text query = {0};
    query_add(&query, "tag", tag);
    const struct request request = {.method = "POST",
                                    .path = path,
                                    .query = text_string(&query),
                                    .registry_auth = PUSH_AUTH,
                                    .slow = true};
    must_do(progress_perform(self->engine, &request, NULL, &problem));
}

char *registry_fixture_image(struct registry_fixture *self, const char *name) {
    autofree_string char *tail = memory_format("%s:1", name);
    char *reference = registry_fixture_reference(self, tail);
    load(self, reference);
    push(self, name, "1");
    must_do(image_remove(self->engine, reference, &problem));
    return reference;
}

static void remove_images(const struct registry_fixture *self) {
    autofree_string char *filter = memory_format("reference=%s/*", self->name);
    const char *const filters[] = {filter, NULL};
    json_t *images = NULL;
    cr_expect(image_list(self->engine, filters, &images, &problem), "%s", problem.message);
    size_t i;
    const json_t *image;
    json_array_foreach (images, i, image) {
        const char *id = json_string_value(json_object_get(image, "Id"));
        cr_expect(image_remove(self->engine, id, &problem), "%s", problem.message);
    }
    json_decref(images);
}

void registry_fixture_close(struct registry_fixture *self) {
    reap(self);
    if (self->name[0] != '\0')
        remove_images(self);
    free(self->folder);
    *self = (struct registry_fixture){0};
}

// ---- the user's credentials

void registry_fixture_configure(const struct registry_fixture *self, const char *format) {
    autodone(text) struct text content = {0};
    const char *hole = strstr(format, "%s");
    cr_assert_not_null(hole);
    text_append_bytes(&content, format, (size_t)(hole - format));
    text_append(&content, self->name);
    text_append(&content, hole + 2);
    write_file(self, "config.json", text_string(&content), 0600);
}

void registry_fixture_helper(const struct registry_fixture *self, const char *name,
                             const char *password) {
    autofree_string char *program = memory_format("docker-credential-%s", name);
    autofree_string char *script =
        memory_format("#!/bin/sh\nread -r server || [ -n \"$server\" ]\n"
                      "[ \"$1 $server\" = 'get %s' ] || { echo 'credentials not found'; exit 1; }\n"
                      "echo '{\"Username\":\"" REGISTRY_USER "\",\"Secret\":\"%s\"}'\n",
                      self->name, password);
    write_file(self, program, script, 0700);
    autofree_string char *search = memory_format("%s:%s", self->folder, getenv("PATH"));
    cr_assert_eq(setenv("PATH", search, 1), 0);
}
