// The questions that a fingerprint asks PostgreSQL's catalogs: see postgres_fingerprint.h.
#pragma once

// NULL-terminated. Each gives kind, object, attribute, value as text; attribute NULL: the object is
// there. Joined by UNION ALL.
extern const char *const POSTGRES_CATALOG[];

// Rows of: name of the table, quoted; "a, b::text, c"; number of columns; of them, its key; their
// names, ["a", "b", "c"]; ", a::text" of its key; whether that is one integer ("t"). In the order
// of names.
extern const char POSTGRES_TABLES[];

// Rows of: sequence, quoted; its name; the column that it serves, for people; "SELECT …" whether it
// covers that column.
extern const char POSTGRES_SEQUENCES[];
