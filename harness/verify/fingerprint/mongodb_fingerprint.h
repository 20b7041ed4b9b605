// What a MongoDB server holds (value/fingerprint.h): collections and indexes from its own lists,
// documents summed as they stream by. All databases but admin, config and local.
//
// There is no snapshot: collections are read one after the other, each as it is at that time. A
// write at the same time can be in one list and not in the other, and then makes a false
// difference: compare what nobody writes to, or say that it was written to. A collection that is
// dropped while it is read is an error.
//
// Objects: collections ("shop.orders") with their options (capped, size, max, validator, collation,
// timeseries …), views with what they are made of, indexes ("shop.orders.$total_1") with their keys
// in order and each option (unique, sparse, partialFilterExpression, expireAfterSeconds, collation,
// weights …). Values are JSON as the server writes it, nested members in its order: in a filter or
// a pipeline order has a meaning; that of the options themselves has none.
// Not looked at: an index's "v", "ns" and "background"; a collection's UUID; users and roles, which
// the database admin holds; sharding; system.views and system.buckets… (seen as the views and time
// series that they serve), system.profile; int32 and int64 look alike in an option.
//
// Documents: the BSON that the server sends, byte for byte, so that int32 is not int64 and the
// order of fields counts. The element _id chooses the bucket; without one (a measurement of a time
// series) the whole document does. Views have no documents of their own.
//
// Who may not list all databases or all collections gets an error.
// Sources: the manual's listDatabases, listCollections, listIndexes.
#pragma once

#include "base/cancel.h"
#include "base/error.h"
#include "client/mongodb.h"
#include "value/row_hunt.h"

struct mongodb_fingerprint_options {
    const char *database; // only this one; NULL: all
    size_t buckets;       // 0: ROW_HASH_BUCKETS
    struct row_hunt
        *hunt; // only its objects' documents are read, and noted; NULL: all, and none are
    const struct cancel *cancel;
    // After each collection, for progress; documents so far, of all of them.
    void (*progress)(void *context, const char *collection, uint64_t documents);
    void *context;
};

// Writes nothing. Sorted.
bool mongodb_fingerprint_with(struct mongodb *mongodb, const uint8_t key[ROW_HASH_KEY_SIZE],
                              const struct mongodb_fingerprint_options *options,
                              struct fingerprint **ret_fingerprint, struct error *err) must_use;
#define mongodb_fingerprint(mongodb, key, ret_fingerprint, err, ...)                              \
    mongodb_fingerprint_with(                                                                     \
        (mongodb), (key), &(const struct mongodb_fingerprint_options){.buckets = 0, __VA_ARGS__}, \
        (ret_fingerprint), (err))
