#define _GNU_SOURCE
#include "image/image_find.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "image/image_build_job.h"
#include "image/image_name.h"
#include "image/old_images.h"
#include "image/recipe.h"

#include <stdlib.h>
#include <string.h>

// One image on its way: each step settles it, or notes in `tried` why it could not.
struct search {
    struct image_finder *finder;
    const struct image_wish *wish;
    char *reference; // what is looked for: the wish's image, or a recipe's tag
    char *recipe;    // a recipe of our own; NULL: any other image
    bool own_tag;    // recipe: the reference is the tag of the recipe as it is now
    struct text tried;
    struct image_choice choice;
    bool settled;
};

static void search_done(struct search *self) {
    free(self->reference);
    free(self->recipe);
    text_done(&self->tried);
    image_choice_done(&self->choice);
}
DEFINE_AUTODONE(search, search_done);

static void note(struct search *self, const char *what) {
    text_appendf(&self->tried, "%s%s", self->tried.length > 0 ? "; " : "", what);
}

// ---- what was found

// "linux/arm64/v8" -> "arm64"; no platform: the engine's own.
static char *wanted_architecture(const struct search *self) {
    const char *platform = self->wish->platform;
    if (platform == NULL)
        return memory_copy_string(self->finder->architecture);
    const char *slash = strchr(platform, '/');
    const char *from = slash != NULL ? slash + 1 : platform;
    return memory_copy_bytes(from, strcspn(from, "/"));
}

static void say_what_ran(struct search *self, const json_t *image) {
    const json_t *labels = json_object_get(json_object_get(image, "Config"), "Labels");
    const char *software = json_string_value(json_object_get(labels, "io.assay.software"));
    const char *id = json_string_value(json_object_get(image, "Id"));
    if (software != NULL)
        self->choice.ran = memory_format("%s (%s)", self->reference, software);
    else
        self->choice.ran = memory_format("%s (%.19s)", self->reference, id != NULL ? id : "no id");
}

// The image is in the engine now: takes it, unless it is for another processor.
static bool settle(struct search *self, enum image_origin origin, struct error *err) {
    json_t *image = NULL;
    if (!image_inspect(self->finder->engine, self->reference, &image, err))
        return false;
    autofree_string char *wanted = wanted_architecture(self);
    const char *found = json_string_value(json_object_get(image, "Architecture"));
    self->settled = true;
    if (found != NULL && found[0] != '\0' && strcmp(image_architecture(found), wanted) != 0) {
        self->choice.why = memory_format(
            "%s in the engine is for %s, and this %s is %s; mend it with: docker pull "
            "--platform linux/%s %s",
            self->reference, found, self->wish->platform != NULL ? "service's platform" : "engine",
            wanted, wanted, self->reference);
    } else {
        self->choice.origin = origin;
        self->choice.reference = memory_copy_string(self->reference);
        say_what_ran(self, image);
    }
    json_decref(image);
    return true;
}

// ---- the steps

static bool step_present(struct search *self, struct error *err) {
    bool present = false;
    if (!image_exists(self->finder->engine, self->reference, &present, err))
        return false;
    if (!present) {
        note(self, "it is not in the engine");
        return true;
    }
    if (self->recipe != NULL)
        old_images_used(self->reference);
    image_report(self->finder->options, self->reference, "present", NULL);
    return settle(self, IMAGE_PRESENT, err);
}

static void note_archive_without(struct search *self, const struct image_archive *archive) {
    const struct string_list *problems = image_archive_problems(archive);
    autofree_string char *text =
        problems->count > 0
            ? memory_format("no archive in %s has it (not readable: %s)",
                            image_archive_folder(archive), problems->items[0])
            : memory_format("no archive in %s has it", image_archive_folder(archive));
    note(self, text);
}

// Lines of a transfer, for people, a few a second.
struct transfer {
    const struct image_options *options;
    const char *image;
    const char *state;
    struct deadline quiet_until;
};

static void on_transfer(void *context, const char *line, int64_t done_bytes, int64_t total_bytes) {
    struct transfer *transfer = context;
    if (!deadline_passed(transfer->quiet_until))
        return;
    transfer->quiet_until = deadline_in_ms(200);
    autofree_string char *detail =
        total_bytes > 0
            ? memory_format("%s %lld of %lld MB", line, (long long)(done_bytes / 1000000),
                            (long long)((total_bytes + 999999) / 1000000))
            : memory_copy_string(line);
    image_report(transfer->options, transfer->image, transfer->state, detail);
}

static bool step_archive(struct search *self, struct error *err) {
    struct image_finder *finder = self->finder;
    if (finder->archive_folder == NULL)
        return true;
    struct image_archive *archive = image_finder_archive(finder);
    if (archive == NULL) {
        note(self, finder->archive_problem);
        return true;
    }
    if (image_archive_find(archive, self->reference) == NULL) {
        note_archive_without(self, archive);
        return true;
    }
    struct transfer transfer = {finder->options, self->reference, "loading", deadline_in_ms(0)};
    const struct image_progress progress = {.report = on_transfer, .context = &transfer};
    image_report(finder->options, self->reference, "loading", NULL);
    bool found = false;
    if (!image_archive_load(archive, finder->engine, self->reference, &progress, &found, err))
        return false;
    // An archive may name an image that its engine then could not take: look, do not believe.
    bool present = false;
    if (!image_exists(finder->engine, self->reference, &present, err))
        return false;
    if (present)
        return settle(self, IMAGE_ARCHIVE, err);
    note(self, "the archive that names it did not bring it");
    return true;
}

