#include "verify/backup/tool.h"

#include "engine/fake_fixture.h"

#include <stdlib.h>
#include <unistd.h>

TestSuite(tool, .fini = fixture_close, .timeout = 60);

#define CREATED                                                                            \
    {                                                                                      \
        "POST /v1.41/containers/x/exec ", {{FAKE_REPLY("201 Created", "{\"Id\":\"e\"}")}}, \
            FAKE_CLOSE                                                                     \
    }
#define START "POST /v1.41/exec/e/start "

static bool ask(const char *file) {
    const struct tool_stand stand = {.engine = fixture.engine, .container = "x", .user = "root"};
    const struct tool_call call = {.script = "cat", .file = file};
    autodone(tool_answer) struct tool_answer answer = {0};
    return tool_ask(&stand, &call, &answer, &fixture.err);
}

// The caller takes ERROR_PROTOCOL for a damaged backup.
Test(tool, an_engine_that_breaks_off_is_no_damaged_file) {
    fixture_open((const struct fake_exchange[]){CREATED, {START, {{"HTTP"}}, FAKE_CLOSE}, {0}});
    cr_expect_not(ask(NULL));
    expect_domain(ERROR_UNAVAILABLE);
}

Test(tool, a_file_that_is_damaged_is_said_to_be) {
    static const char cut[] = "\x1f\x8b\x08\0\0\0\0\0\0\3\x4b";
    char path[] = "/tmp/assay-tool-XXXXXX";
    const int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, cut, sizeof cut - 1) == sizeof cut - 1);
    close(fd);
    fixture_open((const struct fake_exchange[]){
        CREATED,
        {START,
         {{"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"}},
         FAKE_ECHO},
        {0}});
    cr_expect_not(ask(path));
    expect_domain(ERROR_PROTOCOL);
    unlink(path);
}

Test(tool, a_complaint_is_no_longer_than_people_read) {
    struct tool_answer answer = {.exit_status = 1};
    text_append(&answer.errors, "ERROR: ");
    for (int i = 0; i < 1000; i++)
        text_append_char(&answer.errors, 'x');
    autofree_string char *complaint = tool_complaint(&answer);
    cr_expect_leq(strlen(complaint), 600);
    cr_expect_eq(strncmp(complaint, "ERROR: xxx", 10), 0, "%s", complaint);
    tool_answer_done(&answer);
}
