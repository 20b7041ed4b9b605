// `assay backup verify` of data directories, as the engine hands them out of containers: of servers
// that were stopped, and of one that runs.
#define _GNU_SOURCE
#include "command/program_fixture.h"

#include "base/file.h"
#include "base/memory.h"
#include "engine/archive.h"
#include "engine/container.h"
#include "engine/exec.h"

#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct error problem;

#define must(call) cr_assert((call), "%s", problem.message)

static const char COMPOSE[] =
    "name: %NAME%\n"
    "services:\n"
    "  db:\n"
    "    image: assay/postgres\n"
    "    x-assay: {kind: postgres, prepare: true, user: app, database: app, password: one, port: "
    "5432}\n"
    "    environment: {POSTGRES_USER: app, POSTGRES_DB: app, POSTGRES_PASSWORD_FILE: "
    "/run/secrets/one, POSTGRES_INITDB_ARGS: --data-checksums}\n"
    "    secrets: [one]\n"
    "    command: [postgres, -c, max_prepared_transactions=5]\n"
    "  shop:\n"
    "    image: assay/mysql\n"
    "    x-assay: {kind: mysql, prepare: true, user: app, database: app, password: two, "
    "root_password: three, port: 3306}\n"
    "    environment: {MYSQL_DATABASE: app, MYSQL_USER: app, MYSQL_PASSWORD_FILE: "
    "/run/secrets/two, MYSQL_ROOT_PASSWORD_FILE: /run/secrets/three}\n"
    "    secrets: [two, three]\n"
    "  keys:\n"
    "    image: assay/redis\n"
    "    x-assay: {kind: redis_cluster, password: four, port: 6379}\n"
    "    environment: {REDIS_PASSWORD_FILE: /run/secrets/four}\n"
    "    secrets: [four]\n"
    "    command: [redis-server, --appendonly, \"yes\"]\n"
    "secrets:\n"
    "  one: {x-assay: {generate: true}}\n"
    "  two: {x-assay: {generate: true}}\n"
    "  three: {x-assay: {generate: true}}\n"
    "  four: {x-assay: {generate: true}}\n";

#define POSTGRES_DATA "/var/lib/postgresql/17/main"

static void init(void) {
    program_init_real();
    program_write("compose.yaml", COMPOSE);
    cr_assert_eq(assay("up", "--compose", "compose.yaml", "--substitute"), 0, "%s",
                 program_errors());
    must(folder_make("backup", 0755, &problem));
}

static void done(void) {
    (void)assay("down");
    program_done();
}

TestSuite(verify_volume_real, .init = init, .fini = done, .timeout = 900);

// ---- the servers

// What it printed; the caller's.
static char *run_in(const char *service, const char *script, const char *sql) {
    char *container = program_await_container(service, 10000);
    const char *const argv[] = {"sh", "-c", script, "sh", sql, NULL};
    const struct exec_options options = {.argv = argv, .user = "root", .timeout_ms = 300000};
    struct exec_result result;
    must(exec_run(program_engine(), container, &options, &result, &problem));
    cr_assert_eq(result.exit_status, 0, "%s: %s", sql, text_string(&result.errors));
    free(container);
    text_done(&result.errors);
    return text_take(&result.output);
}

static char *postgres(const char *sql) {
    return run_in("db", "psql -X -q -At -v ON_ERROR_STOP=1 -U app -d app -c \"$1\"", sql);
}

// Enough rows for many pages, and some that only the log holds yet.
static void fill_postgres(void) {
    free(postgres("CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders SELECT "
                  "i, md5(i::text) FROM generate_series(1, 5000) i"));
    free(postgres("CHECKPOINT"));
    free(postgres("INSERT INTO orders SELECT i, md5(i::text) FROM generate_series(5001, 6000) i"));
    // What holds locks after recovery must not hold up the checks.
    free(postgres("BEGIN; INSERT INTO orders VALUES (0, 'prepared'); PREPARE TRANSACTION 'one'"));
}

