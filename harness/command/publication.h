// How a command that verified something shows its report: every format that was asked for, the
// terminal's last.
#pragma once

#include "base/error.h"
#include "base/string_list.h"
#include "value/result.h"

// "terminal,json" -> names of report writers, of which there must be one at least. ERROR_USAGE.
bool publication_formats(const char *list, struct string_list *ret_formats,
                         struct error *err) must_use;

// Asked before anything is started: work whose report cannot be written is done for nothing.
bool publication_possible(const struct string_list *formats, const char *folder,
                          struct error *err) must_use;

// Every format, whatever became of the one before it; problems are printed. false: one could not
// be written.
bool publication_make(const struct report *report, const struct string_list *formats,
                      const char *folder) must_use;
