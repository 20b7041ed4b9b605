#define _GNU_SOURCE // mkostemp
#include "engine/registry_auth.h"

#include "base/clock.h"
#include "base/eventually.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/json_text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DOCKER_HUB "docker.io"
#define DOCKER_HUB_KEY "https://index.docker.io/v1/" // under which the docker command keeps it
#define HELPER_OUTPUT_LIMIT ((size_t)256 * 1024)
#define HELPER_TIMEOUT_MS 30000

extern char **environ;

// A user's credentials for one registry. With `token` there is no name and password.
struct credentials {
    char *user;
    char *password;
    char *token;
};

static void wipe(char *string) {
    if (string != NULL)
        sodium_memzero(string, strlen(string));
    free(string);
}

static void credentials_done(struct credentials *self) {
    free(self->user);
    wipe(self->password);
    wipe(self->token);
}

char *registry_of(const char *reference) {
    const size_t length = strcspn(reference, "/");
    if (reference[length] != '/')
        return memory_copy_string(DOCKER_HUB);
    autofree_string char *first = memory_copy_bytes(reference, length);
    const bool is_host = strpbrk(first, ".:") != NULL || strcmp(first, "localhost") == 0;
    if (!is_host || strcmp(first, "index.docker.io") == 0)
        return memory_copy_string(DOCKER_HUB);
    return TAKE(first);
}

static const char *key_of(const char *registry) {
    return strcmp(registry, DOCKER_HUB) == 0 ? DOCKER_HUB_KEY : registry;
}

// ---- credential helpers

static int input_file(const char *content, struct error *err) {
    char path[] = "/tmp/assay-XXXXXX";
    const int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        error_set_errno(err, "cannot make a temporary file");
        return -1;
    }
    unlink(path);
    const ssize_t length = (ssize_t)strlen(content);
    if (write(fd, content, (size_t)length) == length && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    error_set_errno(err, "cannot write a temporary file");
    close(fd);
    return -1;
}

static bool start_helper(const char *program, int input, int output, pid_t *ret_pid,
                         struct error *err) {
    char *const argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t) "get", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    errno = posix_spawnp(ret_pid, program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (errno == 0)
        return true;
    error_set_errno(err, "cannot run the credential helper %s", program);
    if (err != NULL)
        err->domain = ERROR_UNAVAILABLE;
    return false;
}

// What the helper writes, to its end of file or the deadline.
static bool read_output(int fd, struct text *output) {
    const struct deadline deadline = deadline_in_ms(HELPER_TIMEOUT_MS);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char piece[4096];
    ssize_t got = 1;
    while (got > 0 && poll(&ready, 1, (int)deadline_left_ms(deadline)) > 0) {
        got = read(fd, piece, sizeof piece);
        if (got > 0)
            text_append_bytes(output, piece, (size_t)got);
        else if (got < 0 && errno == EINTR)
            got = 1; // nothing yet
    }
    sodium_memzero(piece, sizeof piece);
    return got == 0 && !output->overflowed;
}

static bool run_helper(const char *program, const char *input, struct text *output,
                       struct error *err) {
    autoclose_fd int input_fd = input_file(input, err);
    if (input_fd < 0)
        return false;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set_errno(err, "cannot make a pipe");
    autoclose_fd int reading = ends[0];
    pid_t pid = 0;
    const bool started = start_helper(program, input_fd, ends[1], &pid, err);
    close(ends[1]);
    if (!started)
        return false;
    const bool complete = read_output(reading, output);
    if (!complete)
        kill(pid, SIGKILL);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (complete && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    // Its words go to standard output: "credentials not found in native keychain".
    if (complete && strstr(text_string(output), "not found") != NULL) {
        text_clear(output);
        return true;
    }
    return error_set(err, ERROR_UNAVAILABLE, 0, "the credential helper %s %s", program,
                     complete ? "failed" : "did not answer");
}

static void wiped_text_done(struct text *text) {
    if (text->bytes != NULL)
        sodium_memzero(text->bytes, text->capacity);
    text_done(text);
}

static bool ask_helper(const char *helper, const char *key, struct credentials *credentials,
                       struct error *err) {
    if (strchr(helper, '/') != NULL)
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "the Docker configuration names a credential helper with a slash: \"%s\"",
                         helper);
    autofree_string char *program = memory_format("docker-credential-%s", helper);
    struct text output;
    text_init(&output, HELPER_OUTPUT_LIMIT);
    const bool done = run_helper(program, key, &output, err);
    json_t *json = done ? json_loadb(text_string(&output), output.length, 0, NULL) : NULL;
    const bool silent = output.length == 0;
    wiped_text_done(&output);
    if (!done || (silent && json == NULL))
        return done;
    const char *user = json_string_value(json_object_get(json, "Username"));
    const char *secret = json_string_value(json_object_get(json, "Secret"));
    const bool whole = user != NULL && secret != NULL;
    if (whole && strcmp(user, "<token>") == 0) {
        credentials->token = memory_copy_string(secret);
    } else if (whole) {
        credentials->user = memory_copy_string(user);
        credentials->password = memory_copy_string(secret);
    }
    json_decref(json);
    return whole ||
           error_set(err, ERROR_UNAVAILABLE, 0,
                     "the credential helper %s did not answer with a user and a secret", program);
}

