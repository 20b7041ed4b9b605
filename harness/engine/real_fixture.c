#include "engine/real_fixture.h"

#include "base/file.h"
#include "base/memory.h"
#include "engine/exec.h"
#include "engine/image.h"
#include "engine/network.h"

#include <stdio.h>
#include <unistd.h>

struct real_fixture test;

const char *real_image(void) {
    const char *chosen = getenv("ASSAY_TEST_IMAGE");
    return chosen != NULL && chosen[0] != '\0' ? chosen : "assay/base:dev";
}

void real_begin(void) {
    if (getenv("DOCKER_HOST") == NULL)
        cr_skip_test("DOCKER_HOST is not set: no engine to test against");
    const struct engine_options options = {.host = NULL};
    bool exists = false;
    cr_assert(engine_open(&options, &test.engine, &test.err), "%s", test.err.message);
    cr_assert(image_exists(test.engine, real_image(), &exists, &test.err), "%s", test.err.message);
    if (!exists)
        cr_skip_test("the image %s is not in the engine", real_image());
    snprintf(test.folder, sizeof test.folder, "/tmp/assay-engine-test-XXXXXX");
    cr_assert(mkdtemp(test.folder) != NULL);
}

void real_end(void) {
    if (test.engine == NULL)
        return;
    struct error err = {0};
    for (size_t i = 0; i < test.containers.count; i++)
        cr_expect(container_remove(test.engine, test.containers.items[i], &err), "%s", err.message);
    for (size_t i = 0; i < test.images.count; i++)
        cr_expect(image_remove(test.engine, test.images.items[i], &err), "%s", err.message);
    for (size_t i = 0; i < test.networks.count; i++)
        cr_expect(network_remove(test.engine, test.networks.items[i], &err), "%s", err.message);
    for (size_t i = 0; i < test.volumes.count; i++)
        cr_expect(volume_remove(test.engine, test.volumes.items[i], &err), "%s", err.message);
    cr_expect(file_remove_tree(test.folder, &err), "%s", err.message);
    string_list_done(&test.containers);
    string_list_done(&test.images);
    string_list_done(&test.networks);
    string_list_done(&test.volumes);
    engine_close(test.engine);
}

char *unique_name(const char *what) {
    return memory_format("assay-engine-test-%s-%d", what, (int)getpid());
}

const char *create(const char *script, json_t *host_config) {
    if (host_config == NULL)
        host_config = json_pack("{s:s}", "NetworkMode", "none");
    json_t *body =
        json_pack("{s:s, s:[s,s,s], s:{s:s}, s:o}", "Image", real_image(), "Cmd", "sh", "-c",
                  script, "Labels", "io.assay.test", "engine", "HostConfig", host_config);
    char *id = NULL;
    const bool created = container_create(test.engine, NULL, NULL, body, &id, &test.err);
    json_decref(body);
    must(created);
    string_list_take(&test.containers, id);
    return id;
}

const char *start(const char *script, json_t *host_config) {
    const char *id = create(script, host_config);
    must(container_start(test.engine, id, &test.err));
    return id;
}

const char *start_idle(void) {
    return start("exec sleep 600", NULL);
}

int wait_for(const char *id) {
    int status = -1;
    must(container_wait(test.engine, id, 60000, &status, &test.err));
    return status;
}

const char *run_in(const char *id, const char *script) {
    static char output[4096];
    const char *const argv[] = {"sh", "-c", script, NULL};
    const struct exec_options options = {.argv = argv};
    struct exec_result result;
    must(exec_run(test.engine, id, &options, &result, &test.err));
    snprintf(output, sizeof output, "%s", text_string(&result.output));
    exec_result_done(&result);
    return output;
}

int archive_of(const struct archive_extra *extras, size_t count) {
    int fd = -1;
    must(archive_folder(NULL, extras, count, &fd, &test.err));
    return fd;
}
