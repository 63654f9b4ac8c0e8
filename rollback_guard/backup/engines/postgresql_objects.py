"""How all that is no table is declared: schemas, routines, types, operators, publications, comments, and so on."""

from __future__ import annotations

from rollback_guard.backup.engines.postgresql_relations import OURS, exploded, own

FIRST = 16384  # of the OIDs that are not the system's own

SCHEMAS = f"""
SELECT format('%I', n.nspname), n.nspowner::regrole, {exploded("n.nspacl", "n", "n.nspowner")}
FROM pg_catalog.pg_namespace n WHERE {OURS} AND {own("pg_namespace", "n.oid")}"""

EXTENSIONS = f"""
SELECT format('%I', e.extname), CASE WHEN e.extrelocatable THEN n.nspname END
FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.oid >= {FIRST}"""

_ROUTINE = "format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))"
ROUTINES = f"""
SELECT {_ROUTINE}, p.prokind, CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END,
  pg_get_function_result(p.oid), p.proparallel,
  a.aggkind, a.aggnumdirectargs, nullif(a.aggtransfn, 0)::regprocedure, nullif(a.aggfinalfn, 0)::regprocedure,
  nullif(a.aggcombinefn, 0)::regprocedure, nullif(a.aggserialfn, 0)::regprocedure,
  nullif(a.aggdeserialfn, 0)::regprocedure, nullif(a.aggmtransfn, 0)::regprocedure,
  nullif(a.aggminvtransfn, 0)::regprocedure, nullif(a.aggmfinalfn, 0)::regprocedure, a.aggfinalextra, a.aggfinalmodify,
  nullif(a.aggsortop, 0)::regoperator, format_type(a.aggtranstype, NULL), a.aggtransspace, a.agginitval, a.aggminitval
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  LEFT JOIN pg_catalog.pg_aggregate a ON a.aggfnoid = p.oid
WHERE {OURS} AND {own("pg_proc", "p.oid")} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
  WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i')"""

ROUTINE_GRANTS = f"""
SELECT {_ROUTINE}, p.proowner::regrole, {exploded("p.proacl", "f", "p.proowner")}
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE {OURS} AND {own("pg_proc", "p.oid")} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
  WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i')"""

# Enums, domains, ranges, base types and composite ones; not those that every table and every type brings along.
TYPES = f"""
SELECT format('%I.%I', n.nspname, t.typname), t.typtype, t.typowner::regrole, {exploded("t.typacl", "T", "t.typowner")},
  CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) END, t.typnotnull,
  CASE t.typtype WHEN 'd' THEN coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault) END,
  nullif(t.typcollation, 0)::regcollation,
  (SELECT string_agg(quote_literal(v.enumlabel), ',' ORDER BY v.enumsortorder)
   FROM pg_catalog.pg_enum v WHERE v.enumtypid = t.oid),
  format_type(r.rngsubtype, NULL), format_type(to_regtype(nullif(r.rngmultitypid, 0)::regtype::text), NULL),
  nullif(r.rngcollation, 0)::regcollation, nullif(r.rngcanonical, 0)::regprocedure,
  nullif(r.rngsubdiff, 0)::regprocedure,
  (SELECT format('%I.%I', k.nspname, o.opcname) FROM pg_catalog.pg_opclass o
   JOIN pg_catalog.pg_namespace k ON k.oid = o.opcnamespace WHERE o.oid = r.rngsubopc),
  CASE t.typtype WHEN 'b' THEN format('%s %s %s %s %s %s %s %s', t.typinput, t.typoutput, t.typreceive, t.typsend,
    t.typlen, t.typalign, t.typstorage, t.typcategory) END
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
  LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
WHERE {OURS} AND {own("pg_type", "t.oid")} AND t.typtype <> 'm' AND coalesce(c.relkind, 'c') = 'c'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_type o WHERE o.typarray = t.oid)"""

