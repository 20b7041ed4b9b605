// The reference API: an application over HTTP, with PostgreSQL behind it.
#include "base/memory.h"
#include "base/text.h"
#include "scenario/clients.h"

#include <pthread.h>

static struct scenario *scenario;
static struct http *api;
static const struct http_reply *reply;
static const json_t *json;

static void open_scenario(void) {
    scenario = scenario_open();
}

static void close_scenario(void) {
    scenario_close(scenario);
}

TestSuite(reference_api, .init = open_scenario, .fini = close_scenario, .timeout = 120);

static void given_a_client(void) {
    api = scenario_http(scenario, "reference-api");
}

// ---- requests, each with the status that is expected --------------------------------------------

static char *text(char *owned) {
    scenario_own(scenario, owned, free);
    return owned;
}

static void get(const char *path, int status) {
    must(http_get(api, path, &reply, err));
    must(http_expect(reply, status, err));
}

static void send_body(const char *method, const char *path, const char *body, int status) {
    must(http_request(api, method, path, &reply, err, .body = body,
                      .content_type = "application/json"));
    must(http_expect(reply, status, err));
}

static const char *item(const char *name, int quantity) {
    return text(memory_format("{\"name\": \"%s\", \"quantity\": %d}", name, quantity));
}

// Creates it and returns its path, as the Location header says.
static const char *create(const char *name, int quantity) {
    send_body("POST", "/items", item(name, quantity), 201);
    const char *location = http_header(reply, "Location");
    cr_assert_not_null(location);
    return text(memory_copy_string(location));
}

static const json_t *member(const char *key) {
    must(http_json(reply, &json, err));
    return json_object_get(json, key);
}

// ---- create, read, update, delete ---------------------------------------------------------------

Test(reference_api, says_that_it_and_its_database_are_well) {
    given_a_client();
    get("/health", 200);
    cr_assert_str_eq(json_string_value(member("status")), "ok");
    cr_assert_str_eq(json_string_value(member("database")), "ok");
}

Test(reference_api, gives_an_item_back_as_it_was_created) {
    given_a_client();
    const char *name = scenario_unique(scenario, "bolt");
    get(create(name, 12), 200);
    cr_assert_str_eq(json_string_value(member("name")), name);
    cr_assert_eq(json_integer_value(member("quantity")), 12);
}

Test(reference_api, keeps_every_character_of_a_name) {
    given_a_client();
    const char *name = text(
        memory_format("Größe 日本語 🚀 '; drop table items; -- %s", scenario_unique(scenario, "x")));
    get(create(name, 1), 200);
    cr_assert_str_eq(json_string_value(member("name")), name);
}

Test(reference_api, keeps_a_large_quantity) {
    given_a_client();
    const char *path = create(scenario_unique(scenario, "grain"), 0);
    send_body("PUT", path,
              text(memory_format("{\"name\": \"%s\", \"quantity\": 4611686018427387904}",
                                 scenario_unique(scenario, "sand"))),
              200);
    get(path, 200);
    cr_assert_eq(json_integer_value(member("quantity")), 4611686018427387904);
}

Test(reference_api, changes_an_item) {
    given_a_client();
    const char *path = create(scenario_unique(scenario, "nut"), 1);
    const char *renamed = scenario_unique(scenario, "washer");
    send_body("PUT", path, item(renamed, 2), 200);
    get(path, 200);
    cr_assert_str_eq(json_string_value(member("name")), renamed);
    cr_assert_eq(json_integer_value(member("quantity")), 2);
}

Test(reference_api, has_an_item_no_more_once_it_is_deleted) {
    given_a_client();
    const char *path = create(scenario_unique(scenario, "nail"), 1);
    must(http_delete(api, path, &reply, err));
    must(http_expect(reply, 204, err));
    get(path, 404);
    must(http_delete(api, path, &reply, err));
    must(http_expect(reply, 404, err));
}

Test(reference_api, pages_through_its_items_without_gap_or_repeat) {
    given_a_client();
    const json_int_t first =
        strtoll(strrchr(create(scenario_unique(scenario, "page"), 1), '/') + 1, NULL, 10);
    for (int i = 0; i < 5; i++)
        (void)create(scenario_unique(scenario, "page"), i);
    json_int_t last = first - 1;
    for (int page = 0; page < 3; page++) {
        get(text(memory_format("/items?after=%lld&limit=2", (long long)last)), 200);
        must(http_json(reply, &json, err));
        cr_assert_eq(json_array_size(json), 2);
        const json_int_t one = json_integer_value(json_object_get(json_array_get(json, 0), "id"));
        const json_int_t two = json_integer_value(json_object_get(json_array_get(json, 1), "id"));
        cr_assert(last < one && one < two);
        last = two;
    }
}

static void free_rows(void *rows) {
    postgres_rows_free(rows);
}

Test(reference_api, stores_in_postgresql_what_it_says_it_stores) {
    given_a_client();
    struct postgres *db = scenario_postgres(scenario, "postgres");
    const char *name = scenario_unique(scenario, "stored");
    struct postgres_rows *rows = NULL;
    (void)create(name, 77);
    must(postgres_query(db, "select quantity from items where name = $1",
                        PARAMETERS(parameter_text(name)), &rows, err));
    scenario_own(scenario, rows, free_rows);
    cr_assert_eq(postgres_rows_count(rows), 1);
    cr_assert_str_eq(postgres_rows_value(rows, 0, 0), "77");
}

// ---- at once ------------------------------------------------------------------------------------

struct creator {
    struct http *api;
    const char *body;
    int created, conflicts, others;
};

