#include "compose/plan_test_tools.h"

#include <criterion/criterion.h>

TestSuite(service_host, .init = plan_test_folder, .fini = plan_test_leave, .timeout = 120);

Test(service_host, passes_on_rights) {
    expect_host(
        SERVICE("cap_add: [NET_ADMIN, NET_ADMIN]\n    cap_drop: [ALL]\n    group_add: [20]\n"
                "    read_only: true\n    init: true\n    runtime: runc"),
        "{\"CapAdd\": [\"NET_ADMIN\"], \"CapDrop\": [\"ALL\"], \"GroupAdd\": [\"20\"],"
        " \"ReadonlyRootfs\": true, \"Init\": true, \"Runtime\": \"runc\"}");
}

Test(service_host, passes_on_limits) {
    expect_host(SERVICE("mem_limit: 64m\n    memswap_limit: -1\n    mem_reservation: 32m\n"
                        "    cpus: 1.5\n    cpu_shares: 512\n    cpuset: 0-1\n    pids_limit: 100\n"
                        "    shm_size: 128mb\n    oom_score_adj: -5\n    cpu_quota: 50000\n"
                        "    cpu_period: 100000"),
                "{\"Memory\": 67108864, \"MemorySwap\": -1, \"MemoryReservation\": 33554432,"
                " \"NanoCpus\": 1500000000, \"CpuShares\": 512, \"CpusetCpus\": \"0-1\","
                " \"PidsLimit\": 100, \"ShmSize\": 134217728, \"OomScoreAdj\": -5,"
                " \"CpuQuota\": 50000, \"CpuPeriod\": 100000}");
}

Test(service_host, passes_on_names_of_hosts) {
    expect_host(SERVICE("extra_hosts: ['a=::1', 'b:10.0.0.1']\n    dns: 10.0.0.2\n"
                        "    dns_search: [x.test]\n    dns_opt: ['timeout:1']"),
                "{\"ExtraHosts\": [\"a:::1\", \"b:10.0.0.1\"], \"Dns\": [\"10.0.0.2\"],"
                " \"DnsSearch\": [\"x.test\"], \"DnsOptions\": [\"timeout:1\"]}");
    expect_host(SERVICE("extra_hosts: {a: 10.0.0.1, b: [10.0.0.2, 10.0.0.3]}"),
                "{\"ExtraHosts\": [\"a:10.0.0.1\", \"b:10.0.0.2\", \"b:10.0.0.3\"]}");
    expect_warning(
        SERVICE("extra_hosts: ['h:host-gateway']"),
        "compose.yaml:4:19: services.s.extra_hosts: host-gateway lets this service reach "
        "this machine");
    expect_error(SERVICE("extra_hosts: [a]"),
                 "compose.yaml:4:19: services.s.extra_hosts: expected host=address, found \"a\"");
}

Test(service_host, passes_on_kernel_settings_and_ulimits) {
    expect_host(SERVICE("sysctls: [net.core.somaxconn=1024]\n"
                        "    ulimits: {nofile: 65536, nproc: {soft: 10, hard: 20}, core: -1}"),
                "{\"Sysctls\": {\"net.core.somaxconn\": \"1024\"}, \"Ulimits\": ["
                "{\"Name\": \"nofile\", \"Soft\": 65536, \"Hard\": 65536},"
                "{\"Name\": \"nproc\", \"Soft\": 10, \"Hard\": 20},"
                "{\"Name\": \"core\", \"Soft\": -1, \"Hard\": -1}]}");
    expect_error(SERVICE("ulimits: {nofile: {soft: 10}}"),
                 "compose.yaml:4:23: services.s.ulimits: nofile: both soft and hard are needed");
}

Test(service_host, sends_a_seccomp_profile_itself) {
    plan_test_write("profile.json", "{\"defaultAction\": \"SCMP_ACT_ALLOW\"}");
    expect_host(SERVICE("security_opt: [seccomp:profile.json, no-new-privileges:true]"),
                "{\"SecurityOpt\": [\"seccomp={\\\"defaultAction\\\":\\\"SCMP_ACT_ALLOW\\\"}\","
                " \"no-new-privileges:true\"]}");
    expect_host(SERVICE("security_opt: [seccomp=unconfined]"),
                "{\"SecurityOpt\": [\"seccomp=unconfined\"]}");
    expect_error(SERVICE("security_opt: [seccomp=/nowhere/x.json]"),
                 "compose.yaml:4:20: services.s.security_opt: cannot open /nowhere/x.json: No such "
                 "file or directory");
}

