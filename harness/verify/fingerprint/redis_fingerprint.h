// What a Redis server or cluster holds (value/fingerprint.h): its databases, each key with its
// type, value and expiry a row (redis_value.h says in which form), and its function libraries.
//
// There is no snapshot: keys are read one after the other, each as it is at that time, a large one
// piece by piece. A write at the same time can be seen in part and then makes a false difference:
// compare what nobody writes to, or say that it was written to. A key that is gone, or has become
// another type, before it is read is left out.
//
// Objects: "database 0", always there, and each other one that holds a key; a library with its
// code. Keys that expire, and hashes with a field that does, are apart, in "database 0, keys that
// expire": a server that is restored later does not have those any more that have expired by then,
// so rows missing there can be right. In a cluster slots are together one database; one that is
// spread over several nodes and has others than database 0 is refused.
//
// SCAN can send a key twice. Those that were seen are remembered by their hash: up to 43 bytes a
// key of the present database, and so the members of a set and the fields of a hash, as long as it
// is read. Beside that about a hundred keys are held at a time, of each 64 KiB or a hundred
// elements.
//
// Needs Redis 7.0 or newer, which says exactly when a key expires; else ERROR_UNAVAILABLE.
// Not looked at: configuration, users (ACL), idle times and frequencies; libraries of other nodes
// than one; what redis_value.h leaves out. A module's values are taken as DUMP writes them: compare
// servers with the same version of the module; one that writes them otherwise after a restore makes
// a false difference.
// Sources: the manual's SCAN ("Scan guarantees"), PEXPIRETIME, INFO (section keyspace), FUNCTION
// LIST.
#pragma once

#include "base/cancel.h"
#include "base/error.h"
#include "client/redis_cluster.h"
#include "value/row_hunt.h"

#define REDIS_KEYS_THAT_EXPIRE ", keys that expire" // how the names of such objects end

struct redis_fingerprint_options {
    size_t buckets;        // 0: ROW_HASH_BUCKETS
    struct row_hunt *hunt; // only its objects' keys are read, and noted; NULL: all, and none are
    const struct cancel *cancel;
    // After each database, for progress; keys so far, of all of them.
    void (*progress)(void *context, const char *database, uint64_t keys);
    void *context;
};

// Writes nothing. The connections are in database 0 afterwards, unless they failed. Sorted.
bool redis_fingerprint_with(struct redis_cluster *cluster, const uint8_t key[ROW_HASH_KEY_SIZE],
                            const struct redis_fingerprint_options *options,
                            struct fingerprint **ret_fingerprint, struct error *err) must_use;
#define redis_fingerprint(cluster, key, ret_fingerprint, err, ...)                               \
    redis_fingerprint_with((cluster), (key),                                                     \
                           &(const struct redis_fingerprint_options){.buckets = 0, __VA_ARGS__}, \
                           (ret_fingerprint), (err))
