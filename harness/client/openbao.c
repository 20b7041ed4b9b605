#include "client/openbao_internal.h"

#include "base/memory.h"
#include "base/secret_reveal.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INITIALISE_TIMEOUT_MS 60000 // raft's first election may take its time

bool openbao_open(const struct endpoint *endpoint, struct openbao **ret_openbao,
                  struct error *err) {
    struct http *http;
    if (!http_open(endpoint, &http, err))
        return false;
    struct openbao *self = memory_new(1, sizeof *self);
    self->http = http;
    self->token = secret_copy(endpoint->password);
    *ret_openbao = self;
    return true;
}

void openbao_close(struct openbao *self) {
    if (self == NULL)
        return;
    http_wipe(self->http);
    http_close(self->http);
    secret_free(self->token);
    for (size_t i = 0; i < self->handed_out_count; i++)
        secret_free(self->handed_out[i]);
    free(self->handed_out);
    free(self);
}

void openbao_use_token(struct openbao *self, const struct secret *token) {
    struct secret *copy = secret_copy(token);
    secret_free(self->token);
    self->token = copy;
}

// ---- one call -----------------------------------------------------------------------------------

// {"errors": ["…", "…"]} on one line.
static void read_errors(const struct http_reply *reply, struct text *errors) {
    const json_t *json = NULL;
    size_t i;
    const json_t *item;
    if (!http_json(reply, &json, NULL))
        return;
    json_array_foreach (json_object_get(json, "errors"), i, item) {
        text_append(errors, i == 0 ? ": " : "; ");
        text_append(errors, json_string_value(item) != NULL ? json_string_value(item) : "?");
    }
}

static enum service_error service_error_of(int status, const char *errors) {
    switch (status) {
    case 400:
        return strstr(errors, "check-and-set") != NULL ? SERVICE_ERROR_CONFLICT
                                                       : SERVICE_ERROR_OTHER;
    case 472:
    case 473:
    case 501:
        return SERVICE_ERROR_NOT_READY;
    default:
        return http_service_error(status);
    }
}

static bool refused(const struct http_reply *reply, struct error *err) {
    autodone(text) struct text errors = {0};
    text_init(&errors, 500);
    read_errors(reply, &errors);
    char reference[ERROR_REFERENCE_SIZE];
    snprintf(reference, sizeof reference, "%d", http_status(reply));
    const char *said = text_string(&errors);
    return http_fail(reply, err, ERROR_SERVICE, service_error_of(http_status(reply), said),
                     reference, "answered %d%s", http_status(reply), said);
}

// Sends without judging the answer: for those whose status is the answer.
bool openbao_ask(struct openbao *self, const char *method, const char *path, const char *query,
                 const json_t *json, int timeout_ms, struct error *err) {
    char *escaped = http_escape_path(path);
    char *full = memory_format("/v1/%s%s", escaped, query);
    http_wipe(self->http);
    const bool asked = http_request(self->http, method, full, &self->reply, err, .json = json,
                                    .token = self->token, .timeout_ms = timeout_ms);
    free(full);
    free(escaped);
    return asked;
}

bool openbao_accepted(const struct openbao *self, const json_t **ret_reply, struct error *err) {
    const int status = http_status(self->reply);
    if (status != 200 && status != 202 && status != 204)
        return refused(self->reply, err);
    if (ret_reply == NULL)
        return true;
    if (http_body_length(self->reply) > 0)
        return http_json(self->reply, ret_reply, err);
    *ret_reply = json_null();
    return true;
}

static bool call(struct openbao *self, const char *method, const char *path, const json_t *json,
                 const json_t **ret_reply, struct error *err) {
    return openbao_ask(self, method, path, "", json, 0, err) &&
           openbao_accepted(self, ret_reply, err);
}

// As call, and the body is the callee's: its strings may be secrets, so they are overwritten.
bool openbao_send(struct openbao *self, const char *path, json_t *json, const json_t **ret_reply,
                  struct error *err) {
    const bool called = call(self, "POST", path, json, ret_reply, err);
    http_wipe_json(json);
    json_decref(json);
    return called;
}

bool openbao_read(struct openbao *self, const char *path, const json_t **ret_reply,
                  struct error *err) {
    return call(self, "GET", path, NULL, ret_reply, err);
}

bool openbao_write(struct openbao *self, const char *path, const json_t *json,
                   const json_t **ret_reply, struct error *err) {
    return call(self, "POST", path, json, ret_reply, err);
}

bool openbao_delete(struct openbao *self, const char *path, struct error *err) {
    return call(self, "DELETE", path, NULL, NULL, err);
}

bool openbao_lacks(const struct openbao *self, const char *what, struct error *err) {
    return http_fail(self->reply, err, ERROR_PROTOCOL, 0, NULL, "the reply lacks %s", what);
}

// json.outer.inner must be there; outer NULL: json.inner.
bool openbao_find(const struct openbao *self, const json_t *json, const char *outer,
                  const char *inner, const json_t **ret_value, struct error *err) {
    const json_t *object = outer != NULL ? json_object_get(json, outer) : json;
    const json_t *value = json_object_get(object, inner);
    if (value == NULL)
        return openbao_lacks(self, inner, err);
    *ret_value = value;
    return true;
}

