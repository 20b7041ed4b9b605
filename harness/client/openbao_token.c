#include "client/openbao_internal.h"

#include "base/memory.h"
#include "base/string_list.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// "a,b" as ["a", "b"].
static json_t *json_of_list(const char *commas) {
    json_t *list = json_array();
    while (commas != NULL && commas[0] != '\0') {
        const size_t length = strcspn(commas, ",");
        json_array_append_new(list, json_stringn(commas, length));
        commas += length + (commas[length] == ',');
    }
    return list;
}

// ["a", "b"] as "a,b", in their order.
static void list_text(const json_t *list, char *buffer, size_t size) {
    struct text text;
    size_t i;
    const json_t *item;
    text_init(&text, size - 1);
    json_array_foreach (list, i, item) {
        text_append(&text, i == 0 ? "" : ",");
        text_append(&text, json_string_value(item) != NULL ? json_string_value(item) : "");
    }
    snprintf(buffer, size, "%s", text_string(&text));
    text_done(&text);
}
bool openbao_policy_put(struct openbao *self, const char *name, const char *rules,
                        struct error *err) {
    char *path = memory_format("sys/policies/acl/%s", name);
    const bool called = openbao_send(self, path, json_pack("{s:s}", "policy", rules), NULL, err);
    free(path);
    return called;
}

bool openbao_policy_delete(struct openbao *self, const char *name, struct error *err) {
    char *path = memory_format("sys/policies/acl/%s", name);
    const bool called = openbao_delete(self, path, err);
    free(path);
    return called;
}

bool openbao_capabilities(struct openbao *self, const char *path, char *buffer, size_t size,
                          struct error *err) {
    const json_t *reply, *list, *item;
    size_t i;
    if (!openbao_send(self, "sys/capabilities-self", json_pack("{s:[s]}", "paths", path), &reply,
                      err) ||
        !openbao_find(self, reply, "data", "capabilities", &list, err))
        return false;
    autodone(string_list) struct string_list names = {0};
    json_array_foreach (list, i, item)
        string_list_add(&names, json_string_value(item) != NULL ? json_string_value(item) : "");
    string_list_sort(&names);
    autodone(text) struct text text = {0};
    for (i = 0; i < names.count; i++)
        text_appendf(&text, "%s%s", i == 0 ? "" : ",", names.items[i]);
    snprintf(buffer, size, "%s", text_string(&text));
    return true;
}

bool openbao_token_create_with(struct openbao *self, const struct secret **ret_token,
                               struct error *err, const struct openbao_token_options *options) {
    json_t *json = json_pack("{s:i, s:b, s:b}", "num_uses", options->uses, "renewable",
                             (int)!options->not_renewable, "no_default_policy",
                             (int)options->without_default_policy);
    if (options->policies != NULL)
        json_object_set_new(json, "policies", json_of_list(options->policies));
    if (options->ttl_s > 0)
        json_object_set_new(json, "ttl", json_sprintf("%ds", options->ttl_s));
    const json_t *reply;
    return openbao_send(self, options->orphan ? "auth/token/create-orphan" : "auth/token/create",
                        json, &reply, err) &&
           openbao_hand_out(self, reply, "auth", "client_token", ret_token, err);
}

static bool on_token(struct openbao *self, const char *what, const struct secret *token,
                     json_t *json, const json_t **ret_reply, struct error *err) {
    char *path = memory_format("auth/token/%s%s", what, token == NULL ? "-self" : "");
    if (token != NULL)
        json_object_set_new(json, "token", openbao_json_of_secret(token));
    bool called;
    if (token == NULL && strcmp(what, "lookup") == 0) {
        json_decref(json);
        called = openbao_read(self, path, ret_reply, err);
    } else {
        called = openbao_send(self, path, json, ret_reply, err);
    }
    free(path);
    return called;
}

bool openbao_token_lookup(struct openbao *self, const struct secret *token,
                          struct openbao_token *ret_token, struct error *err) {
    const json_t *reply, *policies;
    if (!on_token(self, "lookup", token, json_object(), &reply, err) ||
        !openbao_find(self, reply, "data", "policies", &policies, err))
        return false;
    const json_t *data = json_object_get(reply, "data");
    ret_token->ttl_s = openbao_integer(data, "ttl");
    ret_token->uses = openbao_integer(data, "num_uses");
    ret_token->renewable = openbao_boolean(data, "renewable");
    openbao_string(data, "accessor", ret_token->accessor, sizeof ret_token->accessor);
    openbao_string(data, "display_name", ret_token->display_name, sizeof ret_token->display_name);
    list_text(policies, ret_token->policies, sizeof ret_token->policies);
    http_wipe(self->http);
    return true;
}

