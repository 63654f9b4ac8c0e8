"""How tables and what belongs to them are declared: one query of the catalogs for each kind, OIDs resolved to names.

Each query gives a name, then whatever tells the declaration. What belongs to an extension is left out: it comes with
the extension, in the version that a server has. Written for PostgreSQL 14 and newer.
"""

from __future__ import annotations

# Of a namespace `n`: not the system's, and not of other sessions.
OURS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"


def own(catalog: str, oid: str) -> str:
    """That an object belongs to no extension."""
    return (
        "NOT EXISTS (SELECT FROM pg_catalog.pg_depend e"
        f" WHERE e.classid = 'pg_catalog.{catalog}'::regclass AND e.objid = {oid} AND e.deptype = 'e')"
    )


_RELATION = f"{OURS} AND {own('pg_class', 'c.oid')} AND {own('pg_type', 'c.reltype')}"
_FROM = "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
_NAME = "format('%I.%I', n.nspname, c.relname)"
_SORTED = "(SELECT string_agg(o, ',' ORDER BY o COLLATE \"C\") FROM unnest({}) o)"
# The rows of a table with ordinary parents may come back with its columns in another order.
_PARENTS = (
    "(SELECT string_agg(i.inhparent::regclass::text, ',' ORDER BY i.inhseqno)"
    " FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid)"
)
_HEIR = "(NOT c.relispartition AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid))"

TABLES = f"""
SELECT {_NAME}, c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, c.relreplident,
  {_SORTED.format("c.reloptions")}, m.amname, {_PARENTS},
  pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid), format_type(nullif(c.reloftype, 0), NULL),
  {_SORTED.format("t.reloptions")}, s.srvname, {_SORTED.format("f.ftoptions")}
{_FROM}
  LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam
  LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid
  LEFT JOIN pg_catalog.pg_foreign_table f ON f.ftrelid = c.oid
  LEFT JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
WHERE c.relkind IN ('r', 'p', 'f') AND {_RELATION}"""

COLUMNS = f"""
SELECT format('%I.%I.%I', n.nspname, c.relname, a.attname),
  CASE WHEN NOT {_HEIR} THEN row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum) END,
  format_type(a.atttypid, a.atttypmod), nullif(a.attcollation, t.typcollation)::regcollation, a.attnotnull,
  pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, a.attstorage, a.attcompression, a.attislocal,
  coalesce(a.attstattarget, -1), {_SORTED.format("a.attoptions")}, {_SORTED.format("a.attfdwoptions")}
{_FROM}
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c') AND a.attnum > 0 AND NOT a.attisdropped AND {_RELATION}"""

# Constraints that PostgreSQL itself makes for partitions get names of its own choice; NOT NULL is a column's.
CONSTRAINTS = f"""
SELECT format('%I.%I.%I', n.nspname, coalesce(c.relname, t.typname), o.conname),
  o.contype, pg_get_constraintdef(o.oid), o.convalidated, o.contype = 'c' AND o.connoinherit, o.condeferrable,
  o.condeferred
FROM pg_catalog.pg_constraint o
  JOIN pg_catalog.pg_namespace n ON n.oid = o.connamespace
  LEFT JOIN pg_catalog.pg_class c ON c.oid = o.conrelid
  LEFT JOIN pg_catalog.pg_type t ON t.oid = o.contypid
WHERE o.contype <> 'n' AND NOT (o.contype = 'f' AND o.conparentid <> 0) AND {OURS}
  AND {own("pg_class", "o.conrelid")} AND {own("pg_type", "o.contypid")}"""

INDEXES = f"""
SELECT format('%I.%I', n.nspname, i.relname), pg_get_indexdef(x.indexrelid), x.indisclustered, x.indisreplident,
  x.indisunique, x.indisprimary, x.indisexclusion, x.indimmediate,
  (SELECT h.inhparent::regclass::text FROM pg_catalog.pg_inherits h WHERE h.inhrelid = x.indexrelid),
  (SELECT string_agg(format('%s %s', a.attnum, a.attstattarget), ',' ORDER BY a.attnum)
   FROM pg_catalog.pg_attribute a WHERE a.attrelid = x.indexrelid AND a.attstattarget >= 0)
FROM pg_catalog.pg_index x
  JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
  JOIN pg_catalog.pg_class c ON c.oid = x.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE (x.indisvalid OR c.relkind = 'p') AND {_RELATION}"""

VIEWS = f"""
SELECT {_NAME}, pg_get_viewdef(c.oid), {_SORTED.format("c.reloptions")}
{_FROM} WHERE c.relkind = 'v' AND {_RELATION}"""