OPERATORS = f"""
SELECT format('%I.%s', n.nspname, o.oid::regoperator), format_type(o.oprresult, NULL), o.oprcode, o.oprrest, o.oprjoin,
  o.oprcanmerge, o.oprcanhash, nullif(o.oprcom, 0)::regoperator, nullif(o.oprnegate, 0)::regoperator,
  o.oprowner::regrole
FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
WHERE {OURS} AND {own("pg_operator", "o.oid")}"""

OPERATOR_CLASSES = f"""
SELECT format('%I.%I USING %I', n.nspname, o.opcname, m.amname), format_type(o.opcintype, NULL), o.opcdefault,
  format_type(nullif(o.opckeytype, 0), NULL), f.opfname,
  (SELECT string_agg(format('%s %s %s', a.amopstrategy, a.amopopr::regoperator, a.amoppurpose), ','
     ORDER BY a.amopstrategy, a.amopopr::regoperator::text COLLATE "C")
   FROM pg_catalog.pg_amop a WHERE a.amopfamily = f.oid),
  (SELECT string_agg(format('%s %s', a.amprocnum, a.amproc::regprocedure), ','
     ORDER BY a.amprocnum, a.amproc::regprocedure::text COLLATE "C")
   FROM pg_catalog.pg_amproc a WHERE a.amprocfamily = f.oid)
FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace
  JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod JOIN pg_catalog.pg_opfamily f ON f.oid = o.opcfamily
WHERE {OURS} AND {own("pg_opclass", "o.oid")}"""

CASTS = f"""
SELECT format('%s AS %s', format_type(k.castsource, NULL), format_type(k.casttarget, NULL)),
  nullif(k.castfunc, 0)::regprocedure, k.castcontext, k.castmethod
FROM pg_catalog.pg_cast k WHERE k.oid >= {FIRST} AND {own("pg_cast", "k.oid")}
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_range r WHERE r.rngtypid = k.castsource)"""

# Of these the whole row of the catalog tells, but for numbers that differ from server to server.
COLLATIONS = f"""
SELECT format('%I.%I', n.nspname, o.collname),
  (to_jsonb(o) - '{{oid,collname,collnamespace,collowner,collversion}}'::text[])::text
FROM pg_catalog.pg_collation o JOIN pg_catalog.pg_namespace n ON n.oid = o.collnamespace
WHERE {OURS} AND {own("pg_collation", "o.oid")}"""

CONVERSIONS = f"""
SELECT format('%I.%I', n.nspname, o.conname), o.conforencoding, o.contoencoding, o.conproc, o.condefault
FROM pg_catalog.pg_conversion o JOIN pg_catalog.pg_namespace n ON n.oid = o.connamespace
WHERE {OURS} AND {own("pg_conversion", "o.oid")}"""

TEXT_SEARCH = f"""
SELECT format('configuration %I.%I', n.nspname, o.cfgname), o.cfgparser::text,
  (SELECT string_agg(format('%s %s %s', m.maptokentype, m.mapseqno, m.mapdict::regdictionary), ','
     ORDER BY m.maptokentype, m.mapseqno) FROM pg_catalog.pg_ts_config_map m WHERE m.mapcfg = o.oid)
FROM (SELECT c.*, p.prsname AS parser FROM pg_catalog.pg_ts_config c
  JOIN pg_catalog.pg_ts_parser p ON p.oid = c.cfgparser) o JOIN pg_catalog.pg_namespace n ON n.oid = o.cfgnamespace
WHERE {OURS} AND {own("pg_ts_config", "o.oid")}
UNION ALL
SELECT format('dictionary %I.%I', n.nspname, o.dictname), t.tmplname, o.dictinitoption
FROM pg_catalog.pg_ts_dict o JOIN pg_catalog.pg_namespace n ON n.oid = o.dictnamespace
  JOIN pg_catalog.pg_ts_template t ON t.oid = o.dicttemplate
WHERE {OURS} AND {own("pg_ts_dict", "o.oid")}""".replace("o.cfgparser::text", "o.parser")

