// A tar of a data directory. Which engine's it is, its members tell: the marker nearest to the
// root counts, so that an archive of /var/lib/postgresql/data and one of its inside are the same.
//
// Nothing is extracted here; but whoever does may rely on it that no member leaves the folder: no
// absolute path, no "..", no link out of it, none through a link, no device.
//
// libarchive takes the members apart. What it lets pass, is checked beside it: it accepts a tar
// without its end mark, which is how most cut ones look.
#include "dump/formats.h"

#include "base/check.h"
#include "base/memory.h"
#include "dump/path_check.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BLOCK 512
#define LINK_LIMIT 1000 // symbolic links; data directories have a handful
#define VERSION_SIZE 64
#define NEEDED_LIMIT 1000 // data directories in one archive; one is what people make

// ---- the members that tell an engine

struct marker {
    enum dump_engine engine;
    const char *path;   // from the root of the data directory
    const char *needed; // without this, the directory is not whole
};

static const struct marker MARKERS[] = {
    {DUMP_POSTGRES, "PG_VERSION", "global/pg_control"},
    {DUMP_MYSQL, "ibdata1", "ibdata1"},
    {DUMP_MONGODB, "WiredTiger", "WiredTiger.turtle"},
    {DUMP_REDIS, "dump.rdb", "dump.rdb"},
    {DUMP_REDIS, "appendonlydir/appendonly.aof.manifest", "appendonlydir/appendonly.aof.manifest"},
};
#define MARKER_COUNT (sizeof MARKERS / sizeof MARKERS[0])

struct found {
    bool marker;
    unsigned depth;        // of the marker's data directory
    char root[PATH_SHOWN]; // that directory: "" or "a/b/"
    uint64_t bytes;        // of the marker
    char version[VERSION_SIZE];
};

struct volume {
    struct source *source;
    struct error *err; // of the source, behind libarchive's back
    struct archive *archive;
    struct path_check *paths;
    struct dump_facts *facts;
    struct found found[MARKER_COUNT];
    struct string_list needed_seen; // "marker:root" of what is needed
    bool source_failed;
    uint64_t handed_out;
    uint64_t last_not_zero; // offset behind the last byte that is not zero
    uint8_t piece[64 * 1024];
};

// ---- libarchive's side

static void note_zeros(struct volume *self, const uint8_t *bytes, size_t length) {
    size_t end = length;
    while (end > 0 && bytes[end - 1] == 0)
        end--;
    if (end > 0)
        self->last_not_zero = self->handed_out + end;
    self->handed_out += length;
}

static bool next_piece(struct volume *self, size_t *ret_length, struct error *err) {
    if (!source_read(self->source, self->piece, sizeof self->piece, ret_length, err))
        return false;
    note_zeros(self, self->piece, *ret_length);
    return true;
}

static la_ssize_t read_piece(struct archive *archive, void *context, const void **ret_bytes) {
    struct volume *self = context;
    size_t length = 0;
    if (!next_piece(self, &length, self->err)) {
        self->source_failed = true;
        archive_set_error(archive, EIO, "the file cannot be read");
        return ARCHIVE_FATAL;
    }
    *ret_bytes = self->piece;
    return (la_ssize_t)length;
}

static bool broken(struct volume *self, const char *what, struct error *err) {
    if (self->source_failed)
        return false; // said already
    const char *reason = archive_error_string(self->archive);
    return error_set(err, ERROR_PROTOCOL, 0, "at byte %" PRId64 ": %s: %s",
                     archive_read_header_position(self->archive), what,
                     reason != NULL ? reason : "unknown");
}

static bool refuse(struct volume *self, const char *path, const char *why, struct error *err) {
    return error_set(err, ERROR_PROTOCOL, 0, "at byte %" PRId64 ": the member \"%.200s\" %s",
                     archive_read_header_position(self->archive), path, why);
}

// ---- one member

// A server's socket, or the link to it that lies in the data directory of MySQL's official image.
// Whoever unpacks leaves it out.
static bool is_socket(const char *path) {
    const size_t length = strlen(path);
    return length > 5 && strcmp(path + length - 5, ".sock") == 0;
}

