#include "base/json_memory.h"

#include "base/memory.h"

#include <jansson.h>
#include <stdlib.h>

static void *allocate(size_t size) {
    return memory_new(size, 1);
}

void json_memory_init(void) {
    json_set_alloc_funcs(allocate, free);
}
