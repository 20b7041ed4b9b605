// RabbitMQ, over AMQP 0-9-1.
#include "base/memory.h"
#include "engine/container.h"
#include "scenario/clients.h"

#define BIG ((size_t)10 * 1024 * 1024)

static struct scenario *scenario;
static struct rabbitmq *connection; // the test's own
static struct rabbitmq_channel *channel;
static struct rabbitmq_queue queue;
static const struct rabbitmq_message *message;

static void open_scenario(void) {
    scenario = scenario_open();
}

static void close_scenario(void) {
    scenario_close(scenario);
}

TestSuite(rabbitmq, .init = open_scenario, .fini = close_scenario, .timeout = 120);

static struct rabbitmq_channel *new_channel(void) {
    struct rabbitmq_channel *opened = NULL;
    must(rabbitmq_channel_open(connection, &opened, err));
    return opened;
}

static void given_a_connection(void) {
    connection = scenario_rabbitmq(scenario, "rabbitmq");
    channel = new_channel();
}

// With a queue that only this connection sees.
static void given_a_queue(void) {
    given_a_connection();
    must(rabbitmq_declare_queue(channel, "", &queue, err, .exclusive = true));
}

static void publish(const char *body) {
    must(rabbitmq_publish(channel, "", queue.name, body, strlen(body), err));
}

static void receive(const char *body) {
    must(rabbitmq_receive(channel, 0, &message, err));
    cr_assert_str_eq(message->body, body);
}

static uint32_t messages_in(const char *name) {
    struct rabbitmq_queue seen = {.messages = UINT32_MAX};
    must(rabbitmq_declare_queue(channel, name, &seen, err, .passive = true));
    return seen.messages;
}

static unsigned char *pattern(size_t length) {
    unsigned char *bytes = memory_new(length, 1);
    scenario_own(scenario, bytes, free);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (unsigned char)(i * 31 + i / 251);
    return bytes;
}

// ---- messages -----------------------------------------------------------------------------------

Test(rabbitmq, is_the_product_that_the_report_names) {
    cr_assert_str_eq(rabbitmq_product(scenario_rabbitmq(scenario, "rabbitmq")),
                     scenario_product(scenario, "rabbitmq"));
}

Test(rabbitmq, keeps_every_byte_of_a_message) {
    given_a_queue();
    const unsigned char *bytes = pattern(256 * 251);
    must(rabbitmq_publish(channel, "", queue.name, bytes, 256 * 251, err));
    must(rabbitmq_get(channel, queue.name, true, &message, err));
    cr_assert_eq(message->length, 256 * 251);
    cr_assert_arr_eq(message->body, bytes, 256 * 251);
}

Test(rabbitmq, carries_an_empty_message) {
    given_a_queue();
    must(rabbitmq_publish(channel, "", queue.name, "", 0, err));
    must(rabbitmq_get(channel, queue.name, true, &message, err));
    cr_assert_not_null(message);
    cr_assert_eq(message->length, 0);
}

Test(rabbitmq, carries_ten_megabytes_in_one_message) {
    given_a_queue();
    const unsigned char *bytes = pattern(BIG);
    must(rabbitmq_confirm(channel, err));
    must(rabbitmq_publish(channel, "", queue.name, bytes, BIG, err));
    must(rabbitmq_consume(channel, queue.name, err));
    must(rabbitmq_receive(channel, 0, &message, err));
    cr_assert_eq(message->length, BIG);
    cr_assert_eq(memcmp(message->body, bytes, BIG), 0, "the bytes that came are others");
}