bool openbao_token_renew(struct openbao *self, const struct secret *token, int increment_s,
                         struct error *err) {
    json_t *json = json_pack("{s:o}", "increment", json_sprintf("%ds", increment_s));
    const bool called = on_token(self, "renew", token, json, NULL, err);
    http_wipe(self->http);
    return called;
}

bool openbao_token_revoke(struct openbao *self, const struct secret *token, struct error *err) {
    return on_token(self, "revoke", token, json_object(), NULL, err);
}

bool openbao_token_revoke_accessor(struct openbao *self, const char *accessor, struct error *err) {
    return openbao_send(self, "auth/token/revoke-accessor",
                        json_pack("{s:s}", "accessor", accessor), NULL, err);
}

bool openbao_approle_enable(struct openbao *self, const char *mount, struct error *err) {
    char *path = memory_format("sys/auth/%s", mount);
    const bool called = openbao_send(self, path, json_pack("{s:s}", "type", "approle"), NULL, err);
    free(path);
    return called;
}

bool openbao_approle_disable(struct openbao *self, const char *mount, struct error *err) {
    char *path = memory_format("sys/auth/%s", mount);
    const bool called = openbao_delete(self, path, err);
    free(path);
    return called;
}

bool openbao_approle_role_with(struct openbao *self, const char *mount, const char *role,
                               struct error *err, const struct openbao_role_options *options) {
    char *path = memory_format("auth/%s/role/%s", mount, role);
    json_t *json = json_pack("{s:o, s:i, s:i, s:i, s:i}", "token_policies",
                             json_of_list(options->policies), "token_ttl", options->token_ttl_s,
                             "token_num_uses", options->token_uses, "secret_id_num_uses",
                             options->secret_id_uses, "secret_id_ttl", options->secret_id_ttl_s);
    if (options->secret_id_networks != NULL)
        json_object_set_new(json, "secret_id_bound_cidrs",
                            json_of_list(options->secret_id_networks));
    const bool called = openbao_send(self, path, json, NULL, err);
    free(path);
    return called;
}

bool openbao_approle_role_id(struct openbao *self, const char *mount, const char *role,
                             const struct secret **ret_role_id, struct error *err) {
    char *path = memory_format("auth/%s/role/%s/role-id", mount, role);
    const json_t *reply;
    const bool called = openbao_read(self, path, &reply, err) &&
                        openbao_hand_out(self, reply, "data", "role_id", ret_role_id, err);
    free(path);
    return called;
}

bool openbao_approle_secret_id(struct openbao *self, const char *mount, const char *role,
                               const struct secret **ret_secret_id, struct error *err) {
    char *path = memory_format("auth/%s/role/%s/secret-id", mount, role);
    const json_t *reply;
    const bool called = openbao_send(self, path, json_object(), &reply, err) &&
                        openbao_hand_out(self, reply, "data", "secret_id", ret_secret_id, err);
    free(path);
    return called;
}

bool openbao_approle_login(struct openbao *self, const char *mount, const struct secret *role_id,
                           const struct secret *secret_id, const struct secret **ret_token,
                           struct error *err) {
    char *path = memory_format("auth/%s/login", mount);
    json_t *json = json_pack("{s:o, s:o}", "role_id", openbao_json_of_secret(role_id), "secret_id",
                             openbao_json_of_secret(secret_id));
    struct secret *own = TAKE(self->token); // logging in is done without a token
    const json_t *reply;
    struct error why = {0};
    const bool called = openbao_send(self, path, json, &reply, &why);
    self->token = own;
    free(path);
    if (called)
        return openbao_hand_out(self, reply, "auth", "client_token", ret_token, err);
    if (why.domain == ERROR_SERVICE && strcmp(why.reference, "400") == 0)
        why.code = SERVICE_ERROR_LOGIN;
    if (err != NULL)
        *err = why;
    return false;
}

// ---- audit --------------------------------------------------------------------------------------

bool openbao_audit_hash(struct openbao *self, const char *device, const struct secret *input,
                        char *buffer, size_t size, struct error *err) {
    char *path = memory_format("sys/audit-hash/%s", device);
    json_t *json = json_pack("{s:o}", "input", openbao_json_of_secret(input));
    const json_t *reply, *hash;
    const bool called = openbao_send(self, path, json, &reply, err) &&
                        openbao_find(self, reply, "data", "hash", &hash, err);
    free(path);
    if (called)
        snprintf(buffer, size, "%s", json_is_string(hash) ? json_string_value(hash) : "");
    return called;
}
