#include "client/mysqldb_internal.h"

#include <errmsg.h>
#include <stdio.h>

// MySQL 9.x Error Message Reference; MariaDB's own numbers start at 4000.
enum service_error mysqldb_error_of(unsigned number) {
    static const struct {
        unsigned number;
        enum service_error error;
    } table[] = {
        {1045, SERVICE_ERROR_LOGIN},       // access denied for user
        {1130, SERVICE_ERROR_LOGIN},       // host is not allowed to connect
        {1251, SERVICE_ERROR_LOGIN},       // authentication plugin not supported
        {1698, SERVICE_ERROR_LOGIN},       // access denied, no password
        {1820, SERVICE_ERROR_LOGIN},       // must change password
        {1862, SERVICE_ERROR_LOGIN},       // password has expired
        {1044, SERVICE_ERROR_DENIED},      // to database
        {1142, SERVICE_ERROR_DENIED},      // to table
        {1143, SERVICE_ERROR_DENIED},      // to column
        {1227, SERVICE_ERROR_DENIED},      // needs a privilege
        {1370, SERVICE_ERROR_DENIED},      // to routine
        {1062, SERVICE_ERROR_UNIQUE},      // duplicate entry
        {1586, SERVICE_ERROR_UNIQUE},      // duplicate entry, with the key's name
        {1048, SERVICE_ERROR_NOT_NULL},    // column cannot be null
        {1364, SERVICE_ERROR_NOT_NULL},    // field has no default value
        {1216, SERVICE_ERROR_FOREIGN_KEY}, // cannot add child row
        {1217, SERVICE_ERROR_FOREIGN_KEY}, // cannot delete parent row
        {1451, SERVICE_ERROR_FOREIGN_KEY},
        {1452, SERVICE_ERROR_FOREIGN_KEY},
        {3819, SERVICE_ERROR_CHECK},         // check constraint
        {4025, SERVICE_ERROR_CHECK},         // the same, MariaDB
        {1020, SERVICE_ERROR_SERIALIZATION}, // record has changed since last read
        {1213, SERVICE_ERROR_DEADLOCK},
        {1205, SERVICE_ERROR_CONFLICT}, // lock wait timeout
        {3572, SERVICE_ERROR_CONFLICT}, // NOWAIT
        {1007, SERVICE_ERROR_CONFLICT}, // database exists
        {1050, SERVICE_ERROR_CONFLICT}, // table exists
        {1061, SERVICE_ERROR_CONFLICT}, // duplicate key name
        {1304, SERVICE_ERROR_CONFLICT}, // routine exists
        {1396, SERVICE_ERROR_CONFLICT}, // CREATE USER failed
        {1064, SERVICE_ERROR_SYNTAX},
        {1149, SERVICE_ERROR_SYNTAX},
        {1049, SERVICE_ERROR_NOT_FOUND}, // database
        {1051, SERVICE_ERROR_NOT_FOUND}, // table, to drop
        {1054, SERVICE_ERROR_NOT_FOUND}, // column
        {1091, SERVICE_ERROR_NOT_FOUND}, // column or key, to drop
        {1094, SERVICE_ERROR_NOT_FOUND}, // thread
        {1146, SERVICE_ERROR_NOT_FOUND}, // table
        {1176, SERVICE_ERROR_NOT_FOUND}, // key
        {1243, SERVICE_ERROR_NOT_FOUND}, // prepared statement
        {1305, SERVICE_ERROR_NOT_FOUND}, // routine, savepoint
        {1118, SERVICE_ERROR_TOO_LARGE}, // row size
        {1153, SERVICE_ERROR_TOO_LARGE}, // max_allowed_packet
        {1264, SERVICE_ERROR_TOO_LARGE}, // out of range
        {1301, SERVICE_ERROR_TOO_LARGE}, // result larger than max_allowed_packet
        {1406, SERVICE_ERROR_TOO_LARGE}, // data too long
        {1290, SERVICE_ERROR_READ_ONLY}, // --read-only
        {1792, SERVICE_ERROR_READ_ONLY}, // read-only transaction
        {1836, SERVICE_ERROR_READ_ONLY}, // read-only mode
        {1053, SERVICE_ERROR_NOT_READY}, // shutting down
        {1077, SERVICE_ERROR_NOT_READY},
        {1040, SERVICE_ERROR_LIMIT},       // too many connections
        {1203, SERVICE_ERROR_LIMIT},       // for this user
        {1226, SERVICE_ERROR_LIMIT},       // resource exceeded
        {1031, SERVICE_ERROR_UNSUPPORTED}, // by the storage engine
        {1235, SERVICE_ERROR_UNSUPPORTED}, // by this version
        {1286, SERVICE_ERROR_UNSUPPORTED}, // storage engine
        {1295, SERVICE_ERROR_UNSUPPORTED}, // as a prepared statement
        {CR_NET_PACKET_TOO_LARGE, SERVICE_ERROR_TOO_LARGE},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].number == number)
            return table[i].error;
    return SERVICE_ERROR_OTHER;
}

// Numbers that the driver makes itself: 2000 to 2999, and Connector/C's from 5000 on.
static bool is_drivers_own(unsigned number) {
    return (number >= 2000 && number < 3000) || (number >= 5000 && number < 6000);
}

static enum error_domain domain_of(unsigned number) {
    switch (number) {
    case CR_NET_PACKET_TOO_LARGE:
        return ERROR_SERVICE;
    case CR_VERSION_ERROR:
    case CR_SERVER_HANDSHAKE_ERR:
    case CR_COMMANDS_OUT_OF_SYNC:
    case CR_MALFORMED_PACKET:
    case CR_UNKNOWN_ERROR:
        return ERROR_PROTOCOL;
    default:
        return is_drivers_own(number) ? ERROR_UNAVAILABLE : ERROR_SERVICE;
    }
}

bool mysqldb_refused(struct mysqldb *self, unsigned number, const char *message,
                     struct error *err) {
    const enum error_domain domain = domain_of(number);
    char reference[16];
    snprintf(reference, sizeof reference, "%u", number);
    if (domain != ERROR_SERVICE || number == CR_NET_PACKET_TOO_LARGE)
        mysqldb_spend(self);
    return endpoint_fail(&self->endpoint, err, domain,
                         domain == ERROR_SERVICE ? (int)mysqldb_error_of(number) : 0, reference,
                         "%s [%u]", message, number);
}
