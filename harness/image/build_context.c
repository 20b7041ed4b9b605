#define _GNU_SOURCE
#include "image/build_context.h"

#include "base/file.h"
#include "base/memory.h"
#include "engine/archive.h"
#include "image/folder_walk.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DOCKERFILE_LIMIT ((size_t)1024 * 1024)

char *host_ca_bundle(void) {
    const char *const places[] = {
        getenv("SSL_CERT_FILE"),
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/cert.pem",
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (places[i] != NULL && places[i][0] != '\0' && access(places[i], R_OK) == 0)
            return memory_copy_string(places[i]);
    return NULL;
}

void build_arguments_from_environment(struct string_list *arguments) {
    static const struct {
        const char *name;
        bool in_history; // the engine leaves only its own proxy arguments out of it
    } table[] = {
        {"HTTP_PROXY", false}, {"HTTPS_PROXY", false},  {"NO_PROXY", false},
        {"http_proxy", false}, {"https_proxy", false},  {"no_proxy", false},
        {"GOPROXY", true},     {"PIP_INDEX_URL", true},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const char *value = getenv(table[i].name);
        if (value == NULL || value[0] == '\0')
            continue;
        if (table[i].in_history && strchr(value, '@') != NULL)
            continue;
        string_list_addf(arguments, "%s=%s", table[i].name, value);
    }
}

// Whether the build copies host-ca.crt: then it must be there.
static bool wants_host_ca(const char *folder, const char *dockerfile, bool *ret_wants,
                          struct error *err) {
    autofree_string char *read = NULL;
    if (dockerfile == NULL) {
        autofree_string char *path = path_join(folder, "Dockerfile");
        if (!file_read(path, DOCKERFILE_LIMIT, &read, NULL, err))
            return false;
    }
    *ret_wants = strstr(dockerfile != NULL ? dockerfile : read, "host-ca.crt") != NULL;
    return true;
}

// The recipe's files with the modes that git keeps, 0644 or 0755, whatever the checkout's umask
// was: the same tag must mean the same image.
static bool add_folder(const char *folder, const struct string_list *paths,
                       struct string_list *full_paths, struct archive_extra *extras,
                       struct error *err) {
    for (size_t i = 0; i < paths->count; i++) {
        string_list_take(full_paths, path_join(folder, paths->items[i]));
        struct stat status;
        if (lstat(full_paths->items[i], &status) != 0)
            return error_set_errno(err, "cannot look at %s", full_paths->items[i]);
        if (!S_ISREG(status.st_mode))
            return error_set(err, ERROR_CONFIGURATION, 0,
                             "%s is a symbolic link: a recipe may hold files only",
                             full_paths->items[i]);
        extras[i] = (struct archive_extra){.name = paths->items[i],
                                           .mode = status.st_mode & S_IXUSR ? 0755 : 0644,
                                           .file = full_paths->items[i]};
    }
    return true;
}

static bool write_tar(const char *folder, const char *dockerfile, const char *bundle, int *ret_fd,
                      struct error *err) {
    autodone(string_list) struct string_list paths = {0};
    autodone(string_list) struct string_list full_paths = {0};
    if (!folder_walk(folder, &paths, err))
        return false;
    struct archive_extra *extras = memory_new(paths.count + 2, sizeof *extras);
    size_t count = paths.count;
    if (bundle != NULL)
        extras[count++] =
            (struct archive_extra){.name = "host-ca.crt", .mode = 0644, .file = bundle};
    if (dockerfile != NULL)
        extras[count++] = (struct archive_extra){
            .name = "Dockerfile", .mode = 0644, .bytes = dockerfile, .length = strlen(dockerfile)};
    const bool written = add_folder(folder, &paths, &full_paths, extras, err) &&
                         archive_folder(NULL, extras, count, ret_fd, err);
    free(extras);
    return written;
}

bool build_context_open(const char *folder, const char *dockerfile, const char *base,
                        struct build_context *ret_context, struct error *err) {
    bool wants_ca = false;
    if (!wants_host_ca(folder, dockerfile, &wants_ca, err))
        return false;
    autofree_string char *bundle = wants_ca ? host_ca_bundle() : NULL;
    if (wants_ca && bundle == NULL)
        return error_set(err, ERROR_UNAVAILABLE, 0,
                         "this machine has no CA bundle for the builder of %s: install "
                         "ca-certificates or set SSL_CERT_FILE",
                         folder);
    int fd = -1;
    if (!write_tar(folder, dockerfile, bundle, &fd, err))
        return false;
    *ret_context = (struct build_context){.fd = fd};
    if (base != NULL)
        string_list_addf(&ret_context->arguments, "BASE=%s", base);
    build_arguments_from_environment(&ret_context->arguments);
    return true;
}

void build_context_done(struct build_context *self) {
    if (self == NULL)
        return;
    if (self->fd > 0)
        close(self->fd);
    string_list_done(&self->arguments);
    *self = (struct build_context){0};
}
