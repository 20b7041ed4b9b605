// The body of POST /containers/create for one service of a run: what the plan asks for, and what
// makes it a throwaway (labels, own mounts, own networks, no host port, no restarts).
#pragma once

#include "compose/plan.h"
#include "run/run.h"
#include "stack/credential.h"
#include "stack/ground.h"

struct body_site {
    struct run *run;
    const struct plan *plan;
    const struct ground *ground;
    struct credentials *credentials;
    const char *binds_folder; // copies of writable bind mounts go here
    const char *role;
    bool publish;
    // The engine gives no way out: names beyond the stack are refused at once, where a resolver
    // that nobody answers would hold up look-ups, and even the removal of containers, for seconds.
    bool no_way_out;
};

// *ret_body is a new reference. The first network is in it; the others are connected afterwards
// with body_for_attachment.
bool body_make(const struct body_site *site, const struct plan_service *service, const char *image,
               json_t **ret_body, struct error *err) must_use;
// For POST /networks/{id}/connect; a new reference.
json_t *body_for_attachment(const struct body_site *site, const struct plan_service *service,
                            size_t attachment, const char *container);
