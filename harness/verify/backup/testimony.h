// What a backup says of itself, as far as it can be believed: its manifest, and what was asked of
// it.
#pragma once

#include "base/cleanup.h"
#include "verify/backup/manifest.h"

struct testimony {
    bool there;                // there is a manifest in it, whether or not it is asked
    struct manifest *manifest; // NULL: it says nothing, or nothing that can be read
    enum manifest_signature signature;
    struct error
        problem;   // why the manifest cannot be believed; ERROR_NONE: it can, or none is there
    bool demanded; // without a manifest the backup is not verified
    bool must_be_signed; // a key was given: without a signature it fails
};

// Fills in all but what is asked of it. A manifest that cannot be believed is a finding, not an
// error. `key` NULL: its signature is not checked.
void testimony_read(const struct backup *backup, const struct public_key *key,
                    struct testimony *self);
void testimony_done(struct testimony *self);

// There is a manifest in the backup, whatever it says. Of a folder of that name: false.
bool testimony_is_there(const struct backup *backup);

DEFINE_AUTODONE(testimony, testimony_done);
