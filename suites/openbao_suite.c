// OpenBao: key-value secrets and their versions, policies, tokens, AppRole, audit.
#include "base/memory.h"
#include "engine/container.h"
#include "engine/exec.h"
#include "scenario/clients.h"

#include <pthread.h>

static struct scenario *scenario;
static struct openbao *root; // with the root token
static const char *mount;    // a key-value mount of the test's own
static const json_t *data;
static int version;

static void open_scenario(void) {
    scenario = scenario_open();
}

static void close_scenario(void) {
    if (mount != NULL && !openbao_disable_mount(root, mount, NULL)) {
        // The run's end removes the server and all that it holds.
    }
    scenario_close(scenario);
}

TestSuite(openbao, .init = open_scenario, .fini = close_scenario, .timeout = 120);

static void given_a_mount(void) {
    root = scenario_openbao(scenario, "openbao");
    const char *name = scenario_unique(scenario, "kv");
    must(openbao_enable_kv(root, name, err));
    mount = name;
}

static bool put(const char *path, const char *value) {
    return openbao_kv_put(root, mount, path, json_pack("{s:s}", "value", value), &version, err);
}

static const char *value_of(const char *path, int of_version) {
    must(openbao_kv_get(root, mount, path, of_version, &data, err));
    return json_string_value(json_object_get(data, "value"));
}

static enum openbao_version_state state_of(const char *path, int of_version) {
    enum openbao_version_state state = OPENBAO_VERSION_NONE;
    must(openbao_kv_version_state(root, mount, path, of_version, &state, err));
    return state;
}

// A client with another token than the root's.
static struct openbao *client_with(const struct secret *token) {
    struct openbao *client = scenario_openbao(scenario, "openbao");
    openbao_use_token(client, token);
    return client;
}

// A policy that allows `capabilities` (HCL: "\"read\"") on one path of the mount; its name.
static const char *given_a_policy(const char *path, const char *capabilities) {
    const char *name = scenario_unique(scenario, "policy");
    char *rules =
        memory_format("path \"%s/data/%s\" { capabilities = [%s] }", mount, path, capabilities);
    scenario_own(scenario, rules, free);
    must(openbao_policy_put(root, name, rules, err));
    return name;
}

// ---- the server ---------------------------------------------------------------------------------

Test(openbao, is_initialised_unsealed_and_active) {
    root = scenario_openbao(scenario, "openbao");
    enum openbao_health health;
    struct openbao_seal seal;
    must(openbao_health(root, &health, err));
    must(openbao_seal_status(root, &seal, err));
    cr_assert_eq(health, OPENBAO_ACTIVE);
    cr_assert(seal.initialised);
    cr_assert_not(seal.sealed);
    cr_assert_not_null(strstr(scenario_product(scenario, "openbao"), seal.version));
}

Test(openbao, refuses_to_be_initialised_a_second_time) {
    struct openbao_keys keys = {0};
    must_fail(openbao_init(scenario_openbao(scenario, "openbao"), 1, 1, &keys, err), ERROR_SERVICE,
              SERVICE_ERROR_OTHER);
    cr_assert_str_eq(err->reference, "400");
}

// ---- versions -----------------------------------------------------------------------------------

Test(openbao, keeps_each_version_of_a_secret) {
    given_a_mount();
    must(put("app/db", "first"));
    must(put("app/db", "second"));
    cr_assert_eq(version, 2);
    cr_assert_str_eq(value_of("app/db", 1), "first");
    cr_assert_str_eq(value_of("app/db", 0), "second");
}

Test(openbao, keeps_every_character_and_type_of_a_value) {
    given_a_mount();
    json_t *value = json_pack("{s:s, s:s, s:[i, b, n], s:{s:f}}", "größe", "日本語 🚀 \"'\\\n\t",
                              "empty", "", "list", 1 << 30, 1, "nested", "π", 3.25);
    must(openbao_kv_put(root, mount, "odd names/ü", json_deep_copy(value), NULL, err));
    must(openbao_kv_get(root, mount, "odd names/ü", 0, &data, err));
    cr_assert(json_equal(data, value));
    json_decref(value);
}

