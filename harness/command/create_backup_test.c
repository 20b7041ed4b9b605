// What `assay backup create`, list, show and key say without any engine.
#define _GNU_SOURCE
#include "command/program_fixture.h"

#include "base/file.h"
#include "base/memory.h"
#include "verify/backup/manifest.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

TestSuite(create_backup, .init = program_init, .fini = program_done, .timeout = 120);

static struct error problem;

// backups/20261121-030000 with a manifest of one text that is no dump.
static void write_backup(const char *key_path) {
    struct manifest *manifest = manifest_new();
    struct signing_key *key = NULL;
    static const uint8_t sha256[SHA256_SIZE] = {1};
    manifest->start_ms = manifest->end_ms = INT64_C(1763694000000);
    manifest_file_add(manifest_add(manifest, "db/app", DUMP_POSTGRES, "17.2", "pg_dump 17.2"),
                      "note.txt", 9, sha256);
    program_write("backups/20261121-030000/note.txt", "buy milk\n");
    if (key_path != NULL)
        cr_assert(signing_key_read(key_path, &key, &problem), "%s", problem.message);
    cr_assert(manifest_write(manifest, "backups/20261121-030000", key, &problem), "%s",
              problem.message);
    signing_key_free(key);
    manifest_free(manifest);
}

#define VERIFY(...) assay("backup", "verify", "latest", "--format", "terminal", ##__VA_ARGS__)

Test(create_backup, wrong_usage_is_said) {
    cr_expect_eq(assay("backup", "create", "--stack", "a", "--project", "b"), 2);
    assert_says(program_errors(), "one of --compose, --target, --project and --stack");
    cr_expect_eq(assay("backup", "create", "--stack", "nothing"), 2);
    assert_says(program_errors(), "there is no stack \"nothing\"");
    cr_expect_eq(assay("backup", "create"), 2);
    assert_says(program_errors(), "--project");
    cr_expect_eq(assay("backup", "create", "--key", "nowhere", "--project", "b"), 3);
    assert_says(program_errors(), "--key");
    cr_expect_eq(assay("backup", "key"), 2);
    cr_expect_eq(assay("backup", "key", "--help"), 0);
    assert_says(program_output(), "usage: assay backup key");
    cr_expect_eq(assay("backup", "drill", "--engine", "oracle"), 2);
    assert_says(program_errors(),
                "--engine takes postgres, mysql, mongodb or redis, not \"oracle\"");
    cr_expect_eq(assay("backup", "drill", "--random", "0"), 2);
    assert_says(program_errors(), "--random takes a number from 1 to 100000, not \"0\"");
    cr_expect_eq(assay("backup", "drill", "--seed", "-1"), 2);
    assert_says(program_errors(), "--seed takes a number, not \"-1\"");
    cr_expect_eq(assay("backup", "show", "nowhere"), 2);
    cr_expect_eq(assay("backup", "list"), 2);
    cr_expect_eq(assay("backup", "verify", ".", "--against", "live"), 2);
    cr_expect_not(file_exists("backups"));
}

Test(create_backup, a_key_is_made_once_and_for_its_owner_only) {
    struct stat status;
    cr_expect_eq(assay("backup", "key", "mine"), 0, "%s", program_errors());
    cr_expect_eq(stat("mine", &status), 0);
    cr_expect_eq(status.st_mode & 0777, 0600);
    cr_expect(file_exists("mine.pub"));
    cr_expect_eq(assay("backup", "key", "mine"), 3);
    assert_says(program_errors(), "mine");
}

// Whichever way a stack is named, its engine is what is asked.
Test(create_backup, names_an_engine_that_is_not_there) {
    setenv("DOCKER_HOST", "unix:///nowhere/engine.sock", 1);
    program_write("compose.yaml", "name: shop\nservices:\n  s: {image: i}\n");
    cr_expect_eq(assay("backup", "create"), 3);
    assert_says(program_errors(), "/nowhere/engine.sock");
    cr_expect_eq(assay("backup", "create", "--project", "shop"), 3);
    assert_says(program_errors(), "/nowhere/engine.sock");
    program_write("deploy/stack.yaml", "name: shop\nservices:\n  s: {image: i}\n");
    program_write("deploy/assay.yaml", "compose: stack.yaml\n");
    cr_expect_eq(assay("backup", "create", "--target", "deploy/assay.yaml"), 3);
    assert_says(program_errors(), "/nowhere/engine.sock");
}