Test(rabbitmq, keeps_every_property_of_a_message) {
    given_a_queue();
    must(rabbitmq_publish(channel, "", queue.name, "x", 1, err,
                          .properties = {.content_type = "text/plain; charset=utf-8",
                                         .correlation_id = "request-7",
                                         .reply_to = "answers",
                                         .message_id = "m-1",
                                         .type = "order.placed",
                                         .app_id = "assay",
                                         .timestamp = 1700000000,
                                         .priority = 7,
                                         .persistent = true,
                                         .header_name = "größe",
                                         .header_value = "日本語 🚀"}));
    must(rabbitmq_get(channel, queue.name, true, &message, err));
    cr_assert_str_eq(message->properties.content_type, "text/plain; charset=utf-8");
    cr_assert_str_eq(message->properties.correlation_id, "request-7");
    cr_assert_str_eq(message->properties.reply_to, "answers");
    cr_assert_str_eq(message->properties.message_id, "m-1");
    cr_assert_str_eq(message->properties.type, "order.placed");
    cr_assert_str_eq(message->properties.app_id, "assay");
    cr_assert_null(message->properties.content_encoding);
    cr_assert_eq(message->properties.timestamp, 1700000000);
    cr_assert_eq(message->properties.priority, 7);
    cr_assert(message->properties.persistent);
    cr_assert_str_eq(rabbitmq_header(message, "größe"), "日本語 🚀");
}

Test(rabbitmq, delivers_a_thousand_messages_in_their_order) {
    given_a_queue();
    for (int i = 0; i < 1000; i++)
        must(rabbitmq_publish(channel, "", queue.name, &i, sizeof i, err));
    must(rabbitmq_consume(channel, queue.name, err, .without_ack = true));
    for (int i = 0; i < 1000; i++) {
        must(rabbitmq_receive(channel, 0, &message, err));
        cr_assert_arr_eq(message->body, &i, sizeof i);
    }
}

Test(rabbitmq, delivers_the_message_of_higher_priority_first) {
    given_a_connection();
    must(rabbitmq_declare_queue(channel, "", &queue, err, .exclusive = true, .max_priority = 9));
    must(rabbitmq_confirm(channel, err));
    must(rabbitmq_publish(channel, "", queue.name, "later", 5, err, .properties.priority = 1));
    must(rabbitmq_publish(channel, "", queue.name, "first", 5, err, .properties.priority = 9));
    must(rabbitmq_get(channel, queue.name, true, &message, err));
    cr_assert_str_eq(message->body, "first");
}

// ---- confirms -----------------------------------------------------------------------------------

Test(rabbitmq, confirms_every_one_of_two_thousand_publishes) {
    given_a_queue();
    struct rabbitmq_confirms confirms;
    must(rabbitmq_confirm(channel, err));
    for (int i = 0; i < 2000; i++)
        must(rabbitmq_publish(channel, "", queue.name, "x", 1, err, .do_not_wait = true));
    must(rabbitmq_wait_confirms(channel, &confirms, err));
    cr_assert_eq(confirms.acked, 2000);
    cr_assert_eq(confirms.nacked, 0);
    cr_assert_eq(messages_in(queue.name), 2000);
}

Test(rabbitmq, returns_a_mandatory_message_that_no_queue_takes) {
    given_a_queue();
    enum rabbitmq_outcome outcome;
    must(rabbitmq_confirm(channel, err));
    must(rabbitmq_publish(channel, "", "nobody-listens-here", "x", 1, err, .mandatory = true,
                          .ret_outcome = &outcome));
    cr_assert_eq(outcome, RABBITMQ_RETURNED);
    must_fail(rabbitmq_publish(channel, "", "nobody-listens-here", "x", 1, err, .mandatory = true),
              ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND);
}

Test(rabbitmq, refuses_what_a_full_queue_cannot_hold) {
    given_a_connection();
    must(rabbitmq_declare_queue(channel, "", &queue, err, .exclusive = true, .max_length = 1,
                                .overflow = "reject-publish"));
    must(rabbitmq_confirm(channel, err));
    publish("it fits");
    must_fail(rabbitmq_publish(channel, "", queue.name, "too much", 8, err), ERROR_SERVICE,
              SERVICE_ERROR_LIMIT);
    cr_assert_str_eq(err->reference, "nack");
    cr_assert_eq(messages_in(queue.name), 1);
}

// ---- acknowledgements ---------------------------------------------------------------------------

Test(rabbitmq, delivers_again_what_a_lost_consumer_did_not_acknowledge) {
    given_a_queue();
    struct rabbitmq_channel *lost = new_channel();
    must(rabbitmq_consume(lost, queue.name, err));
    publish("work");
    must(rabbitmq_receive(lost, 0, &message, err));
    cr_assert_not(message->redelivered);
    rabbitmq_channel_close(lost);
    must(rabbitmq_consume(channel, queue.name, err));
    receive("work");
    cr_assert(message->redelivered);
}

