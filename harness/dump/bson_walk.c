#include "dump/bson_walk.h"

#include "dump/little_endian.h"
#include "dump/utf8.h"

#include <inttypes.h>
#include <string.h>

// A document that is open: positions count from the outermost document's beginning.
struct level {
    uint32_t end;
    uint32_t scope_end; // of code with scope: where its length says that it ends; 0: none
};

struct walk {
    struct cursor *cursor;
    uint32_t at;
    unsigned depth;
    struct level levels[BSON_LEVELS];
    struct bson_element element;
    bool shown; // somebody wants to see the element
};

struct kind {
    const char *name;
    bool (*read)(struct walk *self, const struct kind *kind, struct error *err);
    uint32_t size; // of fixed ones
};

// ---- bytes within the present document

// What the document still has for its elements: the last byte is its terminator.
static uint32_t room(const struct walk *self) {
    return self->levels[self->depth - 1].end - 1 - self->at;
}

static bool fits(struct walk *self, uint64_t needed, const char *what, struct error *err) {
    if (needed <= room(self))
        return true;
    return cursor_error(self->cursor, err,
                        "%s of \"%s\" needs %" PRIu64 " bytes, its document has only %" PRIu32
                        " left",
                        what, self->element.name, needed, room(self));
}

static bool take(struct walk *self, void *bytes, uint32_t size, const char *what,
                 struct error *err) {
    if (!fits(self, size, what, err) || !cursor_read(self->cursor, bytes, size, what, err))
        return false;
    self->at += size;
    return true;
}

static bool take_length(struct walk *self, const char *what, uint32_t *ret_length,
                        struct error *err) {
    uint8_t bytes[4];
    if (!take(self, bytes, sizeof bytes, what, err))
        return false;
    *ret_length = (uint32_t)little_endian(bytes, sizeof bytes);
    return true;
}

// The beginning of a text, for whoever wants to see it.
struct prefix {
    char *bytes; // NULL: nobody
    size_t size;
    size_t length;
    bool cut;
};

static void keep(struct prefix *self, const uint8_t *bytes, size_t length) {
    if (self->bytes == NULL)
        return;
    const size_t left = self->size - 1 - self->length;
    if (length > left) {
        self->cut = true;
        length = left;
    }
    memcpy(self->bytes + self->length, bytes, length);
    self->length += length;
    self->bytes[self->length] = '\0';
}

static bool not_utf8(struct walk *self, const char *what, struct error *err) {
    return cursor_error(self->cursor, err, "%s of \"%s\" is not UTF-8", what, self->element.name);
}

static bool text_piece(struct walk *self, struct utf8 *utf8, struct prefix *prefix,
                       const uint8_t *bytes, size_t length, const char *what, struct error *err) {
    if (!utf8_feed(utf8, bytes, length))
        return not_utf8(self, what, err);
    keep(prefix, bytes, length);
    cursor_take(self->cursor, length);
    self->at += (uint32_t)length;
    return true;
}

// Up to a NUL, which is taken too.
static bool take_cstring(struct walk *self, const char *what, struct prefix *prefix,
                         struct error *err) {
    struct utf8 utf8 = {0};
    for (;;) {
        const uint8_t *bytes;
        size_t shown;
        if (room(self) == 0)
            return cursor_error(self->cursor, err, "%s after \"%s\" has no end in its document",
                                what, self->element.name);
        if (!cursor_look(self->cursor, 1, &bytes, &shown, err))
            return false;
        if (shown == 0)
            return cursor_error(self->cursor, err, "the data end within %s", what);
        const size_t length = shown < room(self) ? shown : room(self);
        const uint8_t *end = memchr(bytes, '\0', length);
        if (!text_piece(self, &utf8, prefix, bytes, end != NULL ? (size_t)(end - bytes) : length,
                        what, err))
            return false;
        if (end == NULL)
            continue;
        if (!utf8_is_complete(&utf8))
            return not_utf8(self, what, err);
        cursor_take(self->cursor, 1);
        self->at++;
        return true;
    }
}

// ---- values

static bool read_fixed(struct walk *self, const struct kind *kind, struct error *err) {
    uint8_t bytes[16];
    if (!take(self, bytes, kind->size, kind->name, err))
        return false;
    if (kind->size == 4 || kind->size == 8)
        self->element.number = sign_extend(little_endian(bytes, kind->size), kind->size);
    return true;
}

