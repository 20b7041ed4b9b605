#include "verify/fingerprint/row_reader.h"

#include <jansson.h>

bool row_reader_init(struct row_reader *self, struct row_notes *notes, const char *names,
                     struct error *err) {
    *self = (struct row_reader){.notes = notes};
    if (notes == NULL)
        return true;
    json_t *list = json_loads(names, 0, NULL);
    const bool understood = json_is_array(list);
    size_t i;
    json_t *name;
    json_array_foreach (list, i, name)
        string_list_add(&self->names, json_is_string(name) ? json_string_value(name) : "?");
    json_decref(list);
    return understood ||
           error_set(err, ERROR_PROTOCOL, 0, "the names of its columns are not understood");
}

void row_reader_done(struct row_reader *self) {
    string_list_done(&self->names);
}

static const char *name_of(const struct row_reader *self, size_t column) {
    return column < self->names.count ? self->names.items[column] : "?";
}

void row_reader_key(const struct row_reader *self, size_t column, const void *bytes,
                    size_t length) {
    row_notes_key(self->notes, name_of(self, column), bytes, length);
}

void row_reader_value(const struct row_reader *self, size_t column, const void *bytes,
                      size_t length) {
    row_notes_value(self->notes, name_of(self, column), bytes, length);
}
