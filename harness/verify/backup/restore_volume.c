#include "verify/backup/restore_volume.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

// $1: the root, $2: its owner.
static const char MAKE[] = "exec 2>&1; install -d -o \"$2\" -g \"$2\" -m 700 \"$1\" && "
                           "rm -rf \"$1/unpacked\" \"$1/data\"";

// $1: the root, $2: the data directory in the archive. Owners and modes are the server's user's,
// whoever they were; tar complains of headers that it does not know, which is no failure. A stale
// process id must be gone before anybody takes it for that of our server, so the link comes last;
// and it is a link, so that those in the archive still lead where they did.
static const char UNPACK[] =
    "exec 2>&1; umask 077; cd \"$1\" && mkdir unpacked && "
    "tar -x --no-same-owner --no-same-permissions --exclude '*.sock' -C unpacked "
    "-f - && "
    "chmod -R u+rwX,go-rwx unpacked && cd \"unpacked/$2\" && "
    "rm -f postmaster.pid auto.cnf && "
    "cd \"$1\" && "
    "ln -s \"unpacked/$2\" data";

bool restore_is_volume(const struct restore *self) {
    return backup_file_has_format(restore_file(self), "volume");
}

bool restore_says_no_count(const struct restore *self, struct suite_result *suite,
                           const char *name) {
    const bool is_folder = backup_file_has_format(restore_file(self), "postgres-directory");
    if (restore_is_volume(self))
        restore_said(suite, name, OUTCOME_NOT_APPLICABLE, VOLUME_HAS_NO_COUNT);
    else if (is_folder)
        restore_said(suite, name, OUTCOME_NOT_VERIFIED, FOLDER_HAS_NO_COUNT);
    return restore_is_volume(self) || is_folder;
}

bool volume_fits(const char *title, const char *there, int here, struct error *err) {
    if (restore_major(there) == here)
        return true;
    if (here < 0)
        return error_set(err, ERROR_UNAVAILABLE, 0, "nobody knows which %s is to be had here",
                         title);
    return error_set(err, ERROR_UNAVAILABLE, 0,
                     "the data directory is of %s %s, the server to be had here is %d: no other "
                     "major version opens it",
                     title, there, here);
}

bool volume_refuse(const struct volume_way *way, const struct tool_answer *answer,
                   struct error *err) {
    autofree_string char *complaint = tool_complaint(answer);
    if (restore_says_any(text_string(&answer->output), way->lacking))
        return error_set(err, ERROR_UNAVAILABLE, 0,
                         "this server does not have what the data directory needs: %s", complaint);
    return error_set(err, ERROR_SERVICE, 0, "no server starts on it: %s", complaint);
}

// The file was read to its proven end: what goes wrong now, a full disk, is this machine's.
static bool unpack(const struct restore *self, const struct volume_way *way, struct error *err) {
    const struct backup_file *file = restore_file(self);
    const struct tool_call make = {
        .script = MAKE, .arguments = {way->root, way->owner}, .user = "root"};
    const struct tool_call unpack = {.script = UNPACK,
                                     .arguments = {way->root, file->facts.volume_root},
                                     .user = way->owner,
                                     .file = file->absolute};
    if (tool_do(&self->stand, &make, NULL, err) && tool_do(&self->stand, &unpack, NULL, err))
        return true;
    if (err != NULL && err->domain == ERROR_SERVICE)
        err->domain = ERROR_UNAVAILABLE;
    return error_prefix(err, "it could not be unpacked");
}

static bool start(const struct restore *self, const struct volume_way *way, struct error *err) {
    autodone(tool_answer) struct tool_answer answer = {0};
    if (!tool_ask(&self->stand, &(struct tool_call){.script = way->open}, &answer, err))
        return false;
    return answer.exit_status == 0 || volume_refuse(way, &answer, err);
}

// "a\nb\n" is "a; b"; NULL: nothing is there to be said. The caller's.
static char *in_one_line(const char *lines) {
    autodone(text) struct text line = {0};
    for (const char *at = lines; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n')
        if (*at != '\n') {
            text_append(&line, line.length > 0 ? "; " : "");
            text_append_bytes(&line, at, strcspn(at, "\n"));
        }
    return line.length > 0 ? text_take(&line) : NULL;
}

static bool take_note(struct restore *self, const struct volume_way *way, struct error *err) {
    autofree_string char *said = NULL;
    if (!tool_do(&self->stand, &(struct tool_call){.script = way->note}, &said, err))
        return false;
    self->note = in_one_line(said);
    return true;
}

bool restore_volume(const struct restorer *restorer, struct restore *self,
                    const struct volume_way *way, struct error *err) {
    if (way->same_major && !volume_fits(restorer->title, restore_file(self)->facts.server_version,
                                        restore_server_major(restorer, self), err))
        return false;
    return unpack(self, way, err) && start(self, way, err) && take_note(self, way, err);
}
