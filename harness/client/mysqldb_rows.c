#include "client/mysqldb_internal.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>

struct mysqldb_rows *mysqldb_rows_new(const MYSQL_FIELD *fields, size_t columns) {
    struct mysqldb_rows *self = memory_new(1, sizeof *self);
    self->columns = columns;
    self->names = memory_new(columns + 1, sizeof *self->names);
    for (size_t i = 0; i < columns; i++)
        self->names[i] = memory_copy_string(fields[i].name);
    return self;
}

void mysqldb_rows_free(struct mysqldb_rows *self) {
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count * self->columns; i++)
        free(self->values[i]);
    for (size_t i = 0; i < self->columns; i++)
        free(self->names[i]);
    free(self->names);
    free(self->values);
    free(self->lengths);
    free(self);
}

void mysqldb_rows_add(struct mysqldb_rows *self) {
    if (self->count == self->capacity) {
        self->capacity = self->capacity == 0 ? 8 : self->capacity * 2;
        const size_t cells = self->capacity * self->columns;
        self->values = memory_resize(self->values, cells, sizeof *self->values);
        self->lengths = memory_resize(self->lengths, cells, sizeof *self->lengths);
    }
    for (size_t column = 0; column < self->columns; column++) {
        self->values[self->count * self->columns + column] = NULL;
        self->lengths[self->count * self->columns + column] = 0;
    }
    self->count++;
}

void mysqldb_rows_set(struct mysqldb_rows *self, size_t column, const char *bytes, size_t length) {
    const size_t cell = (self->count - 1) * self->columns + column;
    self->values[cell] = memory_copy_bytes(bytes, length);
    self->lengths[cell] = length;
}

size_t mysqldb_rows_count(const struct mysqldb_rows *self) {
    return self->count;
}

size_t mysqldb_rows_columns(const struct mysqldb_rows *self) {
    return self->columns;
}

const char *mysqldb_rows_name(const struct mysqldb_rows *self, size_t column) {
    check(column < self->columns);
    return self->names[column];
}

bool mysqldb_rows_is_null(const struct mysqldb_rows *self, size_t row, size_t column) {
    return mysqldb_rows_value(self, row, column) == NULL;
}

const char *mysqldb_rows_value(const struct mysqldb_rows *self, size_t row, size_t column) {
    check(row < self->count && column < self->columns);
    return self->values[row * self->columns + column];
}

size_t mysqldb_rows_length(const struct mysqldb_rows *self, size_t row, size_t column) {
    check(row < self->count && column < self->columns);
    return self->lengths[row * self->columns + column];
}

uint64_t mysqldb_rows_affected(const struct mysqldb_rows *self) {
    return self->affected;
}

uint64_t mysqldb_rows_insert_id(const struct mysqldb_rows *self) {
    return self->insert_id;
}
