// Asking a server a smoke query, so that it neither changes anything nor hangs.
//
//   postgres  BEGIN READ ONLY, statement_timeout
//   mysql     START TRANSACTION READ ONLY, max_execution_time
//   mongodb   only counts: the answer is one row with the number of documents that match
//   redis     only a command that the server's own COMMAND INFO says is "readonly": a number or a
//             text is one row, nil is none, a list has a row for each of its items
//
// A connection of its own for each query: what one does to its session, no other one sees.
#pragma once

#include "client/endpoint.h"
#include "verify/backup/smoke_judge.h"

// `server` names the database that is asked (of redis its number, NULL: 0); its request timeout is
// replaced by the query's. Rows are counted one by one, never held. Errors: the client's;
// ERROR_UNAVAILABLE: this query is not asked, for it could change something.
bool smoke_ask(const struct smoke_query *query, const struct endpoint *server,
               struct smoke_answer *ret_answer, struct error *err) must_use;
