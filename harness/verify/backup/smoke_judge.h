// What a server answered to a smoke query, against what was expected. Pure: no server in here.
#pragma once

#include "value/result.h"
#include "verify/backup/smoke.h"

#include <stdint.h>

struct smoke_answer {
    uint64_t rows;
    char *value;   // the first column of the first row, NUL-terminated; NULL: SQL's NULL, or no row
    size_t length; // of it; it may hold NUL bytes
};

void smoke_answer_done(struct smoke_answer *self);

bool smoke_meets(const struct smoke_expectation *expectation, const struct smoke_answer *answer);

// Whether an answer that is not the expected one would be noticed: this answer, held against an
// expectation that it cannot meet, is not found to meet it.
bool smoke_notices(const struct smoke_expectation *expectation, const struct smoke_answer *answer);

// Adds one test, named after the query: passed, or failed with both sides; and one more,
// a_wrong_answer_is_noticed (failed), if it would not be.
void smoke_judge(const struct smoke_query *query, const struct smoke_answer *answer,
                 struct suite_result *suite);
// The same for an answer that did not come. Failed: the server could be asked, and cannot answer
// (there is no such table; its page is damaged). Not verified: all else, such as a query that is
// wrong in itself, wants to write, or takes too long.
void smoke_judge_problem(const struct smoke_query *query, const struct error *problem,
                         struct suite_result *suite);
// Not verified, for this reason.
void smoke_not_asked(const struct smoke_query *query, struct suite_result *suite,
                     const char *format, ...) printf_like(3, 4);

DEFINE_AUTODONE(smoke_answer, smoke_answer_done);
