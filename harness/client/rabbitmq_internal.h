// What the parts of the RabbitMQ client share. Nobody else includes it.
#pragma once

#include "client/rabbitmq.h"

#include "base/string_list.h"

#include <amqp.h>
#include <sys/time.h>

struct rabbitmq {
    amqp_connection_state_t state;
    struct endpoint endpoint;
    char product[64];
    bool broken; // after a timeout or a lost connection nothing more is said on it
    amqp_channel_t last_id;
    struct rabbitmq_channel *channels; // owner::list, by rabbitmq_channel.next
};

// A message that came, or is coming in pieces: a method, a header, bodies.
struct delivery {
    struct rabbitmq_message message; // first: rabbitmq_header() is given this
    amqp_method_number_t method;     // deliver, get-ok or return
    char *body;
    size_t received;
    struct string_list strings; // what message.properties points to
    struct string_list headers; // name, value, name, value …
    struct delivery *next;
};

enum confirm { CONFIRM_PENDING = 0, CONFIRM_ACKED, CONFIRM_NACKED };

struct rabbitmq_channel {
    struct rabbitmq *connection;
    amqp_channel_t id;
    bool open;
    struct error closed_because; // what the server said, when it closed the channel
    bool confirms;
    unsigned char *outcomes; // enum confirm of each publish; [tag - 1]
    uint64_t published, settled, capacity;
    struct rabbitmq_confirms counts; // since the last rabbitmq_wait_confirms
    uint64_t returned;               // ever
    struct delivery *incoming;
    struct delivery *first, *last; // delivered, not received yet
    struct delivery *got;          // by basic.get
    bool got_empty;
    bool consumer_cancelled;  // by the server
    struct delivery *current; // lent to the caller
    struct rabbitmq_channel *next;
};

struct timeval rabbitmq_timeval(int64_t ms);
struct deadline rabbitmq_deadline(const struct rabbitmq *self); // of a request that begins now
void rabbitmq_copy_short_string(char *to, size_t size, amqp_bytes_t from);

// ---- rabbitmq_error.c: each sets err and returns false, or true where nothing is wrong ----------

// A status of librabbitmq's; the connection is given up.
bool rabbitmq_library_failed(struct rabbitmq *self, struct error *err, const char *what, int status,
                             int system_error);
// The server closed the channel or the whole connection; tells it that this was understood.
bool rabbitmq_closed_by_server(struct rabbitmq *self, amqp_channel_t id,
                               const amqp_method_t *method, const char *what, bool logging_in,
                               struct error *err);
// It said what AMQP does not allow; the connection is given up.
bool rabbitmq_nonsense(struct rabbitmq *self, const char *what, struct error *err);
bool rabbitmq_check_open(const struct rabbitmq_channel *self, const char *what, struct error *err);
void rabbitmq_channel_lost(struct rabbitmq_channel *self, const struct error *why);
// What became of a synchronous method.
bool rabbitmq_answered(struct rabbitmq_channel *self, amqp_rpc_reply_t reply, const char *what,
                       struct error *err);
// What became of the synchronous method that was called last.
bool rabbitmq_last_answered(struct rabbitmq_channel *self, const char *what, struct error *err);
// What became of an asynchronous one; errno must be what it left.
bool rabbitmq_sent(struct rabbitmq_channel *self, int status, const char *what, struct error *err);

// ---- rabbitmq_frame.c ---------------------------------------------------------------------------

// Takes one frame in, for whichever channel it is; none in time is ERROR_TIMEOUT, harmless.
bool rabbitmq_pump(struct rabbitmq *self, struct deadline deadline, struct error *err);
// One frame of an answer that must come; when it does not, the connection is given up.
bool rabbitmq_pump_answer(struct rabbitmq_channel *self, const char *what, struct deadline deadline,
                          struct error *err);
void rabbitmq_delivery_free(struct delivery *self);

// ---- rabbitmq_property.c ------------------------------------------------------------------------

struct arguments { // a field table; big enough for all that our options can say
    amqp_table_entry_t entries[9];
    int count;
};
void rabbitmq_add_number(struct arguments *self, const char *key, int value); // 0: nothing
void rabbitmq_add_string(struct arguments *self, const char *key,
                         const char *value);         // NULL: nothing
amqp_table_t rabbitmq_table(struct arguments *self); // borrows

void rabbitmq_read_properties(struct delivery *delivery, const amqp_basic_properties_t *theirs);
// Borrows from ours and headers.
void rabbitmq_write_properties(amqp_basic_properties_t *theirs, struct arguments *headers,
                               const struct rabbitmq_properties *ours);
