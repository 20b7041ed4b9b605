// Restoring one artifact into a throwaway server of its kind, and asking that server whether what
// it now holds is sound. One row an engine; a new engine is a file and a row.
//
// The server is made fresh for each artifact, in a container of the restore stand
// (fixtures/restore): its own folder, a socket in it, no account that anybody made. The artifact is
// fed to the engine's own tools over standard input, so nothing is written into the user's folder.
// They stop at the first error (ON_ERROR_STOP, --exit-on-error), and what they print is read: an
// exit status alone is not believed.
#pragma once

#include "client/endpoint.h"
#include "value/result.h"
#include "value/row_hunt.h"
#include "verify/backup/tool.h"

struct restore {
    struct tool_stand stand;
    const struct endpoint *endpoint; // of a stand whose server runs already (MongoDB); else NULL
    const char *folder;              // 0700, for the sockets of relays
    const struct backup *backup;
    const struct artifact *artifact;
    char *note;    // what the report says of a restore that went well; NULL: nothing
    char *lacking; // what of it this server does not offer, so that it was left out; NULL: nothing
};

struct restorer {
    enum dump_engine engine;
    const char *service; // of the restore stand: "postgres"
    const char *title;   // "PostgreSQL"
    const char *version; // a script that prints the server's; NULL: `identify` asks the server
    bool (*identify)(const struct endpoint *server, char *buffer, size_t size, struct error *err);
    const char *user; // of the container, who owns the server: "postgres"
    // Formats that it restores, NULL-terminated names of dump_format.
    const char *const *formats;
    const char *no_volume; // why it restores no data directory; NULL: it does
    // ERROR_SERVICE: the artifact does not restore (the tool's own words); ERROR_UNAVAILABLE: it
    // cannot be tried here, with the reason: not verified. Anything else: the attempt went wrong.
    bool (*restore)(struct restore *self, struct error *err);
    // Adds one test: as many records as the file holds are there.
    void (*count)(const struct restore *self, struct suite_result *suite);
    // Adds a test for each of the server's own checks: "heap_and_btree_pages_are_sound", …
    void (*check)(const struct restore *self, struct suite_result *suite);
    // What that server holds now, summed under this key. `server` is where it is reached: at the
    // stand's endpoint, or over a relay to `port` as `login`. `hunt`: see the engine's fingerprint;
    // NULL: none.
    bool (*fingerprint)(const struct restore *self, const struct endpoint *server,
                        const uint8_t key[ROW_HASH_KEY_SIZE], struct row_hunt *hunt,
                        struct fingerprint **ret_fingerprint, struct error *err);
    uint16_t port; // 0: at the stand's endpoint
    const char *login;
    // Deletes at least one record there, so that `count` can be seen to notice it.
    bool (*lose_record)(const struct restore *self, struct error *err);
    void (*close)(const struct restore *self); // stops the server and removes its folder
};

extern const struct restorer RESTORER_POSTGRES;
extern const struct restorer RESTORER_MYSQL;
extern const struct restorer RESTORER_MONGODB;
extern const struct restorer RESTORER_REDIS;

const struct restorer *restorer_of(enum dump_engine engine); // NULL: none
// Of the server in the stand; -1: nobody knows.
int restore_server_major(const struct restorer *restorer, const struct restore *self);
bool restorer_takes(const struct restorer *self, const struct dump_format *format);

// Calls `use` with where the restored server is reached: at the stand's endpoint, or over a relay
// where there is no network. The endpoint lives as long as the call; its request timeout is as long
// as a sum of the largest table may take; which database is asked, `use` chooses. What `use` says
// went wrong is passed on, with what the relay knows of it.
bool restore_with_server(const struct restorer *restorer, const struct restore *self,
                         bool (*use)(void *context, const struct endpoint *server,
                                     struct error *err),
                         void *context, struct error *err) must_use;

// ERROR_UNAVAILABLE: this kind cannot be summed.
bool restore_fingerprint(const struct restorer *restorer, const struct restore *self,
                         const uint8_t key[ROW_HASH_KEY_SIZE], struct fingerprint **ret_fingerprint,
                         struct error *err) must_use;

// Those rows once more: fills in the hunt's notes.
bool restore_hunt(const struct restorer *restorer, const struct restore *self,
                  const uint8_t key[ROW_HASH_KEY_SIZE], struct row_hunt *hunt,
                  struct error *err) must_use;

// ---- for the restorers

// The data directory of a server that nobody used, in assay's own images.
#define RESTORE_FRESH "/usr/local/lib/assay/fresh-server"

const struct backup_file *restore_file(const struct restore *self); // the artifact's first

// Adds a test with this outcome; `format` is its message, NULL: none.
void restore_said(struct suite_result *suite, const char *name, enum outcome outcome,
                  const char *format, ...) printf_like(4, 5);
// The answer of a check that prints what is wrong, a line each, and nothing when all is well.
// A check that could not be asked is not verified.
void restore_lines(struct suite_result *suite, const char *name, bool asked, const char *lines,
                   const struct error *problem);
// rows_are_all_there: what the file holds against what the server counts.
void restore_counts(struct suite_result *suite, const char *name, const char *unit,
                    uint64_t in_file, uint64_t in_server);
// Starts the server: `make` prepares, as root, what `open` needs. ERROR_UNAVAILABLE: it does not.
bool restore_open(const struct restorer *restorer, const struct restore *self, const char *make,
                  const char *open, struct error *err);
// Whatever it answers: what stays goes with the container.
void restore_close(const struct restore *self, const char *script);
// A test by a script that prints what is wrong, a line each. `argument` is its $1; NULL: none.
void restore_check(const struct restore *self, struct suite_result *suite, const char *name,
                   const char *script, const char *argument);
// rows_are_all_there: the file's records against the sum of the numbers that the script prints.
void restore_count_rows(const struct restore *self, struct suite_result *suite, const char *script,
                        const char *argument);
// Whether the dump is of a newer server than the one here, which then may well not know what it
// says: err is ERROR_UNAVAILABLE with both versions and the complaint.
bool restore_is_of_newer(const struct restorer *restorer, const struct restore *self,
                         const char *complaint, struct error *err);
// Whether any of these phrases (NULL-terminated) stands in it.
bool restore_says_any(const char *text, const char *const *phrases);
// The major version, 17 of "17.2 (Debian)", 8 of "8.0.44"; -1: none is there.
int restore_major(const char *version);
