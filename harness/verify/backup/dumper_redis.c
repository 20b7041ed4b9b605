// Redis, a server alone or each node of a cluster: the RDB file as a replica gets it. There is no
// snapshot that could be summed as well: what the server holds is summed before and after, and
// counts when both are the same, so that nothing was written meanwhile.
#include "base/memory.h"
#include "client/redis_cluster.h"
#include "client/redis_dump.h"
#include "verify/backup/artifact_writer.h"
#include "verify/backup/dumper.h"
#include "verify/backup/origin.h"
#include "verify/fingerprint/redis_fingerprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job {
    struct making *making;
    struct endpoint server;
    char version[64];
};

static bool sum(const struct job *self, struct fingerprint **ret_fingerprint, struct error *err) {
    const struct kind_members members = {&self->server, 1};
    autofree(redis_cluster) struct redis_cluster *redis = NULL;
    return redis_cluster_open(&members, &redis, err) &&
           redis_fingerprint(redis, self->making->manifest->hash_key, ret_fingerprint, err,
                             .cancel = self->making->cancel);
}

// "redis_version:8.0.2" of INFO.
static bool read_version(struct job *self, struct error *err) {
    static const char word[] = "redis_version:";
    const struct kind_members members = {&self->server, 1};
    autofree(redis_cluster) struct redis_cluster *redis = NULL;
    const struct redis_reply *info = NULL;
    if (!redis_cluster_open(&members, &redis, err) ||
        !redis_cluster_node_command(redis, 0, WORDS("INFO", "server"), &info, err))
        return false;
    const char *found = strstr(redis_reply_text(info), word);
    if (found != NULL)
        snprintf(self->version, sizeof self->version, "%.*s",
                 (int)strcspn(found + strlen(word), "\r\n"), found + strlen(word));
    return true;
}

static bool put(void *context, const void *bytes, size_t length, struct error *err) {
    return artifact_writer_put(context, bytes, length, err);
}

static bool write_file(void *context, struct artifact_writer *writer, struct error *err) {
    const struct job *self = context;
    return redis_dump(&self->server, put, writer, err);
}

static bool dump_server(struct job *self, struct error *err) {
    autofree_string char *artifact = memory_format("%s/keys", self->making->origin->service);
    const struct dump_call call = {.write = write_file,
                                   .artifact = artifact,
                                   .ending = ".rdb",
                                   .server_version = self->version,
                                   .tool = "SYNC",
                                   .context = self};
    autofree(fingerprint) struct fingerprint *before = NULL;
    struct fingerprint *after = NULL;
    if (!read_version(self, err) || !sum(self, &before, err) ||
        !dumper_write(self->making, &call, err) || !sum(self, &after, err))
        return false;
    dumper_keep_steady(self->making, before, after);
    return true;
}

static bool dump(struct making *making, const struct endpoint *server, struct error *err) {
    struct job job = {.making = making, .server = *server};
    return dump_server(&job, err);
}

static const char *const PROGRAMS[] = {"redis-server", "valkey-server", NULL};

const struct dumper DUMPER_REDIS = {
    .engine = DUMP_REDIS,
    .title = "Redis",
    .programs = PROGRAMS,
    .users = "",
    .passwords = "REDIS_PASSWORD",
    .default_user = NULL,
    .port = 6379,
    .dump = dump,
};
