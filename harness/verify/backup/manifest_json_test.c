#define _GNU_SOURCE
#include "base/memory.h"
#include "base/text.h"
#include "verify/backup/manifest_fixture.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
    struct manifest *manifest, *again;
    char *text, *other;
    size_t length, other_length;
    struct text altered;
    json_t *json;
    struct error err;
} held;

static void hold(void) {
    held.manifest = manifest_sample();
    cr_assert(manifest_format(held.manifest, &held.text, &held.length, &held.err), "%s",
              held.err.message);
}

static void release(void) {
    manifest_free(held.manifest);
    manifest_free(held.again);
    free(held.text);
    free(held.other);
    text_done(&held.altered);
    json_decref(held.json);
}

TestSuite(manifest_json, .init = hold, .fini = release);

static bool parse(const char *text) {
    return manifest_parse(text, strlen(text), &held.again, &held.err);
}

// The sample's text with the first `from` replaced.
static const char *with(const char *from, const char *to) {
    const char *at = strstr(held.text, from);
    cr_assert_not_null(at, "%s is not in %s", from, held.text);
    text_clear(&held.altered);
    text_append_bytes(&held.altered, held.text, (size_t)(at - held.text));
    text_append(&held.altered, to);
    text_append(&held.altered, at + strlen(from));
    return text_string(&held.altered);
}

static void expect_refused(const char *text, const char *message) {
    cr_expect_not(parse(text), "%s", message);
    cr_expect_eq(held.err.domain, ERROR_PROTOCOL, "%s", held.err.message);
    cr_expect_not_null(strstr(held.err.message, message), "wanted \"%s\", got \"%s\"", message,
                       held.err.message);
    cr_expect_null(held.again);
}

Test(manifest_json, comes_back_as_it_was) {
    cr_assert(parse(held.text), "%s", held.err.message);
    cr_expect_eq(held.again->start_ms, held.manifest->start_ms);
    cr_expect_eq(held.again->end_ms, held.manifest->end_ms);
    cr_expect_arr_eq(held.again->hash_key, held.manifest->hash_key, ROW_HASH_KEY_SIZE);
    cr_assert_eq(held.again->artifact_count, 2);
    const struct manifest_artifact *dump = &held.again->artifacts[0];
    cr_expect_str_eq(dump->name, "app.dump");
    cr_expect_eq(dump->engine, DUMP_POSTGRES);
    cr_expect_str_eq(dump->server_version, "17.2");
    cr_expect_str_eq(dump->tool, "pg_dump 17.2");
    cr_assert_eq(dump->file_count, 1);
    cr_expect_str_eq(dump->files[0].path, "2026-11-22/app.dump");
    cr_expect_eq(dump->files[0].size, 1234);
    cr_expect_arr_eq(dump->files[0].sha256, held.manifest->artifacts[0].files[0].sha256,
                     SHA256_SIZE);
    cr_expect_eq(dump->fingerprint->objects[0].content.total.rows, 3);
    cr_expect_null(held.again->artifacts[1].fingerprint);
}

Test(manifest_json, is_written_the_same_after_reading) {
    cr_assert(parse(held.text), "%s", held.err.message);
    cr_assert(manifest_format(held.again, &held.other, &held.other_length, &held.err));
    cr_expect_str_eq(held.other, held.text);
}

Test(manifest_json, of_a_new_manifest_has_a_key_of_its_own) {
    held.again = manifest_new();
    struct manifest *other = manifest_new();
    cr_expect_arr_neq(held.again->hash_key, other->hash_key, ROW_HASH_KEY_SIZE);
    manifest_free(other);
}

Test(manifest_json, may_say_more_than_we_know) {
    const char *text = with("\"hash_key\"", "\"shoe_size\": {\"eu\": 43}, \"hash_key\"");
    cr_expect(parse(text), "%s", held.err.message);
}

Test(manifest_json, of_a_newer_version_is_not_verified) {
    cr_expect_not(parse(with("\"format_version\": 1", "\"format_version\": 2")));
    cr_expect_eq(held.err.domain, ERROR_UNAVAILABLE);
    cr_expect_not_null(strstr(held.err.message, "format_version: 2 is newer"), "%s",
                       held.err.message);
}

