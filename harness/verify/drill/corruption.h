// What can befall the files of a backup that `assay backup create` made: a table, each row with the
// test of `assay backup verify` that must fail for it, and what that test must say. Only the files
// are looked at: what a restored server holds is altered elsewhere (alteration.h).
#pragma once

#include "verify/backup/signing_key.h"
#include "verify/backup/verification.h"

// A sound backup and one artifact of it. It is only read; each corruption befalls a copy.
struct corruption_site {
    const char *backup;            // its folder
    const char *artifact;          // path of the artifact's main file within it: "db-app.dump"
    const char *other;             // of another engine's; NULL: the backup has none
    const struct signing_key *key; // that signed its manifest
    const struct public_key *public_key;
    const char *folder; // 0700, for the copies; nothing is left in it
    const struct cancel *cancel;
};

struct corruption {
    const char *name; // "the last byte is missing"; one of a kind
    // Alters the copy in `copy`; what has to lie outside of it may be put beside it.
    // ERROR_UNAVAILABLE: it cannot befall this artifact, or its format cannot tell, with the
    // reason.
    bool (*befall)(const struct corruption_site *site, const char *copy, struct error *err);
    const char *test; // that must fail: "files_are_those_of_the_manifest"
    const char *said; // in its message; the first %s stands for the artifact's path
    bool foreign;     // the copy's manifest is taken away first: the file itself must tell
};

extern const struct corruption CORRUPTIONS[]; // ends with a row without a name

// Adds one test, named "corrupted: db-app.dump: the last byte is missing". The copy is verified as
// by `assay backup verify --against manifest --key FILE.pub`, but into no server.
//
//   passed          the test of the row failed, and said what it should
//   failed          "was taken for whole", "was not refused, only not verified: …", or
//                   "was refused, but for another reason: …"; also when the copy cannot be removed
//   not applicable  befall() says ERROR_UNAVAILABLE
//   not verified    no copy could be made or altered, or it was cancelled
void corruption_try(const struct corruption *self, const struct corruption_site *site,
                    struct suite_result *suite);
