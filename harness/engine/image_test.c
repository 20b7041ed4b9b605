#include "engine/image.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/fake_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct text lines;
static char folder[64];

static void begin(void) {
    snprintf(folder, sizeof folder, "/tmp/assay-image-test-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
    setenv("DOCKER_CONFIG", folder, 1);
}

static void end(void) {
    text_done(&lines);
    fixture_close();
    cr_expect(file_remove_tree(folder, NULL));
}

TestSuite(image, .init = begin, .fini = end, .timeout = 120);

static void note(void *context, const char *line, int64_t done_bytes, int64_t total_bytes) {
    (void)context;
    text_appendf(&lines, "%s [%lld/%lld]\n", line, (long long)done_bytes, (long long)total_bytes);
}

static const struct image_progress progress = {note, NULL};

#define PULL_A "POST /v1.41/images/create?fromImage=a&tag=latest "

Test(image, reports_progress_with_its_bytes) {
    fixture_open((const struct fake_exchange[]){
        {PULL_A,
         {{FAKE_REPLY("200 OK", "{\"status\":\"Pulling from a\",\"id\":\"latest\"}\r\n"
                                "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":10,"
                                "\"total\":5000000000},\"id\":\"f1\"}\r\n{\"aux\":{}}\r\n")}},
         FAKE_CLOSE},
        {0}});
    must(image_pull(fixture.engine, "a", NULL, &progress, &fixture.err));
    cr_expect_str_eq(text_string(&lines),
                     "latest: Pulling from a [0/0]\nf1: Downloading [10/5000000000]\n");
}

static void pull_and_refuse(const char *reference, const char *request) {
    const struct fake_exchange script[] = {
        {request, {{FAKE_REPLY("404 Not Found", "{\"message\":\"none\"}")}}, FAKE_CLOSE}, {0}};
    fixture_open(script);
    cr_assert(!image_pull(fixture.engine, reference, NULL, NULL, &fixture.err));
    cr_expect_eq(fake_engine_answered(fixture.fake), 1, "%s", fake_engine_surprise(fixture.fake));
    fake_engine_close(fixture.fake);
    engine_close(fixture.engine);
    fixture.fake = NULL;
    fixture.engine = NULL;
}

Test(image, asks_for_one_tag_whatever_the_reference) {
    pull_and_refuse("a", PULL_A);
    pull_and_refuse("a:1", "POST /v1.41/images/create?fromImage=a&tag=1 ");
    pull_and_refuse("h:5000/a", "POST /v1.41/images/create?fromImage=h%3A5000%2Fa&tag=latest ");
    pull_and_refuse("h:5000/a:2", "POST /v1.41/images/create?fromImage=h%3A5000%2Fa&tag=2 ");
    pull_and_refuse("a@sha256:b", "POST /v1.41/images/create?fromImage=a&tag=sha256%3Ab ");
}

Test(image, is_not_to_be_had_when_the_registry_does_not_have_it) {
    pull_and_refuse("a", PULL_A);
    expect_domain(ERROR_UNAVAILABLE);
    cr_expect_eq(fixture.err.code, 404);
    expect_message("cannot pull a: POST /images/create: the engine answered 404: none");
}

Test(image, notices_an_error_within_a_stream_of_status_200) {
    fixture_open((const struct fake_exchange[]){
        {PULL_A,
         {{FAKE_REPLY("200 OK", "{\"status\":\"Pulling\"}\r\n{\"errorDetail\":{\"message\":"
                                "\"toomanyrequests: limit\"},\"error\":\"toomanyrequests: "
                                "limit\"}\r\n")}},
         FAKE_CLOSE},
        {0}});
    cr_assert(!image_pull(fixture.engine, "a", NULL, &progress, &fixture.err));
    expect_domain(ERROR_UNAVAILABLE);
    expect_message("POST /images/create: the engine reports: toomanyrequests: limit");
}

Test(image, sends_the_users_credentials_and_never_shows_them) {
    char *path = path_join(folder, "config.json");
    static const char config[] = "{\"auths\":{\"h:5000\":{\"auth\":\"bWU6c2VzYW1l\"}}}";
    must(file_write_atomic(path, config, sizeof config - 1, 0600, &fixture.err));
    free(path);
    fixture_open((const struct fake_exchange[]){
        {"POST /v1.41/images/create?fromImage=h%3A5000%2Fa&tag=latest ",
         {{FAKE_REPLY("500 Oops", "{\"message\":\"denied\"}")}},
         FAKE_CLOSE},
        {0}});
    cr_assert(!image_pull(fixture.engine, "h:5000/a", NULL, NULL, &fixture.err));
    // {"username":"me","password":"sesame","serveraddress":"h:5000"}
    cr_expect(strstr(fake_engine_received(fixture.fake),
                     "X-Registry-Auth: "
                     "eyJ1c2VybmFtZSI6Im1lIiwicGFzc3dvcmQiOiJzZXNhbWUiLCJzZXJ2ZXJhZGRyZXNzIjoiaDo1"
                     "MDAwIn0=\r\n") != NULL,
              "%s", fake_engine_received(fixture.fake));
    cr_expect(strstr(fixture.err.message, "sesame") == NULL);
    cr_expect(strstr(fixture.err.message, "c2VzYW1l") == NULL);
}

Test(image, pulls_without_credentials_when_the_helper_is_missing_and_says_so_on_failure) {
    char *path = path_join(folder, "config.json");
    static const char config[] = "{\"credsStore\":\"assay-no-such-helper\"}";
    must(file_write_atomic(path, config, sizeof config - 1, 0600, &fixture.err));
    free(path);
    pull_and_refuse("a", PULL_A);
    expect_message("docker-credential-assay-no-such-helper");
}

Test(image, refuses_a_line_of_progress_without_end) {
    static char kilobyte[1024];
    memset(kilobyte, 'z', sizeof kilobyte);
    fixture_open(
        (const struct fake_exchange[]){{"POST /v1.41/images/load?quiet=0",
                                        {{FAKE_REPLY("200 OK", "{\"stream\":\"")},
                                         {.bytes = kilobyte, .length = 1024, .times = 100000}},
                                        FAKE_CLOSE},
                                       {0}});
    FILE *archive = tmpfile();
    cr_assert(!image_load(fixture.engine, fileno(archive), NULL, &fixture.err));
    fclose(archive);
    expect_domain(ERROR_PROTOCOL);
    expect_message("POST /images/load: the engine's stream holds a line without end");
}

Test(image, names_the_step_of_a_failed_build_with_its_last_output) {
    fixture_open((const struct fake_exchange[]){
        {"POST /v1.41/build?t=t%3A1&version=1&rm=1&forcerm=1&networkmode=host&buildargs="
         "%7B%22A%22%3A%22b%3Dc%22%2C%22D%22%3A%22%22%7D ",
         {{FAKE_REPLY("200 OK", "{\"stream\":\"Step 1/2 : FROM a\"}\n{\"stream\":\"\\n\"}\n"
                                "{\"stream\":\"not this\"}\n{\"stream\":\"Step 2/2 : RUN b\"}\n"
                                "{\"stream\":\"boom\\n\"}\n{\"errorDetail\":{\"code\":2,"
                                "\"message\":\"returned 2\"},\"error\":\"returned 2\"}\n")}},
         FAKE_CLOSE},
        {0}});
    const char *const arguments[] = {"A=b=c", "D", NULL};
    FILE *context = tmpfile();
    const struct image_build build = {.context_fd = fileno(context),
                                      .tag = "t:1",
                                      .build_arguments = arguments,
                                      .network = "host"};
    cr_assert(!image_build(fixture.engine, &build, &progress, &fixture.err));
    fclose(context);
    expect_domain(ERROR_ENGINE);
    expect_message("POST /build: Step 2/2 : RUN b: returned 2; last output:\nboom\n");
    cr_expect(strstr(fixture.err.message, "not this") == NULL);
}

// ---- save

static bool save(const char *body, size_t length, size_t times) {
    const struct fake_exchange script[] = {
        {"GET /v1.41/images/get?names=a%3A1&names=b ",
         {{FAKE_REPLY("200 OK", "")}, {.bytes = body, .length = length, .times = times}},
         FAKE_CLOSE},
        {0}};
    const char *const references[] = {"a:1", "b", NULL};
    fixture_open(script);
    char *path = path_join(folder, "saved.tar");
    const bool done = image_save(fixture.engine, references, path, NULL, &fixture.err);
    cr_expect_eq(file_exists(path), done);
    free(path);
    return done;
}

Test(image, saves_an_archive_that_ends_as_a_tar_does) {
    static const char block[512];
    cr_assert(save(block, sizeof block, 20));
}

Test(image, keeps_no_archive_that_the_engine_broke_off_with_an_error) {
    static char block[2048] = "data";
    memcpy(block + 2000, "{\"error\":\"no space\"}", 20);
    cr_assert(!save(block, sizeof block, 1));
    expect_domain(ERROR_PROTOCOL);
    expect_message("does not end as a tar does");
    cr_expect_eq(rmdir(folder), 0, "a temporary file was left");
    cr_assert(mkdir(folder, 0700) == 0);
}

Test(image, tells_absent_from_unknown) {
    fixture_open(
        (const struct fake_exchange[]){{"GET /v1.41/images/a/b:1/json ",
                                        {{FAKE_REPLY("404 Not Found", "{\"message\":\"none\"}")}},
                                        FAKE_CLOSE},
                                       {"GET /v1.41/images/a/b:1/json ",
                                        {{FAKE_REPLY("500 Oops", "{\"message\":\"broken\"}")}},
                                        FAKE_CLOSE},
                                       {0}});
    bool exists = true;
    must(image_exists(fixture.engine, "a/b:1", &exists, &fixture.err));
    cr_expect(!exists);
    cr_expect(!image_exists(fixture.engine, "a/b:1", &exists, &fixture.err));
    expect_domain(ERROR_ENGINE);
}
