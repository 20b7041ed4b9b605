// Ctrl-C, SIGTERM and SIGHUP: once cancels, so that the run ends cleanly and reports what it has;
// twice leaves at once, and the guardian cleans up.
#pragma once

#include "base/cancel.h"

// From now on until the process ends. `cancel` must live as long.
void interrupt_cancels(struct cancel *cancel);