Test(rabbitmq, delivers_again_what_a_consumer_gave_back) {
    given_a_queue();
    publish("work");
    must(rabbitmq_consume(channel, queue.name, err));
    receive("work");
    cr_assert_not(message->redelivered);
    must(rabbitmq_requeue(channel, message->tag, err));
    receive("work");
    cr_assert(message->redelivered);
}

Test(rabbitmq, forgets_what_was_acknowledged) {
    given_a_queue();
    publish("one");
    publish("two");
    must(rabbitmq_consume(channel, queue.name, err));
    receive("one");
    receive("two");
    must(rabbitmq_ack_up_to(channel, message->tag, err));
    rabbitmq_channel_close(channel);
    channel = new_channel();
    cr_assert_eq(messages_in(queue.name), 0);
}

Test(rabbitmq, closes_the_channel_that_acknowledges_what_it_never_got) {
    given_a_queue();
    must(rabbitmq_ack(channel, 4711, err));
    must_fail(rabbitmq_purge(channel, queue.name, NULL, err), ERROR_SERVICE,
              SERVICE_ERROR_CONFLICT);
    cr_assert_str_eq(err->reference, "406");
    cr_assert_not(rabbitmq_channel_is_open(channel));
}

Test(rabbitmq, holds_back_what_is_over_the_prefetch_limit) {
    given_a_queue();
    publish("one");
    publish("two");
    publish("three");
    must(rabbitmq_prefetch(channel, 2, err));
    must(rabbitmq_consume(channel, queue.name, err));
    receive("one");
    const uint64_t first = message->tag;
    receive("two");
    must_fail(rabbitmq_receive(channel, 200, &message, err), ERROR_TIMEOUT, 0);
    must(rabbitmq_ack(channel, first, err));
    receive("three");
}

Test(rabbitmq, shares_a_queue_among_its_consumers) {
    given_a_queue();
    struct rabbitmq_channel *left = new_channel(), *right = new_channel();
    must(rabbitmq_consume(left, queue.name, err, .without_ack = true));
    must(rabbitmq_consume(right, queue.name, err, .without_ack = true));
    publish("x");
    publish("y");
    must(rabbitmq_receive(left, 0, &message, err));
    must(rabbitmq_receive(right, 0, &message, err));
}

Test(rabbitmq, delivers_nothing_more_to_a_consumer_that_cancelled) {
    given_a_queue();
    char tag[RABBITMQ_TAG_SIZE];
    must(rabbitmq_consume(channel, queue.name, err, .ret_tag = tag));
    publish("one");
    receive("one");
    must(rabbitmq_cancel(channel, tag, err));
    publish("two");
    must_fail(rabbitmq_receive(channel, 200, &message, err), ERROR_TIMEOUT, 0);
    must(rabbitmq_get(channel, queue.name, true, &message, err));
    cr_assert_str_eq(message->body, "two");
    cr_assert_null(rabbitmq_header(message, "x-none"));
}

Test(rabbitmq, says_that_a_queue_is_empty_and_how_much_it_purged) {
    given_a_queue();
    uint32_t purged = 0;
    publish("one");
    publish("two");
    must(rabbitmq_purge(channel, queue.name, &purged, err));
    cr_assert_eq(purged, 2);
    must(rabbitmq_get(channel, queue.name, true, &message, err));
    cr_assert_null(message);
}

Test(rabbitmq, closes_a_connection_with_messages_that_nobody_received) {
    given_a_queue();
    struct rabbitmq_channel *reader = new_channel(), *last = new_channel();
    must(rabbitmq_consume(reader, queue.name, err, .without_ack = true));
    publish("one");
    publish("two");
    must_become(messages_in(queue.name) == 0, 5000);
    rabbitmq_channel_close(last); // not the first in the list
}