static bool check_member(struct volume *self, struct archive_entry *entry, const char *path,
                         struct error *err) {
    const char *why = path_check_member(self->paths, path);
    const char *hard = archive_entry_hardlink(entry);
    if (why == NULL && hard != NULL) {
        why = path_check_member(self->paths, hard);
        return why == NULL || refuse(self, path, "is a link to what lies outside", err);
    }
    if (why != NULL)
        return refuse(self, path, why, err);
    switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
    case AE_IFDIR:
        return true;
    case AE_IFLNK:
        if (is_socket(path))
            return true;
        why = path_check_link(self->paths, path, archive_entry_symlink(entry));
        return why == NULL || refuse(self, path, why, err);
    default:
        return refuse(self, path, "is a device, a pipe or a socket", err);
    }
}

// "a/b/PG_VERSION" ends in "PG_VERSION", from the root "a/b/".
static bool ends_in(const char *path, const char *end, size_t *ret_root) {
    const size_t length = strlen(path), tail = strlen(end);
    if (length < tail || strcmp(path + length - tail, end) != 0 ||
        (length > tail && path[length - tail - 1] != '/'))
        return false;
    *ret_root = length - tail;
    return *ret_root < PATH_SHOWN;
}

static unsigned depth_of(const char *path, size_t length) {
    unsigned depth = 0;
    for (size_t i = 0; i < length; i++)
        depth += path[i] == '/' ? 1 : 0;
    return depth;
}

// The one nearest to the root; of several, the first.
static bool note_marker(struct found *found, const char *path, size_t root, uint64_t bytes) {
    const unsigned depth = depth_of(path, root);
    if (found->marker && found->depth <= depth)
        return false;
    *found = (struct found){.marker = true, .depth = depth, .bytes = bytes};
    memcpy(found->root, path, root);
    return true;
}

// Returns where to keep its content, if that tells a version.
static struct found *note_member(struct volume *self, const char *path, uint64_t bytes) {
    struct found *version = NULL;
    size_t root;
    if (strncmp(path, "./", 2) == 0)
        path += 2;
    for (size_t i = 0; i < MARKER_COUNT; i++) {
        struct found *found = &self->found[i];
        if (ends_in(path, MARKERS[i].path, &root) && note_marker(found, path, root, bytes) &&
            MARKERS[i].engine == DUMP_POSTGRES)
            version = found;
        if (ends_in(path, MARKERS[i].needed, &root) && self->needed_seen.count < NEEDED_LIMIT)
            string_list_addf(&self->needed_seen, "%zu:%.*s", i, (int)root, path);
    }
    return version;
}

static void keep_version(struct found *found, const char *bytes, size_t length) {
    const size_t filled = strlen(found->version);
    if (length > VERSION_SIZE - 1 - filled)
        length = VERSION_SIZE - 1 - filled;
    memcpy(found->version + filled, bytes, length);
    found->version[filled + length] = '\0';
}

static bool read_content(struct volume *self, struct found *version, struct error *err) {
    for (;;) {
        const void *bytes;
        size_t length;
        la_int64_t offset;
        const int result = archive_read_data_block(self->archive, &bytes, &length, &offset);
        if (result == ARCHIVE_EOF)
            return true;
        if (result != ARCHIVE_OK)
            return broken(self, "a member's content", err);
        if (version != NULL)
            keep_version(version, bytes, length);
    }
}

static bool read_member(struct volume *self, struct archive_entry *entry, struct error *err) {
    const char *path = archive_entry_pathname(entry);
    if (path == NULL)
        return broken(self, "a member's name", err);
    if (!check_member(self, entry, path, err))
        return false;
    const bool is_file = archive_entry_filetype(entry) == AE_IFREG;
    struct found *version = NULL;
    if (is_file) {
        self->facts->object_count++;
        version = note_member(self, path, (uint64_t)archive_entry_size(entry));
    }
    return read_content(self, version, err);
}

// ---- the end

// Two blocks of zeros at least, and nothing but zeros behind them.
static bool check_end(struct volume *self, struct error *err) {
    const uint64_t end = (uint64_t)archive_read_header_position(self->archive);
    size_t length;
    do
        if (!next_piece(self, &length, err))
            return false;
    while (length > 0);
    if (self->last_not_zero > end)
        return source_error(self->source, err, "something else follows the archive's end");
    if (self->handed_out < end + 2 * BLOCK || self->handed_out % BLOCK != 0)
        return source_error(self->source, err, "the archive does not end in its end mark");
    return true;
}

