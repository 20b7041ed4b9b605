// The program on a real engine: whole runs of tiny stacks, and everything that can end one.
#define _GNU_SOURCE
#include "command/program_fixture.h"

#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "engine/container.h"
#include "engine/image.h"
#include "engine/network.h"
#include "run/engine_daemon.h"
#include "run/private_engine.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(command_real, .init = program_init_real, .fini = program_done, .timeout = 300);

#define GONE_WITHIN_MS 20000 // 2 s on an idle machine, as ci/kill-rounds checks

static const char WEB[] = "name: %NAME%\n"
                          "services:\n"
                          "  web:\n"
                          "    image: %IMAGE%\n"
                          "    command: [%SERVE%, web]\n"
                          "    x-assay: {kind: http, port: 8080, path: /}\n";

// A service that may be prepared: asked to end, it does, and says that all is well.
static const char PREPARED[] =
    "name: %NAME%\n"
    "services:\n"
    "  web:\n"
    "    image: %IMAGE%\n"
    "    command: [sh, -c, \"trap 'exit 0' TERM; \\\"$$@\\\" & wait\", sh, %SERVE%, web]\n"
    "    environment: {SALT: %NAME%}\n" // so that the prepared image is this test's own
    "    x-assay: {kind: http, port: 8080, path: /, prepare: true}\n";

static const char NEVER_READY[] = "name: %NAME%\n"
                                  "services:\n"
                                  "  web:\n"
                                  "    image: %IMAGE%\n"
                                  "    command: [tail, -f, /dev/null]\n"
                                  "    volumes: [\"data:/data\"]\n"
                                  "    x-assay: {kind: http, port: 8080, path: /}\n"
                                  "volumes: {data: {}}\n";

#define STORE                         \
    "  store:\n"                      \
    "    image: %IMAGE%\n"            \
    "    command: [%SERVE%, store]\n" \
    "    x-assay: {kind: http, port: 8080, path: /}\n"

static struct child *start_web(const char *compose) {
    program_write("compose.yaml", compose);
    return assay_start("run", "--compose", "compose.yaml", "--suite", WEB_SUITE);
}

static int run_two(const char *compose) {
    program_write("compose.yaml", compose);
    return assay("run", "--compose", "compose.yaml", "--suite", WEB_SUITE, "--suite", STORE_SUITE);
}

Test(command_real, verifies_a_stack_and_leaves_nothing_of_it) {
    struct child *run = start_web(WEB);
    const pid_t program = child_pid(run);
    cr_assert_eq(program_end(run, 60000), 0, "%s\n%s", program_output(), program_errors());
    assert_says(program_output(), "1 passed, 0 failed, 0 skipped\n");
    cr_assert(file_exists("assay-report/assay.json"));
    cr_assert(file_exists("assay-report/assay.junit.xml"));
    program_assert_nothing_left(program, 1);
}

// How many prepared images of the test's project there are; removes them when told to.
static size_t prepared_images(bool remove) {
    struct error problem = {0};
    autofree_string char *label =
        memory_format("label=io.assay.prepared.for=%s/web", program_project());
    const char *const filters[] = {label, NULL};
    json_t *images = NULL;
    cr_assert(image_list(program_engine(), filters, &images, &problem), "%s", problem.message);
    size_t index = 0;
    json_t *image = NULL;
    json_array_foreach (images, index, image)
        if (remove)
            cr_assert(image_remove(program_engine(),
                                   json_string_value(json_object_get(image, "Id")), &problem),
                      "%s", problem.message);
    const size_t count = json_array_size(images);
    json_decref(images);
    return count;
}

Test(command_real, prepares_an_image_once_and_starts_from_it_then) {
    cr_assert_eq(program_end(start_web(PREPARED), 60000), 0, "%s", program_output());
    const size_t prepared = prepared_images(false);
    const bool said_so = strstr(program_errors(), "web: prepared") != NULL;
    const int again = program_end(start_web(PREPARED), 60000);
    const bool said_so_again = strstr(program_errors(), "web: prepared") != NULL;
    cr_assert_eq(prepared_images(true), 1);
    cr_assert_eq(prepared, 1);
    cr_assert_eq(again, 0, "%s", program_output());
    cr_assert(said_so && !said_so_again, "%s", program_errors());
}

