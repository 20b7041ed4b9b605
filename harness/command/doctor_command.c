// assay doctor: what is here, what would be "not verified", and the command that mends it.
#define _GNU_SOURCE
#include "command/command.h"

#include "base/file.h"
#include "base/memory.h"
#include "command/place.h"
#include "command/session.h"
#include "engine/image.h"
#include "image/recipe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LEAST_FREE_BYTES ((unsigned long long)5 * 1024 * 1024 * 1024)

static const char HELP[] =
    "usage: assay doctor\n"
    "\n"
    "Says what is here, what a run would have to report as \"not verified\", and the command that\n"
    "mends it. Starts no container and changes nothing.\n"
    "\n"
    "exit status: 0 a run can verify everything, 3 a run cannot be started, 4 it would leave\n"
    "something not verified\n";

// One line of the check-up: what was found, and if that is not enough, what it costs and mends it.
struct finding {
    const char *subject;
    bool good;
    char *seen;
    char *costs; // what a run would say of it; NULL when good
    char *mend;  // a command, or NULL
    int status;  // exit status that it alone would give
};

struct checkup {
    struct session *session;
    int status;
};

static void show(struct checkup *self, struct finding finding) {
    printf("%-4s %-16s %s\n", finding.good ? "ok" : "--", finding.subject, finding.seen);
    if (!finding.good) {
        printf("     %-16s %s\n", "", finding.costs);
        if (finding.mend != NULL)
            printf("     %-16s mend: %s\n", "", finding.mend);
        if (self->status == EXIT_PASSED || finding.status == EXIT_ENVIRONMENT)
            self->status = finding.status;
    }
    free(finding.seen);
    free(finding.costs);
    free(finding.mend);
}