static bool read_boolean(struct walk *self, const struct kind *kind, struct error *err) {
    uint8_t byte;
    if (!take(self, &byte, 1, kind->name, err))
        return false;
    self->element.number = byte;
    return byte <= 1 || cursor_error(self->cursor, err, "the boolean \"%s\" is %u, not 0 or 1",
                                     self->element.name, byte);
}

static bool read_string(struct walk *self, const struct kind *kind, struct error *err) {
    uint32_t length;
    struct utf8 utf8 = {0};
    struct prefix prefix = {.bytes = self->shown ? self->element.text : NULL,
                            .size = sizeof self->element.text};
    if (!take_length(self, kind->name, &length, err) || !fits(self, length, kind->name, err))
        return false;
    if (length == 0)
        return cursor_error(self->cursor, err, "%s of \"%s\" has no room for its terminator",
                            kind->name, self->element.name);
    for (uint32_t left = length - 1; left > 0;) {
        const uint8_t *bytes;
        size_t shown;
        if (!cursor_look(self->cursor, 1, &bytes, &shown, err))
            return false;
        if (shown == 0)
            return cursor_error(self->cursor, err, "the data end within %s of \"%s\"", kind->name,
                                self->element.name);
        if (shown > left)
            shown = left;
        if (!text_piece(self, &utf8, &prefix, bytes, shown, kind->name, err))
            return false;
        left -= (uint32_t)shown;
    }
    if (!utf8_is_complete(&utf8))
        return not_utf8(self, kind->name, err);
    uint8_t terminator;
    if (!take(self, &terminator, 1, kind->name, err))
        return false;
    if (terminator != 0)
        return cursor_error(self->cursor, err, "%s of \"%s\" does not end in a NUL", kind->name,
                            self->element.name);
    self->element.text_is_whole =
        !prefix.cut && memchr(self->element.text, '\0', prefix.length) == NULL;
    return true;
}

static bool begin_document(struct walk *self, uint32_t scope_end, const char *what,
                           struct error *err) {
    uint32_t size;
    const uint32_t begin = self->at;
    if (!take_length(self, what, &size, err))
        return false;
    if (size < BSON_SHORTEST)
        return cursor_error(self->cursor, err, "%s \"%s\" says that it has %" PRIu32 " bytes", what,
                            self->element.name, size);
    if (!fits(self, (uint64_t)size - 4, what, err))
        return false;
    if (self->depth == BSON_LEVELS)
        return cursor_error(self->cursor, err, "documents are nested more than %d levels deep",
                            BSON_LEVELS);
    self->levels[self->depth++] = (struct level){.end = begin + size, .scope_end = scope_end};
    return true;
}

static bool read_document(struct walk *self, const struct kind *kind, struct error *err) {
    return begin_document(self, 0, kind->name, err);
}

static bool read_binary(struct walk *self, const struct kind *kind, struct error *err) {
    uint32_t length;
    uint8_t subtype;
    if (!take_length(self, kind->name, &length, err) || !take(self, &subtype, 1, kind->name, err) ||
        !fits(self, length, kind->name, err))
        return false;
    if (subtype == 2) { // the old one holds its length once more
        uint32_t inner;
        if (length < 4)
            return cursor_error(self->cursor, err, "the old binary \"%s\" has no inner length",
                                self->element.name);
        if (!take_length(self, kind->name, &inner, err))
            return false;
        length -= 4;
        if (inner != length)
            return cursor_error(self->cursor, err, "the lengths of the old binary \"%s\" differ",
                                self->element.name);
    }
    if (!cursor_skip(self->cursor, length, kind->name, err))
        return false;
    self->at += length;
    return true;
}

static bool read_regex(struct walk *self, const struct kind *kind, struct error *err) {
    struct prefix nobody = {0};
    return take_cstring(self, kind->name, &nobody, err) &&
           take_cstring(self, kind->name, &nobody, err);
}

static bool read_pointer(struct walk *self, const struct kind *kind, struct error *err) {
    uint8_t id[12];
    return read_string(self, kind, err) && take(self, id, sizeof id, kind->name, err);
}

static bool read_code_with_scope(struct walk *self, const struct kind *kind, struct error *err) {
    const uint32_t begin = self->at;
    uint32_t length;
    if (!take_length(self, kind->name, &length, err))
        return false;
    if (length < 4 + 5 + BSON_SHORTEST || length - 4 > room(self))
        return cursor_error(self->cursor, err, "%s \"%s\" says that it has %" PRIu32 " bytes",
                            kind->name, self->element.name, length);
    return read_string(self, kind, err) && begin_document(self, begin + length, kind->name, err);
}

