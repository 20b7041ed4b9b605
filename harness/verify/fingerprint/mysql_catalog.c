#include "verify/fingerprint/mysql_catalog.h"

#include <stddef.h>

// A name as in SQL, and for people: in quotes where it needs them.
#define IN_SQL(name) " CONCAT('`', REPLACE(" name ", '`', '``'), '`') "
#define QUOTED(name) " IF(" name " REGEXP '[^0-9A-Za-z_$]'," IN_SQL(name) ", " name ") "
#define NAMED(name) " CONCAT(w.prefix," QUOTED(name) ") "
#define OF_TABLE(table, name) " CONCAT(w.prefix," QUOTED(table) ", '.'," QUOTED(name) ") "
#define ON_TABLE(table, name) " CONCAT(" QUOTED(name) ", ' on ', w.prefix," QUOTED(table) ") "
#define BESIDE_TABLE(table, name) " CONCAT(w.prefix," QUOTED(table) ", ' '," QUOTED(name) ") "

#define ATTRIBUTE(name, suffix, value) ", CONCAT(" name ", '" suffix "'), " value
#define FILLED(text) " NULLIF(" text ", '') "
#define LIST(items, order) " GROUP_CONCAT(" items " ORDER BY " order " SEPARATOR ', ') "

#define FROM(view, x, schema) \
    " FROM information_schema." view " " x " JOIN w ON w.name = " x "." schema " "
#define SAME_TABLE(x, y) \
    " " x ".table_schema = " y ".table_schema AND " x ".table_name = " y ".table_name "

// clang-format off
// Under which settings of its author a body is read.
#define AUTHORS_SETTINGS(name, x)                                                     \
    ATTRIBUTE(name, " sql mode", FILLED(x ".sql_mode"))                               \
    ATTRIBUTE(name, " character sets", "CONCAT_WS(', ', " x ".character_set_client, " \
              x ".collation_connection, " x ".database_collation)")

static const char DATABASES[] =
    "SELECT 'database', w.label"
    ATTRIBUTE("w.label", " character set", "s.default_character_set_name")
    ATTRIBUTE("w.label", " collation", "s.default_collation_name")
    ATTRIBUTE("w.label", " encryption", "NULLIF(s.default_encryption, 'NO')")
    FROM("schemata", "s", "schema_name");

#define COLUMNS                                                   \
    "(SELECT" LIST(QUOTED("c.column_name"), "c.ordinal_position") \
    "FROM information_schema.columns c WHERE" SAME_TABLE("c", "t") ")"
#define SPLIT(method, expression) \
    " CONCAT(MIN(" method "), ' (', COALESCE(MIN(" expression "), ''), ')') "
#define PARTITIONS                                                                            \
    "(SELECT CONCAT_WS(' '," SPLIT("p.partition_method", "p.partition_expression") ","        \
    SPLIT("p.subpartition_method", "p.subpartition_expression") ","                           \
    LIST("CONCAT_WS(' '," QUOTED("p.partition_name") "," QUOTED("p.subpartition_name") ","    \
         "p.partition_description, CONCAT('comment '," FILLED("p.partition_comment") "))",    \
         "p.partition_ordinal_position, p.subpartition_ordinal_position")                     \
    ") FROM information_schema.partitions p WHERE" SAME_TABLE("p", "t")                       \
    "AND p.partition_name IS NOT NULL)"
#define THE_TABLE NAMED("t.table_name")
static const char TABLES[] =
    "SELECT 'table'," THE_TABLE
    ATTRIBUTE(THE_TABLE, " columns", COLUMNS)
    ATTRIBUTE(THE_TABLE, " engine", "t.engine")
    ATTRIBUTE(THE_TABLE, " row format", "t.row_format")
    ATTRIBUTE(THE_TABLE, " collation", "t.table_collation")
    ATTRIBUTE(THE_TABLE, " options", FILLED("t.create_options"))
    ATTRIBUTE(THE_TABLE, " comment", FILLED("t.table_comment"))
    ATTRIBUTE(THE_TABLE, " partitions", FILLED(PARTITIONS))
    FROM("tables", "t", "table_schema") "WHERE t.table_type = 'BASE TABLE'";

