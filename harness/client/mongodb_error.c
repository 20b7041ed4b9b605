#include "client/mongodb_internal.h"

#include <stdio.h>
#include <string.h>

// MongoDB's src/mongo/base/error_codes.yml, which the manual's "Error Codes" lists.
enum service_error mongodb_error_of(unsigned code) {
    static const struct {
        unsigned code;
        enum service_error error;
    } table[] = {
        {18, SERVICE_ERROR_LOGIN},          // AuthenticationFailed
        {13, SERVICE_ERROR_DENIED},         // Unauthorized
        {11000, SERVICE_ERROR_UNIQUE},      // DuplicateKey
        {11001, SERVICE_ERROR_UNIQUE},      // the same on update, old servers
        {121, SERVICE_ERROR_CHECK},         // DocumentValidationFailure
        {112, SERVICE_ERROR_CONFLICT},      // WriteConflict
        {48, SERVICE_ERROR_CONFLICT},       // NamespaceExists
        {85, SERVICE_ERROR_CONFLICT},       // IndexOptionsConflict
        {86, SERVICE_ERROR_CONFLICT},       // IndexKeySpecsConflict
        {246, SERVICE_ERROR_SERIALIZATION}, // SnapshotUnavailable
        {251, SERVICE_ERROR_SERIALIZATION}, // NoSuchTransaction
        {9, SERVICE_ERROR_SYNTAX},          // FailedToParse
        {40324, SERVICE_ERROR_SYNTAX},      // unrecognised pipeline stage
        {26, SERVICE_ERROR_NOT_FOUND},      // NamespaceNotFound
        {27, SERVICE_ERROR_NOT_FOUND},      // IndexNotFound
        {43, SERVICE_ERROR_NOT_FOUND},      // CursorNotFound
        {10334, SERVICE_ERROR_TOO_LARGE},   // BSONObjectTooLarge
        {17419, SERVICE_ERROR_TOO_LARGE},   // the document after an update
        {17420, SERVICE_ERROR_TOO_LARGE},   {10107, SERVICE_ERROR_READ_ONLY}, // NotWritablePrimary
        {13435, SERVICE_ERROR_READ_ONLY}, // NotPrimaryNoSecondaryOk
        {91, SERVICE_ERROR_NOT_READY},    // ShutdownInProgress
        {189, SERVICE_ERROR_NOT_READY},   // PrimarySteppedDown
        {11600, SERVICE_ERROR_NOT_READY}, // InterruptedAtShutdown
        {11602, SERVICE_ERROR_NOT_READY}, // InterruptedDueToReplStateChange
        {13436, SERVICE_ERROR_NOT_READY}, // NotPrimaryOrSecondary
        {94, SERVICE_ERROR_NOT_READY},    // NotYetInitialized
        {64, SERVICE_ERROR_NOT_READY},    // WriteConcernFailed
        {146, SERVICE_ERROR_LIMIT},       // ExceededMemoryLimit
        {202, SERVICE_ERROR_LIMIT},       // NetworkInterfaceExceededTimeLimit
        {238, SERVICE_ERROR_UNSUPPORTED}, // NotImplemented
        {59, SERVICE_ERROR_UNSUPPORTED},  // CommandNotFound
        {115, SERVICE_ERROR_UNSUPPORTED}, // CommandNotSupported
        {166, SERVICE_ERROR_UNSUPPORTED}, // CommandNotSupportedOnView
        {303, SERVICE_ERROR_UNSUPPORTED}, // OBSOLETE_…/feature no longer supported
        {20, SERVICE_ERROR_UNSUPPORTED},  // IllegalOperation: transactions on a stand-alone server
        {40573, SERVICE_ERROR_UNSUPPORTED}, // $changeStream needs a replica set
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].code == code)
            return table[i].error;
    return SERVICE_ERROR_OTHER;
}

static bool is_nonsense(const bson_error_t *error) {
    if (error->domain == MONGOC_ERROR_PROTOCOL || error->domain == MONGOC_ERROR_BSON)
        return true;
    // Of the first exchange only the text survives.
    static const char *const signs[] = {"message header", "Message size", "message size",
                                        "invalid reply",  "malformed",    "Malformed",
                                        "corrupt",        "opcode",       "Invalid reply"};
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (strstr(error->message, signs[i]) != NULL)
            return true;
    return false;
}

bool mongodb_refused(struct mongodb *self, const bson_error_t *error, struct error *err) {
    char reference[16];
    snprintf(reference, sizeof reference, "%u", error->code);
    if (error->domain == MONGOC_ERROR_SERVER || error->domain == MONGOC_ERROR_WRITE_CONCERN)
        return endpoint_fail(&self->endpoint, err, ERROR_SERVICE,
                             (int)mongodb_error_of(error->code), reference, "%s [%u]",
                             error->message, error->code);
    if (error->domain == MONGOC_ERROR_CLIENT && error->code == MONGOC_ERROR_CLIENT_AUTHENTICATE)
        return endpoint_fail(&self->endpoint, err, ERROR_SERVICE, SERVICE_ERROR_LOGIN, "18", "%s",
                             error->message);
    if (error->domain == MONGOC_ERROR_COMMAND || error->domain == MONGOC_ERROR_CURSOR ||
        (error->domain == MONGOC_ERROR_CLIENT &&
         error->code == MONGOC_ERROR_CLIENT_SESSION_FAILURE))
        return endpoint_fail(&self->endpoint, err, ERROR_SERVICE, SERVICE_ERROR_UNSUPPORTED, NULL,
                             "%s", error->message);
    if (is_nonsense(error))
        return endpoint_fail(&self->endpoint, err, ERROR_PROTOCOL, 0, NULL, "%s", error->message);
    // "socket error or timeout", says the driver: the clock knows which. Its waits end a little
    // before ours.
    const bool late = deadline_left_ms(self->deadline) <= 1;
    return endpoint_fail(&self->endpoint, err, late ? ERROR_TIMEOUT : ERROR_UNAVAILABLE, 0, NULL,
                         "%s", error->message);
}