static bool tell_engine(struct volume *self, struct error *err) {
    const struct found *best = NULL;
    for (size_t i = 0; i < MARKER_COUNT; i++)
        if (self->found[i].marker && (best == NULL || self->found[i].depth < best->depth))
            best = &self->found[i];
    if (best == NULL) {
        self->facts->recognised = memory_format(
            "a tar archive of %" PRIu64 " files, of no engine's data directory that is known",
            self->facts->object_count);
        self->facts->format = NULL; // not one that anybody could restore
        return true;
    }
    const size_t index = (size_t)(best - self->found);
    const struct marker *marker = &MARKERS[index];
    autofree_string char *needed = memory_format("%zu:%s", index, best->root);
    self->facts->engine = marker->engine;
    self->facts->volume_root = memory_copy_string(best->root);
    self->facts->restores_itself = true; // all databases that the server had
    if (best->bytes == 0)
        return source_error(self->source, err, "%s%s is empty", best->root, marker->path);
    if (!string_list_contains(&self->needed_seen, needed))
        return source_error(self->source, err, "%s%s is not there: the data directory is not whole",
                            best->root, marker->needed);
    if (marker->engine != DUMP_POSTGRES)
        return true;
    const size_t digits = strspn(best->version, "0123456789.");
    if (digits == 0 || (best->version[digits] != '\n' && best->version[digits] != '\0'))
        return source_error(self->source, err, "%sPG_VERSION holds no version", best->root);
    self->facts->server_version = memory_copy_bytes(best->version, digits);
    return true;
}

static bool read_members(struct volume *self, struct error *err) {
    for (;;) {
        struct archive_entry *entry;
        const int result = archive_read_next_header(self->archive, &entry);
        if (result == ARCHIVE_EOF)
            return check_end(self, err) && tell_engine(self, err);
        // A warning is a name that this machine's character set lacks: its bytes are there.
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
            return broken(self, "a member's header", err);
        if (!read_member(self, entry, err))
            return false;
    }
}

static bool open_archive(struct volume *self, struct error *err) {
    check((self->archive = archive_read_new()) != NULL);
    archive_read_support_format_tar(self->archive);
    return archive_read_open(self->archive, self, NULL, read_piece, NULL) == ARCHIVE_OK ||
           broken(self, "the archive", err);
}

static bool read_volume(struct source *source, struct dump_facts *facts, struct error *err) {
    struct error unread = {0};
    struct volume *self = memory_new(1, sizeof *self);
    self->source = source;
    self->facts = facts;
    self->err = err != NULL ? err : &unread;
    self->paths = path_check_new(LINK_LIMIT);
    const bool read = open_archive(self, err) && read_members(self, err);
    archive_read_free(self->archive);
    path_check_free(self->paths);
    string_list_done(&self->needed_seen);
    free(self);
    return read;
}

// ---- its head

static bool octal(const uint8_t *bytes, size_t size, uint64_t *ret_value) {
    size_t at = 0;
    *ret_value = 0;
    while (at < size && bytes[at] == ' ')
        at++;
    const size_t begin = at;
    for (; at < size && bytes[at] >= '0' && bytes[at] <= '7'; at++)
        *ret_value = *ret_value * 8 + (bytes[at] - '0');
    return at > begin;
}

// By the checksum of the first header, which is older than any magic word: the sum of its bytes,
// its own eight taken as spaces.
static bool is_tar(const uint8_t *head, size_t length) {
    uint64_t said, sum = 0;
    if (length < BLOCK || head[0] == '\0')
        return false;
    for (size_t i = 0; i < BLOCK; i++)
        sum += i >= 148 && i < 156 ? ' ' : head[i];
    if (octal(head + 148, 8, &said) && said == sum)
        return true;
    return memcmp(head + 257, "ustar", 5) == 0; // or its header is broken
}

const struct dump_format FORMAT_VOLUME = {
    .name = "volume",
    .title = "tar of a data directory",
    .engine = DUMP_UNKNOWN, // its members say
    .recognises = is_tar,
    .read = read_volume,
};
