// Ctrl-C, SIGTERM and SIGHUP: once cancels, so that the run ends cleanly and reports what it has;
// twice leaves at once, and the guardian cleans up.
#pragma once

#include "base/cancel.h"

// From now on until interrupt_forget; `cancel` must live as long.
void interrupt_cancels(struct cancel *cancel);

// Signals do again what they do by default.
void interrupt_forget(void);
