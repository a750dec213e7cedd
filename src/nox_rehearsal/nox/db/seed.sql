-- The rehearsal's own NOX: the same rows on every machine. User 1 is an administrator, user 2 a user.
BEGIN;

INSERT INTO users (id, email, display_name, role, oauth_provider, oauth_subject, settings, created_at)
SELECT
    n,
    format('chemist%s@nox.example', lpad(n::text, 2, '0')),
    format('Chemist %s', n),
    CASE WHEN n = 1 THEN 'admin' ELSE 'user' END,
    (ARRAY['google', 'github', 'microsoft'])[1 + n % 3],
    format('subject-%s', n),
    jsonb_build_object('theme', (ARRAY['light', 'dark'])[1 + n % 2], 'units', 'SI', 'notify', n % 4 = 0),
    timestamptz '2025-01-01 08:00:00+00' + n * interval '1 day'
FROM generate_series(1, 40) AS n;

-- straight-chain alkanes, alcohols and carboxylic acids
INSERT INTO molecules (smiles, name, formula, carbons)
SELECT repeat('C', n), format('n-alkane C%s', n), format('C%sH%s', n, 2 * n + 2), n
FROM generate_series(2, 21) AS n
UNION ALL
SELECT repeat('C', n) || 'O', format('1-alkanol C%s', n), format('C%sH%sO', n, 2 * n + 2), n
FROM generate_series(2, 21) AS n
UNION ALL
SELECT repeat('C', n - 1) || 'C(=O)O', format('n-alkanoic acid C%s', n), format('C%sH%sO2', n, 2 * n), n
FROM generate_series(2, 21) AS n;

-- jobs that 7.x finished: Joback's boiling points (K) of the alkanes, 198.2 + 2 CH3 + (n - 2) CH2
INSERT INTO computational_jobs (
    id, user_id, engine, input, input_hash, status, result, created_at, started_at, finished_at
)
SELECT
    md5(format('job %s of user %s', n, u))::uuid,
    u,
    'empirical',
    jsonb_build_object('smiles', repeat('C', n), 'property', 'boiling_point', 'asked_by', u),
    encode(sha256(format('job %s of user %s', n, u)::bytea), 'hex'),
    'completed',
    jsonb_build_object(
        'value', 198.2 + 2 * 23.58 + (n - 2) * 22.88, 'unit', 'K', 'method', 'Joback'
    ),
    asked,
    asked + interval '1 second',
    asked + interval '2 seconds'
FROM generate_series(1, 40) AS u
CROSS JOIN generate_series(2, 9) AS n
CROSS JOIN LATERAL (
    SELECT timestamptz '2025-03-01 09:00:00+00' + u * interval '1 day' + n * interval '7 minutes' AS asked
) AS t;

INSERT INTO daily_usage (day, user_id, requests)
SELECT date '2025-03-01' + d, u, (u * 37 + d * 11) % 400
FROM generate_series(1, 20) AS u
CROSS JOIN generate_series(0, 9) AS d;

SELECT setval(pg_get_serial_sequence('users', 'id'), (SELECT max(id) FROM users));

INSERT INTO reagents (name, state, hazard, grams)
SELECT
    format('reagent %s', n),
    (ARRAY['in stock', 'ordered', 'used up'])[1 + n % 3],
    (ARRAY['none', 'irritant', 'toxic'])[1 + n % 3]::hazard,
    n * 1.5
FROM generate_series(1, 30) AS n;

INSERT INTO readings (taken_at, reagent_id, celsius)
SELECT timestamptz '2025-06-01 00:00:00+00' + n * interval '10 days', 1 + n % 30, 20 + n
FROM generate_series(1, 90) AS n;

INSERT INTO notebooks (owner, page) VALUES ('everybody', E'Wash your hands.\r\nWARNING: twice.');

SELECT lo_from_bytea(0, 'a photograph of a crystal');

COMMIT;
