#define _GNU_SOURCE
#include "image/base_image.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/image.h"
#include "image/digest.h"
#include "image/image_build_job.h"
#include "image/recipe.h"
#include "process/child.h"
#include "run/private_engine.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_LIMIT ((size_t)64 * 1024)
#define BOOTSTRAP_TIMEOUT_MS (20 * 60 * 1000)
#define DEBIAN_KEYRING "/usr/share/keyrings/debian-archive-keyring.gpg"
#define IMPORTED "assay/base-import"
#define BASE_FORMAT "1" // change when this file makes another image of the same folder

extern char **environ;

// What fixtures/images/base asks for.
struct base_recipe {
    char *folder;
    char *suite;    // "trixie"
    char *packages; // "ca-certificates,tzdata"
    struct registries *registries;
};

static void base_recipe_done(struct base_recipe *self) {
    free(self->folder);
    free(self->suite);
    free(self->packages);
}
DEFINE_AUTODONE(base_recipe, base_recipe_done);

bool base_image_tag(const char *recipes, char **ret_reference, struct error *err) {
    autofree_string char *folder = path_join(recipes, "base");
    struct digest digest;
    char hex[DIGEST_HEX_SIZE];
    digest_init(&digest);
    digest_add_string(&digest, "format", BASE_FORMAT);
    if (!digest_add_folder(&digest, folder, err))
        return error_prefix(err, "the base of all recipes");
    digest_end(&digest, hex);
    *ret_reference = memory_format("assay/base:%.*s", RECIPE_HASH_LENGTH, hex);
    return true;
}

// The words of a file, with `separator` between them. They go into a command line and a
// Dockerfile, so only what a suite's or package's name consists of is let through.
static bool read_words(const char *folder, const char *file, char separator, char **ret_words,
                       struct error *err) {
    autofree_string char *path = path_join(folder, file);
    autofree_string char *content = NULL;
    if (!file_read(path, FILE_LIMIT, &content, NULL, err))
        return false;
    autodone(text) struct text words = {0};
    for (const char *at = content; *at != '\0';) {
        const size_t space = strspn(at, " \t\r\n");
        at += space;
        if (space > 0 && words.length > 0 && *at != '\0')
            text_append_char(&words, separator);
        for (; *at != '\0' && strchr(" \t\r\n", *at) == NULL; at++) {
            if (!isalnum((unsigned char)*at) && strchr("+.-:", *at) == NULL)
                return error_set(err, ERROR_CONFIGURATION, 0, "%s: \"%c\" is not allowed here",
                                 path, *at);
            text_append_char(&words, *at);
        }
    }
    if (words.length == 0)
        return error_set(err, ERROR_CONFIGURATION, 0, "%s is empty", path);
    *ret_words = text_take(&words);
    return true;
}

// ---- from a registry

static void on_pull_line(void *context, const char *line, int64_t done_bytes, int64_t total_bytes) {
    (void)done_bytes;
    (void)total_bytes;
    const struct image_build_job *job = context;
    image_report(job->options, job->reference, "pulling", line);
}

static bool make_from_registry(const struct image_build_job *job, const struct base_recipe *base,
                               struct error *err) {
    if (job->options->offline)
        return error_set(err, ERROR_UNAVAILABLE, 0, "no registry is asked (--offline)");
    autofree_string char *image = memory_format("debian:%s-slim", base->suite);
    struct image_build_job shared = *job;
    const struct image_progress progress = {.report = on_pull_line, .context = &shared};
    bool present = false;
    if (!image_exists(job->engine, image, &present, err))
        return false;
    if (!present && !registries_pull(base->registries, job->engine, image, NULL, &progress,
                                     job->options->cancel, err))
        return false;
    autofree_string char *packages = memory_copy_string(base->packages);
    for (char *comma = packages; (comma = strchr(comma, ',')) != NULL;)
        *comma = ' ';
    autofree_string char *dockerfile =
        memory_format("FROM %s\n"
                      "LABEL io.assay.software=\"Debian %s\"\n"
                      "RUN apt-get update \\\n"
                      " && DEBIAN_FRONTEND=noninteractive apt-get install -y "
                      "--no-install-recommends %s \\\n"
                      " && rm -rf /var/lib/apt/lists/* /var/cache/apt/*\n",
                      image, base->suite, packages);
    return image_build_folder(job, base->folder, dockerfile, NULL, err);
}

// ---- with mmdebstrap

static void on_bootstrap_output(void *context, bool is_error, const char *bytes, size_t length) {
    (void)is_error;
    const struct image_build_job *job = context;
    // "I: installing essential packages...": one line is enough for people.
    const char *end = memchr(bytes, '\n', length);
    const size_t line_length = end != NULL ? (size_t)(end - bytes) : length;
    if (line_length < 4 || line_length > 120 || strncmp(bytes, "I: ", 3) != 0)
        return;
    autofree_string char *line = memory_copy_bytes(bytes + 3, line_length - 3);
    image_report(job->options, job->reference, "building", line);
}

// Its scratch space goes where we clear it, whatever happens to it.
static void environment_with_scratch(const char *scratch, struct string_list *ret_environment) {
    for (char **variable = environ; *variable != NULL; variable++)
        if (strncmp(*variable, "TMPDIR=", strlen("TMPDIR=")) != 0)
            string_list_add(ret_environment, *variable);
    string_list_addf(ret_environment, "TMPDIR=%s", scratch);
}

