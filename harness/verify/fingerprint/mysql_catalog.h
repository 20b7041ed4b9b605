// The questions that a fingerprint asks MySQL's information schema: see mysql_fingerprint.h.
#pragma once

#include "base/text.h"

// One of the questions below, about one database or (NULL) all but the server's own, ready to be
// sent: "WITH w AS (…) SELECT …", where w are the databases by name, with prefix ("shop." of all
// databases, "" of one), label ("shop", "database") and itself ("`shop`." of one database, to be
// left out of definitions; "" of all).
void mysql_catalog_ask(struct text *sql, const char *database, const char *question);

// NULL-terminated. Rows of: kind, object, and pairs of attribute and value; a pair whose value is
// NULL is not there. Each object stands once in all of them. kind NULL: the server does not show
// the object's definition to this user.
extern const char *const MYSQL_OBJECTS[];

// The same for the columns of tables and views, whose objects are in MYSQL_OBJECTS.
extern const char MYSQL_COLUMNS[];

// Rows of: name of the table, as in its object; "SELECT …" of its rows; of the columns, how many
// are its key; their names, ["id", "total"]. In the order of names.
extern const char MYSQL_TABLES[];

// Rows of: name of the table; "shop.orders.id is covered by auto_increment"; "SELECT …" 'yes' or
// 'no'.
extern const char MYSQL_COUNTERS[];