int openbao_integer(const json_t *object, const char *key) {
    return (int)json_integer_value(json_object_get(object, key));
}

bool openbao_boolean(const json_t *object, const char *key) {
    return json_is_true(json_object_get(object, key));
}

void openbao_string(const json_t *object, const char *key, char *buffer, size_t size) {
    const char *value = json_string_value(json_object_get(object, key));
    snprintf(buffer, size, "%s", value != NULL ? value : "");
}

bool openbao_list(struct openbao *self, const char *path, const json_t **ret_keys,
                  struct error *err) {
    const json_t *reply;
    return openbao_ask(self, "GET", path, "?list=true", NULL, 0, err) &&
           openbao_accepted(self, &reply, err) &&
           openbao_find(self, reply, "data", "keys", ret_keys, err);
}

// ---- secrets in and out -------------------------------------------------------------------------

json_t *openbao_json_of_secret(const struct secret *secret) {
    return json_stringn(secret_reveal(secret), secret_length(secret));
}

// The secret at json.outer.inner, the caller's.
static bool take_secret(const struct openbao *self, const json_t *json, const char *outer,
                        const char *inner, struct secret **ret_secret, struct error *err) {
    const json_t *value;
    if (!openbao_find(self, json, outer, inner, &value, err))
        return false;
    if (!json_is_string(value) || json_string_length(value) == 0)
        return openbao_lacks(self, inner, err);
    *ret_secret = secret_from_bytes(json_string_value(value), json_string_length(value));
    return true;
}

// The same, kept until openbao_close; the reply is wiped.
bool openbao_hand_out(struct openbao *self, const json_t *json, const char *outer,
                      const char *inner, const struct secret **ret_secret, struct error *err) {
    struct secret *secret;
    const bool taken = take_secret(self, json, outer, inner, &secret, err);
    http_wipe(self->http);
    if (!taken)
        return false;
    self->handed_out =
        memory_resize(self->handed_out, self->handed_out_count + 1, sizeof(struct secret *));
    self->handed_out[self->handed_out_count++] = secret;
    *ret_secret = secret;
    return true;
}

// ---- life of a server ---------------------------------------------------------------------------

bool openbao_health(struct openbao *self, enum openbao_health *ret_health, struct error *err) {
    if (!openbao_ask(self, "GET", "sys/health", "", NULL, 0, err))
        return false;
    switch (http_status(self->reply)) {
    case OPENBAO_ACTIVE:
    case OPENBAO_STANDBY:
    case OPENBAO_RECOVERY:
    case OPENBAO_PERFORMANCE_STANDBY:
    case OPENBAO_NOT_INITIALISED:
    case OPENBAO_SEALED:
        *ret_health = (enum openbao_health)http_status(self->reply);
        return true;
    default:
        return refused(self->reply, err);
    }
}

static bool read_seal(const struct openbao *self, const json_t *reply,
                      struct openbao_seal *ret_seal, struct error *err) {
    const json_t *sealed;
    if (!openbao_find(self, reply, NULL, "sealed", &sealed, err))
        return false;
    *ret_seal = (struct openbao_seal){
        .initialised = openbao_boolean(reply, "initialized"),
        .sealed = json_is_true(sealed),
        .shares = openbao_integer(reply, "n"),
        .threshold = openbao_integer(reply, "t"),
        .progress = openbao_integer(reply, "progress"),
    };
    openbao_string(reply, "version", ret_seal->version, sizeof ret_seal->version);
    return true;
}

bool openbao_seal_status(struct openbao *self, struct openbao_seal *ret_seal, struct error *err) {
    const json_t *reply;
    return openbao_read(self, "sys/seal-status", &reply, err) &&
           read_seal(self, reply, ret_seal, err);
}

static bool read_keys(const struct openbao *self, const json_t *reply, struct openbao_keys *keys,
                      struct error *err) {
    const json_t *list;
    size_t i;
    const json_t *item;
    if (!openbao_find(self, reply, NULL, "keys_base64", &list, err) ||
        !take_secret(self, reply, NULL, "root_token", &keys->root_token, err))
        return false;
    json_array_foreach (list, i, item) {
        if (i == OPENBAO_SHARES_MAX || !json_is_string(item))
            return openbao_lacks(self, "usable keys", err);
        keys->keys[i] = secret_from_bytes(json_string_value(item), json_string_length(item));
        keys->count = (int)i + 1;
    }
    return true;
}

void openbao_keys_done(struct openbao_keys *self) {
    secret_free(self->root_token);
    for (int i = 0; i < self->count; i++)
        secret_free(self->keys[i]);
    *self = (struct openbao_keys){0};
}

