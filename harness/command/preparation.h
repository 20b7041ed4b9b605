// Prepared images for the services of a plan that ask for it (x-assay: prepare): made where they
// are missing, by booting the service alone once.
#pragma once

#include "command/session.h"

// Replaces the reference of each such service in session->images by its prepared image.
bool preparation_make(struct session *session, struct error *err) must_use;
