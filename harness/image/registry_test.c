#include "image/registry.h"

#include <criterion/criterion.h>

Test(registry, says_in_a_few_words_why_a_pull_failed) {
    cr_expect_str_eq(registry_reason("cannot pull mongo:7.0: POST /images/create: Get "
                                     "\"https://registry-1.docker.io/v2/\": dial tcp: lookup "
                                     "registry-1.docker.io: no such host"),
                     "no such host");
    cr_expect_str_eq(registry_reason("no colon"), "no colon");
    cr_expect_str_eq(registry_reason("ends: "), "ends: ");
}

Test(registry, says_with_the_reason_why_there_were_no_credentials) {
    cr_expect_str_eq(registry_reason("cannot pull h/a:1: POST /images/create: the engine answered "
                                     "500: Head \"https://h/v2/a/manifests/1\": no basic auth "
                                     "credentials (pulled without credentials: cannot run the "
                                     "credential helper docker-credential-b: No such file)"),
                     "no basic auth credentials (pulled without credentials: cannot run the "
                     "credential helper docker-credential-b: No such file)");
}

static bool unreachable(enum error_domain domain, const char *message) {
    struct error failure = {0};
    error_set(&failure, domain, 500, "%s", message);
    return registry_unreachable(&failure);
}

Test(registry, tells_a_silent_registry_from_one_that_says_no) {
    cr_expect(unreachable(ERROR_UNAVAILABLE, "dial tcp 10.0.0.1:443: connect: no route to host"));
    cr_expect(unreachable(ERROR_UNAVAILABLE, "Get \"https://x/v2/\": dial tcp: lookup x on "
                                             "10.0.0.2:53: no such host"));
    cr_expect(unreachable(ERROR_UNAVAILABLE, "Get \"https://x/v2/\": net/http: request canceled "
                                             "while waiting for connection"));
    cr_expect(unreachable(ERROR_UNAVAILABLE, "Get \"https://x/v2/\": x509: certificate signed by "
                                             "unknown authority"));
    cr_expect(unreachable(ERROR_UNAVAILABLE, "Get \"https://x/v2/\": proxyconnect tcp: dial tcp: "
                                             "lookup proxy: no such host"));
    cr_expect(unreachable(ERROR_UNAVAILABLE, "Get \"http://x/v2/\": net/http: request canceled "
                                             "(Client.Timeout exceeded while awaiting headers)"));
    cr_expect(unreachable(ERROR_TIMEOUT, "no answer"));
    cr_expect_not(unreachable(ERROR_UNAVAILABLE, "manifest for mongo:99 not found: manifest "
                                                 "unknown: manifest unknown"));
    cr_expect_not(unreachable(ERROR_UNAVAILABLE, "pull access denied for x, repository does not "
                                                 "exist or may require 'docker login'"));
    cr_expect_not(unreachable(ERROR_UNAVAILABLE, "toomanyrequests: rate limit"));
}

// An image may be called as the failure of another.
Test(registry, does_not_take_the_name_of_an_image_for_its_registrys_silence) {
    static const char *const names[] = {"x509", "a/x509-exporter:1", "proxyconnect:1",
                                        "a:Client.Timeout"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct error failure = {0};
        error_set(&failure, ERROR_UNAVAILABLE, 404,
                  "cannot pull %s: POST /images/create: the engine answered 404: manifest for %s "
                  "not found: manifest unknown: manifest unknown",
                  names[i], names[i]);
        cr_expect_not(registry_unreachable(&failure), "%s", failure.message);
    }
}