static const char VIEWS[] =
    "SELECT IF(t.view_definition = '', NULL, 'view')," THE_TABLE
    ATTRIBUTE(THE_TABLE, " columns", COLUMNS)
    ATTRIBUTE(THE_TABLE, " definition", "REPLACE(t.view_definition, w.itself, '')")
    ATTRIBUTE(THE_TABLE, " check option", "LOWER(t.check_option)")
    ATTRIBUTE(THE_TABLE, " security", "LOWER(t.security_type)")
    ATTRIBUTE(THE_TABLE, " character sets",
              "CONCAT_WS(', ', t.character_set_client, t.collation_connection)")
    FROM("views", "t", "table_schema");

#define THE_INDEX ON_TABLE("i.table_name", "i.index_name")
#define KEY_PART                                                                            \
    "CONCAT(COALESCE(" QUOTED("i.column_name") ", CONCAT('(', i.expression, ')')),"         \
    " COALESCE(CONCAT('(', i.sub_part, ')'), ''), IF(i.collation = 'D', ' desc', ''))"
static const char INDEXES[] =
    "SELECT 'index'," BESIDE_TABLE("i.table_name", "i.index_name")
    ATTRIBUTE(THE_INDEX, "", "CONCAT(IF(MIN(i.non_unique) = 0, 'unique ', ''),"
              " LOWER(MIN(i.index_type)), ' ('," LIST(KEY_PART, "i.seq_in_index") ", ')')")
    ATTRIBUTE(THE_INDEX, " visible", "LOWER(MIN(i.is_visible))")
    ATTRIBUTE(THE_INDEX, " comment", FILLED("MIN(i.index_comment)"))
    FROM("statistics", "i", "table_schema")
    "GROUP BY w.prefix, i.table_schema, i.table_name, i.index_name";

#define KEY_COLUMNS(column)                                                                   \
    "(SELECT" LIST(QUOTED("k." column), "k.ordinal_position")                                 \
    "FROM information_schema.key_column_usage k WHERE k.table_name = r.table_name AND"        \
    " k.constraint_schema = r.constraint_schema AND k.constraint_name = r.constraint_name AND" \
    " k.referenced_table_name IS NOT NULL)"
static const char FOREIGN_KEYS[] =
    "SELECT 'constraint'," BESIDE_TABLE("r.table_name", "r.constraint_name")
    ATTRIBUTE(ON_TABLE("r.table_name", "r.constraint_name"), "",
              "CONCAT('foreign key ('," KEY_COLUMNS("column_name") ", ') references ',"
              " IF(r.unique_constraint_schema = w.name, w.prefix,"
              " CONCAT(" QUOTED("r.unique_constraint_schema") ", '.')),"
              QUOTED("r.referenced_table_name") ", ' ('," KEY_COLUMNS("referenced_column_name")
              ", ') on update ', LOWER(r.update_rule), ' on delete ', LOWER(r.delete_rule))")
    FROM("referential_constraints", "r", "constraint_schema");

#define THE_CHECK ON_TABLE("t.table_name", "t.constraint_name")
static const char CHECKS[] =
    "SELECT 'constraint'," BESIDE_TABLE("t.table_name", "t.constraint_name")
    ATTRIBUTE(THE_CHECK, "", "CONCAT('check ', k.check_clause)")
    ATTRIBUTE(THE_CHECK, " enforced", "LOWER(t.enforced)")
    FROM("table_constraints", "t", "constraint_schema")
    "JOIN information_schema.check_constraints k ON k.constraint_schema = t.constraint_schema"
    " AND k.constraint_name = t.constraint_name WHERE t.constraint_type = 'CHECK'";