static const struct kind KINDS[256] = {
    [0x01] = {"the double", read_fixed, 8},
    [BSON_STRING] = {"the string", read_string, 0},
    [0x03] = {"the document", read_document, 0},
    [0x04] = {"the array", read_document, 0},
    [0x05] = {"the binary", read_binary, 0},
    [0x06] = {"undefined", read_fixed, 0},
    [0x07] = {"the ObjectId", read_fixed, 12},
    [BSON_BOOLEAN] = {"the boolean", read_boolean, 0},
    [0x09] = {"the date", read_fixed, 8},
    [0x0a] = {"null", read_fixed, 0},
    [0x0b] = {"the regular expression", read_regex, 0},
    [0x0c] = {"the DBPointer", read_pointer, 0},
    [0x0d] = {"the code", read_string, 0},
    [0x0e] = {"the symbol", read_string, 0},
    [0x0f] = {"the code with scope", read_code_with_scope, 0},
    [BSON_INT32] = {"the int32", read_fixed, 4},
    [0x11] = {"the timestamp", read_fixed, 8},
    [BSON_INT64] = {"the int64", read_fixed, 8},
    [0x13] = {"the decimal128", read_fixed, 16},
    [0x7f] = {"MaxKey", read_fixed, 0},
    [0xff] = {"MinKey", read_fixed, 0},
};

// ---- the walk

static bool end_document(struct walk *self, struct error *err) {
    const struct level *level = &self->levels[--self->depth];
    if (self->at != level->end)
        return cursor_error(self->cursor, err,
                            "a document ends %" PRIu32 " bytes before its length says",
                            level->end - self->at);
    if (level->scope_end != 0 && self->at != level->scope_end)
        return cursor_error(self->cursor, err,
                            "code with scope ends at another place than its length says");
    return true;
}

static bool walk_element(struct walk *self, uint8_t type, bson_visit visit, void *context,
                         struct error *err) {
    const struct kind *kind = &KINDS[type];
    self->shown = visit != NULL && self->depth == 1;
    if (kind->read == NULL)
        return cursor_error(self->cursor, err,
                            "an element after \"%s\" has the unknown type 0x%02x",
                            self->element.name, type);
    struct prefix name = {.bytes = self->element.name, .size = sizeof self->element.name};
    self->element.name[0] = self->element.text[0] = '\0';
    self->element.text_is_whole = false;
    self->element.number = 0;
    self->element.type = type;
    if (!take_cstring(self, "the name of an element", &name, err) || !kind->read(self, kind, err))
        return false;
    return !self->shown || visit(context, &self->element, err);
}

static bool begin_outermost(struct walk *self, struct error *err) {
    uint8_t bytes[4];
    if (!cursor_read(self->cursor, bytes, sizeof bytes, "a document's length", err))
        return false;
    const uint64_t size = little_endian(bytes, sizeof bytes);
    if (size < BSON_SHORTEST || size > BSON_LONGEST)
        return cursor_error(self->cursor, err,
                            "a document says that it has %" PRIu64 " bytes (%d to %d are possible)",
                            size, BSON_SHORTEST, BSON_LONGEST);
    self->at = 4;
    self->depth = 1;
    self->levels[0] = (struct level){.end = (uint32_t)size};
    return true;
}

bool bson_walk(struct cursor *cursor, bson_visit visit, void *context, struct error *err) {
    struct walk self; // the levels are written before they are read
    self.cursor = cursor;
    self.shown = false;
    self.element.name[0] = '\0';
    if (!begin_outermost(&self, err))
        return false;
    while (self.depth > 0) {
        uint8_t type;
        if (!cursor_read(cursor, &type, 1, "a document", err))
            return false;
        self.at++;
        if (type != 0 && self.at >= self.levels[self.depth - 1].end)
            return cursor_error(cursor, err, "a document does not end in a NUL, but in 0x%02x",
                                type);
        if (type == 0 ? !end_document(&self, err) : !walk_element(&self, type, visit, context, err))
            return false;
    }
    return true;
}

bool bson_may_begin(const uint8_t *bytes, size_t length) {
    if (length < BSON_SHORTEST)
        return false;
    const uint64_t size = little_endian(bytes, 4);
    if (size < BSON_SHORTEST || size > BSON_LONGEST)
        return false;
    if (size == BSON_SHORTEST)
        return bytes[4] == 0;
    if (KINDS[bytes[4]].read == NULL)
        return false;
    // A name of printable characters; a person never wrote others.
    for (size_t at = 5; at < length && bytes[at] != '\0'; at++)
        if (bytes[at] < ' ' || bytes[at] == 0x7f)
            return false;
    return true;
}
