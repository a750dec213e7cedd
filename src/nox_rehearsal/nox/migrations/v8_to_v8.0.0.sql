-- The rehearsal's own NOX: in place of the product's v8_to_v8.0.0.sql, which is not in this repository.
--
-- psql -X -v ON_ERROR_STOP=1 -f v8_to_v8.0.0.sql, while 7.x serves. It may be run again, also after an
-- interrupted run. No index blocks writers (CONCURRENTLY, hence outside of any transaction), no statement
-- waits long for a lock that others then queue behind, and the version is written last, in one transaction
-- with the check that everything is there.

SET lock_timeout = '5s';
SET statement_timeout = '10min';
SET client_min_messages = warning;

-- One run at a time. It must not wait: CREATE INDEX CONCURRENTLY in the other run would wait for us.
DO $$
BEGIN
    IF NOT pg_try_advisory_lock(8, 0) THEN
        RAISE EXCEPTION 'another run of the 8.0.0 migration is under way';
    END IF;
END
$$;

-- ---------------------------------------------------------------- new tables

CREATE TABLE IF NOT EXISTS migration_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    migration text NOT NULL,
    step text NOT NULL,
    logged_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS migration_validation (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    migration text NOT NULL,
    check_name text NOT NULL,
    expected bigint NOT NULL,
    found bigint NOT NULL,
    passed boolean NOT NULL GENERATED ALWAYS AS (expected = found) STORED,
    checked_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO migration_log (migration, step) VALUES ('8.0.0', 'started');

CREATE TABLE IF NOT EXISTS system_configuration (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    config_key text NOT NULL UNIQUE,
    config_value jsonb NOT NULL,
    description text,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS webvitals_metrics (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    metric_name text NOT NULL CHECK (metric_name IN ('CLS', 'FCP', 'FID', 'INP', 'LCP', 'TTFB')),
    metric_value double precision NOT NULL CHECK (metric_value >= 0),
    page_path text NOT NULL,
    user_id bigint REFERENCES users (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS ai_security_audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint REFERENCES users (id) ON DELETE SET NULL,
    event_type text NOT NULL,
    severity text NOT NULL DEFAULT 'info' CHECK (severity IN ('info', 'warning', 'critical')),
    blocked boolean NOT NULL DEFAULT false,
    details jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS websocket_connections (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id bigint REFERENCES users (id) ON DELETE CASCADE,
    pod_name text NOT NULL,
    connected_at timestamptz NOT NULL DEFAULT now(),
    disconnected_at timestamptz,
    messages bigint NOT NULL DEFAULT 0 CHECK (messages >= 0),
    CHECK (disconnected_at >= connected_at)
);

CREATE TABLE IF NOT EXISTS admin_audit_trail (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    admin_id bigint REFERENCES users (id) ON DELETE SET NULL,
    action text NOT NULL,
    target_type text NOT NULL,
    target_id text,
    details jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS batch_job_collections (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id bigint REFERENCES users (id) ON DELETE CASCADE,
    name text NOT NULL,
    total_jobs bigint NOT NULL DEFAULT 0,
    completed_jobs bigint NOT NULL DEFAULT 0,
    failed_jobs bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (completed_jobs + failed_jobs <= total_jobs)
);

CREATE TABLE IF NOT EXISTS rate_limit_buckets (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bucket_key text NOT NULL UNIQUE,
    tokens double precision NOT NULL CHECK (tokens >= 0),
    capacity double precision NOT NULL CHECK (capacity > 0),
    refilled_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);

-- ---------------------------------------------------------------- new columns
-- Each has a constant default or none: no table is rewritten, and 7.x inserts need not know them.

ALTER TABLE users
ADD COLUMN IF NOT EXISTS last_login_at timestamptz,
ADD COLUMN IF NOT EXISTS mfa_enabled boolean NOT NULL DEFAULT false,
ADD COLUMN IF NOT EXISTS ai_daily_quota bigint NOT NULL DEFAULT 100;

ALTER TABLE computational_jobs
ADD COLUMN IF NOT EXISTS batch_id uuid,
ADD COLUMN IF NOT EXISTS priority bigint NOT NULL DEFAULT 5,
ADD COLUMN IF NOT EXISTS attempts bigint NOT NULL DEFAULT 0,
ADD COLUMN IF NOT EXISTS worker_name text,
ADD COLUMN IF NOT EXISTS progress_percent bigint NOT NULL DEFAULT 0,
ADD COLUMN IF NOT EXISTS cpu_seconds double precision,
ADD COLUMN IF NOT EXISTS peak_memory_bytes bigint,
ADD COLUMN IF NOT EXISTS tags jsonb NOT NULL DEFAULT '[]';

-- In two steps, so that the look at the existing rows does not keep writers out.
DO $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_constraint
        WHERE conname = 'computational_jobs_batch_id_fkey' AND conrelid = 'computational_jobs'::regclass
    ) THEN
        ALTER TABLE computational_jobs
        ADD CONSTRAINT computational_jobs_batch_id_fkey
        FOREIGN KEY (batch_id) REFERENCES batch_job_collections (id) ON DELETE SET NULL NOT VALID;
    END IF;
END
$$;

-- Validating twice is no harm.
-- squawk-ignore prefer-robust-stmts
ALTER TABLE computational_jobs VALIDATE CONSTRAINT computational_jobs_batch_id_fkey;

-- ---------------------------------------------------------------- indexes

-- An interrupted CREATE INDEX CONCURRENTLY leaves an invalid index, and IF NOT EXISTS would keep it.
DO $$
DECLARE
    broken regclass;
BEGIN
    FOR broken IN
        SELECT i.indexrelid::regclass
        FROM pg_index AS i
        INNER JOIN pg_class AS c ON c.oid = i.indexrelid
        WHERE NOT i.indisvalid AND c.relname LIKE 'idx\_%' AND c.relnamespace = current_schema()::regnamespace
    LOOP
        EXECUTE format('DROP INDEX %s', broken);
    END LOOP;
END
$$;

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_last_login ON users (last_login_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_batch ON computational_jobs (batch_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_status_created ON computational_jobs (status, created_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_queue ON computational_jobs (priority, created_at)
WHERE status = 'queued';
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_worker ON computational_jobs (worker_name)
WHERE status = 'running';
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_tags ON computational_jobs USING gin (tags);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_webvitals_created ON webvitals_metrics (created_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_webvitals_metric ON webvitals_metrics (metric_name, created_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_webvitals_page ON webvitals_metrics (page_path);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_ai_security_created ON ai_security_audit (created_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_ai_security_user ON ai_security_audit (user_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_ai_security_blocked ON ai_security_audit (severity, created_at)
WHERE blocked;
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_websocket_user ON websocket_connections (user_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_websocket_open ON websocket_connections (pod_name)
WHERE disconnected_at IS NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_websocket_connected ON websocket_connections (connected_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_admin_audit_admin ON admin_audit_trail (admin_id, created_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_admin_audit_target ON admin_audit_trail (target_type, target_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_admin_audit_created ON admin_audit_trail (created_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_batch_user ON batch_job_collections (user_id, created_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_rate_limit_expires ON rate_limit_buckets (expires_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_migration_validation ON migration_validation (migration, checked_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_migration_log ON migration_log (migration, logged_at);

-- ---------------------------------------------------------------- statistics of batches

CREATE OR REPLACE FUNCTION update_batch_job_stats() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    touched uuid[] := '{}';
BEGIN
    IF TG_OP <> 'DELETE' THEN
        touched := touched || NEW.batch_id;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        touched := touched || OLD.batch_id;
    END IF;
    touched := array_remove(touched, NULL);
    IF touched <> '{}' THEN
        -- in order, so that two transactions cannot lock the same two batches crosswise
        PERFORM FROM batch_job_collections WHERE id = ANY (touched) ORDER BY id FOR UPDATE;
        UPDATE batch_job_collections AS batch
        SET total_jobs = jobs.total,
            completed_jobs = jobs.completed,
            failed_jobs = jobs.failed,
            updated_at = now()
        FROM (
            SELECT
                b.id,
                count(j.id) AS total,
                count(j.id) FILTER (WHERE j.status = 'completed') AS completed,
                count(j.id) FILTER (WHERE j.status = 'failed') AS failed
            FROM batch_job_collections AS b
            LEFT JOIN computational_jobs AS j ON j.batch_id = b.id
            WHERE b.id = ANY (touched)
            GROUP BY b.id
        ) AS jobs
        WHERE batch.id = jobs.id;
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER trigger_update_batch_stats
AFTER INSERT OR DELETE OR UPDATE OF status, batch_id ON computational_jobs
FOR EACH ROW EXECUTE FUNCTION update_batch_job_stats();

-- ---------------------------------------------------------------- check, then the version

INSERT INTO migration_validation (migration, check_name, expected, found)
SELECT '8.0.0', 'tables', 9, count(*) FROM pg_class
WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relname IN (
    'webvitals_metrics', 'ai_security_audit', 'websocket_connections', 'system_configuration',
    'admin_audit_trail', 'batch_job_collections', 'rate_limit_buckets', 'migration_validation',
    'migration_log'
)
UNION ALL
SELECT '8.0.0', 'columns', 11, count(*) FROM pg_attribute
WHERE NOT attisdropped AND (
    (
        attrelid = 'users'::regclass
        AND attname IN ('last_login_at', 'mfa_enabled', 'ai_daily_quota')
    ) OR (
        attrelid = 'computational_jobs'::regclass
        AND attname IN (
            'batch_id', 'priority', 'attempts', 'worker_name', 'progress_percent', 'cpu_seconds',
            'peak_memory_bytes', 'tags'
        )
    )
)
UNION ALL
SELECT '8.0.0', 'valid indexes', 22, count(*) FROM pg_index AS i
INNER JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indisvalid AND c.relnamespace = current_schema()::regnamespace AND c.relname LIKE 'idx\_%'
UNION ALL
SELECT '8.0.0', 'invalid indexes', 0, count(*) FROM pg_index WHERE NOT indisvalid
UNION ALL
SELECT '8.0.0', 'function', 1, count(*) FROM pg_proc
WHERE proname = 'update_batch_job_stats' AND pronamespace = current_schema()::regnamespace
UNION ALL
SELECT '8.0.0', 'trigger', 1, count(*) FROM pg_trigger
WHERE
    tgname = 'trigger_update_batch_stats'
    AND tgrelid = 'computational_jobs'::regclass
    AND tgenabled = 'O';

BEGIN;

-- The answers of this run count; fewer than six means that the look itself failed.
DO $$
DECLARE
    passed_checks bigint;
    wrong text;
BEGIN
    SELECT
        count(*) FILTER (WHERE newest.passed),
        string_agg(
            format('%s: expected %s, found %s', newest.check_name, newest.expected, newest.found), '; '
        ) FILTER (WHERE NOT newest.passed)
    INTO passed_checks, wrong
    FROM (
        SELECT DISTINCT ON (v.check_name) v.check_name, v.expected, v.found, v.passed
        FROM migration_validation AS v
        WHERE v.migration = '8.0.0' AND v.checked_at >= (
            SELECT max(logged_at) FROM migration_log WHERE migration = '8.0.0' AND step = 'started'
        )
        ORDER BY v.check_name, v.id DESC
    ) AS newest;
    IF wrong IS NOT NULL OR passed_checks <> 6 THEN
        RAISE EXCEPTION 'the 8.0.0 migration is not complete: %', coalesce(wrong, 'the check did not run');
    END IF;
END
$$;

INSERT INTO system_configuration (config_key, config_value, description)
VALUES ('database_schema_version', '"8.0.0"', 'The release whose schema this is')
ON CONFLICT (config_key) DO UPDATE SET config_value = excluded.config_value, updated_at = now();

INSERT INTO migration_log (migration, step) VALUES ('8.0.0', 'finished');

COMMIT;

DO $$
BEGIN
    PERFORM pg_advisory_unlock(8, 0);
END
$$;
