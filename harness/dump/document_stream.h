// The documents of a mongodump, one by one, for whoever writes them into a server. The file was
// read to its proven end before (dump.h): here only what is needed to find them is looked at.
//
//   one collection's .bson  ──> documents
//   an archive              ──> what it says of each collection, then documents of one or another
#pragma once

#include "dump/source.h"

enum document_event {
    DOCUMENT_END = 0,
    DOCUMENT_COLLECTION, // of an archive's beginning: `metadata` is what mongodump says of it
    DOCUMENT_ROW,        // `bytes` is a document
};

struct document_stream {
    struct source *source; // borrowed
    bool is_archive;
    bool in_prelude;
    bool in_block;
    char *database; // of an archive: of the present event
    char *collection;
    char *metadata; // JSON (MongoDB Extended JSON): options, indexes
    uint8_t *bytes;
    size_t length;
    size_t capacity;
};

// From the beginning of the source.
void document_stream_init(struct document_stream *self, struct source *source, bool is_archive);
// What the event is about is borrowed until the next call.
bool document_stream_next(struct document_stream *self, enum document_event *ret_event,
                          struct error *err) must_use;
void document_stream_done(struct document_stream *self);

DEFINE_AUTODONE(document_stream, document_stream_done);