Test(rabbitmq, refuses_every_call_on_a_channel_that_is_closed) {
    given_a_queue();
    must(rabbitmq_ack(channel, 4711, err));
    must_fail(rabbitmq_purge(channel, queue.name, NULL, err), ERROR_SERVICE,
              SERVICE_ERROR_CONFLICT);
    const bool worked[] = {
        rabbitmq_purge(channel, queue.name, NULL, err),
        rabbitmq_declare_queue(channel, "", NULL, err),
        rabbitmq_delete_queue(channel, queue.name, err),
        rabbitmq_declare_exchange(channel, "x", "topic", err),
        rabbitmq_delete_exchange(channel, "x", err),
        rabbitmq_bind(channel, queue.name, "amq.topic", "k", err),
        rabbitmq_unbind(channel, queue.name, "amq.topic", "k", err),
        rabbitmq_publish(channel, "", queue.name, "x", 1, err),
        rabbitmq_confirm(channel, err),
        rabbitmq_get(channel, queue.name, true, &message, err),
        rabbitmq_prefetch(channel, 1, err),
        rabbitmq_consume(channel, queue.name, err),
        rabbitmq_cancel(channel, "tag", err),
        rabbitmq_receive(channel, 100, &message, err),
        rabbitmq_transaction_begin(channel, err),
        rabbitmq_transaction_commit(channel, err),
        rabbitmq_transaction_rollback(channel, err),
    };
    for (size_t i = 0; i < sizeof worked / sizeof worked[0]; i++)
        cr_assert_not(worked[i], "call %zu", i);
    cr_assert_str_eq(err->reference, "406", "the reason stays the first: %s", err->message);
}

// ---- dead letters, routing, transactions --------------------------------------------------------

// `channel` with `queue`, whose dead letters go to the queue of the returned name.
static const char *given_dead_letters(int ttl_ms) {
    const char *dead = scenario_unique(scenario, "dead");
    given_a_connection();
    must(rabbitmq_declare_queue(channel, dead, NULL, err, .exclusive = true));
    must(rabbitmq_declare_queue(channel, "", &queue, err, .exclusive = true,
                                .message_ttl_ms = ttl_ms, .dead_letter_exchange = "",
                                .dead_letter_key = dead));
    return dead;
}

Test(rabbitmq, puts_what_was_rejected_with_the_dead_letters) {
    const char *dead = given_dead_letters(0);
    publish("poison");
    must(rabbitmq_get(channel, queue.name, false, &message, err));
    must(rabbitmq_reject(channel, message->tag, err));
    must(rabbitmq_consume(channel, dead, err));
    receive("poison");
    cr_assert_str_eq(rabbitmq_header(message, "x-first-death-reason"), "rejected");
    cr_assert_str_eq(rabbitmq_header(message, "x-first-death-queue"), queue.name);
}

Test(rabbitmq, puts_what_has_expired_with_the_dead_letters) {
    const char *dead = given_dead_letters(50);
    publish("too late");
    must(rabbitmq_consume(channel, dead, err));
    receive("too late");
    cr_assert_str_eq(rabbitmq_header(message, "x-first-death-reason"), "expired");
    cr_assert_eq(messages_in(queue.name), 0);
}

Test(rabbitmq, routes_a_topic_to_the_queues_whose_pattern_it_matches) {
    given_a_queue();
    const char *exchange = scenario_unique(scenario, "topic");
    must(rabbitmq_declare_exchange(channel, exchange, "topic", err, .auto_delete = true));
    must(rabbitmq_bind(channel, queue.name, exchange, "order.*.paid", err));
    must(rabbitmq_publish(channel, exchange, "order.7.open", "no", 2, err));
    must(rabbitmq_publish(channel, exchange, "order.7.8.paid", "no", 2, err));
    must(rabbitmq_publish(channel, exchange, "order.7.paid", "yes", 3, err));
    must(rabbitmq_consume(channel, queue.name, err));
    receive("yes");
    cr_assert_str_eq(message->routing_key, "order.7.paid");
    cr_assert_str_eq(message->exchange, exchange);
}