Test(manifest_json, that_is_malformed_is_named_by_line_and_column) {
    expect_refused("", "line 1, column 0: ");
    expect_refused("[]", "the document: is not an object");
    expect_refused(with("\"format\": ", "\"format\" "), "line 2, column 26: ");
    expect_refused(with("\"created\": {", "\"created\": "), "line 5, column 10: ");
    expect_refused(with("\"size\": 1234", "\"size\": 1234, \"size\": 1"), "duplicate object key");
    expect_refused(with("\"tool\": \"", "\"tool\": \"\xff"), "unable to decode byte 0xff");
}

Test(manifest_json, whose_end_is_missing_is_refused_wherever_it_ends) {
    for (size_t length = 0; length < held.length - 2; length++) // "}\n" is the end
        cr_expect_not(manifest_parse(held.text, length, &held.again, &held.err), "%zu", length);
}

Test(manifest_json, with_a_wrong_head_is_refused) {
    expect_refused(with("assay-manifest", "other"), "format: \"other\" is not \"assay-manifest\"");
    expect_refused(with("\"format_version\": 1", "\"format_version\": 0"),
                   "format_version: there is no such version");
    expect_refused(with("\"format_version\": 1", "\"format_version\": \"1\""),
                   "format_version: is not a whole number");
    expect_refused(with("T03:00:00Z", " 03:00:00Z"),
                   "created.start: \"2026-11-22 03:00:00Z\" is not a time of RFC 3339");
    expect_refused(with("2026-11-22T03:00:00Z", "1969-12-31T23:59:59Z"),
                   "created.start: \"1969-12-31T23:59:59Z\" is no time at which backups are made");
    expect_refused(with("2026-11-22T03:00:00Z", "9999-12-31T23:59:59-00:01"),
                   "is no time at which backups are made");
    expect_refused(with("\"end\"", "\"ends\""), "created.end: is missing");
    expect_refused(with("5a5a", "5a5"), "hash_key: is not 32 hex digits");
    expect_refused(with("\"artifacts\": [", "\"artifacts\": 1, \"x\": ["),
                   "artifacts: is not a list");
}

Test(manifest_json, with_a_wrong_artifact_is_refused) {
    expect_refused(with("\"name\": \"app.dump\"", "\"name\": 5"),
                   "artifacts[0].name: is not a text");
    expect_refused(with("\"engine\": \"postgres\"", "\"engine\": \"oracle\""),
                   "artifacts[0].engine: \"oracle\" is none that we know");
    expect_refused(with("\"engine\": \"postgres\"", "\"engine\": \"unknown\""),
                   "artifacts[0].engine: \"unknown\" is none that we know");
    expect_refused(with("\"engine\": \"postgres\"", "\"engine\": \"mysql\""),
                   "artifacts[0].fingerprint.engine: \"postgres\" is not its artifact's");
    expect_refused(with("\"fingerprint\": {", "\"fingerprint\": 1, \"x\": {"),
                   "artifacts[0].fingerprint: is not an object");
    expect_refused(with("\"name\": \"cluster\"", "\"name\": \"app.dump\""),
                   "the artifact \"app.dump\" stands twice");
    expect_refused(with("\"numeric(10,2)\"", "10"),
                   "artifacts[0].fingerprint.objects[0].attributes.orders.total: is not a text");
}

Test(manifest_json, with_a_wrong_path_is_refused) {
    static const char path[] = "2026-11-22/app.dump";
    expect_refused(with(path, "../app.dump"),
                   "artifacts[0].files[0].path: \"../app.dump\" leaves the backup");
    expect_refused(with(path, "a/../../app.dump"), "leaves the backup");
    expect_refused(with(path, "a//.."), "leaves the backup");
    expect_refused(with(path, "../a//b"), "leaves the backup");
    expect_refused(with(path, "/etc/passwd"), "is absolute");
    expect_refused(with(path, ""), "is not in its plain form");
    expect_refused(with(path, "./a"), "is not in its plain form");
    expect_refused(with(path, "a//b"), "is not in its plain form");
    expect_refused(with(path, "a/"), "is not in its plain form");
    expect_refused(with(path, "manifest.json"), "is the manifest itself");
    expect_refused(with(path, "manifest.json.sig"), "is the manifest itself");
    expect_refused(with(path, "redis/one.rdb"), "the path \"redis/one.rdb\" stands twice");
}

