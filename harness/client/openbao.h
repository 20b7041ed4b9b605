// OpenBao (and HashiCorp Vault) by its HTTP API, prefix /v1, header X-Vault-Token.
// Source: openbao.org/api-docs and the server's own GET sys/internal/specs/openapi.
//
// Tokens, unseal keys and secret-ids are struct secret; what hands one out as `const struct secret
// **` keeps it and wipes it in openbao_close. Replies that carry one are overwritten as soon as
// they are read (what curl and jansson copied on the way is beyond us).
//
// Errors, all beginning "<service> (<host>:<port>): <METHOD> <path>: ", as in client/http.h, and
// ERROR_SERVICE with the status as reference and the server's own `errors` in the message:
//   400 OTHER; CONFLICT when check-and-set lost; LOGIN for an AppRole login (that is OpenBao's way)
//   403 DENIED, also for a token that is unknown or used up
//   404 NOT_FOUND, 405 UNSUPPORTED, 413 TOO_LARGE, 429 LIMIT
//   472, 473, 501, 503 NOT_READY
//   any other OTHER
#pragma once

#include "client/endpoint.h"
#include "client/kind.h"

#include "base/cleanup.h"

#include <jansson.h>
#include <stdint.h>

struct openbao;

// Does not connect. endpoint->password, when set, is the token.
bool openbao_open(const struct endpoint *endpoint, struct openbao **ret_openbao,
                  struct error *err) must_use;
void openbao_close(struct openbao *self);
void openbao_use_token(struct openbao *self, const struct secret *token); // copies; NULL: none

// ---- anything: path without /v1/ and leading slash, not escaped ---------------------------------

// *ret_reply is the whole reply, borrowed until the next call, then overwritten; JSON null for an
// answer without a body (204). ret_reply and json may be NULL.
bool openbao_read(struct openbao *self, const char *path, const json_t **ret_reply,
                  struct error *err) must_use;
bool openbao_list(struct openbao *self, const char *path, const json_t **ret_keys,
                  struct error *err) must_use; // an array of names
bool openbao_write(struct openbao *self, const char *path, const json_t *json,
                   const json_t **ret_reply, struct error *err) must_use;
bool openbao_delete(struct openbao *self, const char *path, struct error *err) must_use;

// ---- life of a server ---------------------------------------------------------------------------

enum openbao_health { // GET sys/health, by its status
    OPENBAO_ACTIVE = 200,
    OPENBAO_STANDBY = 429,
    OPENBAO_RECOVERY = 472, // disaster recovery secondary
    OPENBAO_PERFORMANCE_STANDBY = 473,
    OPENBAO_NOT_INITIALISED = 501,
    OPENBAO_SEALED = 503,
};
bool openbao_health(struct openbao *self, enum openbao_health *ret_health,
                    struct error *err) must_use;

struct openbao_seal { // GET sys/seal-status
    bool initialised;
    bool sealed;
    int shares, threshold, progress;
    char version[32];
};
bool openbao_seal_status(struct openbao *self, struct openbao_seal *ret_seal,
                         struct error *err) must_use;

// A second time is 400. The caller's: keys[i] and the token, with openbao_keys_done.
#define OPENBAO_SHARES_MAX 16
struct openbao_keys {
    struct secret *root_token;
    struct secret *keys[OPENBAO_SHARES_MAX];
    int count;
};
bool openbao_init(struct openbao *self, int shares, int threshold, struct openbao_keys *ret_keys,
                  struct error *err) must_use;
void openbao_keys_done(struct openbao_keys *self);
// One share; *ret_seal (may be NULL) says how far it is.
bool openbao_unseal(struct openbao *self, const struct secret *key, struct openbao_seal *ret_seal,
                    struct error *err) must_use;
bool openbao_seal(struct openbao *self, struct error *err) must_use;

// ---- mounts and key-value secrets, version 2 ----------------------------------------------------

// Returns when the mount can be used.
bool openbao_enable_kv(struct openbao *self, const char *mount, struct error *err) must_use;
bool openbao_disable_mount(struct openbao *self, const char *mount, struct error *err) must_use;

#define OPENBAO_KV_ABSENT (-1)
struct openbao_kv_options {
    int check_and_set; // the version that must be there; OPENBAO_KV_ABSENT: none yet; 0: any
};
// Takes data over and overwrites its strings, also on failure: json_pack can stand in the call.
// ret_version may be NULL.
bool openbao_kv_put_with(struct openbao *self, const char *mount, const char *path, json_t *data,
                         int *ret_version, struct error *err,
                         const struct openbao_kv_options *options) must_use;
#define openbao_kv_put(self, mount, path, data, ret_version, err, ...)         \
    openbao_kv_put_with((self), (mount), (path), (data), (ret_version), (err), \
                        &(const struct openbao_kv_options){.check_and_set = 0, __VA_ARGS__})
// version 0: the newest. Deleted and destroyed ones are NOT_FOUND. *ret_data is an object, borrowed
// until the next call, then overwritten.
bool openbao_kv_get(struct openbao *self, const char *mount, const char *path, int version,
                    const json_t **ret_data, struct error *err) must_use;
bool openbao_kv_delete(struct openbao *self, const char *mount, const char *path, int version,
                       struct error *err) must_use;
bool openbao_kv_undelete(struct openbao *self, const char *mount, const char *path, int version,
                         struct error *err) must_use;
bool openbao_kv_destroy(struct openbao *self, const char *mount, const char *path, int version,
                        struct error *err) must_use;

