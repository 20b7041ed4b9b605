// The RDB file of a Redis server as a stream, as a replica gets it: SYNC, then "$LENGTH" or
// "$EOF:MARK" and the bytes (Redis source, "replication"; the manual's SYNC). The server writes a
// snapshot for it as it does for any replica, and forgets us when the connection ends; nothing of
// its own is touched. Of a node of a cluster: what that node holds.
#pragma once

#include "client/endpoint.h"

#include <stddef.h>

// Pieces go to `each` as they come; false from it ends the call with its error. The endpoint's
// request timeout is the longest silence: a snapshot of much data takes its time. ERROR_SERVICE:
// the server refuses; ERROR_PROTOCOL: the stream is not as it should be, or ends before its end.
bool redis_dump(const struct endpoint *endpoint,
                bool (*each)(void *context, const void *bytes, size_t length, struct error *err),
                void *context, struct error *err) must_use;