Test(openbao, keeps_half_a_megabyte_in_one_secret) {
    given_a_mount();
    char *large = memory_new(500001, 1);
    scenario_own(scenario, large, free);
    memset(large, 'x', 500000);
    must(put("large", large));
    cr_assert_str_eq(value_of("large", 0), large);
}

Test(openbao, writes_only_over_the_version_that_was_read) {
    given_a_mount();
    must(put("counter", "1"));
    must(openbao_kv_put(root, mount, "counter", json_pack("{s:s}", "value", "2"), &version, err,
                        .check_and_set = 1));
    cr_assert_eq(version, 2);
    must_fail(openbao_kv_put(root, mount, "counter", json_pack("{s:s}", "value", "lost"), NULL, err,
                             .check_and_set = 1),
              ERROR_SERVICE, SERVICE_ERROR_CONFLICT);
    cr_assert_str_eq(value_of("counter", 0), "2");
}

Test(openbao, creates_only_what_is_not_there) {
    given_a_mount();
    must(openbao_kv_put(root, mount, "once", json_object(), NULL, err,
                        .check_and_set = OPENBAO_KV_ABSENT));
    must_fail(openbao_kv_put(root, mount, "once", json_object(), NULL, err,
                             .check_and_set = OPENBAO_KV_ABSENT),
              ERROR_SERVICE, SERVICE_ERROR_CONFLICT);
}

Test(openbao, refuses_a_write_without_check_and_set_where_it_is_required) {
    given_a_mount();
    must(put("strict", "1"));
    must(openbao_kv_configure(root, mount, "strict",
                              &(struct openbao_kv_settings){.check_and_set_required = true}, err));
    must_fail(put("strict", "2"), ERROR_SERVICE, SERVICE_ERROR_CONFLICT);
}

Test(openbao, brings_a_deleted_version_back) {
    given_a_mount();
    must(put("a", "precious"));
    must(openbao_kv_delete(root, mount, "a", 1, err));
    cr_assert_eq(state_of("a", 1), OPENBAO_VERSION_DELETED);
    must_fail(openbao_kv_get(root, mount, "a", 1, &data, err), ERROR_SERVICE,
              SERVICE_ERROR_NOT_FOUND);
    must(openbao_kv_undelete(root, mount, "a", 1, err));
    cr_assert_eq(state_of("a", 1), OPENBAO_VERSION_LIVE);
    cr_assert_str_eq(value_of("a", 1), "precious");
}

Test(openbao, never_brings_a_destroyed_version_back) {
    given_a_mount();
    must(put("a", "gone"));
    must(put("a", "kept"));
    must(openbao_kv_destroy(root, mount, "a", 1, err));
    must(openbao_kv_undelete(root, mount, "a", 1, err));
    cr_assert_eq(state_of("a", 1), OPENBAO_VERSION_DESTROYED);
    must_fail(openbao_kv_get(root, mount, "a", 1, &data, err), ERROR_SERVICE,
              SERVICE_ERROR_NOT_FOUND);
    cr_assert_str_eq(value_of("a", 2), "kept");
}

Test(openbao, drops_the_oldest_version_over_the_limit) {
    given_a_mount();
    struct openbao_kv_metadata metadata;
    must(put("a", "1"));
    must(openbao_kv_configure(root, mount, "a", &(struct openbao_kv_settings){.max_versions = 2},
                              err));
    must(put("a", "2"));
    must(put("a", "3"));
    must(openbao_kv_metadata(root, mount, "a", &metadata, err));
    cr_assert_eq(metadata.oldest_version, 2);
    cr_assert_eq(metadata.current_version, 3);
    cr_assert_eq(state_of("a", 1), OPENBAO_VERSION_NONE);
}