static void *create_twenty(void *context) {
    struct creator *self = context;
    const struct http_reply *answer;
    for (int i = 0; i < 20; i++) {
        const bool answered = http_post(self->api, "/items", &answer, NULL, .body = self->body,
                                        .content_type = "application/json");
        const int status = answered ? http_status(answer) : 0;
        *(status == 201 ? &self->created : status == 409 ? &self->conflicts : &self->others) += 1;
    }
    return NULL;
}

Test(reference_api, gives_a_name_to_just_one_of_eight_who_ask_at_once) {
    const char *body = item(scenario_unique(scenario, "wanted"), 1);
    struct creator creators[8] = {{.api = NULL}}, sum = {.api = NULL};
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        creators[i] = (struct creator){scenario_http(scenario, "reference-api"), body, 0, 0, 0};
    for (int i = 0; i < 8; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, create_twenty, &creators[i]), 0);
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        sum.created += creators[i].created;
        sum.conflicts += creators[i].conflicts;
        sum.others += creators[i].others;
    }
    cr_assert_eq(sum.others, 0, "reference-api neither took nor refused %d of 160", sum.others);
    cr_assert_eq(sum.created, 1);
    cr_assert_eq(sum.conflicts, 159);
}

Test(reference_api, keeps_a_connection_for_the_next_request) {
    given_a_client();
    get("/health", 200);
    cr_assert_not(http_connection_reused(reply));
    get("/health", 200);
    cr_assert(http_connection_reused(reply));
}

Test(reference_api, counts_what_it_answers) {
    given_a_client();
    get("/no/such/path", 404);
    get("/metrics", 200);
    cr_assert_not_null(strstr(http_body(reply), "http_requests_total{route=\"unknown\","
                                                "method=\"GET\",status=\"404\"}"));
    cr_assert_not_null(strstr(http_body(reply), "http_request_duration_seconds_bucket"));
    cr_assert_eq(strncmp(http_header(reply, "Content-Type"), "text/plain; version=0.0.4", 25), 0);
}

// ---- refusals -----------------------------------------------------------------------------------

Test(reference_api, refuses_a_name_that_is_taken) {
    given_a_client();
    const char *name = scenario_unique(scenario, "taken");
    (void)create(name, 1);
    send_body("POST", "/items", item(name, 2), 409);
}

Test(reference_api, refuses_an_item_that_is_none) {
    given_a_client();
    send_body("POST", "/items", "{\"name\": \"cut off\", \"quant", 400);
    send_body("POST", "/items", "[]", 400);
    send_body("POST", "/items", "{\"name\": \"no quantity\"}", 400);
    send_body("POST", "/items", item("", 1), 400);
    send_body("POST", "/items", item("less than nothing", -1), 400);
    send_body("POST", "/items", "{\"name\": \"x\", \"quantity\": \"12\"}", 400);
}

Test(reference_api, refuses_a_name_of_more_than_200_characters) {
    given_a_client();
    struct text name = {0};
    text_append(&name, scenario_unique(scenario, "x"));
    while (name.length < 200)
        text_append_char(&name, 'y');
    (void)create(text_string(&name), 1);
    text_append_char(&name, 'y');
    const char *body = item(text_string(&name), 1);
    text_done(&name);
    send_body("POST", "/items", body, 400);
}

Test(reference_api, refuses_a_body_that_is_not_json) {
    given_a_client();
    must(http_post(api, "/items", &reply, err, .body = "name=x", .content_type = "text/plain"));
    must(http_expect(reply, 415, err));
}

Test(reference_api, says_which_methods_a_path_has) {
    given_a_client();
    must(http_request(api, "PATCH", "/items", &reply, err));
    must(http_expect(reply, 405, err));
    cr_assert_str_eq(http_header(reply, "Allow"), "GET, HEAD, POST");
}

Test(reference_api, sends_no_body_for_head) {
    given_a_client();
    must(http_request(api, "HEAD", "/health", &reply, err));
    must(http_expect(reply, 200, err));
    cr_assert_eq(http_body_length(reply), 0);
    cr_assert_str_neq(http_header(reply, "Content-Length"), "0");
}

Test(reference_api, refuses_a_page_of_nonsense) {
    given_a_client();
    get("/items?limit=0", 400);
    get("/items?limit=1001", 400);
    get("/items?after=-1", 400);
    get("/items/0", 404);
    get("/items/1x", 404);
}

// ---- faults -------------------------------------------------------------------------------------

Test(reference_api, gives_up_in_time_on_a_server_that_says_nothing) {
    api = scenario_http_at(
        scenario, scenario_silent_server(scenario, scenario_endpoint(scenario, "reference-api")));
    const struct deadline in_time = deadline_in_ms(20000);
    must_fail(http_get(api, "/health", &reply, err, .timeout_ms = 300), ERROR_TIMEOUT, 0);
    cr_assert_not(deadline_passed(in_time));
}

Test(reference_api, reports_a_server_that_is_not_there) {
    api = scenario_http_at(
        scenario, scenario_dead_server(scenario, scenario_endpoint(scenario, "reference-api")));
    must_fail(http_get(api, "/health", &reply, err), ERROR_UNAVAILABLE, 0);
}

Test(reference_api, is_not_read_beyond_the_limit_asked_for) {
    given_a_client();
    must_fail(http_get(api, "/metrics", &reply, err, .limit_bytes = 64), ERROR_PROTOCOL, 0);
}

Test(reference_api, tells_what_was_expected_from_what_came) {
    given_a_client();
    must(http_get(api, "/items/4611686018427387904", &reply, err));
    must_fail(http_expect(reply, 200, err), ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND);
    cr_assert_str_eq(err->reference, "404");
    cr_assert_not_null(strstr(err->message, "reference-api ("), "%s", err->message);
    cr_assert_not_null(strstr(err->message, "no such item"), "%s", err->message);
}