Test(service_host, honours_privileged_with_a_warning) {
    expect_host(SERVICE("privileged: true"), "{\"Privileged\": true}");
    expect_warning(SERVICE("privileged: true"), "compose.yaml:4:17: services.s.privileged: this "
                                                "service can do anything to this machine");
    expect_no_warning(SERVICE("privileged: false"));
}

Test(service_host, keeps_logs_where_they_can_be_read) {
    const char *other = SERVICE("logging: {driver: none}");
    expect_host(other, "{\"LogConfig\": {\"Type\": \"json-file\","
                       " \"Config\": {\"max-size\": \"64m\", \"max-file\": \"2\"}}}");
    expect_warning(other,
                   "compose.yaml:4:5: services.s.logging: not honoured: json-file is used, so "
                   "that logs can be read");
}

Test(service_host, shares_no_namespace_with_this_machine) {
    expect_host(SERVICE("ipc: shareable\n    cgroup: private"),
                "{\"IpcMode\": \"shareable\", \"CgroupnsMode\": \"private\"}");
    static const struct text_case cases[] = {
        {SERVICE("ipc: host"), "compose.yaml:4:10: services.s.ipc: \"host\" is not supported: a "
                               "throwaway service keeps to itself"},
        {SERVICE("pid: host"), "compose.yaml:4:5: services.s.pid: not supported: a throwaway "
                               "service keeps to itself"},
        {SERVICE("uts: host"), "compose.yaml:4:5: services.s.uts: not supported: a throwaway "
                               "service keeps to itself"},
        {SERVICE("ipc: service:db"), "compose.yaml:4:10: services.s.ipc: \"service:db\" is not "
                                     "supported: a throwaway service keeps to itself"},
        {SERVICE("use_api_socket: true"), "compose.yaml:4:21: services.s.use_api_socket: not "
                                          "supported: a service gets no engine to command"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(cases[i].input, cases[i].expected);
}

Test(service_host, says_what_is_wrong_and_where) {
    static const struct text_case cases[] = {
        {SERVICE("mem_limit: lots"),
         "compose.yaml:4:16: services.s.mem_limit: expected a size such "
         "as 64m or 1gb, found \"lots\""},
        {SERVICE("cpus: nan"),
         "compose.yaml:4:11: services.s.cpus: expected a number, found \"nan\""},
        {SERVICE("cpus: 1e9"), "compose.yaml:4:11: services.s.cpus: 1e9 processors are too many"},
        {SERVICE("cap_add: [[A]]"), "compose.yaml:4:15: services.s.cap_add[0]: expected a single "
                                    "value, found a list"},
        {SERVICE("privileged: 5"),
         "compose.yaml:4:17: services.s.privileged: expected true or false, found \"5\""},
        {SERVICE("cpus: -1"),
         "compose.yaml:4:11: services.s.cpus: expected a number, found \"-1\""},
        {SERVICE("cap_add: ALL"), "compose.yaml:4:14: services.s.cap_add: expected a list, found a "
                                  "single value"},
        {SERVICE("pids_limit: 1.5"), "compose.yaml:4:17: services.s.pids_limit: expected a whole "
                                     "number, found \"1.5\""},
        {SERVICE("sysctls: [a]"), "compose.yaml:4:15: services.s.sysctls: expected a single value, "
                                  "found nothing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(cases[i].input, cases[i].expected);
}

Test(service_host, takes_no_list_for_a_single_value) {
    expect_error(SERVICE("cap_add: [[NET_ADMIN]]"),
                 "compose.yaml:4:15: services.s.cap_add[0]: expected a single value, found a list");
    expect_error(SERVICE("ulimits: {core: [1]}"),
                 "compose.yaml:4:21: services.s.ulimits: expected a number, found a list");
}

Test(service_host, says_that_a_seccomp_profile_is_no_json) {
    expect_error(SERVICE("security_opt: [seccomp:/dev/null]"),
                 "compose.yaml:4:20: services.s.security_opt: /dev/null:1: not JSON: '[' or '{' "
                 "expected near end of file");
}
