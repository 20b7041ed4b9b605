// Pulling, with a memory of which registries answer at all: on a closed network the first image
// of a registry finds out, within REGISTRY_ANSWER_MS, and every other image of it is spared the
// wait.
//
// It is the engine that pulls, by its own network, proxies and mirrors, so only the engine can
// tell.
#pragma once

#include "base/cancel.h"
#include "base/cleanup.h"
#include "engine/image.h"

#define REGISTRY_ANSWER_MS 5000

struct registries; // of one engine and one run; safe to use from several threads

struct registries *registries_new(void) must_use;
void registries_free(struct registries *self);

// As image_pull. ERROR_UNAVAILABLE when the registry does not answer or does not have the image:
// the message is a few words ("docker.io does not answer: no such host").
bool registries_pull(struct registries *self, struct engine *engine, const char *reference,
                     const char *platform, const struct image_progress *progress,
                     const struct cancel *cancel, struct error *err) must_use;

// The last, telling part of an engine's long message: "no such host", and with it why there were no
// credentials where there were to be some. Points into `message`.
const char *registry_reason(const char *message);
// Whether a failed pull means that the registry cannot be reached, for any image.
bool registry_unreachable(const struct error *failure);

DEFINE_AUTOFREE(registries, registries_free);