Test(openbao, lists_names_and_folders_and_forgets_what_is_removed) {
    given_a_mount();
    must(put("app/db", "1"));
    must(put("token", "1"));
    char *path = memory_format("%s/metadata/", mount);
    scenario_own(scenario, path, free);
    must(openbao_list(root, path, &data, err));
    cr_assert_eq(json_array_size(data), 2);
    cr_assert_str_eq(json_string_value(json_array_get(data, 0)), "app/");
    cr_assert_str_eq(json_string_value(json_array_get(data, 1)), "token");
    must(openbao_kv_forget(root, mount, "token", err));
    must_fail(openbao_kv_get(root, mount, "token", 0, &data, err), ERROR_SERVICE,
              SERVICE_ERROR_NOT_FOUND);
}

struct counter {
    struct openbao *client;
    struct error error;
};

// Adds one, again and again until check-and-set lets it through.
static bool add_one(struct counter *self) {
    const json_t *seen;
    int64_t number = 0;
    do {
        if (!openbao_kv_get(self->client, mount, "n", 0, &seen, &self->error))
            return false;
        number = json_integer_value(json_object_get(seen, "n"));
        error_clear(&self->error);
    } while (!openbao_kv_put(self->client, mount, "n", json_pack("{s:I}", "n", number + 1), NULL,
                             &self->error, .check_and_set = (int)number + 1) &&
             self->error.code == SERVICE_ERROR_CONFLICT);
    return self->error.domain == ERROR_NONE;
}

static void *add_five(void *counter) {
    for (int i = 0; i < 5; i++)
        if (!add_one(counter))
            break;
    return NULL;
}