Test(rabbitmq, routes_nothing_over_a_binding_that_was_removed) {
    given_a_queue();
    must(rabbitmq_bind(channel, queue.name, "amq.direct", queue.name, err));
    must(rabbitmq_unbind(channel, queue.name, "amq.direct", queue.name, err));
    must(rabbitmq_confirm(channel, err));
    must_fail(rabbitmq_publish(channel, "amq.direct", queue.name, "x", 1, err, .mandatory = true),
              ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND);
}

Test(rabbitmq, sends_what_an_exchange_cannot_route_to_its_alternate) {
    given_a_queue();
    const char *main = scenario_unique(scenario, "main");
    const char *rest = scenario_unique(scenario, "rest");
    must(rabbitmq_declare_exchange(channel, rest, "fanout", err, .auto_delete = true));
    must(rabbitmq_bind(channel, queue.name, rest, "", err));
    must(rabbitmq_declare_exchange(channel, main, "direct", err, .alternate_exchange = rest));
    must(rabbitmq_publish(channel, main, "unknown", "stray", 5, err));
    must(rabbitmq_consume(channel, queue.name, err));
    receive("stray");
    must(rabbitmq_delete_exchange(channel, main, err));
}

Test(rabbitmq, shows_nothing_of_a_transaction_before_its_commit) {
    given_a_queue();
    must(rabbitmq_transaction_begin(channel, err));
    publish("undone");
    must(rabbitmq_transaction_rollback(channel, err));
    publish("done");
    cr_assert_eq(messages_in(queue.name), 0);
    must(rabbitmq_transaction_commit(channel, err));
    must(rabbitmq_get(channel, queue.name, true, &message, err));
    cr_assert_str_eq(message->body, "done");
    cr_assert_eq(message->left_in_queue, 0);
}

// ---- refusals -----------------------------------------------------------------------------------

Test(rabbitmq, keeps_others_from_an_exclusive_queue) {
    given_a_queue();
    connection = scenario_rabbitmq(scenario, "rabbitmq");
    must_fail(rabbitmq_consume(new_channel(), queue.name, err), ERROR_SERVICE,
              SERVICE_ERROR_CONFLICT);
    cr_assert_str_eq(err->reference, "405");
}

Test(rabbitmq, refuses_to_declare_a_queue_again_with_other_arguments) {
    given_a_connection();
    const char *name = scenario_unique(scenario, "queue");
    must(rabbitmq_declare_queue(channel, name, NULL, err, .exclusive = true));
    must_fail(rabbitmq_declare_queue(channel, name, NULL, err, .exclusive = true, .max_length = 5),
              ERROR_SERVICE, SERVICE_ERROR_CONFLICT);
    cr_assert_str_eq(err->reference, "406");
}

Test(rabbitmq, closes_only_the_channel_that_asked_for_what_is_not_there) {
    given_a_connection();
    struct rabbitmq_channel *other = new_channel();
    must_fail(rabbitmq_declare_queue(channel, scenario_unique(scenario, "none"), NULL, err,
                                     .passive = true),
              ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND);
    cr_assert_not(rabbitmq_channel_is_open(channel));
    must(rabbitmq_declare_queue(other, "", &queue, err, .exclusive = true));
}

Test(rabbitmq, reports_a_publish_to_an_exchange_that_is_not_there) {
    given_a_connection();
    must(rabbitmq_confirm(channel, err));
    must_fail(rabbitmq_publish(channel, scenario_unique(scenario, "none"), "k", "x", 1, err),
              ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND);
}

Test(rabbitmq, tells_a_consumer_that_its_queue_is_gone) {
    given_a_queue();
    must(rabbitmq_consume(channel, queue.name, err));
    must(rabbitmq_delete_queue(channel, queue.name, err));
    must_fail(rabbitmq_receive(channel, 0, &message, err), ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND);
}

Test(rabbitmq, refuses_a_wrong_password) {
    const struct endpoint *wrong =
        scenario_wrong_password(scenario, scenario_endpoint(scenario, "rabbitmq"));
    must_fail(scenario_rabbitmq_at(scenario, wrong) != NULL, ERROR_SERVICE, SERVICE_ERROR_LOGIN);
    cr_assert_not(secret_occurs_in(wrong->password, err->message, strlen(err->message)));
}

