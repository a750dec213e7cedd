WITH homes AS (
    SELECT oid, nspname, nspowner, nspacl FROM pg_namespace AS n
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), extended AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), relations AS (
    SELECT c.*, format('%I.%I', nspname, relname) AS place FROM pg_class AS c
    INNER JOIN homes ON homes.oid = relnamespace
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    AND NOT EXISTS (SELECT FROM extended WHERE classid = 'pg_class'::regclass AND objid = c.oid)
), tables AS (
    SELECT * FROM relations WHERE relkind <> 'S'
), routines AS (
    SELECT p.*, p.oid::regprocedure::text AS place FROM pg_proc AS p
    INNER JOIN homes ON homes.oid = pronamespace
    WHERE NOT EXISTS (SELECT FROM extended WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
), types AS (
    SELECT t.*, format('%I.%I', nspname, typname) AS place FROM pg_type AS t
    INNER JOIN homes ON homes.oid = typnamespace LEFT JOIN pg_class AS c ON c.oid = typrelid
    WHERE (typtype IN ('d', 'e', 'r') OR relkind = 'c')
    AND NOT EXISTS (SELECT FROM extended WHERE classid = 'pg_type'::regclass AND objid = t.oid)
), rights AS (
    SELECT 'schema' AS what, nspname::text AS place, nspowner AS owner, nspacl AS acl, 'n' AS kind FROM homes
    UNION ALL SELECT CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, place, relowner, relacl,
        CASE relkind WHEN 'S' THEN 's' ELSE 'r' END FROM relations
    UNION ALL SELECT 'function', place, proowner, proacl, 'f' FROM routines
    UNION ALL SELECT 'type', place, typowner, typacl, 'T' FROM types
    UNION ALL SELECT 'language', lanname::text, lanowner, lanacl, 'l' FROM pg_language
        WHERE oid >= 16384 AND ('pg_language'::regclass, oid) NOT IN (SELECT classid, objid FROM extended)
    UNION ALL SELECT 'foreign server', srvname::text, srvowner, srvacl, 'S' FROM pg_foreign_server
    UNION ALL SELECT 'foreign-data wrapper', fdwname::text, fdwowner, fdwacl, 'F' FROM pg_foreign_data_wrapper
        WHERE ('pg_foreign_data_wrapper'::regclass, oid) NOT IN (SELECT classid, objid FROM extended)
), granted AS (
    SELECT what, place, a.* FROM rights, aclexplode(coalesce(acl, acldefault(kind::"char", owner))) AS a
    UNION ALL SELECT 'column', place || '.' || quote_ident(attname), a.* FROM tables
    INNER JOIN pg_attribute ON attrelid = tables.oid, aclexplode(attacl) AS a
    UNION ALL SELECT 'default ' || defaclobjtype::text, pg_get_userbyid(defaclrole) || coalesce(' in ' || nspname, ''),
        a.* FROM pg_default_acl LEFT JOIN pg_namespace AS n ON n.oid = defaclnamespace, aclexplode(defaclacl) AS a
), others AS (
    SELECT 'pg_cast'::regclass AS class, oid FROM pg_cast
    UNION ALL SELECT 'pg_collation'::regclass, oid FROM pg_collation
    UNION ALL SELECT 'pg_conversion'::regclass, oid FROM pg_conversion
    UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid FROM pg_foreign_data_wrapper
    UNION ALL SELECT 'pg_foreign_server'::regclass, oid FROM pg_foreign_server
    UNION ALL SELECT 'pg_language'::regclass, oid FROM pg_language
    UNION ALL SELECT 'pg_opclass'::regclass, oid FROM pg_opclass
    UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_operator
    UNION ALL SELECT 'pg_publication'::regclass, oid FROM pg_publication
    UNION ALL SELECT 'pg_transform'::regclass, oid FROM pg_transform
    UNION ALL SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config
    UNION ALL SELECT 'pg_ts_dict'::regclass, oid FROM pg_ts_dict
)
SELECT 'schema' AS kind, nspname::text AS place, '' AS name, '' AS definition FROM homes
UNION ALL
SELECT 'extension', extname::text, '', 'in ' || nspname FROM pg_extension
INNER JOIN pg_namespace AS n ON n.oid = extnamespace
UNION ALL
SELECT CASE WHEN relkind IN ('v', 'm') THEN 'view options' ELSE 'table' END, place, '', concat_ws(', ',
    CASE relkind WHEN 'm' THEN 'materialized' WHEN 'f' THEN 'foreign' END,
    CASE relpersistence WHEN 'u' THEN 'unlogged' END,
    CASE WHEN relkind = 'm' AND NOT relispopulated THEN 'not populated' END,
    CASE WHEN relrowsecurity THEN 'row security' END,
    CASE WHEN relforcerowsecurity THEN 'row security forced' END,
    CASE relreplident WHEN 'f' THEN 'replica identity full' WHEN 'n' THEN 'no replica identity' END,
    CASE WHEN relkind = 'p' THEN (
        SELECT CASE partstrat WHEN 'r' THEN 'by range' WHEN 'l' THEN 'by list' ELSE 'by hash' END
        FROM pg_partitioned_table WHERE partrelid = tables.oid
    ) END,
    (SELECT 'with ' || string_agg(each, ' ' ORDER BY each) FROM unnest(reloptions) AS each),
    (
        SELECT string_agg(
            'of ' || inhparent::regclass || coalesce(' ' || pg_get_expr(relpartbound, tables.oid), '')
            || CASE to_jsonb(i) ->> 'inhdetachpending' WHEN 'true' THEN ' (half detached)' ELSE '' END,
            ', ' ORDER BY inhseqno
        ) FROM pg_inherits AS i WHERE inhrelid = tables.oid
    )
) FROM tables
UNION ALL
SELECT 'partition key', place, '', pg_get_partkeydef(oid) FROM tables WHERE relkind = 'p'
UNION ALL
SELECT 'column', place, quote_ident(attname), concat_ws(' ', format_type(atttypid, atttypmod),
    CASE WHEN attcollation <> typcollation THEN 'COLLATE ' || attcollation::regcollation END,
    CASE WHEN attnotnull THEN 'NOT NULL' END,
    CASE attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity by default' END,
    CASE to_jsonb(a) ->> 'attgenerated' WHEN 's' THEN 'generated' WHEN 'v' THEN 'generated when read' END,
    CASE WHEN attstorage <> typstorage THEN 'storage ' || attstorage::text END,
    'compression ' || nullif(to_jsonb(a) ->> 'attcompression', ''),
    CASE WHEN relkind <> 'v' THEN 'statistics ' || nullif(attstattarget, -1) END,
    (SELECT 'with ' || string_agg(each, ' ' ORDER BY each) FROM unnest(attoptions) AS each))
FROM tables INNER JOIN pg_attribute AS a ON attrelid = tables.oid INNER JOIN pg_type AS t ON t.oid = atttypid
WHERE attnum > 0 AND NOT attisdropped
UNION ALL
SELECT CASE to_jsonb(a) ->> 'attgenerated' WHEN '' THEN 'default' ELSE 'generated' END,
    place, quote_ident(attname), pg_get_expr(adbin, adrelid)
FROM tables INNER JOIN pg_attrdef ON adrelid = tables.oid
INNER JOIN pg_attribute AS a ON attrelid = adrelid AND attnum = adnum
UNION ALL
SELECT CASE WHEN indisvalid OR i.relkind = 'I' THEN 'index' ELSE 'invalid index' END, place,
    format('%I.%I', nspname, i.relname), concat_ws(' ', pg_get_indexdef(indexrelid),
    CASE WHEN NOT indisvalid AND i.relkind = 'I' THEN '(not on all partitions)' END)
FROM tables INNER JOIN pg_index ON indrelid = tables.oid INNER JOIN pg_class AS i ON i.oid = indexrelid
INNER JOIN pg_namespace AS n ON n.oid = i.relnamespace
UNION ALL
SELECT 'index use', place, format('%I.%I', nspname, i.relname), concat_ws(', ',
    CASE WHEN indisclustered THEN 'clustered' END, CASE WHEN indisreplident THEN 'replica identity' END)
FROM tables INNER JOIN pg_index ON indrelid = tables.oid INNER JOIN pg_class AS i ON i.oid = indexrelid
INNER JOIN pg_namespace AS n ON n.oid = i.relnamespace
WHERE (indisclustered OR indisreplident) AND indisvalid
UNION ALL
SELECT 'constraint', place, quote_ident(conname), pg_get_constraintdef(c.oid)
FROM tables INNER JOIN pg_constraint AS c ON conrelid = tables.oid
-- PostgreSQL 18 keeps each NOT NULL as a constraint, too, whose name upgrades and renamed columns change
WHERE contype <> 't' AND (contype <> 'n' OR connoinherit OR NOT convalidated)
UNION ALL
SELECT 'trigger', place, quote_ident(tgname), CASE coalesce(to_jsonb(t) ->> 'tgparentid', '0')
    WHEN '0' THEN pg_get_triggerdef(t.oid) ELSE 'as its parent''s' END
FROM tables INNER JOIN pg_trigger AS t ON tgrelid = tables.oid WHERE NOT tgisinternal
UNION ALL
SELECT 'trigger state', place, quote_ident(tgname), CASE tgenabled
    WHEN 'O' THEN 'fires' WHEN 'D' THEN 'sleeps' WHEN 'A' THEN 'fires always' ELSE 'fires on replicas' END
FROM tables INNER JOIN pg_trigger AS t ON tgrelid = tables.oid WHERE NOT tgisinternal
UNION ALL
SELECT 'rule', place, quote_ident(rulename), pg_get_ruledef(r.oid)
FROM tables INNER JOIN pg_rewrite AS r ON ev_class = tables.oid WHERE rulename <> '_RETURN'
UNION ALL
SELECT 'rule state', place, quote_ident(rulename), CASE ev_enabled WHEN 'O' THEN 'acts' ELSE 'acts: ' || ev_enabled::text END
FROM tables INNER JOIN pg_rewrite AS r ON ev_class = tables.oid WHERE rulename <> '_RETURN'
UNION ALL
SELECT 'policy', place, quote_ident(polname), concat_ws(' ', CASE WHEN polpermissive THEN 'permits' ELSE 'restricts' END,
    CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
    ELSE 'ALL' END, 'to', (
        SELECT string_agg(CASE role WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(role)::text END, ', ' ORDER BY role <> 0,
            pg_get_userbyid(role)::text) FROM unnest(polroles) AS role
    ))
FROM tables INNER JOIN pg_policy ON polrelid = tables.oid
UNION ALL
SELECT 'policy using', place, quote_ident(polname), pg_get_expr(polqual, polrelid)
FROM tables INNER JOIN pg_policy ON polrelid = tables.oid WHERE polqual IS NOT NULL
UNION ALL
SELECT 'policy check', place, quote_ident(polname), pg_get_expr(polwithcheck, polrelid)
FROM tables INNER JOIN pg_policy ON polrelid = tables.oid WHERE polwithcheck IS NOT NULL
UNION ALL
SELECT 'view', place, '', pg_get_viewdef(oid) FROM tables WHERE relkind IN ('v', 'm')
UNION ALL
SELECT 'sequence', place, '', concat_ws(', ', format_type(seqtypid, NULL), 'from ' || seqstart, 'by ' || seqincrement,
    seqmin || ' to ' || seqmax, 'cache ' || seqcache, CASE WHEN seqcycle THEN 'cycles' END,
    CASE relpersistence WHEN 'u' THEN 'unlogged' END, (
        SELECT 'of ' || refobjid::regclass || '.' || attname FROM pg_depend
        INNER JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
        WHERE classid = 'pg_class'::regclass AND objid = relations.oid AND deptype IN ('a', 'i')
    ))
FROM relations INNER JOIN pg_sequence ON seqrelid = oid
UNION ALL
SELECT CASE prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, place, '', CASE WHEN prokind <> 'a'
    THEN pg_get_functiondef(oid) ELSE (
        SELECT concat_ws(' ', 'aggregate', aggkind::text, aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn,
            aggmtransfn, aggminvtransfn, aggmfinalfn, aggtranstype::regtype, aggsortop::regoper, agginitval)
        FROM pg_aggregate WHERE aggfnoid = routines.oid
    ) END
FROM routines
UNION ALL
SELECT 'type', place, '', concat_ws(' ', CASE typtype WHEN 'd' THEN 'domain over ' || format_type(typbasetype, typtypmod)
    WHEN 'e' THEN 'enum' WHEN 'r' THEN 'range over ' || (
        SELECT rngsubtype::regtype FROM pg_range WHERE rngtypid = types.oid
    ) ELSE 'row of ' || (
        SELECT string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
        FROM pg_attribute WHERE attrelid = typrelid AND NOT attisdropped
    ) END, CASE WHEN typtype = 'd' AND typnotnull THEN 'NOT NULL' END)
FROM types
UNION ALL
SELECT 'domain default', place, '', pg_get_expr(typdefaultbin, 0) FROM types
WHERE typtype = 'd' AND typdefaultbin IS NOT NULL
UNION ALL
SELECT 'domain constraint', place, quote_ident(conname), pg_get_constraintdef(c.oid)
FROM types INNER JOIN pg_constraint AS c ON contypid = types.oid WHERE contype <> 'n' -- since 17, as the domain says
UNION ALL
SELECT 'label', place, quote_literal(enumlabel), 'label ' || row_number() OVER (PARTITION BY enumtypid ORDER BY enumsortorder)
FROM types INNER JOIN pg_enum ON enumtypid = types.oid
UNION ALL
SELECT 'statistics', format('%I.%I', nspname, stxname), '', pg_get_statisticsobjdef(s.oid)
FROM pg_statistic_ext AS s INNER JOIN homes ON homes.oid = stxnamespace
UNION ALL
SELECT 'event trigger', evtname::text, '', concat_ws(' ', evtevent, evtfoid::regproc, evtenabled, evttags::text)
FROM pg_event_trigger AS e
WHERE NOT EXISTS (SELECT FROM extended WHERE classid = 'pg_event_trigger'::regclass AND objid = e.oid)
UNION ALL
SELECT o.type, o.identity, '', '' FROM others, pg_identify_object(class, oid, 0) AS o
WHERE oid >= 16384 AND (class, oid) NOT IN (SELECT classid, objid FROM extended)
UNION ALL
SELECT 'publication', p.pubname::text, format('%I.%I', schemaname, tablename), ''
FROM pg_publication AS p INNER JOIN pg_publication_tables AS t ON t.pubname = p.pubname WHERE NOT puballtables
UNION ALL
SELECT 'comment', o.type || ' ' || o.identity, '', description
FROM pg_description, pg_identify_object(classoid, objoid, objsubid) AS o
WHERE objoid >= 16384 AND classoid <> 'pg_largeobject'::regclass AND o.identity IS NOT NULL
AND (o.schema IS NULL OR o.schema !~ '^pg_') AND (classoid, objoid) NOT IN (SELECT classid, objid FROM extended)
AND classoid <> 'pg_extension'::regclass
UNION ALL
SELECT 'owner', what || ' ' || place, '', pg_get_userbyid(owner)::text FROM rights
UNION ALL
SELECT 'right', what || ' ' || place, privilege_type || ' to '
    || CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee)::text END,
    string_agg('by ' || pg_get_userbyid(grantor) || CASE WHEN is_grantable THEN ' with grant option' ELSE '' END, ', '
        ORDER BY pg_get_userbyid(grantor), is_grantable)
FROM granted GROUP BY what, place, privilege_type, grantee
UNION ALL
SELECT 'large objects', 'of ' || owner, rights, count(*)::text FROM (
    SELECT pg_get_userbyid(lomowner) AS owner, coalesce((
        SELECT string_agg(concat_ws(' ', privilege_type, 'to', grantee::regrole, is_grantable), ', '
            ORDER BY grantee::regrole::text, privilege_type)
        FROM aclexplode(lomacl)
    ), '') AS rights FROM pg_largeobject_metadata
) AS each GROUP BY owner, rights