#define PARAMETERS(position)                                                               \
    "(SELECT" LIST("CONCAT_WS(' ', p.parameter_mode," QUOTED("p.parameter_name") ","       \
                   " p.dtd_identifier, p.collation_name)", "p.ordinal_position")           \
    "FROM information_schema.parameters p WHERE p.specific_schema = r.routine_schema AND"  \
    " p.specific_name = r.specific_name AND p.routine_type = r.routine_type AND"           \
    " p.ordinal_position " position ")"
#define THE_ROUTINE NAMED("r.routine_name")
static const char ROUTINES[] =
    "SELECT IF(r.routine_definition IS NULL, NULL, LOWER(r.routine_type))," THE_ROUTINE
    ATTRIBUTE(THE_ROUTINE, " body", "r.routine_definition")
    ATTRIBUTE(THE_ROUTINE, " parameters", PARAMETERS("> 0"))
    ATTRIBUTE(THE_ROUTINE, " returns", PARAMETERS("= 0"))
    ATTRIBUTE(THE_ROUTINE, " characteristics",
              "CONCAT_WS(', ', LOWER(r.external_language), IF(r.is_deterministic = 'YES',"
              " 'deterministic', 'not deterministic'), LOWER(r.sql_data_access),"
              " CONCAT('sql security ', LOWER(r.security_type)))")
    ATTRIBUTE(THE_ROUTINE, " comment", FILLED("r.routine_comment"))
    AUTHORS_SETTINGS(THE_ROUTINE, "r")
    FROM("routines", "r", "routine_schema");

#define THE_TRIGGER NAMED("t.trigger_name")
static const char TRIGGERS[] =
    "SELECT 'trigger'," THE_TRIGGER
    ATTRIBUTE(THE_TRIGGER, "",
              "CONCAT(LOWER(t.action_timing), ' ', LOWER(t.event_manipulation), ' on ',"
              QUOTED("t.event_object_table") ", ', number ', t.action_order)")
    ATTRIBUTE(THE_TRIGGER, " body", "t.action_statement")
    AUTHORS_SETTINGS(THE_TRIGGER, "t")
    FROM("triggers", "t", "trigger_schema");

#define THE_EVENT NAMED("e.event_name")
static const char EVENTS[] =
    "SELECT 'event'," THE_EVENT
    ATTRIBUTE(THE_EVENT, " schedule",
              "CONCAT_WS(' ', CONCAT('at ', e.execute_at), CONCAT('every ', e.interval_value,"
              " ' ', LOWER(e.interval_field)), CONCAT('from ', e.starts), CONCAT('to ', e.ends),"
              " e.time_zone)")
    ATTRIBUTE(THE_EVENT, " status", "LOWER(e.status)")
    ATTRIBUTE(THE_EVENT, " on completion", "LOWER(e.on_completion)")
    ATTRIBUTE(THE_EVENT, " body", "e.event_definition")
    ATTRIBUTE(THE_EVENT, " comment", FILLED("e.event_comment"))
    AUTHORS_SETTINGS(THE_EVENT, "e")
    FROM("events", "e", "event_schema");

#define THE_COLUMN OF_TABLE("c.table_name", "c.column_name")
const char MYSQL_COLUMNS[] =
    "SELECT IF(t.table_type = 'VIEW', 'view', 'table')," NAMED("c.table_name")
    ATTRIBUTE(THE_COLUMN, "", "c.column_type")
    ATTRIBUTE(THE_COLUMN, " nullable", "LOWER(c.is_nullable)")
    ATTRIBUTE(THE_COLUMN, " default", "c.column_default")
    ATTRIBUTE(THE_COLUMN, " extra", FILLED("c.extra"))
    ATTRIBUTE(THE_COLUMN, " generated", FILLED("c.generation_expression"))
    ATTRIBUTE(THE_COLUMN, " collation", "c.collation_name")
    ATTRIBUTE(THE_COLUMN, " srid", "c.srs_id")
    ATTRIBUTE(THE_COLUMN, " comment", FILLED("c.column_comment"))
    FROM("columns", "c", "table_schema")
    "JOIN information_schema.tables t ON" SAME_TABLE("t", "c");