Test(rabbitmq, refuses_a_virtual_host_that_is_not_there) {
    struct endpoint elsewhere = *scenario_endpoint(scenario, "rabbitmq");
    elsewhere.database = scenario_unique(scenario, "vhost");
    must_fail(scenario_rabbitmq_at(scenario, &elsewhere) != NULL, ERROR_SERVICE,
              SERVICE_ERROR_NOT_FOUND);
}

// ---- faults -------------------------------------------------------------------------------------

Test(rabbitmq, gives_up_in_time_on_a_server_that_says_nothing) {
    struct endpoint silent =
        *scenario_silent_server(scenario, scenario_endpoint(scenario, "rabbitmq"));
    silent.request_timeout_ms = 300;
    const struct deadline in_time = deadline_in_ms(20000);
    must_fail(scenario_rabbitmq_at(scenario, &silent) != NULL, ERROR_TIMEOUT, 0);
    cr_assert_not(deadline_passed(in_time));
}

Test(rabbitmq, reports_a_server_that_is_not_there) {
    const struct endpoint *dead =
        scenario_dead_server(scenario, scenario_endpoint(scenario, "rabbitmq"));
    must_fail(scenario_rabbitmq_at(scenario, dead) != NULL, ERROR_UNAVAILABLE, 0);
}

// A confirmed channel to a private server that answers within a second or not at all.
static struct spare *given_an_impatient_channel_to_a_spare(void) {
    struct spare *spare = scenario_spare(scenario, "rabbitmq");
    const struct endpoint *impatient = scenario_impatient(scenario, spare_endpoint(spare, 0));
    connection = scenario_rabbitmq_at(scenario, impatient);
    cr_assert_not_null(connection, "%s", err->message);
    channel = new_channel();
    must(rabbitmq_declare_queue(channel, "", &queue, err, .exclusive = true));
    return spare;
}

Test(rabbitmq, gives_up_in_time_on_a_confirm_from_a_paused_server, .timeout = 180) {
    struct spare *spare = given_an_impatient_channel_to_a_spare();
    must(rabbitmq_confirm(channel, err));
    must(container_pause(scenario_engine(scenario), spare_container(spare, 0), err));
    const struct deadline in_time = deadline_in_ms(20000);
    must_fail(rabbitmq_publish(channel, "", queue.name, "x", 1, err), ERROR_TIMEOUT, 0);
    cr_assert_not(deadline_passed(in_time));
    must(container_unpause(scenario_engine(scenario), spare_container(spare, 0), err));
}

Test(rabbitmq, gives_up_in_time_on_sending_to_a_paused_server, .timeout = 180) {
    struct spare *spare = given_an_impatient_channel_to_a_spare();
    const unsigned char *bytes = pattern(8 * BIG);
    must(container_pause(scenario_engine(scenario), spare_container(spare, 0), err));
    const struct deadline in_time = deadline_in_ms(20000);
    must_fail(rabbitmq_publish(channel, "", queue.name, bytes, 8 * BIG, err), ERROR_TIMEOUT, 0);
    cr_assert_not(deadline_passed(in_time));
    must(container_unpause(scenario_engine(scenario), spare_container(spare, 0), err));
}

Test(rabbitmq, keeps_a_persistent_message_over_a_restart, .timeout = 300) {
    struct spare *spare = scenario_spare(scenario, "rabbitmq");
    struct kind_members members = spare_members(spare);
    connection = scenario_rabbitmq_at(scenario, spare_endpoint(spare, 0));
    channel = new_channel();
    must(rabbitmq_declare_queue(channel, "kept", NULL, err, .durable = true));
    must(rabbitmq_confirm(channel, err));
    must(rabbitmq_publish(channel, "", "kept", "still here", 10, err,
                          .properties.persistent = true));
    must(container_restart(scenario_engine(scenario), spare_container(spare, 0), err));
    must_become(rabbitmq_ready(&members, NULL, NULL), 60000);
    connection = scenario_rabbitmq_at(scenario, spare_endpoint(spare, 0));
    channel = new_channel();
    must(rabbitmq_get(channel, "kept", false, &message, err));
    cr_assert_not_null(message, "the message is gone");
    cr_assert_str_eq(message->body, "still here");
}