static void fill_mysql(void) {
    free(run_in("shop",
                "printf '[client]\\npassword=\"%s\"\\n' \"$(cat /run/secrets/three)\" | "
                "mysql --defaults-extra-file=/dev/stdin -uroot app -e \"$1\"",
                "CREATE TABLE items (id int AUTO_INCREMENT PRIMARY KEY, note varchar(200)); INSERT "
                "INTO items (note) WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n "
                "WHERE i < 900) SELECT sha2(i, 512) FROM n; INSERT INTO items (note) SELECT "
                "a.note FROM items a, (SELECT id FROM items LIMIT 9) b"));
}

static void fill_redis(void) {
    free(
        run_in("keys",
               "export REDISCLI_AUTH=$(cat /run/secrets/four); for i in 1 2 3 4 5 6 7 8 9; do echo "
               "\"SET key$i value$i\"; done | redis-cli -e; redis-cli -e SAVE",
               ""));
}

// ---- their data directories

static bool append(void *context, const void *bytes, size_t length, struct error *err) {
    return file_write_all(*(const int *)context, bytes, length) ||
           error_set_errno(err, "cannot write");
}

static void copy_out(const char *container, const char *folder, const char *to) {
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    cr_assert_geq(fd, 0);
    must(container_get_archive(program_engine(), container, folder, append, &fd, &problem));
    close(fd);
}

static void copy_running(const char *service, const char *folder, const char *to) {
    char *container = program_await_container(service, 10000);
    copy_out(container, folder, to);
    free(container);
}

static void copy_stopped(const char *service, const char *folder, const char *to) {
    char *container = program_await_container(service, 10000);
    must(container_stop(program_engine(), container, 60, &problem));
    copy_out(container, folder, to);
    free(container);
}

// ---- damage: bytes of one member are written over, which no header's checksum covers

struct volume {
    char *bytes; // the file's, mapped
    size_t length;
};

