// What the parts of the OpenBao client share. Nobody else includes it.
#pragma once

#include "client/openbao.h"

#include "client/http.h"

struct openbao {
    struct http *http;
    struct secret *token;
    struct secret **handed_out; // owner::array
    size_t handed_out_count;
    const struct http_reply *reply; // the last, borrowed from http
};

// Sends without judging the answer: for those whose status is the answer. timeout_ms 0: the usual.
bool openbao_ask(struct openbao *self, const char *method, const char *path, const char *query,
                 const json_t *json, int timeout_ms, struct error *err);
// Judges it: 200, 202, 204. ret_reply may be NULL.
bool openbao_accepted(const struct openbao *self, const json_t **ret_reply, struct error *err);
// POST, judged; json is taken over, and overwritten, as its strings may be secrets.
bool openbao_send(struct openbao *self, const char *path, json_t *json, const json_t **ret_reply,
                  struct error *err);

bool openbao_lacks(const struct openbao *self, const char *what, struct error *err); // PROTOCOL
// json.outer.inner must be there; outer NULL: json.inner.
bool openbao_find(const struct openbao *self, const json_t *json, const char *outer,
                  const char *inner, const json_t **ret_value, struct error *err);
int openbao_integer(const json_t *object, const char *key);  // 0 when absent
bool openbao_boolean(const json_t *object, const char *key); // false when absent
void openbao_string(const json_t *object, const char *key, char *buffer, size_t size); // ""

json_t *openbao_json_of_secret(const struct secret *secret);
// The secret at json.outer.inner, kept until openbao_close; the reply is wiped.
bool openbao_hand_out(struct openbao *self, const json_t *json, const char *outer,
                      const char *inner, const struct secret **ret_secret, struct error *err);
