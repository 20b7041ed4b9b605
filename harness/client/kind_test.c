#include "client/kind.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *kind_of(const char *image) {
    const struct kind *kind = kind_by_image(image);
    return kind != NULL ? kind->name : "none";
}

Test(kind, is_found_from_any_form_of_image_reference) {
    cr_expect_str_eq(kind_of("postgres"), "postgres");
    cr_expect_str_eq(kind_of("postgres:17"), "postgres");
    cr_expect_str_eq(kind_of("docker.io/library/postgres:17@sha256:0123"), "postgres");
    cr_expect_str_eq(kind_of("registry.local:5000/team/mysql:8.4"), "mysql");
    cr_expect_str_eq(kind_of("registry.local:5000/mongo"), "mongodb");
    cr_expect_str_eq(kind_of("quay.io/prometheus/alertmanager@sha256:0123"), "alertmanager");
}

Test(kind, is_not_guessed_from_a_part_of_a_name) {
    cr_expect_str_eq(kind_of("my-postgres-backup"), "none");
    cr_expect_str_eq(kind_of("postgres/tools"), "none");
    cr_expect_str_eq(kind_of("shop:postgres"), "none");
    cr_expect_str_eq(kind_of(""), "none");
    cr_expect_str_eq(kind_of("postgres/"), "none");
}

Test(kind, is_found_by_its_name_only) {
    cr_expect_str_eq(kind_by_name("redis_cluster")->title, "Redis Cluster");
    cr_expect_eq(kind_by_name("redis"), kind_by_name("redis_cluster")); // one server, or many
    cr_expect_null(kind_by_name("Postgres"));
    cr_expect_null(kind_by_name(""));
}

Test(kind, table_is_complete) {
    size_t count = 0;
    for (const struct kind *each = kind_table(); each->name != NULL; each++, count++) {
        cr_expect_not_null(each->title, "%s has no title", each->name);
        cr_expect(each->port > 0, "%s has no port", each->name);
        cr_expect_not_null(each->ready, "%s cannot be asked whether it is ready", each->name);
        cr_expect_not_null(each->identify, "%s cannot say what it is", each->name);
        cr_expect_not_null(each->image_names[0], "%s is known by no image", each->name);
        cr_expect_eq(kind_by_name(each->name), each);
    }
    cr_assert_eq(count, 9);
}

Test(kind, formed_secrets_are_freed_and_forgotten) {
    struct kind_formed formed = {.token = secret_generate(), .unseal_key = secret_generate()};
    kind_formed_done(&formed);
    cr_assert_null(formed.token);
    cr_assert_null(formed.unseal_key);
}
