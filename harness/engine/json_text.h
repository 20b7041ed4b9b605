// One JSON string appended to a text, quotes included (RFC 8259, section 7). For what jansson would
// refuse (bytes that are not UTF-8 pass as they are; the engine replaces them) or keep a copy of
// (credentials). Internal to engine/.
#pragma once

#include "base/text.h"

void json_text_append(struct text *text, const char *value);