static struct volume map(const char *path) {
    struct stat facts;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    cr_assert(fd >= 0 && fstat(fd, &facts) == 0);
    void *bytes = mmap(NULL, (size_t)facts.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    cr_assert_neq(bytes, MAP_FAILED);
    close(fd);
    return (struct volume){bytes, (size_t)facts.st_size};
}

static bool ends_in(const char *name, const char *end) {
    const size_t length = strnlen(name, 100), tail = strlen(end);
    return length >= tail && memcmp(name + length - tail, end, tail) == 0;
}

// The content of the member whose name ends so.
static char *member(const struct volume *self, const char *end) {
    for (size_t at = 0; at + 512 <= self->length && self->bytes[at] != '\0';) {
        if (ends_in(self->bytes + at, end))
            return self->bytes + at + 512;
        const size_t size = strtoull(self->bytes + at + 124, NULL, 8);
        at += 512 + (size + 511) / 512 * 512;
    }
    cr_assert_fail("no member %s", end);
    return NULL;
}

static void copy_file(const char *from, const char *to) {
    char *bytes = NULL;
    size_t length = 0;
    must(file_read(from, (size_t)1 << 30, &bytes, &length, &problem));
    must(file_write_atomic(to, bytes, length, 0644, &problem));
    free(bytes);
}

// A copy in which these bytes of a member are others.
static void damage(const char *from, const char *to, const char *end, size_t offset,
                   const void *bytes, size_t length) {
    copy_file(from, to);
    struct volume volume = map(to);
    memcpy(member(&volume, end) + offset, bytes, length);
    munmap(volume.bytes, volume.length);
}

static const char ZEROS[16384];

// ---- the tests

#define VERIFY(path) assay("backup", "verify", path, "--format", "terminal")

Test(verify_volume_real, sound_ones_are_restored) {
    fill_postgres();
    fill_mysql();
    fill_redis();
    copy_running("db", POSTGRES_DATA, "backup/running.tar");
    copy_stopped("db", POSTGRES_DATA, "backup/stopped.tar");
    copy_stopped("shop", "/var/lib/mysql", "backup/shop.tar");
    copy_stopped("keys", "/var/lib/redis", "backup/keys.tar");
    struct child *child = assay_start("backup", "verify", "backup", "--format", "terminal");
    const pid_t pid = child_pid(child);
    cr_expect_eq(program_end(child, 600000), 0, "%s\n%s", program_output(), program_errors());
    assert_says(program_output(), "running.tar: tar of a data directory, of server 17");
    assert_says(program_output(), " 0 failed, 8 skipped");
    assert_says(program_output(), "a data directory does not say how many records it holds");
    program_assert_nothing_left(pid, 20000);
}

Test(verify_volume_real, a_page_of_zeros_or_a_half_of_one_is_found_in_postgres) {
    fill_postgres();
    char *path = postgres("SELECT pg_relation_filepath('orders')");
    path[strcspn(path, "\n")] = '\0';
    copy_stopped("db", POSTGRES_DATA, "whole.tar");
    damage("whole.tar", "backup/page.tar", path, 3 * 8192, ZEROS, 8192);
    damage("whole.tar", "backup/half.tar", path, 3 * 8192 + 4096, ZEROS, 4096);
    free(path);
    cr_expect_eq(VERIFY("backup"), 1, "%s", program_errors());
    assert_says(program_output(), "no_page_was_zeroed");
    assert_says(program_output(), "public.orders: page 3 is all zeros, but its index");
    assert_says(program_output(), "heap_and_btree_pages_are_sound");
    assert_says(program_output(), "invalid page in block 3");
}

Test(verify_volume_real, a_page_of_zeros_is_found_in_mysql) {
    fill_mysql();
    copy_stopped("shop", "/var/lib/mysql", "whole.tar");
    damage("whole.tar", "backup/page.tar", "app/items.ibd", (size_t)20 * 16384, ZEROS, 16384);
    cr_expect_eq(VERIFY("backup"), 1, "%s", program_errors());
    assert_says(program_output(), "tables_are_sound");
    assert_says(program_output(), "page number=20");
}

Test(verify_volume_real, of_another_major_version_is_not_verified) {
    copy_stopped("db", POSTGRES_DATA, "whole.tar");
    damage("whole.tar", "backup/older.tar", "main/PG_VERSION", 0, "16", 2);
    cr_expect_eq(VERIFY("backup"), 4, "%s", program_output());
    assert_says(program_output(), "is of PostgreSQL 16, the server to be had here is 17");
}

// ---- what takes a folder

static void write_out(const struct volume *tar, const char *folder) {
    for (size_t at = 0; at + 512 <= tar->length && tar->bytes[at] != '\0';) {
        const size_t size = strtoull(tar->bytes + at + 124, NULL, 8);
        const char *slash = strrchr(tar->bytes + at, '/');
        if (slash != NULL && slash[1] != '\0') {
            char *path = path_join(folder, slash + 1);
            must(file_write_atomic(path, tar->bytes + at + 512, size, 0644, &problem));
            free(path);
        }
        at += 512 + (size + 511) / 512 * 512;
    }
}

Test(verify_volume_real, a_folder_of_pg_dump_is_restored) {
    fill_postgres();
    free(run_in("db", "pg_dump -U app -d app --format=directory --file=/tmp/dump", ""));
    copy_running("db", "/tmp/dump", "dump.tar");
    must(folder_make("backup/app", 0755, &problem));
    struct volume tar = map("dump.tar");
    write_out(&tar, "backup/app");
    munmap(tar.bytes, tar.length);
    cr_expect_eq(VERIFY("backup"), 4, "%s", program_output());
    assert_says(program_output(), "app: pg_dump, directory format");
    assert_says(program_output(), "7 passed, 0 failed, 2 skipped");
    assert_says(program_output(), "directory format are not counted");
    glob_t found = {0};
    cr_assert_eq(glob("backup/app/*.dat.gz", 0, NULL, &found), 0);
    cr_assert_eq(truncate(found.gl_pathv[0], 15), 0);
    globfree(&found);
    cr_expect_eq(VERIFY("backup"), 1, "%s", program_output());
    assert_says(program_output(), "is_whole");
    assert_says(program_output(), "its file is not whole");
}

Test(verify_volume_real, of_mongodb_is_not_verified_and_why) {
    free(run_in("db",
                "mkdir /tmp/wired && cd /tmp/wired && echo WiredTiger | tee WiredTiger "
                "WiredTiger.turtle >/dev/null",
                ""));
    copy_running("db", "/tmp/wired", "backup/docs.tar");
    cr_expect_eq(VERIFY("backup"), 4, "%s", program_output());
    assert_says(program_output(), "WiredTiger's files are opened by mongod only");
}