// The server writes a FLOAT with six digits, and what was declared with decimals with those only;
// as a DOUBLE it writes all digits that there are.
#define VALUE                                                                         \
    " IF(c.data_type IN ('float', 'double'), CONCAT('CAST('," IN_SQL("c.column_name") \
    ", ' AS DOUBLE)')," IN_SQL("c.column_name") ") "
#define IN_ORDER "k.seq_in_index IS NULL, k.seq_in_index, c.ordinal_position"
const char MYSQL_TABLES[] =
    "SELECT" NAMED("t.table_name") ", CONCAT('SELECT ', COALESCE("
    LIST(VALUE, IN_ORDER) ", 'NULL'),"
    " ' FROM '," IN_SQL("t.table_schema") ", '.'," IN_SQL("t.table_name") "),"
    " COUNT(k.seq_in_index), CONCAT('[' COLLATE utf8mb4_bin, COALESCE("
    LIST("JSON_QUOTE(" QUOTED("c.column_name") ")", IN_ORDER) ", '' COLLATE utf8mb4_bin), ']')"
    FROM("tables", "t", "table_schema")
    "LEFT JOIN information_schema.columns c ON" SAME_TABLE("c", "t")
    "AND c.extra NOT LIKE '%VIRTUAL GENERATED%'"
    " LEFT JOIN information_schema.statistics k ON" SAME_TABLE("k", "t")
    "AND k.index_name = 'PRIMARY' AND k.column_name = c.column_name"
    " WHERE t.table_type = 'BASE TABLE'"
    " GROUP BY w.prefix, t.table_schema, t.table_name ORDER BY 1";

// MyISAM can count within groups, where the column is not the first of an index: that is no counter
// of the table.
const char MYSQL_COUNTERS[] =
    "SELECT" NAMED("t.table_name") ", CONCAT(" OF_TABLE("c.table_name", "c.column_name")
    ", ' is covered by auto_increment'), CONCAT('SELECT IF(COALESCE(MAX('," IN_SQL("c.column_name")
    ", ') >= ', COALESCE(t.auto_increment, 0), ', FALSE), ''no'', ''yes'') FROM ',"
    IN_SQL("t.table_schema") ", '.'," IN_SQL("t.table_name") ")"
    FROM("tables", "t", "table_schema")
    "JOIN information_schema.columns c ON" SAME_TABLE("c", "t")
    "WHERE t.table_type = 'BASE TABLE' AND c.extra LIKE '%auto_increment%' AND EXISTS"
    " (SELECT 1 FROM information_schema.statistics i WHERE" SAME_TABLE("i", "c")
    "AND i.column_name = c.column_name AND i.seq_in_index = 1)";

static const char ALL[] =
    "CONCAT(" QUOTED("schema_name") ", '.') AS prefix," QUOTED("schema_name") "AS label,"
    " '' AS itself FROM information_schema.schemata WHERE schema_name NOT IN"
    " ('mysql', 'information_schema', 'performance_schema', 'sys')";
static const char ONE[] =
    "'' AS prefix, 'database' AS label, CONCAT(" IN_SQL("schema_name") ", '.') AS itself"
    " FROM information_schema.schemata WHERE schema_name = _utf8mb4 X'";
// clang-format on

const char *const MYSQL_OBJECTS[] = {DATABASES, TABLES,   VIEWS,    INDEXES, FOREIGN_KEYS,
                                     CHECKS,    ROUTINES, TRIGGERS, EVENTS,  NULL};

void mysql_catalog_ask(struct text *sql, const char *database, const char *question) {
    text_appendf(sql, "WITH w AS (SELECT schema_name AS name, %s", database == NULL ? ALL : ONE);
    for (const char *byte = database; byte != NULL && *byte != '\0'; byte++)
        text_appendf(sql, "%02x", (unsigned char)*byte);
    text_appendf(sql, "%s) %s", database == NULL ? "" : "'", question);
}