MATERIALIZED = f"""
SELECT {_NAME}, pg_get_viewdef(c.oid), c.relispopulated, {_SORTED.format("c.reloptions")}, m.amname
{_FROM} LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam
WHERE c.relkind = 'm' AND {_RELATION}"""

SEQUENCES = f"""
SELECT {_NAME}, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle,
  c.relpersistence,
  (SELECT format('%s %I %s', d.refobjid::regclass, a.attname, d.deptype)
   FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
   WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
     AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0)
{_FROM} JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid
WHERE {_RELATION}"""

TRIGGERS = f"""
SELECT format('%I.%I.%I', n.nspname, c.relname, g.tgname), pg_get_triggerdef(g.oid), g.tgenabled
FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT g.tgisinternal AND {_RELATION}"""

RULES = f"""
SELECT format('%I.%I.%I', n.nspname, c.relname, r.rulename), pg_get_ruledef(r.oid), r.ev_enabled
FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN' AND {_RELATION}"""

POLICIES = f"""
SELECT format('%I.%I.%I', n.nspname, c.relname, p.polname), p.polcmd, p.polpermissive,
  (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE r::regrole::text END, ',' ORDER BY r::regrole::text COLLATE "C")
   FROM unnest(p.polroles) r),
  pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE {_RELATION}"""

STATISTICS = f"""
SELECT format('%I.%I', n.nspname, s.stxname), pg_get_statisticsobjdef(s.oid), s.stxstattarget
FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
WHERE {OURS} AND {own("pg_statistic_ext", "s.oid")}"""

_EXPLODED = """(SELECT string_agg(
    format('%s %s %s', CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE x.grantee::regrole::text END,
    x.privilege_type, x.is_grantable), ',' ORDER BY x.grantee::regrole::text COLLATE "C", x.privilege_type COLLATE "C")
  FROM aclexplode({}) x)"""


def exploded(acl: str, kind: str, owner: str) -> str:
    """Who may do what, as text; what nobody changed is what the server's own default gives."""
    return _EXPLODED.format(f"coalesce({acl}, acldefault('{kind}', {owner}))")


GRANTS = f"""
SELECT {_NAME}, c.relowner::regrole,
  CASE c.relkind WHEN 'S' THEN {exploded("c.relacl", "s", "c.relowner")}
    ELSE {exploded("c.relacl", "r", "c.relowner")} END
{_FROM} WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND {_RELATION}"""

COLUMN_GRANTS = f"""
SELECT format('%I.%I.%I', n.nspname, c.relname, a.attname), {_EXPLODED.format("a.attacl")}
{_FROM} JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
WHERE a.attacl IS NOT NULL AND a.attnum > 0 AND NOT a.attisdropped AND {_RELATION}"""

QUERIES = (
    ("table", TABLES),
    ("column", COLUMNS),
    ("constraint", CONSTRAINTS),
    ("index", INDEXES),
    ("view", VIEWS),
    ("materialized view", MATERIALIZED),
    ("sequence", SEQUENCES),
    ("trigger", TRIGGERS),
    ("rule", RULES),
    ("policy", POLICIES),
    ("statistics", STATISTICS),
    ("owner and grants", GRANTS),
    ("column's grants", COLUMN_GRANTS),
)
# Each gives the text of a query that counts and sums up one table, or tells one sequence: the columns by name, so that
# their order does not matter, and each behind the table's alias, so that none can be taken for it.
CONTENTS = f"""
SELECT format('SELECT %L, count(*)::text, sum(hashtextextended(ROW(%s)::text COLLATE "C", 0))::text'
    ' FROM ONLY %I.%I AS t',
  {_NAME}, (SELECT string_agg(format('t.%I', a.attname), ', ' ORDER BY a.attname COLLATE "C")
   FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
  n.nspname, c.relname)
{_FROM} WHERE c.relkind = 'r' AND {_RELATION} ORDER BY c.oid"""
STATES = f"""
SELECT format('SELECT %L, last_value::text, is_called::text FROM %I.%I', {_NAME}, n.nspname, c.relname), {_NAME},
  n.nspname, c.relname
{_FROM} WHERE c.relkind = 'S' AND {_RELATION} ORDER BY c.oid"""
# What a snapshot locks against changes of the schema, and against TRUNCATE, which no snapshot is safe from.
LOCKED = f"""
SELECT format('ONLY %I.%I', n.nspname, c.relname), c.oid::text
{_FROM} WHERE c.relkind IN ('r', 'p') AND {OURS} AND c.relpersistence <> 't' ORDER BY c.oid"""