# Options of a server may be of the kind that nobody should guess from a digest: only their names are taken.
FOREIGN = f"""
SELECT format('wrapper %I', w.fdwname), nullif(w.fdwhandler, 0)::regprocedure::text,
  nullif(w.fdwvalidator, 0)::regprocedure::text, w.fdwowner::regrole::text
FROM pg_catalog.pg_foreign_data_wrapper w WHERE w.oid >= {FIRST} AND {own("pg_foreign_data_wrapper", "w.oid")}
UNION ALL
SELECT format('server %I', s.srvname), w.fdwname, format('%s %s %s', s.srvtype, s.srvversion,
  (SELECT string_agg(o.option_name, ',' ORDER BY o.option_name COLLATE "C") FROM pg_options_to_table(s.srvoptions) o)),
  s.srvowner::regrole::text
FROM pg_catalog.pg_foreign_server s JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
WHERE {own("pg_foreign_server", "s.oid")}"""

LANGUAGES = f"""
SELECT format('%I', l.lanname), l.lanpltrusted, nullif(l.lanplcallfoid, 0)::regprocedure, l.lanowner::regrole
FROM pg_catalog.pg_language l WHERE l.oid >= {FIRST} AND {own("pg_language", "l.oid")}"""

EVENT_TRIGGERS = f"""
SELECT format('%I', g.evtname), g.evtevent, array_to_string(g.evttags, ','), g.evtfoid::regprocedure, g.evtenabled
FROM pg_catalog.pg_event_trigger g WHERE {own("pg_event_trigger", "g.oid")}"""

PUBLICATIONS = """
SELECT format('%I', p.pubname), (to_jsonb(p) - '{oid,pubowner}'::text[])::text, p.pubowner::regrole,
  (SELECT string_agg(to_jsonb(t)::text, ',' ORDER BY t.schemaname, t.tablename)
   FROM pg_catalog.pg_publication_tables t WHERE t.pubname = p.pubname)
FROM pg_catalog.pg_publication p"""

DEFAULT_GRANTS = """
SELECT format('%s %s %s', d.defaclrole::regrole, nullif(d.defaclnamespace, 0)::regnamespace, d.defaclobjtype),
  (SELECT string_agg(x::text, ',' ORDER BY x::text COLLATE "C") FROM unnest(d.defaclacl) x)
FROM pg_catalog.pg_default_acl d"""

COMMENTS = f"""
SELECT format('%s %s', o.type, o.identity), d.description
FROM pg_catalog.pg_description d, LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) o
WHERE (d.objoid >= {FIRST} OR d.classoid = 'pg_catalog.pg_largeobject'::regclass
    OR d.classoid = 'pg_catalog.pg_namespace'::regclass AND d.objoid = 2200)
  AND d.classoid <> 'pg_catalog.pg_extension'::regclass AND coalesce(o.schema, '') !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid
    AND e.deptype = 'e')"""

DATABASE = "SELECT 'encoding', current_setting('server_encoding')"

QUERIES = (
    ("database", DATABASE),
    ("schema", SCHEMAS),
    ("extension", EXTENSIONS),
    ("routine", ROUTINES),
    ("owner and grants", ROUTINE_GRANTS),
    ("type", TYPES),
    ("operator", OPERATORS),
    ("operator class", OPERATOR_CLASSES),
    ("cast", CASTS),
    ("collation", COLLATIONS),
    ("conversion", CONVERSIONS),
    ("text search", TEXT_SEARCH),
    ("foreign data", FOREIGN),
    ("language", LANGUAGES),
    ("event trigger", EVENT_TRIGGERS),
    ("publication", PUBLICATIONS),
    ("default grants", DEFAULT_GRANTS),
    ("comment", COMMENTS),
)
