#include "dump/path_check.h"

#include <criterion/criterion.h>
#include <string.h>

static struct path_check *paths;

static void begin(void) {
    paths = path_check_new(3);
}

static void end(void) {
    path_check_free(paths);
}

TestSuite(path_check, .init = begin, .fini = end);

static void expect(const char *why, const char *words, const char *title) {
    cr_expect(words == NULL ? why == NULL : why != NULL && strstr(why, words) != NULL, "%s: %s",
              title, why);
}

Test(path_check, members_stay_inside) {
    static const struct {
        const char *path;
        const char *words;
    } MEMBERS[] = {
        {"a", NULL},          {"./a/b", NULL},        {"a//b/", NULL},
        {".", NULL},          {"a..b/..c/d..", NULL}, {"...", NULL},
        {"/a", "absolute"},   {"//a", "absolute"},    {"..", "\"..\""},
        {"../a", "\"..\""},   {"a/../b", "\"..\""},   {"a/..", "\"..\""},
        {"./../a", "\"..\""},
    };
    for (size_t i = 0; i < sizeof MEMBERS / sizeof MEMBERS[0]; i++)
        expect(path_check_member(paths, MEMBERS[i].path), MEMBERS[i].words, MEMBERS[i].path);
}

Test(path_check, links_point_inside) {
    static const struct {
        const char *path, *target, *words;
    } LINKS[] = {
        {"a", "b", NULL},
        {"a/b", "../c", NULL},
        {"./a//b", "./../c/d", NULL},
        {"a", "/etc/passwd", "out of the folder"},
        {"a", "..", "out of the folder"},
        {"a", "../b", "out of the folder"},
        {"./a", "../b", "out of the folder"},
        {"a/b", "../../c", "out of the folder"},
        {"a/b/c", "../d/../../e", "out of the folder"}, // harmless, but only if d is no link
        {"a", "", "to nowhere"},
        {"a", NULL, "to nowhere"},
        {".", "a", "out of the folder"},
    };
    for (size_t i = 0; i < sizeof LINKS / sizeof LINKS[0]; i++)
        expect(path_check_link(paths, LINKS[i].path, LINKS[i].target), LINKS[i].words,
               LINKS[i].target);
}

Test(path_check, nothing_lies_behind_a_link) {
    cr_assert_null(path_check_link(paths, "./a/link", "../b"));
    expect(path_check_member(paths, "a/link/x"), "behind a link", "behind");
    expect(path_check_member(paths, "a//./link/x/y"), "behind a link", "behind, written otherwise");
    expect(path_check_member(paths, "a/link"), NULL, "the link itself");
    expect(path_check_member(paths, "a/links/x"), NULL, "another");
}

Test(path_check, holds_so_many_links_and_no_more) {
    cr_expect_null(path_check_link(paths, "a", "x"));
    cr_expect_null(path_check_link(paths, "b", "x"));
    cr_expect_null(path_check_link(paths, "c", "x"));
    expect(path_check_link(paths, "d", "x"), "one link too many", "the fourth");
}
