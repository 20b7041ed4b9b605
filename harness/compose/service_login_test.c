#include "compose/plan_test_tools.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(service_login, .init = plan_test_folder, .fini = plan_test_leave, .timeout = 120);

// "user/database password=key root=key", "-" for what is not known, and every secret's content.
static void expect_login(const char *compose, const char *expected) {
    const struct plan *plan = plan_test_load(compose);
    const struct plan_service *service = &plan->services[0];
    const char *said[] = {service->user, service->database, service->password,
                          service->root_password};
    for (size_t i = 0; i < 4; i++)
        said[i] = said[i] != NULL ? said[i] : "-";
    struct text login = {0};
    text_appendf(&login, "%s/%s password=%s root=%s", said[0], said[1], said[2], said[3]);
    for (size_t i = 0; i < plan->secret_count; i++)
        if (plan->secrets[i].content != NULL)
            text_appendf(&login, " %s=%s", plan->secrets[i].key, plan->secrets[i].content);
    cr_expect_str_eq(text_string(&login), expected);
    text_done(&login);
}

#define OF(image, environment)                                                           \
    "services: {s: {image: " image ", environment: {" environment "}, secrets: [pw]}}\n" \
    "secrets: {pw: {x-assay: {generate: true}}}\n"

Test(service_login, is_what_the_image_is_told) {
    expect_login(OF("postgres", "POSTGRES_USER: shop, POSTGRES_DB: goods, POSTGRES_PASSWORD: x"),
                 "shop/goods password=s.POSTGRES_PASSWORD root=- s.POSTGRES_PASSWORD=x");
    expect_login(OF("mysql:9", "MYSQL_USER: u, MYSQL_DATABASE: d, MYSQL_PASSWORD: p, "
                               "MYSQL_ROOT_PASSWORD: r"),
                 "u/d password=s.MYSQL_PASSWORD root=s.MYSQL_ROOT_PASSWORD s.MYSQL_PASSWORD=p "
                 "s.MYSQL_ROOT_PASSWORD=r");
    expect_login(OF("mariadb", "MARIADB_USER: u, MARIADB_PASSWORD: p"),
                 "u/- password=s.MARIADB_PASSWORD root=- s.MARIADB_PASSWORD=p");
    expect_login(OF("mongo:7", "MONGO_INITDB_ROOT_USERNAME: u, MONGO_INITDB_ROOT_PASSWORD: p"),
                 "u/- password=s.MONGO_INITDB_ROOT_PASSWORD root=- s.MONGO_INITDB_ROOT_PASSWORD=p");
    expect_login(OF("rabbitmq", "RABBITMQ_DEFAULT_USER: u, RABBITMQ_DEFAULT_PASS: p, "
                                "RABBITMQ_DEFAULT_VHOST: v"),
                 "u/v password=s.RABBITMQ_DEFAULT_PASS root=- s.RABBITMQ_DEFAULT_PASS=p");
}

Test(service_login, takes_the_secret_whose_file_the_image_reads) {
    expect_login(OF("postgres", "POSTGRES_USER: shop, POSTGRES_PASSWORD_FILE: /run/secrets/pw"),
                 "shop/shop password=pw root=-");
    expect_login(OF("postgres", "POSTGRES_PASSWORD_FILE: /etc/elsewhere"), "-/- password=- root=-");
}

Test(service_login, is_root_where_nobody_else_is_named) {
    expect_login(OF("mysql", "MYSQL_ROOT_PASSWORD_FILE: /run/secrets/pw, MYSQL_DATABASE: d"),
                 "root/d password=pw root=pw");
}

Test(service_login, is_what_x_assay_says_before_all) {
    expect_login("services:\n  s:\n    image: postgres\n"
                 "    environment: {POSTGRES_USER: shop, POSTGRES_PASSWORD: x}\n"
                 "    x-assay: {user: reader, database: goods}\n",
                 "reader/goods password=- root=-");
    expect_login("services:\n  s:\n    image: postgres\n"
                 "    environment: {POSTGRES_USER: shop, POSTGRES_PASSWORD: x}\n"
                 "    x-assay: {database: goods}\n",
                 "shop/goods password=s.POSTGRES_PASSWORD root=- s.POSTGRES_PASSWORD=x");
}

Test(service_login, is_nobody_s_where_the_image_is_told_nothing) {
    expect_login(OF("postgres", "PGDATA: /data"), "-/- password=- root=-");
    expect_login(OF("nginx", "POSTGRES_USER: shop"), "-/- password=- root=-");
    expect_login(OF("postgres", "POSTGRES_USER: ''"), "-/- password=- root=-");
}
