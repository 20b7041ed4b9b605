#include "verify/fingerprint/postgres_catalog.h"

#include <stddef.h>

// Of an object `x` in schema `n`: the database's own, and of no extension.
#define OURS(catalog, x)                                                                 \
    " n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"                         \
    " AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '" catalog "'::regclass" \
    " AND e.objid = " x ".oid AND e.deptype = 'e') "

#define RELATION_KIND                                                                       \
    " CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN" \
    " 'view' WHEN 'm' THEN 'materialised view' WHEN 'f' THEN 'foreign table'"               \
    " WHEN 'c' THEN 'composite type' WHEN 'S' THEN 'sequence' WHEN 'i' THEN 'index'"        \
    " ELSE 'index' END "
#define NAMED(name) " format('%I.%I', n.nspname, " name ") "
#define RELATIONS " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE"
#define YES_NO(condition) " CASE WHEN " condition " THEN 'yes' ELSE 'no' END "

// One attribute of every relation for which it is not NULL.
#define OF_RELATION(kinds, attribute, value)                                                     \
    "SELECT" RELATION_KIND                                                                       \
    "," NAMED("c.relname") ", format('%I " attribute "', c.relname), "                           \
                           "v FROM (SELECT c.*, (" value ")::text AS v FROM pg_class c) c"       \
                           " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE v IS NOT NULL " \
                           "AND c.relkind IN"                                                    \
                           " (" kinds ") AND" OURS("pg_class", "c")

// One attribute of every column; "" is the column's type.
#define OF_COLUMN(attribute, value)                                                           \
    "SELECT" RELATION_KIND "," NAMED(                                                         \
        "c.relname") ", format('%I.%I" attribute "', c.relname,"                              \
                     " a.attname), v FROM (SELECT a.*, (" value                               \
                     ")::text AS v FROM pg_attribute a) a"                                    \
                     " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = " \
                     "c.relnamespace"                                                         \
                     " WHERE v IS NOT NULL AND a.attnum > 0 AND NOT a.attisdropped"           \
                     " AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND" OURS("pg_class", "c")

#define TABLES "'r', 'p', 'f'"
#define WITH_COLUMNS "'r', 'p', 'v', 'm', 'f', 'c'"
#define WITH_GRANTS "'r', 'p', 'v', 'm', 'f', 'S'"

// Without what the owner has anyway; the same words whatever the order in which it was granted.
#define GRANTS(acl, owner)                                                                      \
    "SELECT string_agg(format('%s to %s%s', g.privilege_type, CASE g.grantee WHEN 0 THEN"       \
    " 'PUBLIC' ELSE g.grantee::regrole::text END, CASE WHEN g.is_grantable THEN"                \
    " ' with grant option' ELSE '' END), ', ' ORDER BY g.grantee::regrole::text COLLATE \"C\"," \
    " g.privilege_type COLLATE \"C\") FROM aclexplode(" acl ") g WHERE g.grantee <> " owner

