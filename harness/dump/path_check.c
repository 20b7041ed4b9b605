#include "dump/path_check.h"

#include "base/memory.h"
#include "base/string_list.h"

#include <stdbool.h>
#include <string.h>

struct path_check {
    struct string_list links; // without empty parts and "."
    size_t link_limit;
};

struct path_check *path_check_new(size_t link_limit) {
    struct path_check *self = memory_new(1, sizeof *self);
    self->link_limit = link_limit;
    return self;
}

void path_check_free(struct path_check *self) {
    if (self == NULL)
        return;
    string_list_done(&self->links);
    free(self);
}

// The next part of a path that says something: neither empty nor "."; false: there is none.
static bool next_part(const char **path, const char **ret_part, size_t *ret_length) {
    for (;;) {
        *path += strspn(*path, "/");
        const size_t length = strcspn(*path, "/");
        *ret_part = *path;
        *ret_length = length;
        *path += length;
        if (length != 1 || **ret_part != '.')
            return length > 0;
    }
}

static bool is_up(const char *part, size_t length) {
    return length == 2 && memcmp(part, "..", 2) == 0;
}

// "./a//b/" is "a/b".
static char *plain(const char *path) {
    char *copy = memory_copy_string(path), *end = copy;
    const char *part;
    size_t length;
    while (next_part(&path, &part, &length)) {
        if (end > copy)
            *end++ = '/';
        memcpy(end, part, length);
        end += length;
    }
    *end = '\0';
    return copy;
}

static bool lies_behind(const char *path, const char *link) {
    const size_t length = strlen(link);
    return strncmp(path, link, length) == 0 && path[length] == '/';
}

const char *path_check_member(const struct path_check *self, const char *path) {
    const char *part, *at = path;
    size_t length;
    if (path[0] == '/')
        return "has an absolute path";
    while (next_part(&at, &part, &length))
        if (is_up(part, length))
            return "has \"..\" in its path";
    autofree_string char *name = plain(path);
    for (size_t i = 0; i < self->links.count; i++)
        if (lies_behind(name, self->links.items[i]))
            return "lies behind a link";
    return NULL;
}

const char *path_check_link(struct path_check *self, const char *path, const char *target) {
    autofree_string char *name = plain(path);
    const char *part;
    size_t length, depth = 0;
    bool below = false;
    for (const char *at = name; next_part(&at, &part, &length);)
        depth++;
    if (target == NULL || target[0] == '\0')
        return "is a link to nowhere";
    if (target[0] == '/' || depth == 0)
        return "is a link out of the folder";
    for (const char *at = target; next_part(&at, &part, &length);) {
        if (!is_up(part, length)) {
            below = true;
        } else if (below || --depth == 0) {
            return "is a link out of the folder";
        }
    }
    if (self->links.count == self->link_limit)
        return "is one link too many";
    string_list_take(&self->links, TAKE(name));
    return NULL;
}
