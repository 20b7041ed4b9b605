// What the engine answered, turned into JSON or into an error. Internal to engine/.
#pragma once

#include "engine/engine.h"

#include "base/text.h"

// The first bytes of something unexpected, fit to be shown: control characters and bytes outside
// ASCII as \xNN, cut at `limit` with "…".
void reply_append_shown(struct text *text, const void *bytes, size_t length, size_t limit);

// A body that must be JSON; ERROR_PROTOCOL otherwise, with what was there instead.
// `request` is "GET /info", for the message.
bool reply_parse(const char *request, const struct text *body, json_t **ret_json,
                 struct error *err) must_use;

// Sets err from an answer that is not 2xx; returns false.
bool reply_refused(const char *request, int status, const struct text *body, struct error *err);

// A message of the engine's on one line, without its full stop.
char *reply_one_line(const char *message) must_use;
