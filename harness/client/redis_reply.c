#include "client/redis_node.h"

#include "base/check.h"

#include <string.h>

static const redisReply *driver_reply(const struct redis_reply *self) {
    return (const redisReply *)self;
}

enum redis_reply_type redis_reply_type(const struct redis_reply *self) {
    switch (driver_reply(self)->type) {
    case REDIS_REPLY_INTEGER:
        return REDIS_REPLY_IS_INTEGER;
    case REDIS_REPLY_ARRAY:
        return REDIS_REPLY_IS_ARRAY;
    case REDIS_REPLY_ERROR:
        return REDIS_REPLY_IS_ERROR;
    case REDIS_REPLY_NIL:
        return REDIS_REPLY_IS_NULL;
    default: // strings and statuses; RESP3's other types are never asked for
        return REDIS_REPLY_IS_TEXT;
    }
}

const char *redis_reply_text(const struct redis_reply *self) {
    const redisReply *reply = driver_reply(self);
    const bool has_text = reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS ||
                          reply->type == REDIS_REPLY_ERROR;
    return has_text ? reply->str : "";
}

size_t redis_reply_length(const struct redis_reply *self) {
    return redis_reply_text(self) == driver_reply(self)->str ? driver_reply(self)->len : 0;
}

int64_t redis_reply_integer(const struct redis_reply *self) {
    return driver_reply(self)->type == REDIS_REPLY_INTEGER ? driver_reply(self)->integer : 0;
}

size_t redis_reply_count(const struct redis_reply *self) {
    return driver_reply(self)->type == REDIS_REPLY_ARRAY ? driver_reply(self)->elements : 0;
}

const struct redis_reply *redis_reply_at(const struct redis_reply *self, size_t index) {
    check(index < redis_reply_count(self));
    return redis_reply_of(driver_reply(self)->element[index]);
}

bool redis_reply_check(const struct redis_reply *self, struct error *err) {
    if (redis_reply_type(self) != REDIS_REPLY_IS_ERROR)
        return true;
    const char *message = redis_reply_text(self);
    error_set(err, ERROR_SERVICE, (int)redis_error_of(message), "redis: %s", message);
    const size_t word = strcspn(message, " ");
    if (err != NULL && word < sizeof err->reference) {
        memcpy(err->reference, message, word);
        err->reference[word] = '\0';
    }
    return false;
}

// Redis names its errors by their first word; those of the nameless "ERR" differ in the text only.
enum service_error redis_error_of(const char *message) {
    static const struct {
        const char *start;
        enum service_error error;
    } table[] = {
        {"WRONGPASS", SERVICE_ERROR_LOGIN},
        {"NOAUTH", SERVICE_ERROR_LOGIN},
        {"ERR invalid password", SERVICE_ERROR_LOGIN},
        {"ERR AUTH ", SERVICE_ERROR_LOGIN},
        {"NOPERM", SERVICE_ERROR_DENIED},
        {"READONLY", SERVICE_ERROR_READ_ONLY},
        {"MISCONF", SERVICE_ERROR_READ_ONLY}, // it cannot save, so it takes no writes
        {"LOADING", SERVICE_ERROR_NOT_READY},
        {"CLUSTERDOWN", SERVICE_ERROR_NOT_READY},
        {"TRYAGAIN", SERVICE_ERROR_NOT_READY},
        {"MASTERDOWN", SERVICE_ERROR_NOT_READY},
        {"NOREPLICAS", SERVICE_ERROR_NOT_READY},
        {"BUSYKEY", SERVICE_ERROR_CONFLICT},
        {"BUSYGROUP", SERVICE_ERROR_CONFLICT},
        {"NOSCRIPT", SERVICE_ERROR_NOT_FOUND},
        {"NOGROUP", SERVICE_ERROR_NOT_FOUND},
        {"ERR no such key", SERVICE_ERROR_NOT_FOUND},
        {"OOM", SERVICE_ERROR_LIMIT},
        {"ERR max number of clients", SERVICE_ERROR_LIMIT},
        {"ERR string exceeds", SERVICE_ERROR_TOO_LARGE},
        {"ERR unknown command", SERVICE_ERROR_UNSUPPORTED},
        {"ERR unknown subcommand", SERVICE_ERROR_UNSUPPORTED},
        {"ERR This instance has cluster support disabled", SERVICE_ERROR_UNSUPPORTED},
        {"ERR syntax error", SERVICE_ERROR_SYNTAX},
        {"ERR wrong number of arguments", SERVICE_ERROR_SYNTAX},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strncmp(message, table[i].start, strlen(table[i].start)) == 0)
            return table[i].error;
    return SERVICE_ERROR_OTHER;
}
