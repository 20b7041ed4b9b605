#include "order.h"

#include "base/memory.h"
#include "base/string_list.h"

static json_t *text_or_null(const char *text) {
    return text != NULL ? json_string(text) : json_null();
}

static bool add_mount(const struct plan_service *service, const struct plan_mount *mount,
                      json_t *binds, json_t *secrets, struct error *err) {
    if (mount->type == MOUNT_SECRET) {
        json_array_append_new(
            secrets, json_pack("{s:s, s:s}", "key", mount->source, "target", mount->target));
        return true;
    }
    if (mount->type == MOUNT_BIND && mount->read_only) {
        autofree_string char *bind = memory_format("%s:%s:ro", mount->source, mount->target);
        json_array_append_new(binds, json_string(bind));
        return true;
    }
    return error_set(err, ERROR_UNAVAILABLE, 0,
                     "service \"%s\": the peer cannot be given the same mount at %s", service->name,
                     mount->target);
}

static json_t *dependencies_of(const struct plan *plan, const struct plan_service *service) {
    json_t *names = json_array();
    for (size_t i = 0; i < service->dependency_count; i++)
        json_array_append_new(names,
                              json_string(plan->services[service->dependencies[i].service].name));
    return names;
}

static bool add_service(const struct plan *plan, size_t index, const char *image,
                        const struct image_choice *choice, json_t *services, struct error *err) {
    const struct plan_service *service = &plan->services[index];
    json_t *binds = json_array();
    json_t *secrets = json_array();
    json_array_append_new(
        services,
        json_pack("{s:s, s:s, s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:O, s:O, s:o, s:o, s:o}",
                  "name", service->name, "image", image, "prepared",
                  text_or_null(choice->prepared ? choice->reference : NULL), "kind",
                  text_or_null(service->kind != NULL ? service->kind->name : NULL), "port",
                  (int)service->port, "user", text_or_null(service->user), "database",
                  text_or_null(service->database), "password", text_or_null(service->password),
                  "path", text_or_null(service->path), "group", text_or_null(service->group),
                  "config", service->config, "host_config", service->host_config, "binds", binds,
                  "secrets", secrets, "depends_on", dependencies_of(plan, service)));
    for (size_t i = 0; i < service->mount_count; i++)
        if (!add_mount(service, &service->mounts[i], binds, secrets, err))
            return false;
    return true;
}

static bool check_images(const struct session *session, struct error *err) {
    for (size_t i = 0; i < session->images.count; i++)
        if (session->images.items[i].reference == NULL)
            return error_set(err, ERROR_UNAVAILABLE, 0, "no image for service \"%s\": %s",
                             session->images.items[i].service, session->images.items[i].why);
    return true;
}

// The images before any is replaced by its prepared one, in the order of the plan.
static bool plain_images(struct session *session, struct string_list *ret_images,
                         struct error *err) {
    struct plan *plan = session->plan;
    bool *wanted = memory_new(plan->service_count, sizeof *wanted);
    for (size_t i = 0; i < plan->service_count; i++) {
        wanted[i] = plan->services[i].prepare;
        plan->services[i].prepare = false;
    }
    const bool ok = session_make_images(session, err) && check_images(session, err);
    for (size_t i = 0; ok && i < session->images.count; i++)
        string_list_add(ret_images, session->images.items[i].reference);
    image_choices_done(&session->images);
    for (size_t i = 0; i < plan->service_count; i++)
        plan->services[i].prepare = wanted[i];
    free(wanted);
    return ok;
}

bool order_make(struct session *session, json_t **ret_order, struct error *err) {
    autodone(string_list) struct string_list images = {0};
    autodone(engine_facts) struct engine_facts facts = {0};
    if (!engine_facts(session->engine, &facts, err) || !plain_images(session, &images, err) ||
        !session_make_images(session, err))
        return false;
    json_t *services = json_array();
    for (size_t i = 0; i < session->plan->service_count; i++)
        if (!add_service(session->plan, i, images.items[i], &session->images.items[i], services,
                         err)) {
            json_decref(services);
            return false;
        }
    *ret_order = json_pack("{s:s, s:s, s:o}", "engine", engine_host(session->engine), "version",
                           facts.version, "services", services);
    return true;
}
