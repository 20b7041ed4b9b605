#include "command/backup_fixture.h"

#include "base/memory.h"
#include "engine/exec.h"

#include <stdlib.h>
#include <string.h>

static struct environment_file *stack; // of this test, which is a process of its own

void backup_fixture_up(const char *compose) {
    struct error problem = {0};
    program_write("compose.yaml", compose);
    cr_assert_eq(assay("up", "--compose", "compose.yaml", "--substitute"), 0, "%s",
                 program_errors());
    char *path = memory_copy_bytes(program_output(), strcspn(program_output(), "\n"));
    cr_assert(environment_file_read(path, &stack, &problem), "%s", problem.message);
    free(path);
}

void backup_fixture_done(void) {
    if (stack != NULL)
        (void)assay("down");
    environment_file_free(TAKE(stack));
    program_done();
}

const struct environment_file *backup_fixture_environment(void) {
    return stack;
}

char *backup_fixture_ask(const char *service, const char *script, const char *argument) {
    struct error problem = {0};
    char *container = program_await_container(service, 10000);
    const char *const argv[] = {"sh", "-c", script, "sh", argument, NULL};
    const struct exec_options options = {.argv = argv, .user = "root", .timeout_ms = 300000};
    struct exec_result result;
    cr_assert(exec_run(program_engine(), container, &options, &result, &problem), "%s",
              problem.message);
    cr_assert_eq(result.exit_status, 0, "%s: %s", argument, text_string(&result.errors));
    char *said = text_take(&result.output);
    exec_result_done(&result);
    free(container);
    return said;
}

void backup_fixture_run(const char *service, const char *script, const char *argument) {
    free(backup_fixture_ask(service, script, argument));
}

void backup_fixture_postgres(const char *sql) {
    backup_fixture_run("db", IN_POSTGRES "\"$1\"", sql);
}

void backup_fixture_mysql(const char *sql) {
    backup_fixture_run("shop", IN_MYSQL "\"$1\"", sql);
}
