// The program without an engine: its usage, its configuration errors, and engines that are none.
#define _GNU_SOURCE
#include "command/program_fixture.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

TestSuite(command, .init = program_init, .fini = program_done, .timeout = 300);

static const char *const COMMANDS[] = {"run", "up", "status", "down", "images", "doctor", "clean"};
#define COMMAND_COUNT (sizeof COMMANDS / sizeof *COMMANDS)

Test(command, lists_its_commands_when_asked) {
    cr_assert_eq(assay("--help"), 0);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        assert_says(program_output(), COMMANDS[i]);
    assert_says(program_output(), "exit status: 0");
    cr_assert_str_eq(program_errors(), "");
}

Test(command, says_that_it_could_not_print_all_of_its_output) {
    const char *const shell[] = {"sh", "-c", ASSAY_PROGRAM " --help >/dev/full", NULL};
    cr_assert_eq(program_run(shell), 3);
    assert_says(program_errors(), "No space left on device");
}

Test(command, shows_the_same_help_as_an_error_without_a_command) {
    const char *const alone[] = {ASSAY_PROGRAM, NULL};
    cr_assert_eq(program_run(alone), 2);
    cr_assert_str_eq(program_output(), "");
    assert_says(program_errors(), "usage: assay <command>");
}

Test(command, says_its_version) {
    cr_assert_eq(assay("--version"), 0);
    assert_says(program_output(), "assay 0.");
}

Test(command, refuses_a_command_that_there_is_not) {
    cr_assert_eq(assay("frobnicate"), 2);
    assert_says(program_errors(), "there is no command \"frobnicate\"; see `assay --help`");
}

Test(command, every_command_explains_itself_with_its_exit_status) {
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        autofree_string char *usage = memory_format("usage: assay %s", COMMANDS[i]);
        cr_expect_eq(assay(COMMANDS[i], "--help"), 0, "%s", COMMANDS[i]);
        assert_says(program_output(), usage);
        assert_says(program_output(), "exit status: 0");
        cr_expect_str_eq(program_errors(), "");
    }
}

Test(command, every_command_refuses_an_option_that_it_does_not_have) {
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        autofree_string char *where = memory_format("see `assay %s --help`", COMMANDS[i]);
        cr_expect_eq(assay(COMMANDS[i], "--frobnicate"), 2, "%s", COMMANDS[i]);
        assert_says(program_errors(), "--frobnicate");
        assert_says(program_errors(), where);
        cr_expect_str_eq(program_output(), "");
    }
}