static bool in_path(const char *program) {
    static const char *const folders[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                          "/usr/bin",        "/sbin",          "/bin"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        autofree_string char *path = path_join(folders[i], program);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

static void check_engine(struct checkup *self) {
    struct error problem = {0};
    struct session *session = self->session;
    const struct finding none = {.subject = "engine",
                                 .status = EXIT_ENVIRONMENT,
                                 .costs = memory_copy_string("no run can start")};
    struct finding finding = none;
    if (!engine_locate(&session->location, &problem)) {
        finding.seen = memory_copy_string(problem.message);
        show(self, finding);
        return;
    }
    const struct engine_options options = {.host = session->location.host,
                                           .certificates = session->location.certificates,
                                           .verify_peer = session->location.verify_peer,
                                           .cancel = &session->cancel};
    autodone(engine_facts) struct engine_facts facts = {0};
    if (engine_open(&options, &session->engine, &problem) &&
        engine_facts(session->engine, &facts, &problem)) {
        finding.good = true;
        finding.seen = memory_format("Docker %s at %s (%s)", facts.version,
                                     engine_host(session->engine), session->location.origin);
    } else if (session_may_use_private_engine(&session->location, &problem) && geteuid() == 0 &&
               in_path("dockerd") && in_path("iptables")) {
        finding.good = true;
        finding.seen =
            memory_format("none answers at %s: a run starts a private one", session->location.host);
    } else {
        finding.seen = memory_copy_string(problem.message);
        finding.mend = memory_copy_string(
            strcmp(session->location.origin, "default") != 0
                ? "start that engine, or unset DOCKER_HOST and DOCKER_CONTEXT"
            : geteuid() == 0
                ? "apt-get install --no-install-recommends docker.io iptables mmdebstrap"
                : "start your Docker engine, or join its group; as root assay can start a "
                  "private one");
    }
    show(self, finding);
}

static void check_base(struct checkup *self) {
    const bool can_build = geteuid() == 0 && in_path("mmdebstrap");
    struct finding finding = {
        .subject = "base image", .good = can_build, .status = EXIT_NOT_VERIFIED};
    finding.seen = memory_copy_string(can_build ? "mmdebstrap can make it without a registry"
                                                : "mmdebstrap is not here, or we are not root");
    finding.costs = can_build ? NULL
                              : memory_copy_string("recipes build only if a registry has "
                                                   "debian:trixie-slim");
    finding.mend = can_build ? NULL : memory_copy_string("apt-get install mmdebstrap");
    show(self, finding);
}

// What could not be found out is no good news.
static void show_problem(struct checkup *self, const char *subject, const struct error *problem) {
    show(self, (struct finding){.subject = subject,
                                .status = EXIT_ENVIRONMENT,
                                .seen = memory_copy_string(problem->message),
                                .costs = memory_copy_string("a run may meet the same")});
}

// Where the image of each service of the standard devstack would come from.
static void check_image(struct checkup *self, const char *recipes,
                        const struct plan_service *service) {
    struct error problem = {0};
    autofree_string char *tag = NULL;
    const bool ours = strncmp(service->image, "assay/", strlen("assay/")) == 0;
    const char *recipe = ours ? service->image + strlen("assay/") : service->substitute;
    bool present = false;
    bool built = false;
    struct engine *engine = self->session->engine;
    if ((engine != NULL && !image_exists(engine, service->image, &present, &problem)) ||
        (recipe != NULL && !recipe_tag(recipes, recipe, &tag, &problem)) ||
        (tag != NULL && engine != NULL && !image_exists(engine, tag, &built, &problem)))
        show_problem(self, service->name, &problem);
    else if (present)
        show(self, (struct finding){.subject = service->name,
                                    .good = true,
                                    .seen = memory_format("%s is in the engine", service->image)});
    else if (tag == NULL)
        show(self,
             (struct finding){.subject = service->name,
                              .status = EXIT_NOT_VERIFIED,
                              .seen = memory_format("%s is not in the engine", service->image),
                              .costs = memory_copy_string("not verified, unless a registry has it"),
                              .mend = memory_format("docker pull %s, or assay images load DIR",
                                                    service->image)});
    else
        show(self,
             (struct finding){.subject = service->name,
                              .good = true,
                              .seen = memory_format("%s%s %s", tag, ours ? "" : " in place of",
                                                    ours ? (built ? "is built" : "will be built")
                                                         : service->image)});
}

static void check_images(struct checkup *self) {
    static const char *const standard[] = {"standard", NULL};
    struct error problem = {0};
    autofree_string char *fixtures = NULL;
    autofree(plan) struct plan *plan = NULL;
    if (!place_fixtures(&fixtures, &problem)) {
        show_problem(self, "fixtures", &problem);
        return;
    }
    autofree_string char *recipes = path_join(fixtures, "images");
    autofree_string char *devstack = path_join(fixtures, "devstack/compose.yaml");
    const char *const files[] = {devstack, NULL};
    const struct plan_options options = {.files = files, .profiles = standard};
    if (!plan_load(&options, &plan, &problem)) {
        show_problem(self, "devstack", &problem);
        return;
    }
    for (size_t i = 0; i < plan->service_count; i++)
        check_image(self, recipes, &plan->services[i]);
}

static void check_disk(struct checkup *self) {
    autofree_string char *state = state_folder();
    struct statvfs disk;
    struct error problem = {0};
    autofree_string char *folder = memory_copy_string(state);
    int looked = 0;
    while ((looked = statvfs(folder, &disk)) != 0 && errno == ENOENT &&
           strrchr(folder, '/') > folder)
        *strrchr(folder, '/') = '\0'; // it is not made yet
    if (looked != 0) {
        error_set_errno(&problem, "cannot tell how much is free for %s", state);
        show_problem(self, "disk", &problem);
        return;
    }
    const unsigned long long free_bytes = (unsigned long long)disk.f_bavail * disk.f_frsize;
    const bool good = free_bytes >= LEAST_FREE_BYTES;
    show(self,
         (struct finding){
             .subject = "disk",
             .good = good,
             .status = EXIT_NOT_VERIFIED,
             .seen = memory_format("%.1f GiB free for %s", (double)free_bytes / (1 << 30), state),
             .costs = good ? NULL : memory_copy_string("images may not fit (about 5 GiB)"),
         });
}

static void check_suites(struct checkup *self) {
    autodone(string_list) struct string_list suites = {0};
    struct error problem = {0};
    const bool good = place_suites(&suites, &problem);
    show(self, (struct finding){
                   .subject = "suites",
                   .good = good,
                   .status = EXIT_ENVIRONMENT,
                   .seen = good ? memory_format("%zu bundled suites", suites.count)
                                : memory_copy_string(problem.message),
                   .costs = good ? NULL : memory_copy_string("only suites given by path can run"),
                   .mend = good ? NULL : memory_copy_string("./run-all-tests --count builds them"),
               });
}

int command_doctor(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(HELP, stdout);
        return EXIT_PASSED;
    }
    if (argc > 1)
        return usage_error("doctor", "unexpected argument \"%s\"", argv[1]);
    struct session session = {0};
    struct error problem = {0};
    if (!cancel_init(&session.cancel, &problem))
        return report_error(&problem);
    struct checkup checkup = {.session = &session};
    check_engine(&checkup);
    check_base(&checkup);
    check_images(&checkup);
    check_disk(&checkup);
    check_suites(&checkup);
    session_close(&session);
    return checkup.status;
}