Test(command_real, says_why_a_service_starts_unprepared) {
    struct child *run = start_web("name: %NAME%\n"
                                  "services:\n"
                                  "  web:\n"
                                  "    image: %IMAGE%\n"
                                  "    command: [sh, -c, \"echo no luck; exit 3\"]\n"
                                  "    x-assay: {kind: http, port: 8080, prepare: true}\n");
    const pid_t program = child_pid(run);
    cr_assert_eq(program_end(run, 60000), 1, "%s\n%s", program_output(), program_errors());
    assert_says(program_output(), "web starts unprepared: ");
    assert_says(program_output(), "exit status 3");
    cr_assert_eq(prepared_images(true), 0);
    program_assert_nothing_left(program, 1);
}

Test(command_real, says_what_stands_against_preparing_a_service) {
    struct child *run = start_web("name: %NAME%\n"
                                  "services:\n"
                                  "  web:\n"
                                  "    image: %IMAGE%\n"
                                  "    command: [%SERVE%, web]\n"
                                  "    volumes: [\"data:/data\"]\n"
                                  "    x-assay: {kind: http, port: 8080, path: /, prepare: true}\n"
                                  "volumes: {data: {}}\n");
    cr_assert_eq(program_end(run, 60000), 0, "%s\n%s", program_output(), program_errors());
    assert_says(program_output(), "web starts unprepared: ");
    assert_says(program_output(), "volume (/data)");
}

Test(command_real, says_not_verified_where_a_service_is_not_part_of_the_stack) {
    program_write("compose.yaml", "name: %NAME%\nservices:\n" STORE);
    cr_assert_eq(assay("run", "--compose", "compose.yaml", "--suite", WEB_SUITE), 4, "%s",
                 program_output());
    assert_says(program_output(), "web is not part of this stack");
}

Test(command_real, runs_the_suites_that_the_settings_name) {
    program_write("compose.yaml", WEB);
    autofree_string char *settings = memory_format("suites: [%s]\n", WEB_SUITE);
    program_write("assay.yaml", settings);
    cr_assert_eq(assay("run", "--compose", "compose.yaml"), 0, "%s", program_output());
    assert_says(program_output(), "1 passed, 0 failed, 0 skipped\n");
}

Test(command_real, says_that_no_suite_was_run_and_what_it_did_not_understand) {
    autofree_string char *compose = memory_format("%s    quux: 1\n", WEB);
    program_write("compose.yaml", compose);
    const int status = assay("run", "--compose", "compose.yaml");
    assert_says(program_output(), "no suite was run: name one with --suite");
    assert_says(program_output(), "compose.yaml:7:5: services.web: unknown key \"quux\"");
    cr_assert_eq(status, 4, "%s", program_output());
}

Test(command_real, logs_in_as_the_image_is_told) {
    bool present = false;
    if (!image_exists(program_engine(), "assay/postgres:dev", &present, NULL) || !present)
        cr_skip_test("no image assay/postgres:dev in the engine");
    program_write("compose.yaml", "name: %NAME%\n"
                                  "services:\n"
                                  "  db:\n"
                                  "    image: assay/postgres:dev\n"
                                  "    environment:\n"
                                  "      POSTGRES_USER: shop\n"
                                  "      POSTGRES_PASSWORD_FILE: /run/secrets/pw\n"
                                  "    secrets: [pw]\n"
                                  "secrets: {pw: {x-assay: {generate: true}}}\n");
    assay("run", "--compose", "compose.yaml");
    assert_says(program_output(), "ready     db ");
}

