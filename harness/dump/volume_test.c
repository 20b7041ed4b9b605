#include "base/memory.h"
#include "dump/dump_test_sample.h"

#include <archive.h>
#include <archive_entry.h>
#include <criterion/criterion.h>
#include <string.h>

#define SIZE ((size_t)256 * 1024)

static uint8_t bytes[SIZE];
static size_t length;
static struct archive *archive;

static void begin(void) {
    archive = archive_write_new();
    archive_write_set_format_pax_restricted(archive);
    archive_write_set_bytes_per_block(archive, 512);
    cr_assert_eq(archive_write_open_memory(archive, bytes, SIZE, &length), ARCHIVE_OK);
}

static void add(const char *path, unsigned type, const char *content, const char *link) {
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, path);
    archive_entry_set_filetype(entry, type);
    archive_entry_set_perm(entry, 0600);
    archive_entry_set_size(entry, type == AE_IFREG ? (la_int64_t)strlen(content) : 0);
    if (type == AE_IFLNK)
        archive_entry_set_symlink(entry, link);
    else if (link != NULL)
        archive_entry_set_hardlink(entry, link);
    cr_assert_eq(archive_write_header(archive, entry), ARCHIVE_OK, "%s",
                 archive_error_string(archive));
    if (type == AE_IFREG && link == NULL)
        cr_assert_eq(archive_write_data(archive, content, strlen(content)),
                     (la_ssize_t)strlen(content));
    archive_entry_free(entry);
}

static void add_file(const char *path, const char *content) {
    add(path, AE_IFREG, content, NULL);
}

static void finish(void) {
    archive_write_close(archive);
    archive_write_free(archive);
}

static void expect(const char *words, const char *title) {
    finish();
    sample_expect(&FORMAT_VOLUME, bytes, length, words, title);
}

static struct dump_facts read_made(void) {
    struct dump_facts facts = {0};
    struct error err = {0};
    finish();
    cr_assert(FORMAT_VOLUME.recognises(bytes, length));
    cr_assert(sample_read(&FORMAT_VOLUME, bytes, length, &facts, &err), "%s", err.message);
    return facts;
}

TestSuite(volume, .init = begin);

Test(volume, reads_what_tar_wrote_of_a_redis) {
    struct sample sample = sample_load("redis-8.0-volume.tar");
    struct dump_facts facts = {0};
    struct error err = {0};
    cr_expect(FORMAT_VOLUME.recognises(sample.bytes, sample.length));
    cr_assert(sample_read(&FORMAT_VOLUME, sample.bytes, sample.length, &facts, &err), "%s",
              err.message);
    cr_expect_eq(facts.engine, DUMP_REDIS);
    cr_expect_eq(facts.object_count, 4);
    dump_facts_done(&facts);
    sample_refuse_truncations(&FORMAT_VOLUME, &sample, NULL);
    sample_survive_flips(&FORMAT_VOLUME, &sample);
    sample_done(&sample);
}

Test(volume, refuses_every_flipped_bit_in_a_header) {
    struct sample sample = sample_load("redis-8.0-volume.tar");
    // The checksum itself may be written in several ways.
    sample_refuse_flips(&FORMAT_VOLUME, &sample, 0, 148);
    sample_refuse_flips(&FORMAT_VOLUME, &sample, 156, 512);
    sample_done(&sample);
}

Test(volume, tells_the_engine_and_its_version_from_the_members) {
    add_file("./PG_VERSION", "17\n");
    add_file("./base/1/PG_VERSION", "16\n");
    add_file("./global/pg_control", "control");
    struct dump_facts facts = read_made();
    cr_expect_eq(facts.engine, DUMP_POSTGRES);
    cr_expect_str_eq(facts.server_version, "17");
    cr_expect_str_eq(facts.volume_root, "");
    cr_expect(facts.restores_itself);
    cr_expect_eq(facts.object_count, 3);
    dump_facts_done(&facts);
}

Test(volume, takes_the_marker_nearest_to_the_root) {
    add_file("var/lib/pg/base/1/PG_VERSION", "9.6\n");
    add_file("var/lib/pg/global/pg_control", "control");
    add_file("var/lib/pg/PG_VERSION", "9.4\n");
    add_file("var/lib/pg/backup/of/dump.rdb", "another");
    struct dump_facts facts = read_made();
    cr_expect_eq(facts.engine, DUMP_POSTGRES);
    cr_expect_str_eq(facts.server_version, "9.4");
    cr_expect_str_eq(facts.volume_root, "var/lib/pg/");
    dump_facts_done(&facts);
}

Test(volume, knows_the_other_engines) {
    add_file("mysql/ibdata1", "pages");
    struct dump_facts facts = read_made();
    cr_expect_eq(facts.engine, DUMP_MYSQL);
    dump_facts_done(&facts);
    begin();
    add_file("WiredTiger", "version");
    add_file("WiredTiger.turtle", "turtle");
    facts = read_made();
    cr_expect_eq(facts.engine, DUMP_MONGODB);
    dump_facts_done(&facts);
}

