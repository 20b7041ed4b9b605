#define _GNU_SOURCE
#include "verify/backup/backup_folder.h"

#include "base/file.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[64];
static struct backup *backup;
static struct error problem;

static void make_folder(void) {
    snprintf(folder, sizeof folder, "/tmp/assay-backup-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

static void remove_folder(void) {
    backup_free(backup);
    cr_expect(file_remove_tree(folder, NULL));
}

TestSuite(backup_folder, .init = make_folder, .fini = remove_folder, .timeout = 60);

static void put(const char *name, const void *bytes, size_t length) {
    autofree_string char *path = path_join(folder, name);
    autofree_string char *parent = memory_copy_string(path);
    *strrchr(parent, '/') = '\0';
    cr_assert(folder_make(parent, 0755, &problem), "%s", problem.message);
    cr_assert(file_write_atomic(path, bytes, length, 0644, &problem), "%s", problem.message);
}

static void put_text(const char *name, const char *text) {
    put(name, text, strlen(text));
}

static void put_sample(const char *sample, const char *name) {
    autofree_string char *path = path_join(DUMP_SAMPLES, sample);
    autofree_string char *bytes = NULL;
    size_t length = 0;
    cr_assert(file_read(path, 1 << 24, &bytes, &length, &problem), "%s", problem.message);
    put(name, bytes, length);
}

static void open_it(void) {
    cr_assert(backup_open(folder, &(struct backup_options){0}, &backup, &problem), "%s",
              problem.message);
}

static const struct artifact *artifact_named(const char *name) {
    for (size_t i = 0; i < backup->artifact_count; i++)
        if (strcmp(backup->artifacts[i].name, name) == 0)
            return &backup->artifacts[i];
    cr_assert_fail("no artifact %s", name);
    return NULL;
}

Test(backup_folder, a_file_is_what_it_holds_whatever_its_name_says) {
    put_sample("pg17.custom", "photo.png");
    put_sample("redis-8.0.rdb", "app.sql");
    open_it();
    cr_assert_eq(backup->artifact_count, 2u);
    cr_expect_eq(backup_engine(backup, artifact_named("photo.png")), DUMP_POSTGRES);
    cr_expect_eq(backup_engine(backup, artifact_named("app.sql")), DUMP_REDIS);
}

Test(backup_folder, what_nobody_knows_and_what_is_damaged_are_results_not_errors) {
    put_text("note.txt", "buy milk\n");
    put_sample("pg17.custom", "whole.dump");
    autofree_string char *path = path_join(folder, "whole.dump");
    struct stat status;
    cr_assert_eq(stat(path, &status), 0);
    cr_assert_eq(truncate(path, status.st_size - 1), 0);
    open_it();
    const struct backup_file *note = backup_main_file(backup, artifact_named("note.txt"));
    const struct backup_file *cut = backup_main_file(backup, artifact_named("whole.dump"));
    cr_expect(note->read && note->facts.format == NULL);
    cr_expect_str_eq(note->facts.recognised, "text");
    cr_expect_not(cut->read);
    cr_expect_eq(cut->problem.domain, ERROR_PROTOCOL, "%s", cut->problem.message);
}

Test(backup_folder, a_file_may_be_a_backup_by_itself) {
    put_sample("mysql9-two.sql", "two.sql");
    autofree_string char *path = path_join(folder, "two.sql");
    cr_assert(backup_open(path, &(struct backup_options){0}, &backup, &problem), "%s",
              problem.message);
    cr_assert_eq(backup->artifact_count, 1u);
    cr_expect_str_eq(backup->artifacts[0].name, "two.sql");
    cr_expect_eq(backup_engine(backup, &backup->artifacts[0]), DUMP_MYSQL);
}

Test(backup_folder, the_collections_of_a_database_are_one_artifact) {
    put_sample("mongodump-100.18-orders.bson", "dump/shop/orders.bson");
    put_sample("mongodump-100.18-orders.bson", "dump/shop/old.bson");
    put_sample("mongodump-100.18-orders.bson", "dump/other/orders.bson");
    put_text("dump/shop/orders.metadata.json", "{\"indexes\": []}");
    open_it();
    cr_assert_eq(backup->artifact_count, 2u);
    cr_expect_eq(artifact_named("dump/shop")->file_count, 3u);
    cr_expect_eq(artifact_named("dump/other")->file_count, 1u);
}

Test(backup_folder, the_files_beside_a_table_of_contents_go_with_it) {
    put_sample("pg17-toc.dat", "app/toc.dat");
    put_text("app/3440.dat", "1\n\\.\n");
    put_text("app/notes.txt", "not of it");
    open_it();
    cr_expect_eq(artifact_named("app")->file_count, 2u);
    cr_expect_eq(artifact_named("app/notes.txt")->file_count, 1u);
}

Test(backup_folder, links_are_named_and_not_followed) {
    autofree_string char *link = path_join(folder, "link.sql");
    cr_assert_eq(symlink("/etc/passwd", link), 0);
    open_it();
    const struct backup_file *file = backup_main_file(backup, artifact_named("link.sql"));
    cr_expect_not(file->read);
    cr_expect_eq(file->problem.domain, ERROR_SYSTEM);
    cr_expect_not_null(strstr(file->problem.message, "symbolic link"), "%s", file->problem.message);
}

Test(backup_folder, a_pipe_is_named_and_not_waited_for) {
    autofree_string char *pipe = path_join(folder, "pipe.sql");
    cr_assert_eq(mkfifo(pipe, 0600), 0);
    open_it();
    const struct backup_file *file = backup_main_file(backup, artifact_named("pipe.sql"));
    cr_expect_not(file->read);
    cr_expect_not_null(strstr(file->problem.message, "a pipe"), "%s", file->problem.message);
}

Test(backup_folder, a_socket_is_named) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket.sql", folder);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    open_it();
    const struct backup_file *file = backup_main_file(backup, artifact_named("socket.sql"));
    cr_expect_not_null(strstr(file->problem.message, "a socket"), "%s", file->problem.message);
}

Test(backup_folder, an_empty_folder_is_no_backup) {
    cr_expect_not(backup_open(folder, &(struct backup_options){0}, &backup, &problem));
    cr_expect_eq(problem.domain, ERROR_CONFIGURATION);
    cr_expect_not_null(strstr(problem.message, "is empty"), "%s", problem.message);
}

Test(backup_folder, a_path_that_is_not_there_is_said) {
    cr_expect_not(
        backup_open("/nonexistent/backup", &(struct backup_options){0}, &backup, &problem));
    cr_expect_eq(problem.domain, ERROR_CONFIGURATION);
    cr_expect_not_null(strstr(problem.message, "/nonexistent/backup"), "%s", problem.message);
}

Test(backup_folder, reading_can_be_interrupted) {
    struct cancel cancel;
    put_sample("pg17.custom", "whole.dump");
    cr_assert(cancel_init(&cancel, &problem));
    cancel_request(&cancel);
    cr_expect_not(
        backup_open(folder, &(struct backup_options){.cancel = &cancel}, &backup, &problem));
    cr_expect_eq(problem.domain, ERROR_CANCELLED);
    cancel_done(&cancel);
}

Test(backup_folder, the_bytes_that_were_read_are_counted) {
    atomic_ullong counter = 0;
    put_sample("pg17.custom", "a.dump");
    put_text("b.txt", "12345");
    cr_assert(
        backup_open(folder, &(struct backup_options){.counter = &counter}, &backup, &problem));
    cr_expect_eq(atomic_load(&counter), backup_bytes(backup));
}

// ---- nothing was changed

static void expect_changed(const char *words) {
    cr_expect_not(backup_unchanged(backup, NULL, &problem));
    cr_expect_eq(problem.domain, ERROR_SERVICE);
    cr_expect_not_null(strstr(problem.message, words), "%s", problem.message);
}

static void open_with_two(void) {
    put_text("a.txt", "first");
    put_text("b.txt", "second");
    open_it();
    cr_assert(backup_unchanged(backup, NULL, &problem), "%s", problem.message);
}

Test(backup_folder, an_added_file_is_noticed) {
    open_with_two();
    put_text("aa.txt", "new");
    expect_changed("aa.txt was added");
}

Test(backup_folder, a_removed_file_is_noticed) {
    open_with_two();
    autofree_string char *path = path_join(folder, "b.txt");
    cr_assert_eq(unlink(path), 0);
    expect_changed("b.txt was removed");
}

Test(backup_folder, another_size_is_noticed) {
    open_with_two();
    put_text("a.txt", "first and more");
    expect_changed("a.txt changed its size");
}

Test(backup_folder, a_touched_file_is_noticed) {
    open_with_two();
    put_text("a.txt", "first");
    expect_changed("a.txt was written to");
}

Test(backup_folder, other_bytes_are_noticed_although_size_and_time_are_the_same) {
    open_with_two();
    put_text("a.txt", "f1rst");
    autofree_string char *path = path_join(folder, "a.txt");
    const struct timespec times[2] = {backup->files[0].modified, backup->files[0].modified};
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    expect_changed("a.txt changed its content");
}