Test(manifest_json, takes_names_that_only_look_dangerous) {
    cr_expect(parse(with("2026-11-22/app.dump", "..a/b../...")), "%s", held.err.message);
}

Test(manifest_json, with_a_wrong_size_is_refused) {
    static const char size[] = "\"size\": 1234";
    expect_refused(with(size, "\"size\": 9223372036854775808"), "too big integer");
    expect_refused(with(size, "\"size\": -1"), "artifacts[0].files[0].size: is negative");
    expect_refused(with(size, "\"size\": 12.5"), "size: is not a whole number");
    expect_refused(with(size, "\"size\": 1e3"), "size: is not a whole number");
    cr_expect(parse(with(size, "\"size\": 9223372036854775807")), "%s", held.err.message);
    cr_expect_eq(held.again->artifacts[0].files[0].size, INT64_MAX);
}

Test(manifest_json, with_a_wrong_sha256_is_refused) {
    expect_refused(with("\"aa01", "\"aa0"), "files[0].sha256: is not 64 hex digits");
    expect_refused(with("\"aa01", "\"ag01"), "files[0].sha256: is not 64 hex digits");
    expect_refused(with("\"sha256\": \"aa01", "\"sha1\": \"aa01"), "files[0].sha256: is missing");
}

// The patterns of ours alone; an independent validator does the rest.
Test(manifest_json, has_a_schema_that_names_every_member) {
    json_error_t wrong;
    held.json = json_load_file(MANIFEST_SCHEMA, JSON_REJECT_DUPLICATES, &wrong);
    cr_assert_not_null(held.json, "%s:%d: %s", MANIFEST_SCHEMA, wrong.line, wrong.text);
    json_t *root = json_loads(held.text, 0, NULL), *value;
    const char *name;
    json_object_foreach (root, name, value)
        cr_expect_not_null(json_object_get(json_object_get(held.json, "properties"), name), "%s",
                           name);
    json_decref(root);
}

static const char VALIDATOR[] =
    "import copy, json, sys, jsonschema\n"
    "schema = json.load(open(sys.argv[1]))\n"
    "v = jsonschema.Draft202012Validator\n"
    "v.check_schema(schema)\n"
    "good = json.loads(sys.argv[2])\n"
    "def closed(s):\n" // what is written holds nothing that the schema does not name
    "    if isinstance(s, dict):\n"
    "        if 'properties' in s: s['additionalProperties'] = False\n"
    "        for x in s.values(): closed(x)\n"
    "strict = copy.deepcopy(schema)\n"
    "closed(strict)\n"
    "v(strict).validate(good)\n"
    "def wrong(change):\n"
    "    bad = copy.deepcopy(good)\n"
    "    change(bad)\n"
    "    assert not v(schema).is_valid(bad), bad\n"
    "file = lambda m: m['artifacts'][0]['files'][0]\n"
    "for path in ['/a', '../a', 'a/../b', 'a/..', './a', 'a//b', 'a/', '']:\n"
    "    wrong(lambda m: file(m).update(path=path))\n"
    "wrong(lambda m: file(m).update(size=-1))\n"
    "wrong(lambda m: file(m).update(sha256='00'))\n"
    "wrong(lambda m: m.update(hash_key='zz'))\n"
    "wrong(lambda m: m.pop('created'))\n"
    "wrong(lambda m: m['artifacts'][0].update(engine='oracle'))\n"
    "content = lambda m: m['artifacts'][0]['fingerprint']['objects'][0]['content']\n"
    "wrong(lambda m: content(m)['buckets'].append([1, 0, '00' * 16]))\n"
    "wrong(lambda m: content(m)['buckets'].append([1, 1]))\n";

static int run_python(const char *program) {
    const pid_t child = fork();
    if (child == 0) {
        execlp("python3", "python3", "-c", program, MANIFEST_SCHEMA, held.text, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    return waitpid(child, &status, 0) == child ? status : -1;
}

Test(manifest_json, is_valid_to_an_independent_validator) {
    if (run_python("import jsonschema; jsonschema.Draft202012Validator") != 0)
        cr_skip_test("python3 with jsonschema 4 is not here");
    cr_expect_eq(run_python(VALIDATOR), 0);
}