Test(volume, a_tar_of_something_else_is_an_unknown_format) {
    add_file("holiday.txt", "sun");
    struct dump_facts facts = read_made();
    cr_expect_null(facts.format);
    cr_expect_eq(facts.engine, DUMP_UNKNOWN);
    cr_expect_not_null(strstr(facts.recognised, "a tar archive of 1 files"), "%s",
                       facts.recognised);
    dump_facts_done(&facts);
}

Test(volume, refuses_data_directories_that_are_not_whole) {
    add_file("a/PG_VERSION", "17\n");
    add_file("b/global/pg_control", "elsewhere");
    expect("a/global/pg_control is not there", "no control file");
    begin();
    add_file("PG_VERSION", "");
    add_file("global/pg_control", "control");
    expect("PG_VERSION is empty", "an empty version");
    begin();
    add_file("PG_VERSION", "sun");
    add_file("global/pg_control", "control");
    expect("PG_VERSION holds no version", "another version");
    begin();
    add_file("dump.rdb", "");
    expect("dump.rdb is empty", "an empty snapshot");
}

Test(volume, refuses_members_that_lead_out) {
    static const struct {
        const char *path;
        unsigned type;
        const char *link;
        const char *words; // NULL: it is harmless
    } MEMBERS[] = {
        {"../dump.rdb", AE_IFREG, NULL, "\"../dump.rdb\" has \"..\""},
        {"a/../../dump.rdb", AE_IFREG, NULL, "has \"..\""},
        {"/etc/cron.d/x", AE_IFREG, NULL, "absolute path"},
        {"link", AE_IFLNK, "/etc", "out of the folder"},
        {"link", AE_IFLNK, "../etc", "out of the folder"},
        {"a/link", AE_IFLNK, "../b", NULL},
        {"mysql.sock", AE_IFLNK, "/var/run/mysqld/mysqld.sock", NULL}, // left out when unpacked
        {"a.sock/../../b", AE_IFREG, NULL, "has \"..\""},
        {"hard", AE_IFREG, "/etc/passwd", "a link to what lies outside"},
        {"hard", AE_IFREG, "../passwd", "a link to what lies outside"},
        {"device", AE_IFCHR, NULL, "is a device"},
        {"device", AE_IFBLK, NULL, "is a device"},
        {"pipe", AE_IFIFO, NULL, "is a device, a pipe"},
    };
    finish();
    for (size_t i = 0; i < sizeof MEMBERS / sizeof MEMBERS[0]; i++) {
        begin();
        add_file("dump.rdb", "x");
        add(MEMBERS[i].path, MEMBERS[i].type, "", MEMBERS[i].link);
        expect(MEMBERS[i].words, MEMBERS[i].path);
    }
}

Test(volume, refuses_a_member_behind_a_link) {
    add_file("dump.rdb", "x");
    add("link", AE_IFLNK, "", "a");
    add_file("link/x", "through it");
    expect("lies behind a link", "through a link");
}

Test(volume, an_end_of_zeros_is_no_end_mark) {
    static char zeros[4 * 512];
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, "dump.rdb");
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_size(entry, sizeof zeros);
    cr_assert_eq(archive_write_header(archive, entry), ARCHIVE_OK);
    archive_write_data(archive, zeros, sizeof zeros);
    archive_entry_free(entry);
    finish();
    sample_expect(&FORMAT_VOLUME, bytes, length, NULL, "whole");
    const size_t end = length - 2 * 512;
    for (size_t cut = end; cut < length; cut += 256)
        sample_expect(&FORMAT_VOLUME, bytes, cut, "at byte", "cut behind the last member");
}

Test(volume, refuses_what_follows_the_end) {
    add_file("dump.rdb", "x");
    finish();
    memset(bytes + length, 0, 10 * 512);
    sample_expect(&FORMAT_VOLUME, bytes, length + 10 * 512, NULL, "padding");
    bytes[length + 5 * 512] = 1;
    sample_expect(&FORMAT_VOLUME, bytes, length + 10 * 512, "something else follows", "more");
}

Test(volume, never_allocates_what_a_header_says) {
    add_file("dump.rdb", "x");
    finish();
    // 8 GB, and the checksum that belongs to it.
    memcpy(bytes + 124, "77777777777", 11);
    unsigned sum = 0;
    for (size_t i = 0; i < 512; i++)
        sum += i >= 148 && i < 156 ? ' ' : bytes[i];
    snprintf((char *)bytes + 148, 8, "%06o", sum);
    bytes[155] = ' ';
    sample_limit_memory((size_t)8 * 1024 * 1024);
    sample_expect(&FORMAT_VOLUME, bytes, length, "at byte", "a member of 8 GB");
}