Test(create_backup, a_target_names_its_compose_file_or_stands_beside_it) {
    setenv("DOCKER_HOST", "unix:///nowhere/engine.sock", 1);
    program_write("deploy/assay.yaml", "compose: nothing.yaml\n");
    cr_expect_eq(assay("backup", "create", "--target", "deploy/assay.yaml"), 2);
    assert_says(program_errors(), "deploy/nothing.yaml");
    program_write("deploy/assay.yaml", "profiles: [all]\n");
    cr_expect_eq(assay("backup", "create", "--target", "deploy/assay.yaml"), 2);
    assert_says(program_errors(), "deploy");
    program_write("deploy/compose.yaml", "name: shop\nservices:\n  s: {image: i}\n");
    cr_expect_eq(assay("backup", "create", "--target", "deploy/assay.yaml"), 3);
    assert_says(program_errors(), "/nowhere/engine.sock");
    cr_expect_eq(assay("backup", "create", "--target", "nowhere/assay.yaml"), 2);
    assert_says(program_errors(), "nowhere/assay.yaml");
    program_write("deploy/assay.yaml", "profile: [all]\n");
    cr_expect_eq(assay("backup", "create", "--target", "deploy/assay.yaml"), 2);
    assert_says(program_errors(), "deploy/assay.yaml:1:1");
}

Test(create_backup, a_root_without_backups_is_listed_as_such) {
    cr_assert_eq(mkdir("backups", 0700), 0);
    cr_expect_eq(assay("backup", "list"), 0, "%s", program_errors());
    assert_says(program_output(), "/backups; `assay backup create` makes one");
}

Test(create_backup, a_backup_that_failed_is_listed_as_such) {
    write_backup(NULL);
    cr_expect_eq(VERIFY("--against", "manifest"), 1);
    cr_expect_eq(assay("backup", "list"), 0, "%s", program_errors());
    assert_says(program_output(), "FAILED");
}

Test(create_backup, list_and_show_say_what_the_manifest_says) {
    write_backup(NULL);
    program_write("backups/20261122-030000/a.sql", "x");
    cr_expect_eq(assay("backup", "list"), 0, "%s", program_errors());
    assert_says(program_output(), "20261121-030000");
    assert_says(program_output(), "1 artifact,");
    assert_says(program_output(), "no manifest");
    assert_says(program_output(), "not verified");
    cr_expect_eq(assay("backup", "show", "20261121-030000"), 0, "%s", program_errors());
    assert_says(program_output(), "db/app");
    assert_says(program_output(), "postgres 17.2, by pg_dump 17.2");
    assert_says(program_output(), "not signed");
    cr_expect_eq(assay("backup", "show", "20261122-030000"), 4);
    assert_says(program_errors(), "the backup has no manifest");
}

Test(create_backup, show_counts_objects_and_their_records) {
    struct manifest *manifest = manifest_new();
    struct manifest_artifact *artifact =
        manifest_add(manifest, "db/app", DUMP_POSTGRES, "17.2", "pg_dump 17.2");
    static const uint8_t sha256[SHA256_SIZE] = {1};
    manifest_file_add(artifact, "note.txt", 9, sha256);
    artifact->fingerprint = fingerprint_new("postgres");
    struct row_content content = {.total = {.rows = 3}};
    fingerprint_content_take(fingerprint_add(artifact->fingerprint, "table", "public.a"), &content);
    fingerprint_add(artifact->fingerprint, "view", "public.b");
    program_write("backups/20261121-030000/note.txt", "buy milk\n");
    cr_assert(manifest_write(manifest, "backups/20261121-030000", NULL, &problem), "%s",
              problem.message);
    manifest_free(manifest);
    cr_expect_eq(assay("backup", "show"), 0, "%s", program_errors());
    assert_says(program_output(), "2 objects, 3 records");
}

Test(create_backup, a_backup_that_must_be_signed_fails_without_its_signature) {
    cr_assert_eq(assay("backup", "key", "mine"), 0, "%s", program_errors());
    write_backup("mine");
    cr_expect_eq(VERIFY("--key", "mine.pub"), 1); // its file has another SHA-256
    assert_says(program_output(), "files_are_those_of_the_manifest");
    cr_assert(file_remove_tree("backups/20261121-030000/manifest.json.sig", &problem));
    cr_expect_eq(VERIFY("--key", "mine.pub"), 1);
    assert_says(program_output(), "the manifest is not signed");
    cr_assert(file_remove_tree("backups/20261121-030000/manifest.json", &problem));
    cr_expect_eq(VERIFY("--key", "mine.pub"), 1);
    assert_says(program_output(), "nothing is signed");
    cr_expect_eq(VERIFY("--key", "mine"), 2);
}

Test(create_backup, a_manifest_that_is_not_asked_is_no_unknown_file) {
    write_backup(NULL);
    cr_expect_eq(VERIFY("--against", "none"), 4, "%s", program_output());
    cr_expect_null(strstr(program_output(), "manifest"), "%s", program_output());
    cr_expect_eq(VERIFY("--against", "manifest"), 1);
    assert_says(program_output(), "note.txt");
}

Test(create_backup, a_manifest_that_was_written_to_is_a_finding) {
    write_backup(NULL);
    program_write("backups/20261121-030000/manifest.json", "{\"format\": \"assay-manifest\"");
    cr_expect_eq(assay("backup", "show"), 2);
    assert_says(program_errors(), "manifest.json");
    cr_expect_eq(VERIFY(""), 2); // no argument is an empty one
    cr_expect_eq(assay("backup", "verify", "latest"), 1, "%s", program_errors());
    assert_says(program_output(), "manifest_is_sound");
}
