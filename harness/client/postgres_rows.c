#include "client/postgres_internal.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>

struct postgres_rows *postgres_rows_new(PGresult *result) {
    struct postgres_rows *self = memory_new(1, sizeof *self);
    self->result = result;
    return self;
}

void postgres_rows_free(struct postgres_rows *self) {
    if (self == NULL)
        return;
    PQclear(self->result);
    free(self);
}

size_t postgres_rows_count(const struct postgres_rows *self) {
    return (size_t)PQntuples(self->result);
}

size_t postgres_rows_columns(const struct postgres_rows *self) {
    return (size_t)PQnfields(self->result);
}

const char *postgres_rows_name(const struct postgres_rows *self, size_t column) {
    check(column < postgres_rows_columns(self));
    return PQfname(self->result, (int)column);
}

unsigned postgres_rows_type(const struct postgres_rows *self, size_t column) {
    check(column < postgres_rows_columns(self));
    return PQftype(self->result, (int)column);
}

bool postgres_rows_is_null(const struct postgres_rows *self, size_t row, size_t column) {
    check(row < postgres_rows_count(self) && column < postgres_rows_columns(self));
    return PQgetisnull(self->result, (int)row, (int)column) != 0;
}

const char *postgres_rows_value(const struct postgres_rows *self, size_t row, size_t column) {
    if (postgres_rows_is_null(self, row, column))
        return NULL;
    return PQgetvalue(self->result, (int)row, (int)column);
}

size_t postgres_rows_length(const struct postgres_rows *self, size_t row, size_t column) {
    check(row < postgres_rows_count(self) && column < postgres_rows_columns(self));
    return (size_t)PQgetlength(self->result, (int)row, (int)column);
}

uint64_t postgres_rows_affected(const struct postgres_rows *self) {
    return strtoull(PQcmdTuples(self->result), NULL, 10);
}