static bool step_registry(struct search *self, struct error *err) {
    struct image_finder *finder = self->finder;
    if (self->recipe != NULL)
        return true;
    if (finder->options->offline) {
        note(self, "no registry was asked (--offline)");
        return true;
    }
    struct transfer transfer = {finder->options, self->reference, "pulling", deadline_in_ms(0)};
    const struct image_progress progress = {.report = on_transfer, .context = &transfer};
    image_report(finder->options, self->reference, "pulling", NULL);
    struct error failure = {0};
    if (registries_pull(finder->registries, finder->engine, self->reference, self->wish->platform,
                        &progress, finder->options->cancel, &failure))
        return settle(self, IMAGE_REGISTRY, err);
    if (failure.domain != ERROR_UNAVAILABLE) {
        if (err != NULL)
            *err = failure;
        return false;
    }
    note(self, failure.message);
    return true;
}

static bool step_recipe(struct search *self, struct error *err) {
    struct image_finder *finder = self->finder;
    if (self->recipe == NULL)
        return true;
    if (!self->own_tag) {
        note(self, "a tag other than the recipe's own is never built: leave it out");
        return true;
    }
    autofree_string char *base = NULL;
    autofree_string char *built = NULL;
    struct error failure = {0};
    if (image_finder_base(finder, &base, &failure) &&
        recipe_build_on(finder->engine, self->recipe, base, finder->options, &built, &failure))
        return settle(self, IMAGE_RECIPE, err);
    if (failure.domain == ERROR_UNAVAILABLE) {
        note(self, failure.message);
        return true;
    }
    if (err != NULL)
        *err = failure;
    return false;
}

// Another recipe stands in, if it may: found as any image of ours is.
static bool step_substitute(struct search *self, struct error *err) {
    struct image_finder *finder = self->finder;
    const char *known = recipe_for_image(self->wish->image);
    const char *recipe = self->wish->substitute != NULL ? self->wish->substitute
                         : finder->options->substitute  ? known
                                                        : NULL;
    if (self->recipe != NULL || finder->options->recipes == NULL)
        return true;
    if (recipe == NULL) {
        autofree_string char *text =
            known != NULL ? memory_format("--substitute would run assay/%s instead", known)
                          : memory_copy_string("no recipe has this software");
        note(self, text);
        return true;
    }
    autofree_string char *image = memory_format("assay/%s", recipe);
    const struct image_wish wish = {.image = image, .platform = self->wish->platform};
    autodone(image_choice) struct image_choice stand_in = {0};
    if (!image_find(finder, &wish, &stand_in, err))
        return false;
    if (stand_in.origin == IMAGE_NOWHERE) {
        note(self, stand_in.why);
        return true;
    }
    const char *tail = strrchr(stand_in.ran, ')');
    self->choice.ran =
        memory_format("%.*s, in place of %s)",
                      (int)(tail != NULL ? (size_t)(tail - stand_in.ran) : strlen(stand_in.ran)),
                      stand_in.ran, self->wish->image);
    self->choice.origin = IMAGE_RECIPE;
    self->choice.reference = TAKE(stand_in.reference);
    self->settled = true;
    return true;
}

// ---- the whole

static bool search_init(struct search *self, struct image_finder *finder,
                        const struct image_wish *wish, struct error *err) {
    *self = (struct search){.finder = finder, .wish = wish};
    autodone(image_name) struct image_name name = {0};
    // An id or anything else that only the engine understands may still be present there.
    if (!image_name_parse(wish->image, &name, err))
        return false;
    self->recipe = image_name_own_recipe(&name);
    self->reference = memory_copy_string(wish->image);
    if (self->recipe == NULL || finder->options->recipes == NULL)
        return true;
    const bool tagged = name.tag != NULL || name.digest != NULL;
    autofree_string char *tag = NULL;
    if (!recipe_tag(finder->options->recipes, self->recipe, &tag, err))
        return tagged; // it may be present all the same
    self->own_tag = !tagged || strcmp(tag, wish->image) == 0;
    if (self->own_tag) {
        free(self->reference);
        self->reference = TAKE(tag);
    }
    return true;
}

static void give_up(struct search *self) {
    const char *image = self->wish->image;
    image_report(self->finder->options, image, "missing", NULL);
    autofree_string char *mend =
        self->recipe != NULL
            ? memory_format("assay images build, or assay images load DIR with what `assay images "
                            "save DIR` wrote elsewhere")
            : memory_format("docker pull %s; without a registry: docker save -o image.tar %s "
                            "elsewhere, then assay images load DIR",
                            image, image);
    self->choice.why = memory_format("%s cannot be had: %s. Mend it with: %s", image,
                                     text_string(&self->tried), mend);
}

bool image_find(struct image_finder *self, const struct image_wish *wish,
                struct image_choice *ret_choice, struct error *err) {
    static bool (*const steps[])(struct search *, struct error *) = {
        step_present, step_archive, step_registry, step_recipe, step_substitute};
    autodone(search) struct search search = {0};
    if (!search_init(&search, self, wish, err))
        return false;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && !search.settled; i++)
        if (!cancel_check(self->options->cancel, err) || !steps[i](&search, err))
            return false;
    if (!search.settled)
        give_up(&search);
    *ret_choice = search.choice;
    search.choice = (struct image_choice){0};
    return true;
}

void image_choice_done(struct image_choice *self) {
    if (self == NULL)
        return;
    free(self->service);
    free(self->reference);
    free(self->ran);
    free(self->why);
    *self = (struct image_choice){0};
}
