// Texts that are hard to quote, to store and to read back.
#pragma once

#include "base/text.h"
#include "value/chance.h"

// Appends one as a literal: 'it''s'; in one of 40 it is thousands of bytes long. with_escapes: in
// which \ means something, as in MySQL's.
void random_sql_literal(struct chance *chance, bool with_escapes, struct text *text);
// As a JSON string.
void random_json_string(struct chance *chance, struct text *text);