bool openbao_init(struct openbao *self, int shares, int threshold, struct openbao_keys *ret_keys,
                  struct error *err) {
    json_t *json = json_pack("{s:i, s:i}", "secret_shares", shares, "secret_threshold", threshold);
    const bool asked = openbao_ask(self, "POST", "sys/init", "", json, INITIALISE_TIMEOUT_MS, err);
    json_decref(json);
    const json_t *reply;
    struct openbao_keys keys = {0};
    if (!asked || !openbao_accepted(self, &reply, err))
        return false;
    const bool read = read_keys(self, reply, &keys, err);
    http_wipe(self->http);
    if (read)
        *ret_keys = keys;
    else
        openbao_keys_done(&keys);
    return read;
}

bool openbao_unseal(struct openbao *self, const struct secret *key, struct openbao_seal *ret_seal,
                    struct error *err) {
    const json_t *reply;
    struct openbao_seal seal;
    json_t *json = json_pack("{s:o}", "key", openbao_json_of_secret(key));
    if (!openbao_send(self, "sys/unseal", json, &reply, err) || !read_seal(self, reply, &seal, err))
        return false;
    if (ret_seal != NULL)
        *ret_seal = seal;
    return true;
}

bool openbao_seal(struct openbao *self, struct error *err) {
    return call(self, "POST", "sys/seal", NULL, NULL, err);
}

// ---- for the table of kinds ---------------------------------------------------------------------

static bool check_health(const struct endpoint *endpoint, bool *ret_active, struct error *err) {
    autofree(openbao) struct openbao *openbao = NULL;
    enum openbao_health health;
    if (!openbao_open(endpoint, &openbao, err) || !openbao_health(openbao, &health, err))
        return false;
    *ret_active = health == OPENBAO_ACTIVE;
    const char *state = health == OPENBAO_SEALED            ? "sealed"
                        : health == OPENBAO_NOT_INITIALISED ? "not initialised"
                                                            : NULL;
    if (state == NULL)
        return true;
    return http_fail(openbao->reply, err, ERROR_SERVICE, SERVICE_ERROR_NOT_READY,
                     health == OPENBAO_SEALED ? "503" : "501", "it is %s", state);
}

bool openbao_ready(const struct kind_members *members,
                   const struct kind_options *options unused_parameter, struct error *err) {
    bool any_active = false;
    for (size_t i = 0; i < members->count; i++) {
        bool active;
        if (!check_health(&members->endpoints[i], &active, err))
            return false;
        any_active = any_active || active;
    }
    return any_active ||
           endpoint_fail(&members->endpoints[0], err, ERROR_SERVICE, SERVICE_ERROR_NOT_READY, "429",
                         "unsealed, but no member is active yet");
}

bool openbao_identify(const struct endpoint *endpoint, char *buffer, size_t size,
                      struct error *err) {
    autofree(openbao) struct openbao *openbao = NULL;
    enum openbao_health health;
    const json_t *reply;
    if (!openbao_open(endpoint, &openbao, err) || !openbao_health(openbao, &health, err) ||
        !http_json(openbao->reply, &reply, err))
        return false;
    char version[32];
    openbao_string(reply, "version", version, sizeof version);
    // Both answer alike; only Vault says whether it is the enterprise edition, and only Vault was
    // ever version 1.
    const bool vault = json_object_get(reply, "enterprise") != NULL || version[0] == '1';
    snprintf(buffer, size, "%s %s", vault ? "Vault" : "OpenBao", version);
    return true;
}

static bool initialise(struct openbao *openbao, struct kind_formed *formed, struct error *err) {
    autodone(openbao_keys) struct openbao_keys keys = {0};
    if (!openbao_init(openbao, 1, 1, &keys, err))
        return false;
    secret_free(formed->token); // of a server that has forgotten everything
    secret_free(formed->unseal_key);
    formed->token = TAKE(keys.root_token);
    formed->unseal_key = TAKE(keys.keys[0]);
    return true;
}

static bool form_member(const struct endpoint *endpoint, bool first, struct kind_formed *formed,
                        struct error *err) {
    autofree(openbao) struct openbao *openbao = NULL;
    struct openbao_seal seal;
    if (!openbao_open(endpoint, &openbao, err) || !openbao_seal_status(openbao, &seal, err))
        return false;
    if (!seal.initialised) {
        if (!first)
            return endpoint_fail(endpoint, err, ERROR_SERVICE, SERVICE_ERROR_NOT_READY, "501",
                                 "it has not joined the first member yet");
        if (!initialise(openbao, formed, err))
            return false;
        seal.sealed = true;
    }
    if (!seal.sealed)
        return true;
    if (formed->unseal_key == NULL)
        return endpoint_fail(endpoint, err, ERROR_SERVICE, SERVICE_ERROR_NOT_READY, "503",
                             "it is sealed and was initialised by somebody else: its key is not "
                             "known; start it with an empty data directory");
    return openbao_unseal(openbao, formed->unseal_key, &seal, err) &&
           (!seal.sealed || endpoint_fail(endpoint, err, ERROR_SERVICE, SERVICE_ERROR_NOT_READY,
                                          "503", "still sealed after its key share"));
}

bool openbao_form(const struct kind_members *members, struct kind_formed *formed,
                  struct error *err) {
    for (size_t i = 0; i < members->count; i++)
        if (!form_member(&members->endpoints[i], i == 0, formed, err))
            return false;
    return true;
}
