// assay backup list, assay backup show: what is below the root, and what one backup says of itself.
#define _GNU_SOURCE
#include "command/backup_command.h"

#include "base/file.h"
#include "base/memory.h"
#include "command/arguments.h"
#include "command/command.h"
#include "verify/backup/history.h"
#include "verify/backup/latest.h"
#include "verify/backup/manifest.h"
#include "verify/backup/record.h"
#include "verify/backup/rotation_folder.h"
#include "verify/backup/wording.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char LIST_HELP[] =
    "usage: assay backup list [options]\n"
    "\n"
    "The backups below a root, the oldest first: what is in each by its manifest, and what its "
    "last\n"
    "verification said. Nothing is read but the manifests.\n"
    "\n"
    "  --root DIR         where backups lie, one below the other (default: " BACKUP_ROOT ")\n"
    "  --records DIR      the history of verifications (default: " RECORDS_FOLDER ")\n"
    "\n"
    "example:\n"
    "  assay backup list --root /var/backups/app\n"
    "\n"
    "exit status: 0 listed, 2 usage or configuration, 3 the history cannot be read\n";

static const char SHOW_HELP[] =
    "usage: assay backup show [latest|NAME|PATH] [--root DIR]\n"
    "\n"
    "What a backup's manifest says of it: when it was made, of which servers, by which tools, and\n"
    "what they held. `assay backup verify` asks whether that is true.\n"
    "\n"
    "  --root DIR         where backups lie (default: " BACKUP_ROOT ")\n"
    "\n"
    "example:\n"
    "  assay backup show latest\n"
    "\n"
    "exit status: 0 shown, 2 usage or configuration, or a manifest that is not sound, 4 it has no\n"
    "manifest: it was not made by assay\n";

struct list_arguments {
    const char *root;
    const char *records;
    const char *which;
};

#define MEMBER(name) offsetof(struct list_arguments, name)

static const struct argument LIST_ROWS[] = {
    {"root", ARGUMENT_TEXT, MEMBER(root), NULL},
    {"records", ARGUMENT_TEXT, MEMBER(records), NULL},
    {0},
};
static const struct argument SHOW_ROWS[] = {
    {"root", ARGUMENT_TEXT, MEMBER(root), NULL},
    {0},
};

// ---- list

static uint64_t bytes_of(const struct manifest *manifest) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < manifest->artifact_count; i++)
        for (size_t j = 0; j < manifest->artifacts[i].file_count; j++)
            bytes += manifest->artifacts[i].files[j].size;
    return bytes;
}

static const char *verdict_of(const struct history *history, const char *path) {
    switch (history_verdict(history, path, INT64_MAX)) {
    case OUTCOME_PASSED:
        return "verified";
    case OUTCOME_FAILED:
        return "FAILED";
    default:
        return "not verified";
    }
}

// "20261123-031500  4 artifacts, 1.5 GiB  verified".
static void print_backup(const char *root, const char *name, const struct history *history) {
    autofree_string char *path = path_join(root, name);
    autofree_string char *shown = wording_name(name);
    autofree(manifest) struct manifest *manifest = NULL;
    autodone(text) struct text content = {0};
    enum manifest_signature signature;
    struct error problem = {0};
    if (manifest_read(path, NULL, &manifest, &signature, &problem)) {
        text_appendf(&content, "%zu %s, ", manifest->artifact_count,
                     manifest->artifact_count == 1 ? "artifact" : "artifacts");
        wording_append_bytes(&content, (int64_t)bytes_of(manifest));
        text_append(&content, signature == MANIFEST_UNSIGNED ? "" : ", signed");
    } else {
        text_append(&content,
                    problem.domain == ERROR_PROTOCOL ? "its manifest is not sound" : "no manifest");
    }
    printf("%-24s  %-36s  %s\n", shown, text_string(&content), verdict_of(history, path));
}

