#include "compose/plan_test_tools.h"

#include <criterion/criterion.h>

TestSuite(service_deploy, .init = plan_test_folder, .fini = plan_test_leave, .timeout = 120);

Test(service_deploy, honours_limits) {
    expect_host(SERVICE("deploy: {resources: {limits: {cpus: '0.5', memory: 50M, pids: 9},"
                        " reservations: {memory: 20M}}}"),
                "{\"NanoCpus\": 500000000, \"Memory\": 52428800, \"PidsLimit\": 9,"
                " \"MemoryReservation\": 20971520}");
}

Test(service_deploy, may_repeat_the_old_keys_but_not_contradict_them) {
    expect_host(SERVICE("mem_limit: 50m\n    deploy: {resources: {limits: {memory: 50M}}}"),
                "{\"Memory\": 52428800}");
    expect_error(SERVICE("mem_limit: 60m\n    deploy: {resources: {limits: {memory: 50M}}}"),
                 "compose.yaml:5:43: services.s.deploy.resources.limits: differs from mem_limit");
}

Test(service_deploy, makes_one_container_of_each_service) {
    expect_no_warning(SERVICE("scale: 1\n    deploy: {replicas: 1, mode: replicated}"));
    expect_error(SERVICE("deploy: {replicas: 3}"),
                 "compose.yaml:4:24: services.s.deploy: 3 "
                 "containers of one service are not supported yet");
    expect_error(SERVICE("scale: 2"), "compose.yaml:4:12: services.s.scale: 2 containers of one "
                                      "service are not supported yet");
    expect_error(SERVICE("scale: 0"),
                 "compose.yaml:4:12: services.s.scale: 0 containers: leave the "
                 "service out by a profile instead");
}

Test(service_deploy, ignores_what_speaks_to_a_cluster) {
    expect_no_warning(SERVICE("restart: always\n    deploy: {restart_policy: {condition: any},"
                              " placement: {}, labels: [a=b], endpoint_mode: vip}"));
}

Test(service_deploy, refuses_devices) {
    expect_error(SERVICE("deploy: {resources: {reservations: {devices: [{driver: nvidia}]}}}"),
                 "compose.yaml:4:50: services.s.deploy.resources.reservations: devices: not "
                 "supported: a throwaway stack is given no devices of this machine");
}

Test(service_deploy, warns_of_keys_that_it_does_not_know) {
    expect_warning(SERVICE("deploy: {replica: 1}"),
                   "compose.yaml:4:14: services.s.deploy: unknown key \"replica\", left out");
}

Test(service_deploy, refuses_more_processors_than_there_can_be) {
    expect_error(SERVICE("deploy: {resources: {limits: {cpus: 1000001}}}"),
                 "compose.yaml:4:41: services.s.deploy.resources.limits: too many processors");
}

Test(service_deploy, says_that_generic_resources_are_not_honoured) {
    expect_warning(SERVICE("deploy: {resources: {reservations: {generic_resources: []}}}"),
                   "compose.yaml:4:40: services.s.deploy.resources.reservations: generic_resources "
                   "are not honoured");
}

Test(service_deploy, takes_no_list_for_a_number) {
    expect_error(
        SERVICE("deploy: {resources: {limits: {cpus: [1]}}}"),
        "compose.yaml:4:41: services.s.deploy.resources.limits: expected a number, found a "
        "list");
    expect_error(
        SERVICE("deploy: {resources: {limits: {pids: [1]}}}"),
        "compose.yaml:4:41: services.s.deploy.resources.limits: expected a number, found a "
        "list");
}