// ---- the configuration file itself

// "https://registry.example/v1/" and "registry.example" name the same registry.
static bool is_same_registry(const char *key, const char *registry) {
    const char *scheme = strstr(key, "://");
    const char *host = scheme != NULL ? scheme + 3 : key;
    const size_t length = strcspn(host, "/");
    return strlen(registry) == length && strncmp(host, registry, length) == 0;
}

static const json_t *entry_of(const json_t *auths, const char *registry) {
    const json_t *entry = json_object_get(auths, key_of(registry));
    const char *key;
    json_t *candidate;
    if (entry != NULL)
        return entry;
    json_object_foreach ((json_t *)(uintptr_t)auths, key, candidate) {
        if (is_same_registry(key, registry))
            return candidate;
    }
    return NULL;
}

// "auth" is base64 of user:password.
static bool decode_auth(const char *auth, struct credentials *credentials) {
    const size_t capacity = strlen(auth) + 1;
    char *decoded = memory_new(capacity, 1);
    size_t length = 0;
    const bool valid =
        sodium_base642bin((unsigned char *)decoded, capacity - 1, auth, strlen(auth), "\r\n",
                          &length, NULL, sodium_base64_VARIANT_ORIGINAL) == 0;
    char *colon = valid ? memchr(decoded, ':', length) : NULL;
    if (colon != NULL) {
        credentials->user = memory_copy_bytes(decoded, (size_t)(colon - decoded));
        credentials->password = memory_copy_string(colon + 1);
        // Old docker commands padded with NUL bytes, which the copy leaves behind.
    }
    sodium_memzero(decoded, capacity);
    free(decoded);
    return colon != NULL;
}

static bool from_entry(const struct docker_config *config, const char *registry,
                       struct credentials *credentials, struct error *err) {
    const json_t *entry = entry_of(json_object_get(config->json, "auths"), registry);
    const char *token = json_string_value(json_object_get(entry, "identitytoken"));
    const char *auth = json_string_value(json_object_get(entry, "auth"));
    if (token != NULL && token[0] != '\0') {
        credentials->token = memory_copy_string(token);
        return true;
    }
    if (auth == NULL || auth[0] == '\0')
        return true;
    return decode_auth(auth, credentials) ||
           error_set(err, ERROR_CONFIGURATION, 0,
                     "%s/config.json: the \"auth\" of %s is not base64 of user:password",
                     config->folder, registry);
}

// ---- the header

static void append_member(struct text *json, const char *key, const char *value) {
    text_appendf(json, "%s\"%s\":", json->length > 1 ? "," : "", key);
    json_text_append(json, value);
}

static char *header_of(const struct credentials *credentials, const char *registry) {
    struct text json = {0};
    text_append(&json, "{");
    if (credentials->token != NULL) {
        append_member(&json, "identitytoken", credentials->token);
    } else {
        append_member(&json, "username", credentials->user);
        append_member(&json, "password", credentials->password);
    }
    append_member(&json, "serveraddress", key_of(registry));
    text_append(&json, "}");
    const size_t size = sodium_base64_ENCODED_LEN(json.length, sodium_base64_VARIANT_URLSAFE);
    char *header = memory_new(size, 1);
    sodium_bin2base64(header, size, (const unsigned char *)json.bytes, json.length,
                      sodium_base64_VARIANT_URLSAFE);
    wiped_text_done(&json);
    return header;
}

bool registry_auth_find(const struct docker_config *config, const char *registry, char **ret_header,
                        struct error *err) {
    const json_t *helpers = json_object_get(config->json, "credHelpers");
    const char *helper = json_string_value(json_object_get(helpers, registry));
    if (helper == NULL)
        helper = json_string_value(json_object_get(config->json, "credsStore"));
    struct credentials credentials = {0};
    const bool done = helper != NULL && helper[0] != '\0'
                          ? ask_helper(helper, key_of(registry), &credentials, err)
                          : from_entry(config, registry, &credentials, err);
    const bool found = credentials.token != NULL || credentials.user != NULL;
    if (done)
        *ret_header = found ? header_of(&credentials, registry) : NULL;
    credentials_done(&credentials);
    return done;
}
