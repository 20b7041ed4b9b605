// What the rows of corruption.c do to a copy: one function a corruption, as its `befall` says.
// Inside this room only. Beside `copy` is room for what has to lie outside of the backup; it goes
// with the copy.
#pragma once

#include "verify/drill/corruption.h"

#include <stdint.h>

#define CORRUPTION_WAY(name) \
    bool corruption_##name(const struct corruption_site *, const char *, struct error *) must_use

// ---- corruption_content.c: what the artifact's file holds
CORRUPTION_WAY(emptied);
CORRUPTION_WAY(cut_to_one_byte);
CORRUPTION_WAY(cut_to_half);
CORRUPTION_WAY(cut_by_one_byte);
CORRUPTION_WAY(cut_by_512);
CORRUPTION_WAY(head_cut_off);
CORRUPTION_WAY(flipped_first);
CORRUPTION_WAY(flipped_at_a_quarter);
CORRUPTION_WAY(flipped_in_the_middle);
CORRUPTION_WAY(flipped_last);
CORRUPTION_WAY(zeros_in_the_middle);
CORRUPTION_WAY(zeros_at_the_end);
CORRUPTION_WAY(zeros_all_over);
CORRUPTION_WAY(byte_appended);
CORRUPTION_WAY(newline_appended);
CORRUPTION_WAY(zeros_appended);
CORRUPTION_WAY(doubled);
CORRUPTION_WAY(halves_exchanged);
CORRUPTION_WAY(line_ends_of_windows);
CORRUPTION_WAY(seven_bits);
CORRUPTION_WAY(other_in_its_place);
CORRUPTION_WAY(gzip_of_nothing);
CORRUPTION_WAY(compressed);

// ---- corruption_alone.c: the same to a file without a manifest, where its format can tell
CORRUPTION_WAY(alone_cut_to_half);
CORRUPTION_WAY(alone_cut_by_one_byte);
CORRUPTION_WAY(alone_cut_by_512);
CORRUPTION_WAY(alone_flipped_in_the_middle);
CORRUPTION_WAY(alone_flipped_last);
CORRUPTION_WAY(alone_zeros_in_the_middle);
CORRUPTION_WAY(alone_zeros_at_the_end);
CORRUPTION_WAY(alone_byte_appended);
CORRUPTION_WAY(alone_zeros_appended);
CORRUPTION_WAY(alone_emptied);
CORRUPTION_WAY(alone_zeros_all_over);
CORRUPTION_WAY(alone_gzip_of_nothing);

// ---- corruption_place.c: where it lies, and what lies beside it
CORRUPTION_WAY(missing);
CORRUPTION_WAY(all_missing);
CORRUPTION_WAY(renamed);
CORRUPTION_WAY(moved_below);
CORRUPTION_WAY(swapped);
CORRUPTION_WAY(link_to_it);
CORRUPTION_WAY(link_to_nowhere);
CORRUPTION_WAY(link_of_its_size);
CORRUPTION_WAY(folder_of_its_name);
CORRUPTION_WAY(pipe_of_its_name);
CORRUPTION_WAY(extra_copy);
CORRUPTION_WAY(extra_hidden);

// ---- corruption_manifest.c: what the manifest says; with its old signature, or signed anew where
// the files can still tell
#define CORRUPTION_EDIT(name)        \
    CORRUPTION_WAY(manifest_##name); \
    CORRUPTION_WAY(manifest_##name##_signed)
CORRUPTION_WAY(manifest_newline_appended);
CORRUPTION_WAY(manifest_newer);
CORRUPTION_WAY(manifest_created);
CORRUPTION_WAY(manifest_hash_key);
CORRUPTION_WAY(manifest_server_version);
CORRUPTION_WAY(manifest_sums_removed);
CORRUPTION_EDIT(cut);
CORRUPTION_EDIT(emptied);
CORRUPTION_EDIT(not_json);
CORRUPTION_EDIT(text_appended);
CORRUPTION_EDIT(member_twice);
CORRUPTION_EDIT(format);
CORRUPTION_EDIT(short_key);
CORRUPTION_EDIT(engine);
CORRUPTION_EDIT(size);
CORRUPTION_EDIT(sha256);
CORRUPTION_EDIT(path);
CORRUPTION_EDIT(path_out);
CORRUPTION_EDIT(path_absolute);
CORRUPTION_EDIT(path_itself);
CORRUPTION_EDIT(entry_removed);
CORRUPTION_EDIT(entry_twice);
CORRUPTION_EDIT(file_twice);
CORRUPTION_EDIT(file_added);
CORRUPTION_EDIT(rows);

// ---- corruption_signature.c: the manifest and its signature as files
CORRUPTION_WAY(manifest_missing);
CORRUPTION_WAY(manifest_renamed);
CORRUPTION_WAY(manifest_is_a_folder);
CORRUPTION_WAY(manifest_is_a_pipe);
CORRUPTION_WAY(manifest_is_a_link);
CORRUPTION_WAY(both_missing);
CORRUPTION_WAY(signature_missing);
CORRUPTION_WAY(signature_link);
CORRUPTION_WAY(signature_is_a_pipe);
CORRUPTION_WAY(signature_is_a_link);
CORRUPTION_WAY(signature_emptied);
CORRUPTION_WAY(signature_cut);
CORRUPTION_WAY(signature_doubled);
CORRUPTION_WAY(signature_flipped);
CORRUPTION_WAY(signature_no_hex);
CORRUPTION_WAY(signature_of_other_bytes);
CORRUPTION_WAY(signature_of_another_key);

// What a cut leaves of so many bytes; of 512 or less all.
uint64_t corruption_half(uint64_t size);
uint64_t corruption_all_but_one(uint64_t size);
uint64_t corruption_all_but_512(uint64_t size);

// Of these bytes, in the place of the one that is there.
bool corruption_sign(const struct signing_key *key, const char *copy, const void *bytes,
                     size_t length, struct error *err) must_use;