enum openbao_version_state {
    OPENBAO_VERSION_NONE, // never written, or dropped for max_versions
    OPENBAO_VERSION_LIVE,
    OPENBAO_VERSION_DELETED, // can be undeleted
    OPENBAO_VERSION_DESTROYED,
};
struct openbao_kv_metadata {
    int current_version;
    int oldest_version;
    int max_versions; // 0: the mount's default
    bool check_and_set_required;
};
struct openbao_kv_settings {
    int max_versions;
    bool check_and_set_required;
};
bool openbao_kv_metadata(struct openbao *self, const char *mount, const char *path,
                         struct openbao_kv_metadata *ret_metadata, struct error *err) must_use;
bool openbao_kv_version_state(struct openbao *self, const char *mount, const char *path,
                              int version, enum openbao_version_state *ret_state,
                              struct error *err) must_use;
bool openbao_kv_configure(struct openbao *self, const char *mount, const char *path,
                          const struct openbao_kv_settings *settings, struct error *err) must_use;
// All versions and the metadata.
bool openbao_kv_forget(struct openbao *self, const char *mount, const char *path,
                       struct error *err) must_use;

// ---- policies, tokens, AppRole ------------------------------------------------------------------

bool openbao_policy_put(struct openbao *self, const char *name, const char *rules,
                        struct error *err) must_use; // HCL or JSON
bool openbao_policy_delete(struct openbao *self, const char *name, struct error *err) must_use;
// What this client's token may do with a path: "read,update", sorted; "deny"; "root".
bool openbao_capabilities(struct openbao *self, const char *path, char *buffer, size_t size,
                          struct error *err) must_use;

struct openbao_token_options {
    const char *policies; // comma-separated; NULL: the creator's
    int ttl_s;            // 0: the default
    int uses;             // 0: without end
    bool orphan;
    bool not_renewable;
    bool without_default_policy;
};
bool openbao_token_create_with(struct openbao *self, const struct secret **ret_token,
                               struct error *err,
                               const struct openbao_token_options *options) must_use;
#define openbao_token_create(self, ret_token, err, ...)   \
    openbao_token_create_with((self), (ret_token), (err), \
                              &(const struct openbao_token_options){.ttl_s = 0, __VA_ARGS__})

struct openbao_token {
    char accessor[64];
    char display_name[128];
    char policies[512]; // comma-separated, sorted by the server
    int ttl_s;          // left; 0: without end
    int uses;           // left; 0: without end
    bool renewable;
};
// token NULL: this client's own (lookup-self).
bool openbao_token_lookup(struct openbao *self, const struct secret *token,
                          struct openbao_token *ret_token, struct error *err) must_use;
bool openbao_token_renew(struct openbao *self, const struct secret *token, int increment_s,
                         struct error *err) must_use;
bool openbao_token_revoke(struct openbao *self, const struct secret *token,
                          struct error *err) must_use;
bool openbao_token_revoke_accessor(struct openbao *self, const char *accessor,
                                   struct error *err) must_use;

struct openbao_role_options {
    const char *policies; // comma-separated
    int token_ttl_s;
    int token_uses;                 // 0: without end
    int secret_id_uses;             // 0: without end
    int secret_id_ttl_s;            // 0: for ever
    const char *secret_id_networks; // comma-separated CIDR blocks that may log in; NULL: any
};
bool openbao_approle_enable(struct openbao *self, const char *mount, struct error *err) must_use;
bool openbao_approle_disable(struct openbao *self, const char *mount, struct error *err) must_use;
bool openbao_approle_role_with(struct openbao *self, const char *mount, const char *role,
                               struct error *err,
                               const struct openbao_role_options *options) must_use;
#define openbao_approle_role(self, mount, role, err, ...)     \
    openbao_approle_role_with((self), (mount), (role), (err), \
                              &(const struct openbao_role_options){.token_ttl_s = 0, __VA_ARGS__})
// A role-id is half of a credential: a secret like the other half.
bool openbao_approle_role_id(struct openbao *self, const char *mount, const char *role,
                             const struct secret **ret_role_id, struct error *err) must_use;
bool openbao_approle_secret_id(struct openbao *self, const char *mount, const char *role,
                               const struct secret **ret_secret_id, struct error *err) must_use;
// Does not change this client's own token.
bool openbao_approle_login(struct openbao *self, const char *mount, const struct secret *role_id,
                           const struct secret *secret_id, const struct secret **ret_token,
                           struct error *err) must_use;

// ---- audit --------------------------------------------------------------------------------------

// What the audit device writes in place of `input`: "hmac-sha256:…".
bool openbao_audit_hash(struct openbao *self, const char *device, const struct secret *input,
                        char *buffer, size_t size, struct error *err) must_use;

// ---- for the table of kinds ---------------------------------------------------------------------

// Unsealed and active (200).
bool openbao_ready(const struct kind_members *members, const struct kind_options *options,
                   struct error *err) must_use;
bool openbao_identify(const struct endpoint *endpoint, char *buffer, size_t size,
                      struct error *err) must_use;
// Initialises the first member with one share where none is, and unseals every member that is
// sealed. Safe to repeat: *formed keeps what an earlier call put there, and a key already there (of
// a prepared data directory) is used.
bool openbao_form(const struct kind_members *members, struct kind_formed *formed,
                  struct error *err) must_use;

DEFINE_AUTOFREE(openbao, openbao_close);
DEFINE_AUTODONE(openbao_keys, openbao_keys_done);
