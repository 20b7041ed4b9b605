#define _GNU_SOURCE
#include "command/program_fixture.h"

#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/string_list.h"
#include "engine/container.h"
#include "engine/image.h"
#include "engine/network.h"
#include "run/run_folder.h"

#include <errno.h>
#include <glob.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define PROGRAM_WITHIN_MS 120000
#define CHILDREN 64

static struct {
    char folder[64];
    char project[48];
    char *image;
    struct engine *engine;
    struct child *children[CHILDREN];
    size_t child_count;
    struct child_end end;
} site; // of this test, which is a process of its own

// Perl is in every Debian base image; no single quote may stand in it, and '$' is Compose's.
static const char SERVE[] =
    "'perl', '-MIO::Socket::INET', '-e', '$$|=1; my $$s=IO::Socket::INET->new(Listen=>50,"
    "LocalPort=>8080,ReuseAddr=>1) or die; print qq($$ARGV[0] serves\\n); while(my $$c=$$s->accept)"
    "{while(<$$c>){last if /^\\r?$$/} print $$c qq(HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n"
    "Connection: close\\r\\n\\r\\nok\\n); close $$c}'";

void program_init(void) {
    snprintf(site.folder, sizeof site.folder, "/tmp/assay-program-XXXXXX");
    cr_assert_not_null(mkdtemp(site.folder));
    cr_assert_eq(chdir(site.folder), 0);
    snprintf(site.project, sizeof site.project, "assay-program-test-%d", (int)getpid());
    autofree_string char *state = path_join(site.folder, "state");
    setenv("ASSAY_STATE", state, 1);
    setenv("ASSAY_FIXTURES", ASSAY_TEST_FIXTURES, 1);
    unsetenv("COMPOSE_PROFILES");
    unsetenv("COMPOSE_PROJECT_NAME");
    unsetenv("GITHUB_ACTIONS");
    unsetenv("GITHUB_STEP_SUMMARY");
    signal(SIGPIPE, SIG_IGN);
}

static void find_image(void *context, const char *tag) {
    char **found = context;
    if (*found == NULL && strncmp(tag, "assay/base:", strlen("assay/base:")) == 0)
        *found = memory_copy_string(tag);
}

static char *image_in_engine(void) {
    const char *chosen = getenv("ASSAY_TEST_IMAGE");
    if (chosen != NULL)
        return memory_copy_string(chosen);
    json_t *images = NULL;
    if (!image_list(site.engine, NULL, &images, NULL))
        return NULL;
    char *found = NULL;
    size_t index = 0;
    json_t *image = NULL;
    json_array_foreach (images, index, image) {
        size_t number = 0;
        json_t *tag = NULL;
        json_array_foreach (json_object_get(image, "RepoTags"), number, tag)
            if (json_is_string(tag))
                find_image(&found, json_string_value(tag));
    }
    json_decref(images);
    return found;
}

void program_init_real(void) {
    struct error problem = {0};
    if (getenv("DOCKER_HOST") == NULL)
        cr_skip_test("DOCKER_HOST is not set: no engine to test with");
    const struct engine_options options = {.host = getenv("DOCKER_HOST")};
    if (!engine_open(&options, &site.engine, &problem))
        cr_skip_test("%s", problem.message);
    site.image = image_in_engine();
    if (site.image == NULL)
        cr_skip_test("no assay/base image is in the engine, and ASSAY_TEST_IMAGE is not set");
    program_init();
}

// A stack of `assay up` outlives a test that failed before it took it down.
static void take_down(void) {
    static const char *const names[] = {"default", "mine"};
    for (size_t i = 0; site.engine != NULL && i < sizeof names / sizeof *names; i++)
        if (program_container_count() > 0)
            (void)program_run((const char *const[]){ASSAY_PROGRAM, "down", names[i], NULL});
}

void program_done(void) {
    take_down();
    for (size_t i = 0; i < site.child_count; i++)
        child_free(site.children[i]);
    child_end_done(&site.end);
    engine_close(site.engine);
    free(site.image);
    if (site.folder[0] != '\0' && chdir("/") == 0)
        (void)!file_remove_tree(site.folder, NULL);
}

const char *program_folder(void) {
    return site.folder;
}

struct engine *program_engine(void) {
    return site.engine;
}

const char *program_project(void) {
    return site.project;
}

const char *program_image(void) {
    return site.image;
}

static char *replace(const char *content, const char *word, const char *with) {
    struct text result = {0};
    for (const char *found = NULL; (found = strstr(content, word)) != NULL;
         content = found + strlen(word)) {
        text_append_bytes(&result, content, (size_t)(found - content));
        text_append(&result, with);
    }
    text_append(&result, content);
    return text_take(&result);
}

void program_write(const char *name, const char *content) {
    struct error problem = {0};
    autofree_string char *named = replace(content, "%NAME%", site.project);
    autofree_string char *placed =
        replace(named, "%IMAGE%", site.image != NULL ? site.image : "assay/base:none");
    autofree_string char *whole = replace(placed, "%SERVE%", SERVE);
    autofree_string char *folder = memory_copy_string(name);
    char *slash = strrchr(folder, '/');
    if (slash != NULL) {
        *slash = '\0';
        cr_assert(folder_make(folder, 0755, &problem), "%s", problem.message);
    }
    cr_assert(file_write_atomic(name, whole, strlen(whole), 0644, &problem), "%s", problem.message);
}