static bool run_mmdebstrap(const struct image_build_job *job, const struct base_recipe *base,
                           const char *scratch, const char *tar, struct error *err) {
    autodone(string_list) struct string_list environment = {0};
    environment_with_scratch(scratch, &environment);
    autofree_string char *include = memory_format("--include=%s", base->packages);
    // Both options stay in the image, as in Debian's own for containers: dpkg need not sync each
    // file of a layer, and nobody reads translated package descriptions there.
    const char *argv[9] = {"mmdebstrap", "--variant=minbase", include, "--dpkgopt=force-unsafe-io",
                           "--aptopt=Acquire::Languages \"none\""};
    size_t count = 5;
    if (file_exists(DEBIAN_KEYRING)) // without it an older Debian's apt knows only its own keys
        argv[count++] = "--keyring=" DEBIAN_KEYRING;
    argv[count++] = base->suite;
    argv[count++] = tar;
    struct image_build_job shared = *job;
    const struct child_options options = {
        .argv = argv,
        .environment = (const char *const *)environment.items,
        .dies_with_us = true,
        .on_output = on_bootstrap_output,
        .context = &shared,
    };
    autofree(child) struct child *child = NULL;
    autodone(child_end) struct child_end end = {0};
    struct error failure = {0};
    if (!child_spawn(&options, &child, &failure)) {
        if (failure.domain == ERROR_SYSTEM && failure.code == ENOENT)
            return error_set(err, ERROR_UNAVAILABLE, 0,
                             "mmdebstrap is not installed; mend it with: apt-get install "
                             "mmdebstrap debian-archive-keyring");
        return error_set(err, failure.domain, failure.code, "%s", failure.message);
    }
    if (!child_wait(child, deadline_in_ms(BOOTSTRAP_TIMEOUT_MS), job->options->cancel, &end, err))
        return false;
    if (end.exited && end.exit_status == 0)
        return true;
    text_keep_last(&end.errors, 800);
    return error_set(err, ERROR_UNAVAILABLE, 0, "mmdebstrap %s failed%s: %s", base->suite,
                     end.timed_out ? " (too slow)" : "", text_string(&end.errors));
}

static bool import_tar(const struct image_build_job *job, const struct base_recipe *base,
                       const char *tar, struct error *err) {
    const char *hash = strrchr(job->reference, ':') + 1;
    autoclose_fd int fd = open(tar, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, "cannot open %s", tar);
    image_report(job->options, job->reference, "building", "importing");
    if (!image_import(job->engine, fd, IMPORTED, hash, err))
        return false;
    // An import takes no labels: a build of one line gives them.
    autofree_string char *dockerfile =
        memory_format("FROM %s:%s\nLABEL io.assay.software=\"Debian %s\"\nCMD [\"bash\"]\n",
                      IMPORTED, hash, base->suite);
    const bool built = image_build_folder(job, base->folder, dockerfile, NULL, err);
    autofree_string char *imported = memory_format("%s:%s", IMPORTED, hash);
    if (!image_remove(job->engine, imported, NULL))
        return built; // a name too many, nothing worse
    return built;
}

static bool make_with_mmdebstrap(const struct image_build_job *job, const struct base_recipe *base,
                                 struct error *err) {
    autofree_string char *state = state_folder();
    autofree_string char *scratch = path_join(state, "base-build");
    autofree_string char *tar = path_join(scratch, "base.tar");
    // Under the recipe's lock: what is there was left by a run that was killed.
    if (!file_remove_tree(scratch, err) || !folder_make(scratch, 0755, err))
        return false;
    const bool made =
        run_mmdebstrap(job, base, scratch, tar, err) && import_tar(job, base, tar, err);
    if (!file_remove_tree(scratch, NULL))
        return made; // the next build clears it
    return made;
}

static bool make(const struct image_build_job *job, void *context, struct error *err) {
    const struct base_recipe *base = context;
    struct error no_registry = {0};
    if (make_from_registry(job, base, &no_registry))
        return true;
    if (no_registry.domain != ERROR_UNAVAILABLE) {
        if (err != NULL)
            *err = no_registry;
        return false;
    }
    struct error failure = {0};
    if (make_with_mmdebstrap(job, base, &failure))
        return true;
    if (failure.domain == ERROR_UNAVAILABLE)
        return error_set(err, ERROR_UNAVAILABLE, 0, "cannot make the base image: %s; %s",
                         no_registry.message, failure.message);
    return error_set(err, failure.domain, failure.code, "%s", failure.message);
}

bool base_image_ensure(struct engine *engine, const struct image_options *options,
                       struct registries *registries, char **ret_reference, struct error *err) {
    autodone(base_recipe) struct base_recipe base = {.folder = path_join(options->recipes, "base"),
                                                     .registries = registries};
    autofree(registries) struct registries *own = registries == NULL ? registries_new() : NULL;
    if (own != NULL)
        base.registries = own;
    autofree_string char *reference = NULL;
    if (!base_image_tag(options->recipes, &reference, err) ||
        !read_words(base.folder, "suite", ' ', &base.suite, err) ||
        !read_words(base.folder, "packages", ',', &base.packages, err))
        return false;
    const struct image_build_job job = {
        .engine = engine, .options = options, .recipe = "base", .reference = reference};
    if (!image_build_once(&job, make, &base, err))
        return false;
    *ret_reference = TAKE(reference);
    return true;
}
