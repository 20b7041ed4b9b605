// The values of an RDB file: every type that Redis 1 to 8 wrote, each a row in a table.
#pragma once

#include "dump/rdb_reader.h"

// Whether there is a type of this number at all.
bool rdb_object_is_known(uint8_t type);

// Reads a value of this type to its end.
bool rdb_read_object(struct rdb_reader *self, uint8_t type, struct error *err) must_use;

// What a module wrote after its name, to its end mark: its parts say themselves how long they are.
bool rdb_read_module_parts(struct rdb_reader *self, struct error *err) must_use;