const char *const POSTGRES_CATALOG[] = {
    // Relations of all kinds, and what they have in common.
    "SELECT" RELATION_KIND "," NAMED("c.relname") ", NULL, NULL" RELATIONS
                                                  " c.relkind IN (" WITH_COLUMNS
                                                  ") AND" OURS("pg_class", "c"),
    OF_RELATION(WITH_COLUMNS, "columns",
                "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
                " WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped"),
    OF_RELATION("'v', 'm'", "definition", "pg_get_viewdef(c.oid)"),
    OF_RELATION("'m'", "populated", YES_NO("c.relispopulated")),
    OF_RELATION(TABLES, "is unlogged", "CASE WHEN c.relpersistence = 'u' THEN 'yes' END"),
    OF_RELATION(TABLES, "row security", "CASE WHEN c.relrowsecurity THEN 'enabled' END"),
    OF_RELATION(TABLES, "row security for the owner", // set and kept without the other, too
                "CASE WHEN c.relforcerowsecurity THEN 'forced' END"),
    OF_RELATION("'r', 'p', 'v', 'm', 'f', 'i'", "options",
                "SELECT string_agg(o, ', ' ORDER BY o COLLATE \"C\") FROM unnest(c.reloptions) o"),
    OF_RELATION(TABLES, "replica identity",
                "CASE WHEN c.relreplident <> 'd' AND c.relkind <> 'f' THEN c.relreplident END"),
    OF_RELATION("'p'", "partition key", "pg_get_partkeydef(c.oid)"),
    OF_RELATION(TABLES, "parents",
                "SELECT string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno)"
                " FROM pg_inherits WHERE inhrelid = c.oid"),
    OF_RELATION(TABLES, "partition bound", "pg_get_expr(c.relpartbound, c.oid)"),
    OF_RELATION("'r', 'p', 'v', 'm', 'f', 'c', 'S', 'i', 'I'", "comment",
                "obj_description(c.oid, 'pg_class')"),
    OF_RELATION(WITH_GRANTS, "grants", GRANTS("c.relacl", "c.relowner")),

    // Columns.
    OF_COLUMN("", "format_type(a.atttypid, a.atttypmod)"),
    OF_COLUMN(" nullable", YES_NO("NOT a.attnotnull")),
    OF_COLUMN(" default", "SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d"
                          " WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum"
                          " AND a.attgenerated = ''"),
    OF_COLUMN(" generated", "SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d"
                            " WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum"
                            " AND a.attgenerated <> ''"),
    OF_COLUMN(" identity", "CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN"
                           " 'by default' END"),
    OF_COLUMN(" collation", "SELECT a.attcollation::regcollation FROM pg_type t WHERE"
                            " t.oid = a.atttypid AND a.attcollation <> t.typcollation"),
    OF_COLUMN(" comment", "col_description(a.attrelid, a.attnum)"),
    OF_COLUMN(" grants",
              GRANTS("a.attacl", "(SELECT relowner FROM pg_class WHERE oid = a.attrelid)")),

    // What belongs to tables. Not-null constraints (PostgreSQL 18) are the columns'.
    "SELECT 'constraint', format('%s %I', k.conrelid::regclass, k.conname), u.attribute, u.value"
    " FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
    " JOIN pg_namespace n ON n.oid = c.relnamespace, LATERAL (VALUES"
    " (format('%I on %s', k.conname, k.conrelid::regclass), pg_get_constraintdef(k.oid)),"
    " (format('%I on %s validated', k.conname, k.conrelid::regclass)," YES_NO(
        "k.convalidated") "),"
                          " (format('%I on %s comment', k.conname, k.conrelid::regclass),"
                          " obj_description(k.oid, 'pg_constraint'))) u(attribute, value)"
                          " WHERE u.value IS NOT NULL AND k.contype <> 'n' AND" OURS("pg_class",
                                                                                     "c"),
    "SELECT 'index'," NAMED(
        "c.relname") ", u.attribute, u.value FROM pg_index i"
                     " JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = "
                     "c.relnamespace,"
                     " LATERAL (VALUES (format('%I definition', c.relname), "
                     "pg_get_indexdef(c.oid)),"
                     " (format('%I valid', c.relname)," YES_NO(
                         "i.indisvalid AND i.indisready") "),"
                                                          " (format('%I clustered', c.relname), "
                                                          "CASE WHEN i.indisclustered THEN 'yes' "
                                                          "END))"
                                                          " u(attribute, value) WHERE u.value IS "
                                                          "NOT NULL AND" OURS("pg_class", "c"),
    "SELECT 'trigger', format('%s %I', t.tgrelid::regclass, t.tgname), u.attribute, u.value"
    " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " JOIN pg_namespace n ON n.oid = c.relnamespace, LATERAL (VALUES"
    " (format('%I on %s', t.tgname, t.tgrelid::regclass), pg_get_triggerdef(t.oid)),"
    " (format('%I on %s enabled', t.tgname, t.tgrelid::regclass), t.tgenabled::text))"
    " u(attribute, value) WHERE NOT t.tgisinternal AND" OURS("pg_class", "c"),
    "SELECT 'rule', format('%s %I', r.ev_class::regclass, r.rulename),"
    " format('%I on %s', r.rulename, r.ev_class::regclass), pg_get_ruledef(r.oid)"
    " FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class"
    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE r.rulename <> '_RETURN' AND" OURS(
        "pg_class", "c"),
    "SELECT 'policy', format('%s %I', p.polrelid::regclass, p.polname),"
    " format('%I on %s', p.polname, p.polrelid::regclass),"
    " format('%s, %s, to %s, using %s, check %s', p.polcmd, CASE WHEN p.polpermissive THEN"
    " 'permissive' ELSE 'restrictive' END, (SELECT string_agg(CASE o WHEN 0 THEN 'PUBLIC' ELSE"
    " o::regrole::text END, ', ' ORDER BY o::regrole::text COLLATE \"C\")"
    " FROM unnest(p.polroles) o), pg_get_expr(p.polqual, p.polrelid),"
    " pg_get_expr(p.polwithcheck, p.polrelid)) FROM pg_policy p"
    " JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE" OURS("pg_class", "c"),

    // Sequences; where they stand: POSTGRES_SEQUENCES.
    "SELECT 'sequence'," NAMED(
        "c.relname") ", format('%I', c.relname),"
                     " format('%s from %s by %s within %s and %s, cache %s%s', "
                     "s.seqtypid::regtype, s.seqstart,"
                     " s.seqincrement, s.seqmin, s.seqmax, s.seqcache, CASE WHEN s.seqcycle THEN "
                     "', cycle' ELSE ''"
                     " END) FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid"
                     " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE" OURS("pg_class", "c"),

    // Routines and types.
    "SELECT CASE p.prokind WHEN 'a' THEN 'aggregate' ELSE 'function' END,"
    " format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),"
    " u.attribute, u.value FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace,"
    " LATERAL (VALUES (format('%I definition', p.proname), CASE p.prokind WHEN 'a' THEN"
    " (SELECT format('%s, %s, %s, starting %s', a.aggtransfn, a.aggfinalfn,"
    " a.aggtranstype::regtype, a.agginitval) FROM pg_aggregate a WHERE a.aggfnoid = p.oid)"
    " ELSE pg_get_functiondef(p.oid) END),"
    " (format('%I comment', p.proname), obj_description(p.oid, 'pg_proc')),"
    " (format('%I grants', p.proname), (" GRANTS(
        "coalesce(p.proacl, acldefault('f', p.proowner))",
        "p.proowner") ")))"
                      " u(attribute, value) WHERE u.value IS NOT NULL AND" OURS("pg_proc", "p"),
    "SELECT CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' ELSE 'range' END," NAMED(
        "t.typname") ", u.attribute, u.value FROM pg_type t"
                     " JOIN pg_namespace n ON n.oid = t.typnamespace, LATERAL (VALUES"
                     " (format('%I', t.typname), CASE t.typtype WHEN 'e' THEN (SELECT string_agg("
                     "quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE "
                     "enumtypid = t.oid)"
                     " WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) ELSE (SELECT "
                     "rngsubtype::regtype::text"
                     " FROM pg_range WHERE rngtypid = t.oid) END),"
                     " (format('%I nullable', t.typname), CASE t.typtype WHEN 'd' THEN" YES_NO(
                         "NOT t.typnotnull") " END), (format('%I default', t.typname), "
                                             "t.typdefault),"
                                             " (format('%I checks', t.typname), (SELECT "
                                             "string_agg(format('%I %s', conname,"
                                             " pg_get_constraintdef(oid)), ', ' ORDER BY conname) "
                                             "FROM pg_constraint WHERE"
                                             " contypid = t.oid AND contype <> 'n')),"
                                             " (format('%I comment', t.typname), "
                                             "obj_description(t.oid, 'pg_type'))) u(attribute, "
                                             "value)"
                                             " WHERE u.value IS NOT NULL AND t.typtype IN ('e', "
                                             "'d', 'r') AND" OURS("pg_type", "t"),

    // The database itself.
    "SELECT 'schema', quote_ident(n.nspname), u.attribute, u.value FROM pg_namespace n,"
    " LATERAL (VALUES (NULL, ''), (format('%I comment', n.nspname),"
    " obj_description(n.oid, 'pg_namespace')), (format('%I grants', n.nspname),"
    " (" GRANTS("n.nspacl", "n.nspowner") "))) u(attribute, value)"
                                          " WHERE u.value IS NOT NULL AND" OURS("pg_namespace",
                                                                                "n"),
    "SELECT 'extension', quote_ident(e.extname), format('%I version', e.extname), e.extversion"
    " FROM pg_extension e",
    "SELECT 'database', 'database', u.attribute, u.value FROM pg_database d, LATERAL (VALUES"
    " ('database encoding', pg_encoding_to_char(d.encoding)),"
    " ('database collation', d.datcollate), ('database ctype', d.datctype)) u(attribute, value)"
    " WHERE d.datname = current_database()",
    NULL,
};

