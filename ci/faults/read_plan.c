// Reads a Compose file with all its profiles and prints everything that came of it.
//
//   read_plan FILE
#include "base/json_memory.h"
#include "compose/plan.h"

#include <stdio.h>
#include <stdlib.h>

static void print_json(const char *title, const json_t *value) {
    char *text = json_dumps(value, JSON_SORT_KEYS);
    printf("  %s %s\n", title, text);
    free(text);
}

static void print_service(const struct plan_service *service) {
    printf("service %s: %s, %s, port %d, prepare %d, %d ms\n", service->name, service->image,
           service->kind != NULL ? service->kind->name : "no kind", service->port, service->prepare,
           service->ready_timeout_ms);
    print_json("config", service->config);
    print_json("host", service->host_config);
    for (size_t i = 0; i < service->mount_count; i++)
        printf("  mount %d %s at %s\n", service->mounts[i].type,
               service->mounts[i].source != NULL ? service->mounts[i].source : "-",
               service->mounts[i].target);
    for (size_t i = 0; i < service->dependency_count; i++)
        printf("  after %zu when %d\n", service->dependencies[i].service,
               service->dependencies[i].condition);
    for (size_t i = 0; i < service->attachment_count; i++)
        printf("  in network %zu at %u\n", service->attachments[i].network,
               service->attachments[i].address_offset);
}

static void print_plan(const struct plan *plan) {
    printf("%s\n", plan->name);
    for (size_t i = 0; i < plan->service_count; i++)
        print_service(&plan->services[i]);
    for (size_t i = 0; i < plan->network_count; i++)
        printf("network %s /%d\n", plan->networks[i].key, plan->networks[i].prefix_length);
    for (size_t i = 0; i < plan->volume_count; i++)
        printf("volume %s\n", plan->volumes[i].key);
    for (size_t i = 0; i < plan->secret_count; i++)
        printf("secret %s, made %d\n", plan->secrets[i].key, plan->secrets[i].generate);
    for (size_t i = 0; i < plan->config_count; i++)
        printf("config %s\n", plan->configs[i].key);
    for (size_t i = 0; i < plan->warnings.count; i++)
        printf("warning %s\n", plan->warnings.items[i]);
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    json_memory_init();
    const struct plan_options options = {.files = (const char *const[]){argv[1], NULL},
                                         .profiles = (const char *const[]){"*", NULL}};
    struct plan *plan = NULL;
    struct error problem = {0};
    if (!plan_load(&options, &plan, &problem)) {
        fprintf(stderr, "read_plan: %s\n", problem.message);
        return 3;
    }
    print_plan(plan);
    plan_free(plan);
    if (!ferror(stdout) && fflush(stdout) == 0)
        return 0;
    fputs("read_plan: cannot print\n", stderr);
    return 3;
}