// Speaks PostgreSQL, and lets nobody in.
static const char REFUSING[] =
    "name: %NAME%\n"
    "services:\n"
    "  db:\n"
    "    image: %IMAGE%\n"
    "    x-assay: {kind: postgres, ready_timeout: 5s}\n"
    "    command:\n"
    "      - perl\n"
    "      - -MIO::Socket::INET\n"
    "      - -e\n"
    "      - 'my $$s=IO::Socket::INET->new(Listen=>50,LocalPort=>5432,ReuseAddr=>1) or die;"
    " while(my $$c=$$s->accept){sysread $$c,my $$n,4; sysread $$c,my $$m,unpack(q(N),$$n)-4;"
    " my $$e=qq(SFATAL\\0C28P01\\0Mnot you\\0\\0);"
    " syswrite $$c,q(E).pack(q(N),4+length $$e).$$e; close $$c}'\n";

Test(command_real, says_how_to_name_a_login_where_none_is_known) {
    program_write("compose.yaml", REFUSING);
    cr_assert_eq(assay("run", "--compose", "compose.yaml"), 3, "%s", program_output());
    assert_says(program_output(), "not you");
    assert_says(program_output(), "as whom to log in can be said by `user`");
}

Test(command_real, does_not_mind_a_port_that_is_taken_on_the_host) {
    const int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t size = sizeof address;
    cr_assert_eq(bind(taken, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(taken, 1), 0);
    cr_assert_eq(getsockname(taken, (struct sockaddr *)&address, &size), 0);
    char *compose = memory_format("%s    ports: [\"%u:8080\"]\n", WEB, ntohs(address.sin_port));
    cr_assert_eq(program_end(start_web(compose), 60000), 0, "%s", program_output());
    free(compose);
}

Test(command_real, says_not_verified_where_an_image_is_not_to_be_had) {
    program_write("compose.yaml", "name: %NAME%\nservices:\n"
                                  "  web: {image: \"nowhere.invalid/web:1\", x-assay: {kind: http, "
                                  "port: 8080}}\n" STORE);
    cr_assert_eq(assay("run", "--offline", "--compose", "compose.yaml", "--suite", WEB_SUITE,
                       "--suite", STORE_SUITE),
                 4, "%s", program_output());
    assert_says(program_output(), "1 passed, 0 failed, 1 skipped\n");
    assert_says(program_output(), "nowhere.invalid/web:1 cannot be had");
    assert_says(program_output(), "docker pull nowhere.invalid/web:1");
}

// One service of two is harmed: exactly its tests fail, with its name and what it said.
static void assert_web_alone_failed(int status) {
    cr_assert_eq(status, 1, "%s\n%s", program_output(), program_errors());
    assert_says(program_output(), "1 passed, 1 failed, 0 skipped\n");
    assert_says(program_output(), "FAILED    web");
    assert_says(program_output(), "| web serves");
    cr_assert_null(strstr(program_output(), "FAILED    store"), "%s", program_output());
}

static int run_two_with_harm(bool (*harm)(struct engine *engine, const char *container,
                                          struct error *err)) {
    struct error problem = {0};
    autofree_string char *compose = memory_format("%s%s", WEB, STORE);
    program_write("compose.yaml", compose);
    autofree_string char *mark = path_join(program_folder(), "mark");
    setenv("TWO_MARK", mark, 1);
    struct child *run = assay_start("run", "--compose", "compose.yaml", "--suite", WEB_SUITE,
                                    "--suite", STORE_SUITE);
    char *container = program_await_container("web", 30000);
    const struct deadline deadline = deadline_in_ms(30000);
    while (!(file_exists("mark.web") && file_exists("mark.store")) && !deadline_passed(deadline))
        pause_ms(5, NULL);
    cr_assert(harm(program_engine(), container, &problem), "%s", problem.message);
    free(container);
    cr_assert(file_write_atomic("mark.go", "", 0, 0600, &problem), "%s", problem.message);
    return program_end(run, 60000);
}

static bool kill_it(struct engine *engine, const char *container, struct error *err) {
    return container_kill(engine, container, "SIGKILL", err);
}

Test(command_real, a_killed_service_fails_its_own_tests_alone) {
    assert_web_alone_failed(run_two_with_harm(kill_it));
}

Test(command_real, a_paused_service_fails_its_own_tests_alone) {
    assert_web_alone_failed(run_two_with_harm(container_pause));
    cr_assert_eq(program_container_count(), 0, "a paused container stayed");
}

Test(command_real, a_misconfigured_service_fails_its_own_tests_alone) {
    const int status = run_two("name: %NAME%\nservices:\n"
                               "  web:\n"
                               "    image: %IMAGE%\n"
                               "    command: [sh, -c, \"echo web serves no port named; exit 9\"]\n"
                               "    x-assay: {kind: http, port: 8080, path: /}\n" STORE);
    assert_web_alone_failed(status);
    assert_says(program_output(), "exit status 9");
}

Test(command_real, says_before_it_starts_anything_that_a_report_cannot_be_written) {
    struct error problem = {0};
    program_write("compose.yaml", WEB);
    cr_assert(file_write_atomic("taken", "", 0, 0600, &problem));
    cr_assert_eq(
        assay("run", "--compose", "compose.yaml", "--suite", WEB_SUITE, "--report", "taken/report"),
        3, "%s\n%s", program_output(), program_errors());
    assert_says(program_output(), "--report: cannot make the folder taken/report");
    cr_assert_null(strstr(program_errors(), "web: "), "%s", program_errors());
    cr_assert_eq(program_container_count(), 0);
}

Test(command_real, says_that_the_disk_is_full_and_still_cleans_up) {
    if (mkdir("full", 0700) != 0 || mount("tmpfs", "full", "tmpfs", 0, "size=4k") != 0)
        cr_skip_test("only root can mount a small disk");
    program_write("compose.yaml", WEB);
    const int filler = open("full/filler", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    char block[8192] = {0};
    const ssize_t written = write(filler, block, sizeof block);
    close(filler);
    struct child *run =
        assay_start("run", "--compose", "compose.yaml", "--suite", WEB_SUITE, "--report", "full");
    const pid_t program = child_pid(run);
    const int status = program_end(run, 60000);
    const bool half = file_exists("full/assay.json");
    umount2("full", MNT_DETACH);
    cr_assert_leq(written, 4096);
    cr_assert_eq(status, 3, "%s\n%s", program_output(), program_errors());
    assert_says(program_errors(), "No space left on device");
    assert_says(program_output(),
                "1 passed, 0 failed, 0 skipped\n"); // though others were not written
    cr_assert_not(half, "a report was written in part");
    program_assert_nothing_left(program, 1);
}

#define UNDER_SHELL(redirection)                                                          \
    (const char *const[]) {                                                               \
        "sh", "-c", "exec \"$0\" run --compose compose.yaml --suite \"$1\" " redirection, \
            ASSAY_PROGRAM, WEB_SUITE, NULL                                                \
    }

Test(command_real, runs_without_standard_input) {
    program_write("compose.yaml", WEB);
    cr_assert_eq(program_run(UNDER_SHELL("--keep <&-")), 0, "%s", program_errors());
}

Test(command_real, runs_without_standard_output_and_error) {
    program_write("compose.yaml", WEB);
    cr_assert_eq(program_run(UNDER_SHELL(">&- 2>&-")), 0);
    cr_assert(file_exists("assay-report/assay.json"));
    cr_assert_eq(program_container_count(), 0);
}

Test(command_real, says_that_nobody_reads_its_report) {
    program_write("compose.yaml", WEB);
    cr_assert_eq(program_run(UNDER_SHELL(">/dev/full")), 3, "%s", program_errors());
    assert_says(program_errors(), "No space left on device");
}

Test(command_real, ends_clean_on_the_first_interrupt) {
    struct child *run = start_web(NEVER_READY);
    const pid_t program = child_pid(run);
    free(program_await_container("web", 30000));
    kill(program, SIGINT);
    cr_assert_eq(program_end(run, 60000), 130, "%s\n%s", program_output(), program_errors());
    assert_says(program_errors(), "interrupted, cleaning up");
    program_assert_nothing_left(program, 1);
}

Test(command_real, leaves_at_once_on_the_second_interrupt_and_the_guardian_cleans_up) {
    struct child *run = start_web(NEVER_READY);
    const pid_t program = child_pid(run);
    free(program_await_container("web", 30000));
    kill(program, SIGSTOP); // so that both are there before it acts on the first
    kill(program, SIGINT);
    kill(program, SIGTERM);
    kill(program, SIGCONT);
    cr_assert_eq(program_end(run, 10000), 130, "%s\n%s", program_output(), program_errors());
    assert_says(program_errors(), "leaving at once");
    program_assert_nothing_left(program, GONE_WITHIN_MS);
}

static void assert_nothing_left_when_killed(const char *compose, int after_ms,
                                            bool with_container) {
    struct child *run = start_web(compose);
    const pid_t program = child_pid(run);
    if (with_container)
        free(program_await_container("web", 30000));
    pause_ms(after_ms, NULL);
    kill(program, SIGKILL);
    program_assert_nothing_left(program, GONE_WITHIN_MS);
    cr_assert_eq(program_end(run, 60000), -SIGKILL);
    program_assert_nothing_left(program, 1);
}

Test(command_real, leaves_nothing_when_killed_as_soon_as_it_began) {
    for (int after_ms = 0; after_ms < 100; after_ms += 20)
        assert_nothing_left_when_killed(NEVER_READY, after_ms, false);
}

Test(command_real, leaves_nothing_when_killed_while_a_service_gets_ready) {
    assert_nothing_left_when_killed(NEVER_READY, 0, true);
}

Test(command_real, leaves_nothing_when_killed_while_suites_run) {
    autofree_string char *mark = path_join(program_folder(), "mark");
    setenv("TWO_MARK", mark, 1);
    struct child *run = start_web(WEB);
    const pid_t program = child_pid(run);
    const struct deadline deadline = deadline_in_ms(30000);
    while (!file_exists("mark.web") && !deadline_passed(deadline))
        pause_ms(5, NULL);
    cr_assert(file_exists("mark.web"));
    kill(program, SIGKILL);
    program_assert_nothing_left(program, GONE_WITHIN_MS);
    cr_assert_eq(program_end(run, 60000), -SIGKILL);
}

Test(command_real, two_runs_of_one_stack_at_once_do_not_meet) {
    program_write("compose.yaml", WEB);
    struct child *first =
        assay_start("run", "--compose", "compose.yaml", "--suite", WEB_SUITE, "--report", "first");
    struct child *second =
        assay_start("run", "--compose", "compose.yaml", "--suite", WEB_SUITE, "--report", "second");
    cr_assert_eq(program_end(first, 60000), 0, "%s", program_output());
    cr_assert_eq(program_end(second, 60000), 0, "%s", program_output());
    cr_assert_eq(program_container_count(), 0);
}

Test(command_real, keeps_a_stack_in_which_something_failed_until_told) {
    program_write("compose.yaml", "name: %NAME%\nservices:\n"
                                  "  web: {image: %IMAGE%, command: [sh, -c, \"exit 3\"], "
                                  "x-assay: {kind: http, port: 8080}}\n" STORE);
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(dup2(ends[0], 9), 9); // a child gets no file of ours but through a shell
    autofree_string char *script =
        memory_format("exec \"$0\" run --keep --compose compose.yaml --suite \"$1\" </proc/%d/fd/9",
                      (int)getpid());
    struct child *run =
        program_start((const char *const[]){"sh", "-c", script, ASSAY_PROGRAM, WEB_SUITE, NULL});
    const pid_t program = child_pid(run);
    free(program_await_container("store", 30000));
    pause_ms(3000, NULL);
    cr_assert(child_running(run), "it did not wait");
    cr_assert_gt(program_container_count(), 0);
    cr_assert_eq(write(ends[1], "\n", 1), 1);
    cr_assert_eq(program_end(run, 60000), 1, "%s\n%s", program_output(), program_errors());
    assert_says(program_errors(), "stays until Enter");
    program_assert_nothing_left(program, 1);
}

Test(command_real, brings_a_stack_up_shows_it_and_takes_it_down) {
    program_write("compose.yaml", WEB);
    cr_assert_eq(assay("up", "--compose", "compose.yaml", "--name", "mine"), 0, "%s",
                 program_errors());
    autofree_string char *environment = memory_copy_string(program_output());
    environment[strcspn(environment, "\n")] = '\0';
    struct stat status;
    cr_assert_eq(stat(environment, &status), 0, "%s", environment);
    cr_assert_eq(status.st_mode & 0777, 0600);
    cr_assert_eq(program_container_count(), 1);

    cr_assert_eq(assay("up", "--compose", "compose.yaml", "--name", "mine"), 0);
    assert_says(program_errors(), "is up already");
    cr_assert_eq(program_container_count(), 1);
    cr_assert_eq(assay("clean"), 0);
    cr_assert_eq(program_container_count(), 1, "clean took a stack under a lease");
    cr_assert_eq(assay("status"), 0);
    assert_says(program_output(), "mine");
    assert_says(program_output(), environment);

    cr_assert_eq(assay("down", "mine"), 0, "%s", program_errors());
    cr_assert_eq(program_container_count(), 0);
    cr_assert_not(file_exists(environment));
    cr_assert_eq(assay("status", "mine"), 1);
}

Test(command_real, up_takes_every_option_that_it_lists) {
    program_write("compose.yaml", WEB);
    program_write("settings.yaml", "services: {web: {kind: http}}\n");
    cr_assert_eq(assay("up", "--compose", "compose.yaml", "--settings", "settings.yaml",
                       "--profile", "none", "--lease", "5", "--offline", "--substitute"),
                 0, "%s", program_errors());
    autofree_string char *environment = memory_copy_string(program_output());
    environment[strcspn(environment, "\n")] = '\0';
    char *content = NULL;
    const bool read = file_read(environment, 1 << 20, &content, NULL, NULL);
    const int shown = assay("status", "default");
    cr_assert(read && strstr(content, "settings.yaml") != NULL, "%s", content);
    free(content);
    cr_assert_eq(shown, 0, "%s", program_errors());
    const char *said = program_output(); // how much of a second has gone by is the machine's affair
    cr_assert(strstr(said, "lease 5 min 00 s") || strstr(said, "lease 4 min 5"), "%s", said);
    cr_assert_eq(assay("down"), 0, "%s", program_errors());
    cr_assert_eq(program_container_count(), 0);
}

Test(command_real, up_says_that_its_engine_is_not_there) {
    program_write("compose.yaml", WEB);
    setenv("DOCKER_HOST", "unix:///nonexistent/engine.sock", 1);
    cr_assert_eq(assay("up", "--compose", "compose.yaml"), 3);
    assert_says(program_errors(), "unix:///nonexistent/engine.sock");
}

// Its keeper stands in "/", where the name means something else.
Test(command_real, keeps_a_stack_whose_state_folder_has_a_relative_name) {
    program_write("compose.yaml", WEB);
    setenv("ASSAY_STATE", "state", 1);
    cr_assert_eq(assay("up", "--compose", "compose.yaml"), 0, "%s", program_errors());
    pause_ms(1000, NULL);
    cr_assert_eq(program_container_count(), 1);
    cr_assert_eq(assay("down"), 0, "%s", program_errors());
    cr_assert_eq(program_container_count(), 0);
}

Test(command_real, removes_a_stack_whose_state_folder_was_deleted) {
    struct error problem = {0};
    program_write("compose.yaml", WEB);
    cr_assert_eq(assay("up", "--compose", "compose.yaml"), 0, "%s", program_errors());
    cr_assert(file_remove_tree("state", &problem), "%s", problem.message);
    const struct deadline deadline = deadline_in_ms(20000);
    while (program_container_count() > 0 && !deadline_passed(deadline))
        pause_ms(100, NULL);
    cr_assert_eq(program_container_count(), 0);
}

Test(command_real, up_fails_with_the_reason_where_a_service_does_not_get_ready) {
    program_write("compose.yaml",
                  "name: %NAME%\nservices:\n"
                  "  web: {image: %IMAGE%, command: [sh, -c, \"echo no disk; exit 3\"], "
                  "x-assay: {kind: http, port: 8080}}\n");
    cr_assert_eq(assay("up", "--compose", "compose.yaml"), 1, "%s", program_errors());
    assert_says(program_errors(), "web: failed: ");
    assert_says(program_errors(), "exit status 3");
    assert_says(program_errors(), "no disk");
    cr_assert_str_eq(program_output(), "");
    cr_assert_eq(program_container_count(), 0);
}

Test(command_real, clean_leaves_alone_what_is_not_labelled) {
    struct error problem = {0};
    autofree_string char *name = memory_format("%s-foreign", program_project());
    json_t *body = json_pack("{s:s}", "Name", name);
    char *network = NULL;
    cr_assert(network_create(program_engine(), body, &network, &problem), "%s", problem.message);
    json_decref(body);
    cr_assert_eq(assay("clean"), 0, "%s", program_errors());
    assert_says(program_output(), "removed ");
    json_t *seen = NULL;
    const bool there = network_inspect(program_engine(), network, &seen, &problem);
    json_decref(seen);
    cr_assert(network_remove(program_engine(), network, &problem), "%s", problem.message);
    free(network);
    cr_assert(there, "clean removed a network of somebody else's");
}

Test(command_real, doctor_says_what_is_here) {
    const int status = assay("doctor");
    assert_says(program_output(), getenv("DOCKER_HOST"));
    assert_says(program_output(), "disk");
    cr_assert(status == 0 || status == 3 || status == 4);
    cr_assert((status == 0) == (strstr(program_output(), "--  ") == NULL), "%d\n%s", status,
              program_output());
}

// ---- images, between two engines ----------------------------------------------------------------

static void stop_own_engine(void) {
    const char *state = getenv("ASSAY_STATE");
    struct engine_place place = {0};
    if (state != NULL && engine_place_init(&place, state, NULL)) {
        (void)!engine_daemon_stop(&place, NULL);
        engine_place_done(&place);
    }
}

// An engine of the test's own, empty, is the one that the program finds from now on.
static struct private_engine *given_an_empty_engine(void) {
    struct error problem = {0};
    struct private_engine *empty = NULL;
    if (!engine_daemon_possible(&problem))
        cr_skip_test("%s", problem.message);
    cr_assert(private_engine_open(getenv("ASSAY_STATE"), NULL, &empty, &problem), "%s",
              problem.message);
    setenv("DOCKER_HOST", private_engine_host(empty), 1);
    return empty;
}

Test(command_real, carries_images_from_one_engine_to_another, .fini = stop_own_engine) {
    struct error problem = {0};
    const char *const tags[] = {program_image(), NULL};
    cr_assert(folder_make("stick", 0700, &problem) && folder_make("bare", 0700, &problem));
    cr_assert(image_save(program_engine(), tags, "stick/some.tar", NULL, &problem), "%s",
              problem.message);
    struct private_engine *empty = given_an_empty_engine();

    cr_assert_eq(assay("images", "save", "none"), 3);
    assert_says(program_errors(), "there is no image to save");
    cr_assert_eq(assay("images"), 0);
    assert_says(program_output(), "no image of ours is in the engine");
    cr_assert_eq(assay("doctor"), 0, "%s", program_output());
    assert_says(program_output(), "will be built");
    cr_assert_eq(assay("images", "load", "bare"), 2);
    assert_says(program_errors(), "holds no image archive");

    cr_assert_eq(assay("images", "load", "stick"), 0, "%s", program_errors());
    assert_says(program_output(), program_image());
    cr_assert_eq(assay("images", "list"), 0);
    assert_says(program_output(), program_image());
    cr_assert_eq(assay("images", "save", "copy"), 0, "%s", program_errors());
    assert_says(program_output(), "saved 1 images to copy");
    cr_assert_eq(assay("images", "load", "copy"), 0, "%s", program_errors());
    private_engine_close(empty);
}