size_t program_count_paths(const char *pattern) {
    glob_t found = {0};
    const int status = glob(pattern, 0, NULL, &found);
    cr_assert(status == 0 || status == GLOB_NOMATCH, "%s", pattern);
    const size_t paths = status == 0 ? found.gl_pathc : 0;
    globfree(&found);
    return paths;
}

void program_mount_small(const char *folder) {
    if (geteuid() != 0)
        cr_skip_test("only root may mount a small disk");
    struct error problem = {0};
    cr_assert(folder_make(folder, 0755, &problem), "%s", problem.message);
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, "size=256k,mode=0700") != 0)
        cr_skip_test("a small disk cannot be mounted here: %s", strerror(errno));
}

struct child *program_start(const char *const *argv) {
    struct error problem = {0};
    const struct child_options options = {.argv = argv};
    struct child *child = NULL;
    cr_assert_lt(site.child_count, CHILDREN);
    cr_assert(child_spawn(&options, &child, &problem), "%s", problem.message);
    site.children[site.child_count++] = child;
    return child;
}

int program_end(struct child *child, int within_ms) {
    struct error problem = {0};
    child_end_done(&site.end);
    site.end = (struct child_end){0};
    cr_assert(child_wait(child, deadline_in_ms(within_ms), NULL, &site.end, &problem), "%s",
              problem.message);
    cr_assert_not(site.end.timed_out, "not ended within %d ms; it said\n%s\n%s", within_ms,
                  program_output(), program_errors());
    return site.end.exited ? site.end.exit_status : -site.end.signal;
}

int program_run(const char *const *argv) {
    return program_end(program_start(argv), PROGRAM_WITHIN_MS);
}

const char *program_output(void) {
    return text_string(&site.end.output);
}

const char *program_errors(void) {
    return text_string(&site.end.errors);
}

struct search {
    char owner[24]; // "/<pid>/", as it stands in an owner's text
    struct text found;
};

static void note_owned(struct search *search, const char *what, const json_t *all,
                       const char *name_key) {
    size_t index = 0;
    json_t *item = NULL;
    json_array_foreach (all, index, item) {
        const json_t *labels = json_object_get(item, "Labels");
        const char *owner = json_string_value(json_object_get(labels, "io.assay.owner"));
        if (owner != NULL && strstr(owner, search->owner) != NULL)
            text_appendf(&search->found, "%s %s\n", what,
                         json_string_value(json_object_get(item, name_key)));
    }
}

static void note_folder(void *context, const char *run_id, const char *folder, const char *owner) {
    (void)run_id;
    struct search *search = context;
    if (strstr(owner, search->owner) != NULL)
        text_appendf(&search->found, "folder %s\n", folder);
}

static void note_all(struct search *search, const char *what, const char *name_key,
                     bool (*list)(struct engine *, const char *const *, json_t **,
                                  struct error *)) {
    static const char *const ours[] = {"label=io.assay.run", NULL};
    struct error problem = {0};
    json_t *all = NULL;
    cr_assert(list(site.engine, ours, &all, &problem), "%s", problem.message);
    note_owned(search, what, all, name_key);
    json_decref(all);
}

char *program_leftovers(pid_t program) {
    struct search search = {0};
    snprintf(search.owner, sizeof search.owner, "/%d/", (int)program);
    note_all(&search, "container", "Id", container_list);
    note_all(&search, "network", "Name", network_list);
    note_all(&search, "volume", "Name", volume_list);
    struct error problem = {0};
    if (!run_folder_each(note_folder, &search, &problem))
        text_append(&search.found, problem.message);
    return search.found.length > 0 ? text_take(&search.found) : memory_copy_string("");
}

static bool nothing_left(void *context, struct error *err) {
    const pid_t *program = context;
    autofree_string char *left = program_leftovers(*program);
    return left[0] == '\0' || error_set(err, ERROR_TIMEOUT, 0, "left:\n%s", left);
}

void program_assert_nothing_left(pid_t program, int within_ms) {
    struct error problem = {0};
    cr_assert(eventually(deadline_in_ms(within_ms), nothing_left, &program, &problem), "%s",
              problem.message);
}

static json_t *containers_of_project(const char *service) {
    struct error problem = {0};
    autofree_string char *project = memory_format("label=io.assay.project=%s", site.project);
    autofree_string char *named =
        service != NULL ? memory_format("label=io.assay.service=%s", service) : NULL;
    const char *const filters[] = {project, named, NULL};
    json_t *all = NULL;
    cr_assert(container_list(site.engine, filters, &all, &problem), "%s", problem.message);
    return all;
}

int program_container_count(void) {
    json_t *all = containers_of_project(NULL);
    const int count = (int)json_array_size(all);
    json_decref(all);
    return count;
}

struct wanted {
    const char *service;
    char *id;
};

static bool runs(void *context, struct error *err) {
    struct wanted *wanted = context;
    json_t *all = containers_of_project(wanted->service);
    const json_t *first = json_array_get(all, 0);
    const char *state = json_string_value(json_object_get(first, "State"));
    if (state != NULL && strcmp(state, "running") == 0)
        wanted->id = memory_copy_string(json_string_value(json_object_get(first, "Id")));
    json_decref(all);
    return wanted->id != NULL ||
           error_set(err, ERROR_TIMEOUT, 0, "no container of %s runs", wanted->service);
}

char *program_await_container(const char *service, int within_ms) {
    struct error problem = {0};
    struct wanted wanted = {.service = service};
    cr_assert(eventually(deadline_in_ms(within_ms), runs, &wanted, &problem), "%s",
              problem.message);
    return wanted.id;
}
