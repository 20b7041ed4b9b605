#include "client/postgres_internal.h"

#include <ctype.h>
#include <string.h>

#define ENTRY(prefix, error) \
    { prefix, sizeof(prefix) - 1, error }

// PostgreSQL manual, appendix A: a class is the first two characters. The whole code stands before
// its class.
static const struct {
    const char *prefix;
    size_t length;
    enum service_error error;
} table[] = {
    ENTRY("23505", SERVICE_ERROR_UNIQUE),
    ENTRY("23P01", SERVICE_ERROR_UNIQUE), // exclusion constraint: unique in a wider sense
    ENTRY("23502", SERVICE_ERROR_NOT_NULL),
    ENTRY("23503", SERVICE_ERROR_FOREIGN_KEY),
    ENTRY("23001", SERVICE_ERROR_FOREIGN_KEY), // ON DELETE RESTRICT
    ENTRY("23514", SERVICE_ERROR_CHECK),
    ENTRY("44000", SERVICE_ERROR_CHECK), // WITH CHECK OPTION
    ENTRY("40P01", SERVICE_ERROR_DEADLOCK),
    ENTRY("40001", SERVICE_ERROR_SERIALIZATION),
    ENTRY("40", SERVICE_ERROR_SERIALIZATION),
    ENTRY("28", SERVICE_ERROR_LOGIN),
    ENTRY("42501", SERVICE_ERROR_DENIED),
    ENTRY("42P01", SERVICE_ERROR_NOT_FOUND), // table
    ENTRY("42703", SERVICE_ERROR_NOT_FOUND), // column
    ENTRY("42704", SERVICE_ERROR_NOT_FOUND), // object
    ENTRY("42883", SERVICE_ERROR_NOT_FOUND), // function
    ENTRY("26000", SERVICE_ERROR_NOT_FOUND), // prepared statement
    ENTRY("3D000", SERVICE_ERROR_NOT_FOUND), // database
    ENTRY("3F000", SERVICE_ERROR_NOT_FOUND), // schema
    ENTRY("42P04", SERVICE_ERROR_CONFLICT),  // database exists
    ENTRY("42P05", SERVICE_ERROR_CONFLICT),  // prepared statement exists
    ENTRY("42P06", SERVICE_ERROR_CONFLICT),  // schema exists
    ENTRY("42P07", SERVICE_ERROR_CONFLICT),  // table exists
    ENTRY("42710", SERVICE_ERROR_CONFLICT),  // object exists
    ENTRY("55006", SERVICE_ERROR_CONFLICT),  // object in use
    ENTRY("55P03", SERVICE_ERROR_CONFLICT),  // lock not available
    ENTRY("42601", SERVICE_ERROR_SYNTAX),
    ENTRY("22001", SERVICE_ERROR_TOO_LARGE), // string right truncation
    ENTRY("22003", SERVICE_ERROR_TOO_LARGE), // number out of range
    ENTRY("54", SERVICE_ERROR_TOO_LARGE),    // program limit exceeded
    ENTRY("25006", SERVICE_ERROR_READ_ONLY),
    ENTRY("57P", SERVICE_ERROR_NOT_READY), // starting, shutting down, crashed
    ENTRY("53300", SERVICE_ERROR_LIMIT),   // too many connections
    ENTRY("53", SERVICE_ERROR_LIMIT),
    ENTRY("0A", SERVICE_ERROR_UNSUPPORTED),
};

enum service_error postgres_error_of(const char *sqlstate) {
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strncmp(sqlstate, table[i].prefix, table[i].length) == 0)
            return table[i].error;
    return SERVICE_ERROR_OTHER;
}

bool postgres_refused(struct postgres *self, const PGresult *result, struct error *err) {
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (sqlstate == NULL) // libpq's own: the connection broke
        return postgres_lost(self, err);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    return endpoint_fail(&self->endpoint, err, ERROR_SERVICE, (int)postgres_error_of(sqlstate),
                         sqlstate, "%s%s%s%s%s [%s]", primary != NULL ? primary : "error",
                         detail != NULL ? "\n" : "", detail != NULL ? detail : "",
                         hint != NULL ? "\n" : "", hint != NULL ? hint : "", sqlstate);
}