#define HOLDS_OIDS                                                     \
    " (t.typsend = 0 OR t.typtype IN ('c', 'd') OR t.typname ~ '^reg'" \
    " OR (t.typcategory = 'A' AND (t.typelem >= 16384 OR s.typname ~ '^reg'))) "

#define IN_ORDER " ORDER BY array_position(i.indkey::int2[], a.attnum), a.attnum"

const char POSTGRES_TABLES[] =
    "SELECT format('%I.%I', n.nspname, c.relname), coalesce(string_agg(quote_ident(a.attname)"
    " || CASE WHEN" HOLDS_OIDS "THEN '::text' ELSE '' END, ', '" IN_ORDER "), ''), count(a.attnum),"
    " coalesce(max(i.indnkeyatts), 0), json_agg(quote_ident(a.attname)" IN_ORDER "),"
    " coalesce(string_agg(format(', %I::text', a.attname), ''" IN_ORDER ")"
    " FILTER (WHERE a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])), ''),"
    " coalesce(max(i.indnkeyatts) = 1 AND bool_or(a.attnum = i.indkey[0]"
    " AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)), false)"
    " FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace"
    " LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary"
    " LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " LEFT JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type s ON s.oid = t.typelem"
    " WHERE c.relkind = 'r' AND" OURS("pg_class", "c") "GROUP BY 1 ORDER BY 1";

const char POSTGRES_SEQUENCES[] =
    "SELECT format('%I.%I', n.nspname, c.relname), format('%I covers %I.%I', c.relname, o.relname,"
    " a.attname), format('SELECT CASE WHEN %s(%I) IS NULL OR %s(%I) %s (SELECT CASE WHEN is_called"
    " THEN last_value ELSE last_value - %s END FROM %s) THEN ''yes'' ELSE ''no'' END FROM %s',"
    " f, a.attname, f, a.attname, CASE f WHEN 'max' THEN '<=' ELSE '>=' END, s.seqincrement,"
    " c.oid::regclass, o.oid::regclass) FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence s ON s.seqrelid = c.oid"
    " JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid"
    " AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0"
    " JOIN pg_class o ON o.oid = d.refobjid"
    " JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = d.refobjsubid"
    " JOIN pg_type t ON t.oid = a.atttypid AND t.typcategory = 'N',"
    " LATERAL (SELECT CASE WHEN s.seqincrement > 0 THEN 'max' ELSE 'min' END) m(f)"
    " WHERE NOT s.seqcycle AND" OURS("pg_class", "c") "ORDER BY 1";
