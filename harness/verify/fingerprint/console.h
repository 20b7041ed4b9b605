// One session in which statements of a server's own language are run, as a person would at its
// console:
//
//   PostgreSQL, MySQL   SQL: one statement
//   MongoDB             a command as Extended JSON: {"drop": "orders"}
//   Redis               the words of a command, with spaces between them; "" is the empty word
#pragma once

#include "base/cleanup.h"
#include "client/endpoint.h"
#include "dump/dump.h"
#include "value/row_hunt.h"

struct console;

// In the endpoint's database; of Redis in number 0. `cancel` ends a sum; may be NULL.
bool console_open(enum dump_engine engine, const struct endpoint *server,
                  const struct cancel *cancel, struct console **ret_console,
                  struct error *err) must_use;
void console_close(struct console *self);

// ERROR_SERVICE: the server refused, with its words and the statement.
bool console_run(struct console *self, const char *statement, struct error *err) must_use;

// What its database holds, as a backup's manifest would have it. Of Redis, and of a MongoDB without
// a database in the endpoint: the whole server.
bool console_fingerprint(struct console *self, const uint8_t key[ROW_HASH_KEY_SIZE],
                         struct fingerprint **ret_fingerprint, struct error *err) must_use;

// The second reading of those rows: fills in the hunt's notes.
bool console_hunt(struct console *self, const uint8_t key[ROW_HASH_KEY_SIZE], struct row_hunt *hunt,
                  struct error *err) must_use;

// "PostgreSQL 17.12": over a connection of its own.
bool console_identify(enum dump_engine engine, const struct endpoint *server, char *buffer,
                      size_t size, struct error *err) must_use;

DEFINE_AUTOFREE(console, console_close);