static int list(const struct list_arguments *arguments) {
    struct error problem = {0};
    autofree(history) struct history *history = NULL;
    autofree(rotation_folder) struct rotation_folder *folder = NULL;
    if (!history_read(arguments->records, &history, &problem) ||
        !rotation_folder_open(arguments->root, history, &folder, &problem))
        return report_error(&problem);
    for (size_t i = 0; i < folder->count; i++)
        print_backup(folder->root, folder->items[i].name, history);
    if (folder->count == 0)
        printf("there is no backup in %s; `assay backup create` makes one\n", folder->root);
    return EXIT_PASSED;
}

int command_list_backups(int argc, char **argv) {
    struct list_arguments arguments = {.root = BACKUP_ROOT, .records = RECORDS_FOLDER};
    const int status = arguments_read("backup list", LIST_HELP, LIST_ROWS, argc, argv, &arguments);
    return status >= 0 ? status : list(&arguments);
}

// ---- show

static const char *signature_word(enum manifest_signature signature) {
    return signature == MANIFEST_UNSIGNED ? "not signed"
                                          : "signed (`verify --key FILE.pub` checks by whom)";
}

// "12 tables, 2 views" are too many words for a list: objects, and the rows of those that have any.
static void append_content(const struct fingerprint *fingerprint, struct text *out) {
    uint64_t rows = 0;
    if (fingerprint == NULL) {
        text_append(out, "no sums");
        return;
    }
    for (size_t i = 0; i < fingerprint->object_count; i++)
        if (fingerprint->objects[i].has_content)
            rows += fingerprint->objects[i].content.total.rows;
    text_appendf(out, "%zu objects, %" PRIu64 " records", fingerprint->object_count, rows);
}

static void print_artifact(const struct manifest_artifact *artifact) {
    autodone(text) struct text line = {0};
    wording_append_name(&line, artifact->name);
    text_appendf(&line, "\n  %s ", dump_engine_name(artifact->engine));
    wording_append_name(&line, artifact->server_version);
    text_append(&line, ", by ");
    wording_append_name(&line, artifact->tool);
    text_append(&line, "\n  ");
    append_content(artifact->fingerprint, &line);
    for (size_t i = 0; i < artifact->file_count; i++) {
        text_append(&line, "\n  ");
        wording_append_name(&line, artifact->files[i].path);
        text_append(&line, ", ");
        wording_append_bytes(&line, (int64_t)artifact->files[i].size);
    }
    puts(text_string(&line));
}

static int show(const struct list_arguments *arguments) {
    struct error problem = {0};
    struct backup_choice choice = {0};
    autofree(manifest) struct manifest *manifest = NULL;
    enum manifest_signature signature;
    char start[CIVIL_TEXT_SIZE], end[CIVIL_TEXT_SIZE];
    if (!backup_choose(arguments->root, arguments->which, &choice, &problem))
        return report_error(&problem);
    autofree_string char *path = choice.path;
    if (!manifest_read(path, NULL, &manifest, &signature, &problem)) {
        const int status = report_error(&problem);
        return problem.domain == ERROR_UNAVAILABLE ? EXIT_NOT_VERIFIED
               : problem.domain == ERROR_PROTOCOL  ? EXIT_USAGE
                                                   : status;
    }
    const struct civil_time began = civil_of_utc(manifest->start_ms);
    const struct civil_time ended = civil_of_utc(manifest->end_ms);
    printf("%s\nmade %s to %s UTC, %s\n\n", path, civil_format(&began, start),
           civil_format(&ended, end), signature_word(signature));
    for (size_t i = 0; i < manifest->artifact_count; i++)
        print_artifact(&manifest->artifacts[i]);
    return EXIT_PASSED;
}

int command_show_backup(int argc, char **argv) {
    struct list_arguments arguments = {.root = BACKUP_ROOT, .which = "latest"};
    if (argc > 1 && argv[1][0] != '-') {
        arguments.which = argv[1];
        argv[1] = argv[0];
        argc--;
        argv++;
    }
    const int status = arguments_read("backup show", SHOW_HELP, SHOW_ROWS, argc, argv, &arguments);
    return status >= 0 ? status : show(&arguments);
}
