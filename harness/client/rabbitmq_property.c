#include "client/rabbitmq_internal.h"

#include "base/memory.h"

#include <stddef.h>
#include <string.h>

void rabbitmq_add_number(struct arguments *self, const char *key, int value) {
    if (value <= 0)
        return;
    self->entries[self->count++] = (amqp_table_entry_t){
        .key = amqp_cstring_bytes(key),
        .value = {.kind = AMQP_FIELD_KIND_I32, .value = {.i32 = value}},
    };
}

void rabbitmq_add_string(struct arguments *self, const char *key, const char *value) {
    if (value == NULL)
        return;
    self->entries[self->count++] = (amqp_table_entry_t){
        .key = amqp_cstring_bytes(key),
        .value = {.kind = AMQP_FIELD_KIND_UTF8, .value = {.bytes = amqp_cstring_bytes(value)}},
    };
}

amqp_table_t rabbitmq_table(struct arguments *self) {
    return (amqp_table_t){.num_entries = self->count, .entries = self->entries};
}

struct string_field { // of a message's properties: theirs and ours
    amqp_flags_t flag;
    size_t theirs;
    size_t ours;
};
#define STRING_FIELD(name, flag) \
    { flag, offsetof(amqp_basic_properties_t, name), offsetof(struct rabbitmq_properties, name) }
static const struct string_field string_fields[] = {
    STRING_FIELD(content_type, AMQP_BASIC_CONTENT_TYPE_FLAG),
    STRING_FIELD(content_encoding, AMQP_BASIC_CONTENT_ENCODING_FLAG),
    STRING_FIELD(correlation_id, AMQP_BASIC_CORRELATION_ID_FLAG),
    STRING_FIELD(reply_to, AMQP_BASIC_REPLY_TO_FLAG),
    STRING_FIELD(expiration, AMQP_BASIC_EXPIRATION_FLAG),
    STRING_FIELD(message_id, AMQP_BASIC_MESSAGE_ID_FLAG),
    STRING_FIELD(type, AMQP_BASIC_TYPE_FLAG),
    STRING_FIELD(app_id, AMQP_BASIC_APP_ID_FLAG),
};
#define STRING_FIELD_COUNT (sizeof string_fields / sizeof string_fields[0])

void rabbitmq_read_properties(struct delivery *delivery, const amqp_basic_properties_t *theirs) {
    struct rabbitmq_properties *ours = &delivery->message.properties;
    for (size_t i = 0; i < STRING_FIELD_COUNT; i++) {
        const struct string_field *field = &string_fields[i];
        amqp_bytes_t value;
        memcpy(&value, (const char *)theirs + field->theirs, sizeof value);
        if ((theirs->_flags & field->flag) == 0)
            continue;
        char *copy = memory_copy_bytes(value.bytes, value.len);
        string_list_take(&delivery->strings, copy);
        memcpy((char *)ours + field->ours, &copy, sizeof copy);
    }
    if ((theirs->_flags & AMQP_BASIC_TIMESTAMP_FLAG) != 0)
        ours->timestamp = theirs->timestamp;
    if ((theirs->_flags & AMQP_BASIC_PRIORITY_FLAG) != 0)
        ours->priority = theirs->priority;
    if ((theirs->_flags & AMQP_BASIC_DELIVERY_MODE_FLAG) != 0)
        ours->persistent = theirs->delivery_mode == AMQP_DELIVERY_PERSISTENT;
    if ((theirs->_flags & AMQP_BASIC_HEADERS_FLAG) == 0)
        return;
    for (int i = 0; i < theirs->headers.num_entries; i++) {
        const amqp_table_entry_t *entry = &theirs->headers.entries[i];
        const amqp_bytes_t value = entry->value.value.bytes;
        if (entry->value.kind != AMQP_FIELD_KIND_UTF8)
            continue;
        string_list_take(&delivery->headers, memory_copy_bytes(entry->key.bytes, entry->key.len));
        string_list_take(&delivery->headers, memory_copy_bytes(value.bytes, value.len));
    }
}

void rabbitmq_write_properties(amqp_basic_properties_t *theirs, struct arguments *headers,
                               const struct rabbitmq_properties *ours) {
    for (size_t i = 0; i < STRING_FIELD_COUNT; i++) {
        const struct string_field *field = &string_fields[i];
        const char *value;
        memcpy(&value, (const char *)ours + field->ours, sizeof value);
        if (value == NULL)
            continue;
        const amqp_bytes_t bytes = amqp_cstring_bytes(value);
        memcpy((char *)theirs + field->theirs, &bytes, sizeof bytes);
        theirs->_flags |= field->flag;
    }
    if (ours->timestamp != 0) {
        theirs->timestamp = ours->timestamp;
        theirs->_flags |= AMQP_BASIC_TIMESTAMP_FLAG;
    }
    if (ours->priority != 0) {
        theirs->priority = (uint8_t)ours->priority;
        theirs->_flags |= AMQP_BASIC_PRIORITY_FLAG;
    }
    if (ours->persistent) {
        theirs->delivery_mode = AMQP_DELIVERY_PERSISTENT;
        theirs->_flags |= AMQP_BASIC_DELIVERY_MODE_FLAG;
    }
    if (ours->header_name != NULL) {
        rabbitmq_add_string(headers, ours->header_name, ours->header_value);
        theirs->headers = rabbitmq_table(headers);
        theirs->_flags |= AMQP_BASIC_HEADERS_FLAG;
    }
}