Test(command, run_refuses_values_that_make_no_sense) {
    static const struct {
        const char *option;
        const char *value;
        const char *says;
    } wrong[] = {
        {"--jobs", "0", "--jobs takes a number from 1, not \"0\""},
        {"--jobs", "4x", "--jobs takes a number from 1, not \"4x\""},
        {"--jobs", "99999999999999999999", "--jobs takes a number from 1"},
        {"--shard", "4/3", "--shard takes K/N, such as 1/3, not \"4/3\""},
        {"--shard", "0/3", "not \"0/3\""},
        {"--shard", "1", "not \"1\""},
        {"--format", "papyrus", "papyrus"},
        {"--format", ",", "--format names no format"},
        {"--suite", "no_such_suite", "there is no suite \"no_such_suite\"; there are:"},
        {"--suite", "./no/such/suite", "./no/such/suite"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_expect_eq(assay("run", wrong[i].option, wrong[i].value), 2, "%s %s", wrong[i].option,
                     wrong[i].value);
        assert_says(program_errors(), wrong[i].says);
    }
    cr_assert_eq(assay("run", "--compose"), 2);
    assert_says(program_errors(), "--compose needs a value");
    cr_assert_eq(assay("run", "surplus"), 2);
    assert_says(program_errors(), "unexpected argument \"surplus\"");
}

Test(command, run_takes_every_option_that_it_lists) {
    program_write("compose.yaml", "services:\n  web: {image: x}\n");
    program_write("assay.yaml", "profiles: [a]\n");
    cr_assert_eq(assay("run", "--compose", "compose.yaml", "--settings", "assay.yaml", "--profile",
                       "a", "--jobs", "2", "--shard", "1/2", "--report", "r", "--format", "tap",
                       "--keep", "--substitute", "--offline", "--suite", WEB_SUITE, "--list"),
                 0, "%s", program_errors());
    cr_assert_eq(assay("run", "--suite", "postgres", "--count"), 0, "%s", program_errors());
}

Test(command, run_says_that_a_suite_cannot_list_its_tests) {
    cr_assert_eq(assay("run", "--suite", "/bin/false", "--list"), 2, "%s", program_errors());
    assert_says(program_errors(), "/bin/false");
}

Test(command, up_refuses_what_makes_no_sense) {
    static const struct {
        const char *arguments[2];
        const char *says;
    } wrong[] = {
        {{"--lease", "0"}, "--lease takes minutes from 1 to 43200, not \"0\""},
        {{"--lease", "5m"}, "not \"5m\""},
        {{"--lease", "43201"}, "not \"43201\""},
        {{"--lease"}, "--lease needs a value"},
        {{"surplus"}, "unexpected argument \"surplus\""},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_expect_eq(assay("up", wrong[i].arguments[0], wrong[i].arguments[1]), 2, "case %zu", i);
        assert_says(program_errors(), wrong[i].says);
    }
}

Test(command, images_refuses_what_makes_no_sense) {
    cr_assert_eq(assay("images", "burn"), 2);
    assert_says(program_errors(), "there is no `images burn`");
    cr_assert_eq(assay("images", "save"), 2);
    assert_says(program_errors(), "save takes a folder");
    cr_assert_eq(assay("images", "list", "surplus"), 2);
    assert_says(program_errors(), "list takes no argument");
}

// The program alone, away from the rest of its installation.
static const char *lonely_program(void) {
    static const char *const copy[] = {"cp", ASSAY_PROGRAM, "lonely", NULL};
    unsetenv("ASSAY_FIXTURES");
    cr_assert_eq(program_run(copy), 0, "%s", program_errors());
    return "./lonely";
}

Test(command, says_that_its_installation_is_not_whole) {
    const char *lonely = lonely_program();
    cr_assert_eq(program_run((const char *const[]){lonely, "run", NULL}), 3);
    assert_says(program_errors(), "assay's suites are not here, neither ");
    cr_assert_eq(program_run((const char *const[]){lonely, "images", "build", NULL}), 3);
    assert_says(program_errors(), "assay's fixtures are not here, neither ");
    setenv("DOCKER_HOST", "carrier-pigeon://loft", 1);
    cr_assert_eq(program_run((const char *const[]){lonely, "doctor", NULL}), 3);
    assert_says(program_output(), "only suites given by path can run");
    assert_says(program_output(), "carrier-pigeon://loft");
    assert_says(program_output(), "assay's fixtures are not here, neither ");
}

Test(command, doctor_says_what_it_cannot_look_at) {
    setenv("DOCKER_HOST", "unix:///nonexistent/engine.sock", 1);
    setenv("ASSAY_FIXTURES", program_folder(), 1);
    assay("doctor");
    assert_says(program_output(), "engine");
    assert_says(program_output(), "devstack/compose.yaml");
}

Test(command, images_and_clean_name_an_engine_that_is_not_there) {
    setenv("DOCKER_HOST", "unix:///nonexistent/engine.sock", 1);
    cr_assert_eq(assay("images"), 3);
    assert_says(program_errors(), "unix:///nonexistent/engine.sock");
    cr_assert_eq(assay("images", "build"), 3);
    assert_says(program_errors(), "unix:///nonexistent/engine.sock");
    cr_assert_eq(assay("clean"), 3);
    assert_says(program_errors(), "unix:///nonexistent/engine.sock");
}

Test(command, run_shows_where_a_configuration_is_wrong) {
    static const struct {
        const char *compose;
        const char *says;
    } wrong[] = {
        {"services:\n  web:\n    image: [x\n", "compose.yaml:4:1: not YAML"},
        {"services:\n  web:\n    image: x\n    x-assay: {kind: zebra}\n",
         "compose.yaml:4:21: services.web.x-assay.kind: unknown kind \"zebra\"; known are "
         "postgres"},
        {"services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [a]}\n",
         "services depend on each other in a circle: a -> b -> a"},
        {"services:\n  web:\n    image: x${GONE:?set it first}\n",
         "compose.yaml:3:12: the variable GONE is required and has no value: set it first"},
        {"services:\n  web:\n    image: x\n    volumes: [\"./gone:/gone:ro\"]\n",
         "compose.yaml:4:15: services.web.volumes: there is no "},
        {"services:\n  web: {image: x}\n  web: {image: y}\n", "compose.yaml:3:3: "},
        {"", "compose.yaml"},
        {"- a\n- b\n", "compose.yaml:1:1: "},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        program_write("compose.yaml", wrong[i].compose);
        cr_expect_eq(assay("run", "--compose", "compose.yaml", "--suite", WEB_SUITE), 2,
                     "case %zu: %s", i, program_errors());
        assert_says(program_errors(), wrong[i].says);
        cr_expect_not(file_exists("assay-report"), "case %zu wrote a report", i);
    }
    cr_assert_eq(assay("run", "--compose", "gone.yaml", "--suite", WEB_SUITE), 2);
    assert_says(program_errors(), "gone.yaml");
}

Test(command, run_shows_the_warnings_that_may_explain_an_error) {
    program_write("compose.yaml", "services:\n  db:\n    imge: postgres\n");
    cr_assert_eq(assay("run", "--compose", "compose.yaml"), 2);
    assert_says(program_errors(), "assay: warning: compose.yaml:3:5: services.db: unknown key "
                                  "\"imge\", left out; did you mean \"image\"?");
    assert_says(program_errors(), "assay: compose.yaml:2:3: services.db: an image is missing");
    cr_assert_eq(assay("up", "--compose", "compose.yaml"), 2);
    assert_says(program_errors(), "did you mean \"image\"?");
}

Test(command, run_takes_suites_and_files_from_assay_yaml) {
    autofree_string char *settings =
        memory_format("compose: stack.yaml\nsuites: [%s, %s]\n", WEB_SUITE, STORE_SUITE);
    program_write("stack.yaml", "services: {web: {image: x}}\n");
    program_write("assay.yaml", settings);
    cr_assert_eq(assay("run", "--compose", ".", "--count"), 0, "%s", program_errors());
    cr_assert_str_eq(program_output(), "2\n");
    cr_assert_eq(assay("run", "--compose", "stack.yaml", "--list"), 0);
    cr_assert_str_eq(program_output(), "two/answers\ntwo/answers\n");
    cr_assert_eq(assay("run", "--compose", "stack.yaml", "--suite", WEB_SUITE, "--count"), 0);
    cr_assert_str_eq(program_output(), "1\n");
    cr_assert_eq(assay("run", "--compose", "gone.yaml", "--count"), 2);
    assert_says(program_errors(), "gone.yaml");
}

Test(command, run_says_before_it_starts_anything_that_a_suite_is_not_there) {
    setenv("DOCKER_HOST", "unix:///nonexistent/engine.sock", 1);
    program_write("compose.yaml", "services: {web: {image: x}}\n");
    program_write("assay.yaml", "suites: [gone/orders]\n");
    cr_assert_eq(assay("run", "--compose", "."), 2, "%s", program_output());
    assert_says(program_errors(), "assay.yaml: suite ./gone/orders cannot be run: No such file");
    cr_assert_str_eq(program_output(), "");
}

Test(command, run_counts_and_lists_tests_without_an_engine) {
    setenv("DOCKER_HOST", "unix:///nonexistent/engine.sock", 1);
    cr_assert_eq(assay("run", "--suite", WEB_SUITE, "--suite", STORE_SUITE, "--count"), 0);
    cr_assert_str_eq(program_output(), "2\n");
    cr_assert_eq(assay("run", "--suite", WEB_SUITE, "--list"), 0);
    cr_assert_str_eq(program_output(), "two/answers\n");
}

Test(command, down_and_status_say_that_there_is_no_such_stack) {
    cr_assert_eq(assay("down", "nobody"), 2);
    assert_says(program_errors(), "nobody");
    cr_assert_eq(assay("status"), 1);
    assert_says(program_output(), "no stack is up");
}

// The program alone, as it is before its suites are built: in a folder with an empty one.
static const char *program_with_an_empty_folder(void) {
    const char *const place[] = {"sh", "-c", "mkdir -p bin/suites && cp \"$0\" bin/assay",
                                 ASSAY_PROGRAM, NULL};
    cr_assert_eq(program_run(place), 0, "%s", program_errors());
    return "bin/assay";
}

#define run_lonely(...) \
    program_run((const char *const[]){program_with_an_empty_folder(), __VA_ARGS__, NULL})

Test(command, says_where_it_looked_for_suites_when_there_are_none) {
    struct error problem = {0};
    autofree_string char *looked = path_join(program_folder(), "bin/suites");
    cr_assert_eq(run_lonely("run", "--suite", "postgres"), 2);
    assert_says(program_errors(), "there is no suite \"postgres\": no suite is in ");
    assert_says(program_errors(), looked);
    assert_says(program_errors(), "is the installation whole?");
    cr_assert_eq(run_lonely("run"), 3);
    assert_says(program_errors(), looked);

    cr_assert(file_write_atomic("bin/build.ninja", "", 0, 0600, &problem));
    autofree_string char *mend = memory_format("`ninja -C %s/bin` builds them", program_folder());
    setenv("DOCKER_HOST", "unix:///nonexistent/engine.sock", 1);
    run_lonely("doctor");
    assert_says(program_output(), "--   suites           no suite is in ");
    assert_says(program_output(), mend);
    cr_assert(file_remove_tree("bin/suites", &problem));
    program_run((const char *const[]){"bin/assay", "doctor", NULL});
    assert_says(program_output(), "libexec/assay/suites");
}

Test(command, tells_a_suite_s_name_from_a_path) {
    program_write("mine", "");
    const char *const mark[] = {"chmod", "+x", "mine", NULL};
    cr_assert_eq(program_run(mark), 0);
    cr_assert_eq(assay("run", "--suite", "mine"), 2);
    assert_says(program_errors(), "for the file of this name say ./mine");
    cr_assert_eq(assay("run", "--compose", "compose.yaml", "--suite", "yours"), 2);
    assert_says(program_errors(), " postgres");
    assert_says(program_errors(), "one of your own is a path, ./yours");
}

// A link that leads to itself stands for all that is there and cannot be read.
Test(command, status_names_a_stack_that_it_cannot_read) {
    autofree_string char *stacks = path_join(getenv("ASSAY_STATE"), "stacks");
    autofree_string char *lease = path_join(stacks, "mine.json");
    cr_assert(folder_make(stacks, 0700, NULL));
    cr_assert_eq(symlink("mine.json", lease), 0);
    cr_assert_eq(assay("status"), 3);
    assert_says(program_errors(), "mine.json");
    cr_assert_str_eq(program_output(), "");
}

Test(command, doctor_promises_no_private_engine_in_place_of_one_that_was_named) {
    setenv("DOCKER_HOST", "unix:///nonexistent/engine.sock", 1);
    cr_assert_eq(assay("doctor"), 3);
    assert_says(program_output(), "no run can start");
    assert_says(program_output(), "unset DOCKER_HOST");
    cr_assert_null(strstr(program_output(), "a private one"), "%s", program_output());
}

static void start_tiny_run(int expected) {
    program_write("compose.yaml", "services:\n  web: {image: x}\n");
    cr_assert_eq(assay("run", "--compose", "compose.yaml", "--suite", WEB_SUITE), expected,
                 "%s\n%s", program_output(), program_errors());
}

Test(command, run_names_an_engine_that_is_not_there_and_what_to_do) {
    setenv("DOCKER_HOST", "unix:///nonexistent/engine.sock", 1);
    start_tiny_run(3);
    assert_says(program_output(), "unix:///nonexistent/engine.sock");
    assert_says(program_output(), "No such file or directory");
    assert_says(program_output(), "start Docker");
    assert_says(program_output(), "0 passed, 0 failed, 0 skipped");
}

Test(command, run_refuses_a_DOCKER_HOST_that_is_no_address) {
    setenv("DOCKER_HOST", "carrier-pigeon://loft", 1);
    start_tiny_run(2);
    assert_says(program_errors(), "carrier-pigeon://loft");
}

// A socket where nothing ever accepts: the kernel lets a client in all the same.
static int listen_at_engine_socket(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/engine.sock", program_folder());
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(listener, 16), 0);
    autofree_string char *host = memory_format("unix://%s", address.sun_path);
    setenv("DOCKER_HOST", host, 1);
    return listener;
}

Test(command, run_gives_up_on_an_engine_that_says_nothing) {
    listen_at_engine_socket();
    const int64_t started_us = clock_monotonic_us();
    start_tiny_run(3);
    cr_assert_lt(clock_monotonic_us() - started_us, 60 * 1000000);
    assert_says(program_output(), "engine.sock");
    assert_says(program_output(), "GET /_ping");
}

static void talk_nonsense(int listener) {
    static const char nonsense[] = "220 mail.example.org ESMTP\r\n";
    for (;;) {
        char request[512];
        const int peer = accept(listener, NULL, NULL);
        if (peer < 0 || read(peer, request, sizeof request) < 0 ||
            write(peer, nonsense, sizeof nonsense - 1) < 0)
            _exit(1);
        close(peer);
    }
}

Test(command, run_says_that_what_listens_there_is_no_engine) {
    const int listener = listen_at_engine_socket();
    const pid_t speaker = fork();
    if (speaker == 0)
        talk_nonsense(listener);
    start_tiny_run(3);
    kill(speaker, SIGKILL);
    assert_says(program_output(), "engine.sock");
    assert_says(program_output(), "does not speak HTTP");
}