Test(openbao, loses_no_count_of_four_clients_that_add_at_once, .timeout = 180) {
    given_a_mount();
    struct counter counters[4] = {{.client = NULL}};
    pthread_t threads[4];
    must(openbao_kv_put(root, mount, "n", json_pack("{s:i}", "n", 0), NULL, err));
    for (int i = 0; i < 4; i++)
        counters[i].client = scenario_openbao(scenario, "openbao");
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, add_five, &counters[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(counters[i].error.domain, ERROR_NONE, "%s", counters[i].error.message);
    must(openbao_kv_get(root, mount, "n", 0, &data, err));
    cr_assert_eq(json_integer_value(json_object_get(data, "n")), 20);
}

// ---- policies and tokens ------------------------------------------------------------------------

Test(openbao, lets_a_token_do_what_its_policy_says_and_nothing_else) {
    given_a_mount();
    const struct secret *token;
    must(put("own", "1"));
    must(put("foreign", "1"));
    must(openbao_token_create(root, &token, err, .policies = given_a_policy("own", "\"read\"")));
    struct openbao *reader = client_with(token);
    must(openbao_kv_get(reader, mount, "own", 0, &data, err));
    must_fail(openbao_kv_get(reader, mount, "foreign", 0, &data, err), ERROR_SERVICE,
              SERVICE_ERROR_DENIED);
    must_fail(openbao_kv_put(reader, mount, "own", json_object(), NULL, err), ERROR_SERVICE,
              SERVICE_ERROR_DENIED);
    must_fail(openbao_policy_put(reader, "default", "", err), ERROR_SERVICE, SERVICE_ERROR_DENIED);
}

Test(openbao, denies_a_token_whose_policy_is_deleted) {
    given_a_mount();
    const struct secret *token;
    must(put("own", "1"));
    const char *policy = given_a_policy("own", "\"read\"");
    must(openbao_token_create(root, &token, err, .policies = policy));
    struct openbao *reader = client_with(token);
    must(openbao_kv_get(reader, mount, "own", 0, &data, err));
    must(openbao_policy_delete(root, policy, err));
    must_fail(openbao_kv_get(reader, mount, "own", 0, &data, err), ERROR_SERVICE,
              SERVICE_ERROR_DENIED);
}

Test(openbao, says_what_a_token_may_do) {
    given_a_mount();
    const struct secret *token;
    char own[64], foreign[64];
    must(openbao_token_create(root, &token, err,
                              .policies = given_a_policy("own", "\"update\", \"read\"")));
    char *path = memory_format("%s/data/own", mount);
    scenario_own(scenario, path, free);
    must(openbao_capabilities(client_with(token), path, own, sizeof own, err));
    must(openbao_capabilities(client_with(token), "sys/mounts", foreign, sizeof foreign, err));
    cr_assert_str_eq(own, "read,update");
    cr_assert_str_eq(foreign, "deny");
}

Test(openbao, gives_a_token_no_more_uses_than_it_has) {
    given_a_mount();
    const struct secret *token;
    must(put("own", "1"));
    must(openbao_token_create(root, &token, err, .policies = given_a_policy("own", "\"read\""),
                              .uses = 2));
    struct openbao *reader = client_with(token);
    must(openbao_kv_get(reader, mount, "own", 0, &data, err));
    must(openbao_kv_get(reader, mount, "own", 0, &data, err));
    must_fail(openbao_kv_get(reader, mount, "own", 0, &data, err), ERROR_SERVICE,
              SERVICE_ERROR_DENIED);
}

Test(openbao, lets_a_token_end_with_its_time) {
    root = scenario_openbao(scenario, "openbao");
    const struct secret *token;
    struct openbao_token seen;
    must(openbao_token_create(root, &token, err, .ttl_s = 3, .not_renewable = true));
    must(openbao_token_lookup(root, token, &seen, err));
    cr_assert_leq(seen.ttl_s, 3);
    cr_assert_not(seen.renewable);
    struct openbao *holder = client_with(token);
    must_become(!openbao_token_lookup(holder, NULL, &seen, err), 15000);
    cr_assert_eq(err->code, SERVICE_ERROR_DENIED, "%s", err->message);
}

Test(openbao, lets_a_renewed_token_live_on) {
    root = scenario_openbao(scenario, "openbao");
    const struct secret *token;
    struct openbao_token seen;
    must(openbao_token_create(root, &token, err, .ttl_s = 60));
    must(openbao_token_renew(root, token, 3600, err));
    must(openbao_token_lookup(root, token, &seen, err));
    cr_assert_gt(seen.ttl_s, 60);
    must(openbao_token_create(root, &token, err, .ttl_s = 60, .not_renewable = true));
    must_fail(openbao_token_renew(root, token, 3600, err), ERROR_SERVICE, SERVICE_ERROR_OTHER);
}

Test(openbao, answers_a_path_that_no_call_of_its_own_knows) {
    root = scenario_openbao(scenario, "openbao");
    const json_t *reply;
    json_t *input = json_pack("{s:s}", "input", "YXNzYXk="); // "assay"
    must(openbao_write(root, "sys/tools/hash/sha2-256", input, &reply, err));
    cr_assert_str_eq(json_string_value(json_object_get(json_object_get(reply, "data"), "sum")),
                     "9b2153df65c7cba8a514938e2d3254a32cc0e75f6d032572e45f2b6bb124c970");
    must(openbao_write(root, "sys/tools/random", NULL, NULL, err));
    must(openbao_write(root, "sys/leases/tidy", NULL, &reply, err));
    json_decref(input);
}

Test(openbao, revokes_a_token_and_its_children) {
    root = scenario_openbao(scenario, "openbao");
    const struct secret *parent, *child;
    struct openbao_token seen;
    must(openbao_token_create(root, &parent, err, .policies = "root"));
    must(openbao_token_create(client_with(parent), &child, err));
    struct openbao *holder = client_with(child);
    must(openbao_token_lookup(holder, NULL, &seen, err));
    must(openbao_token_revoke(root, parent, err));
    must_fail(openbao_token_lookup(client_with(parent), NULL, &seen, err), ERROR_SERVICE,
              SERVICE_ERROR_DENIED);
    must_become(!openbao_token_lookup(holder, NULL, &seen, err), 15000);
}

Test(openbao, revokes_a_token_by_its_accessor) {
    root = scenario_openbao(scenario, "openbao");
    const struct secret *token;
    struct openbao_token seen;
    must(openbao_token_create(root, &token, err));
    must(openbao_token_lookup(root, token, &seen, err));
    must(openbao_token_revoke_accessor(root, seen.accessor, err));
    must_fail(openbao_token_lookup(client_with(token), NULL, &seen, err), ERROR_SERVICE,
              SERVICE_ERROR_DENIED);
}

// ---- AppRole ------------------------------------------------------------------------------------

// The default options of a role; the returned name is that of its mount as well.
static const char *role;
static const struct secret *role_id, *secret_id, *token;

#define given_a_role(...)                                                   \
    do {                                                                    \
        root = scenario_openbao(scenario, "openbao");                       \
        role = scenario_unique(scenario, "approle");                        \
        must(openbao_approle_enable(root, role, err));                      \
        must(openbao_approle_role(root, role, role, err, __VA_ARGS__));     \
        must(openbao_approle_role_id(root, role, role, &role_id, err));     \
        must(openbao_approle_secret_id(root, role, role, &secret_id, err)); \
    } while (0)

Test(openbao, logs_a_role_in_with_just_its_policies) {
    struct openbao_token seen;
    given_a_role(.policies = "reader,writer", .token_ttl_s = 60);
    must(openbao_approle_login(root, role, role_id, secret_id, &token, err));
    must(openbao_token_lookup(client_with(token), NULL, &seen, err));
    cr_assert_str_eq(seen.policies, "default,reader,writer");
    cr_assert(seen.ttl_s > 0 && seen.ttl_s <= 60, "%d s", seen.ttl_s);
}

Test(openbao, refuses_a_role_with_a_wrong_secret_id) {
    given_a_role(.policies = "reader");
    struct secret *wrong = secret_generate();
    must_fail(openbao_approle_login(root, role, role_id, wrong, &token, err), ERROR_SERVICE,
              SERVICE_ERROR_LOGIN);
    cr_assert_not(secret_occurs_in(wrong, err->message, strlen(err->message)));
    secret_free(wrong);
}

Test(openbao, takes_a_secret_id_no_more_often_than_allowed) {
    given_a_role(.policies = "reader", .secret_id_uses = 1);
    must(openbao_approle_login(root, role, role_id, secret_id, &token, err));
    must_fail(openbao_approle_login(root, role, role_id, secret_id, &token, err), ERROR_SERVICE,
              SERVICE_ERROR_LOGIN);
}

Test(openbao, takes_a_secret_id_only_from_its_networks) {
    given_a_role(.policies = "reader", .secret_id_networks = "192.0.2.0/24");
    must_fail(openbao_approle_login(root, role, role_id, secret_id, &token, err), ERROR_SERVICE,
              SERVICE_ERROR_LOGIN);
}

Test(openbao, gives_a_role_a_token_of_few_uses) {
    struct openbao_token seen;
    given_a_role(.policies = "reader", .token_uses = 1);
    must(openbao_approle_login(root, role, role_id, secret_id, &token, err));
    struct openbao *holder = client_with(token);
    must(openbao_token_lookup(holder, NULL, &seen, err));
    must_fail(openbao_token_lookup(holder, NULL, &seen, err), ERROR_SERVICE, SERVICE_ERROR_DENIED);
}

Test(openbao, logs_nobody_in_where_approle_is_disabled) {
    given_a_role(.policies = "reader");
    must(openbao_approle_disable(root, role, err));
    must_fail(openbao_approle_login(root, role, role_id, secret_id, &token, err), ERROR_SERVICE,
              SERVICE_ERROR_DENIED);
}

// ---- audit --------------------------------------------------------------------------------------

Test(openbao, writes_the_hash_of_a_secret_into_its_audit_log_and_not_the_secret) {
    given_a_mount();
    char hash[128];
    struct exec_result log;
    struct secret *planted = secret_from_bytes("c4n4ry-0f-th1s-t3st", 19);
    must(put("audited", "c4n4ry-0f-th1s-t3st"));
    must(openbao_audit_hash(root, "file", planted, hash, sizeof hash, err));
    must(exec_run(
        scenario_engine(scenario), scenario_container(scenario, "openbao"),
        &(struct exec_options){.argv = (const char *[]){"cat", "/openbao/logs/audit.log", NULL},
                               .output_limit = (size_t)64 * 1024 * 1024},
        &log, err));
    cr_assert_eq(log.exit_status, 0, "%s", text_string(&log.errors));
    cr_assert_not_null(strstr(text_string(&log.output), hash), "no line of the write");
    cr_assert_not(secret_occurs_in(planted, log.output.bytes, log.output.length));
    exec_result_done(&log);
    secret_free(planted);
}

// ---- faults -------------------------------------------------------------------------------------

Test(openbao, refuses_a_token_that_it_never_gave) {
    struct openbao_token seen;
    const struct endpoint *wrong =
        scenario_wrong_password(scenario, scenario_endpoint(scenario, "openbao"));
    struct openbao *stranger = scenario_openbao_at(scenario, wrong);
    must_fail(openbao_token_lookup(stranger, NULL, &seen, err), ERROR_SERVICE,
              SERVICE_ERROR_DENIED);
    cr_assert_not(secret_occurs_in(wrong->password, err->message, strlen(err->message)));
}

Test(openbao, gives_up_in_time_on_a_server_that_says_nothing) {
    enum openbao_health health;
    struct endpoint silent =
        *scenario_silent_server(scenario, scenario_endpoint(scenario, "openbao"));
    silent.request_timeout_ms = 300;
    const struct deadline in_time = deadline_in_ms(20000);
    must_fail(openbao_health(scenario_openbao_at(scenario, &silent), &health, err), ERROR_TIMEOUT,
              0);
    cr_assert_not(deadline_passed(in_time));
}

Test(openbao, reports_a_server_that_is_not_there) {
    enum openbao_health health;
    const struct endpoint *dead =
        scenario_dead_server(scenario, scenario_endpoint(scenario, "openbao"));
    must_fail(openbao_health(scenario_openbao_at(scenario, dead), &health, err), ERROR_UNAVAILABLE,
              0);
}

Test(openbao, gives_nothing_away_once_it_is_sealed, .timeout = 180) {
    struct spare *spare = scenario_spare(scenario, "openbao");
    enum openbao_health health;
    struct openbao *sealed = scenario_openbao_at(scenario, spare_endpoint(spare, 0));
    openbao_use_token(sealed, spare_token(spare));
    must(openbao_enable_kv(sealed, "secret", err));
    must(openbao_kv_put(sealed, "secret", "a", json_pack("{s:s}", "value", "1"), NULL, err));
    must(openbao_seal(sealed, err));
    must(openbao_health(sealed, &health, err));
    cr_assert_eq(health, OPENBAO_SEALED);
    must_fail(openbao_kv_get(sealed, "secret", "a", 0, &data, err), ERROR_SERVICE,
              SERVICE_ERROR_NOT_READY);
}

Test(openbao, gives_up_in_time_on_a_paused_server, .timeout = 180) {
    struct spare *spare = scenario_spare(scenario, "openbao");
    enum openbao_health health;
    const struct endpoint *impatient = scenario_impatient(scenario, spare_endpoint(spare, 0));
    struct openbao *paused = scenario_openbao_at(scenario, impatient);
    must(openbao_health(paused, &health, err));
    must(container_pause(scenario_engine(scenario), spare_container(spare, 0), err));
    const struct deadline in_time = deadline_in_ms(20000);
    must_fail(openbao_health(paused, &health, err), ERROR_TIMEOUT, 0);
    cr_assert_not(deadline_passed(in_time));
    must(container_unpause(scenario_engine(scenario), spare_container(spare, 0), err));
    must(openbao_health(scenario_openbao_at(scenario, spare_endpoint(spare, 0)), &health, err));
    cr_assert_eq(health, OPENBAO_ACTIVE);
}
