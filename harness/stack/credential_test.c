#define _GNU_SOURCE
#include "stack/credential.h"

#include "base/file.h"
#include "compose/plan_test_tools.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct credentials *made;
static struct error problem;

static void leave(void) {
    credentials_free(made);
    plan_test_leave();
}

TestSuite(credential, .init = plan_test_folder, .fini = leave, .timeout = 120);

#define HEAD "services:\n  s:\n    image: i\n"

static const struct plan *make(const char *compose) {
    const struct plan *plan = plan_test_load(compose);
    cr_assert(credentials_make(plan, "made", &made, &problem), "%s", problem.message);
    return plan;
}

static char *content_of(const char *path) {
    char *bytes = NULL;
    cr_assert(file_read(path, 1 << 20, &bytes, NULL, &problem), "%s", problem.message);
    return bytes;
}

static mode_t mode_of(const char *path) {
    struct stat status;
    cr_assert_eq(stat(path, &status), 0);
    return status.st_mode & 07777;
}

static const char GENERATED[] = HEAD "    secrets: [token]\n"
                                     "secrets:\n  token: {x-assay: {generate: true}, file: ./t}\n";

Test(credential, generates_a_secret_whatever_its_file_says) {
    plan_test_write("t", "from the file");
    make(GENERATED);
    char *bytes = content_of(credentials_path(made, "token"));
    cr_assert_eq(strlen(bytes), 32, "%s", bytes);
    cr_assert_eq(strspn(bytes, "0123456789abcdef"), 32);
    cr_assert_eq(secret_length(credentials_secret(made, "token")), 32);
    free(bytes);
}

Test(credential, generates_another_one_for_each_stack) {
    plan_test_write("t", "from the file");
    const struct plan *plan = make(GENERATED);
    struct credentials *others = NULL;
    cr_assert(credentials_make(plan, "others", &others, &problem), "%s", problem.message);
    const bool equal =
        secret_equal(credentials_secret(made, "token"), credentials_secret(others, "token"));
    credentials_free(others);
    cr_assert_not(equal);
}

Test(credential, copies_a_file_to_the_byte_and_uses_it_without_its_last_newline) {
    plan_test_write("t", "pass word\n");
    make(HEAD "    secrets: [token]\nsecrets:\n  token: {file: ./t}\n");
    char *bytes = content_of(credentials_path(made, "token"));
    cr_assert_str_eq(bytes, "pass word\n");
    cr_assert_eq(secret_length(credentials_secret(made, "token")), strlen("pass word"));
    free(bytes);
}

Test(credential, keeps_every_file_for_its_owner_alone) {
    plan_test_write("t", "x");
    make(HEAD "    secrets: [token]\nsecrets:\n  token: {file: ./t}\n");
    cr_assert_eq(mode_of("made"), 0700);
    cr_assert_eq(mode_of(credentials_path(made, "token")), 0600);
}

Test(credential, takes_a_secret_from_the_environment) {
    setenv("MY_TOKEN", "abc", 1);
    make(HEAD "    secrets: [token]\nsecrets:\n  token: {environment: MY_TOKEN}\n");
    char *bytes = content_of(credentials_path(made, "token"));
    cr_assert_str_eq(bytes, "abc");
    free(bytes);
}

Test(credential, names_a_file_that_went_away_since_the_plan_was_read) {
    plan_test_write("t", "x");
    const struct plan *plan =
        plan_test_load(HEAD "    secrets: [token]\nsecrets:\n  token: {file: ./t}\n");
    cr_assert_eq(unlink("t"), 0);
    cr_assert_not(credentials_make(plan, "made", &made, &problem));
    cr_assert_not_null(strstr(problem.message, "compose.yaml:"), "%s", problem.message);
    cr_assert_not_null(strstr(problem.message, "\"token\""), "%s", problem.message);
}

Test(credential, knows_nothing_of_other_names) {
    make(HEAD);
    cr_assert_null(credentials_secret(made, "token"));
    cr_assert_null(credentials_secret(made, NULL));
    cr_assert_null(credentials_path(made, "token"));
}

static char *file_for(const struct plan *plan, size_t mount) {
    char *path = NULL;
    const struct plan_service *service = &plan->services[0];
    cr_assert(credentials_file_for(made, service, &service->mounts[mount], &path, &problem), "%s",
              problem.message);
    return path;
}

Test(credential, mounts_an_ordinary_secret_itself) {
    plan_test_write("t", "x");
    const struct plan *plan = make(HEAD "    secrets: [token]\nsecrets:\n  token: {file: ./t}\n");
    char *path = file_for(plan, 0);
    cr_assert_str_eq(path, credentials_path(made, "token"));
    free(path);
}

Test(credential, gives_a_copy_to_the_user_that_the_service_names) {
    if (geteuid() != 0)
        cr_skip_test("only root can give a file away");
    plan_test_write("t", "x\n");
    const struct plan *plan =
        make(HEAD "    secrets:\n"
                  "      - {source: token, uid: \"101\", gid: \"102\", mode: 0440}\n"
                  "secrets:\n  token: {file: ./t}\n");
    char *path = file_for(plan, 0);
    struct stat status;
    cr_assert_eq(stat(path, &status), 0);
    cr_assert_eq(status.st_uid, 101);
    cr_assert_eq(status.st_gid, 102);
    cr_assert_eq(status.st_mode & 07777, 0440);
    char *bytes = content_of(path);
    cr_assert_str_eq(bytes, "x\n");
    cr_assert_eq(mode_of(credentials_path(made, "token")), 0600);
    free(bytes);
    free(path);
}

Test(credential, gives_each_mount_of_one_secret_what_it_asks_for) {
    plan_test_write("t", "x");
    const struct plan *plan = make(HEAD "    secrets:\n"
                                        "      - {source: token, target: /a, mode: 0440}\n"
                                        "      - {source: token, target: /b, mode: 0400}\n"
                                        "secrets:\n  token: {file: ./t}\n");
    char *first = file_for(plan, 0);
    char *second = file_for(plan, 1);
    cr_assert_eq(mode_of(first), 0440);
    cr_assert_eq(mode_of(second), 0400);
    free(first);
    free(second);
}

Test(credential, a_secret_and_a_config_of_one_name_do_not_meet) {
    plan_test_write("t", "secret");
    const struct plan *plan = make(HEAD "    secrets: [{source: same, mode: 0440}]\n"
                                        "    configs: [{source: same, target: /c}]\n"
                                        "secrets:\n  same: {file: ./t}\n"
                                        "configs:\n  same: {content: config}\n");
    for (size_t i = 0; i < 2; i++) {
        char *path = file_for(plan, i);
        char *bytes = content_of(path);
        const bool is_config = plan->services[0].mounts[i].type == MOUNT_CONFIG;
        cr_expect_str_eq(bytes, is_config ? "config" : "secret");
        if (is_config)
            cr_expect_eq(mode_of(path), 0444);
        free(bytes);
        free(path);
    }
}

Test(credential, says_that_a_mount_is_of_nothing) {
    const struct plan *plan = make(HEAD);
    const struct plan_mount mount = {.type = MOUNT_SECRET, .source = (char[]){"gone"}};
    char *path = NULL;
    cr_assert(!credentials_file_for(made, &plan->services[0], &mount, &path, &problem));
    cr_assert_not_null(strstr(problem.message, "there is no secret \"gone\""), "%s",
                       problem.message);
}
