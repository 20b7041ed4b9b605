#include "verify/backup/testimony.h"

#include <string.h>

bool testimony_is_there(const struct backup *backup) {
    for (size_t i = 0; i < backup->file_count; i++)
        if (strcmp(backup->files[i].path, MANIFEST_NAME) == 0)
            return true;
    return false;
}

void testimony_read(const struct backup *backup, const struct public_key *key,
                    struct testimony *self) {
    self->there = testimony_is_there(backup);
    if (self->there &&
        !manifest_read(backup->path, key, &self->manifest, &self->signature, &self->problem))
        self->manifest = NULL;
}

void testimony_done(struct testimony *self) {
    manifest_free(self->manifest);
    *self = (struct testimony){0};
}
