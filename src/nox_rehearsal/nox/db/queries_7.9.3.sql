-- What the rehearsal's NOX API 7.9.3 and its worker send, with values of the seed in place of parameters. They
-- are asked in this order, in one transaction that is rolled back: before the migration, and after it.

-- /ready
SELECT 1;

-- /user/profile, /user/settings, /user/history
SELECT id, email, display_name, role, oauth_provider, created_at
FROM users WHERE id = 2;

SELECT settings FROM users WHERE id = 2;

SELECT id AS job_id, engine, status, input, created_at, finished_at
FROM computational_jobs WHERE user_id = 2 ORDER BY created_at DESC, id LIMIT 50;

-- /admin/stats, /metrics
SELECT (SELECT count(*) FROM users) AS users,
       (SELECT count(*) FROM molecules) AS molecules,
       (SELECT count(*) FROM computational_jobs) AS jobs;

SELECT status, count(*) AS jobs FROM computational_jobs GROUP BY status;

-- a job is asked for, queued, found again by its id
SELECT id, status, result, error FROM computational_jobs
WHERE input_hash = encode(sha256('a job that is not there'), 'hex');

WITH queued AS (
    INSERT INTO computational_jobs (user_id, engine, input, input_hash)
    VALUES (
        (SELECT id FROM users WHERE id = 2), 'xtb', '{"molecule": "CCO", "method": "GFN2-xTB"}',
        encode(sha256('a job that is not there'), 'hex')
    )
    ON CONFLICT (input_hash) DO UPDATE
    SET status = 'queued', error = NULL, started_at = NULL, finished_at = NULL
    WHERE computational_jobs.status = 'failed'
    RETURNING id, status, result, error
)

SELECT id, status, result, error, pg_notify('nox_jobs', '') FROM queued;

SELECT id, status, result, error FROM computational_jobs
WHERE id = md5('job 2 of user 2')::uuid;

-- the worker takes the job, gives it back, takes it again, completes it
LISTEN nox_jobs;

UPDATE computational_jobs SET status = 'running', started_at = now()
WHERE id = (
    SELECT id FROM computational_jobs
    WHERE status = 'queued' OR (status = 'running' AND started_at < now() - make_interval(secs => 120))
    ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING id, engine, input;

UPDATE computational_jobs SET status = 'queued', started_at = NULL
WHERE input_hash = encode(sha256('a job that is not there'), 'hex') AND status = 'running';

UPDATE computational_jobs SET status = 'running', started_at = now()
WHERE id = (
    SELECT id FROM computational_jobs
    WHERE status = 'queued' OR (status = 'running' AND started_at < now() - make_interval(secs => 120))
    ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING id, engine, input;

UPDATE computational_jobs SET status = 'completed', result = '{"energy": -11.39}', finished_at = now()
WHERE input_hash = encode(sha256('a job that is not there'), 'hex') AND status = 'running';

-- a job that fails
INSERT INTO computational_jobs (user_id, engine, input, input_hash, status, started_at)
VALUES (2, 'psi4', '{"geometry": "O"}', encode(sha256('a job that fails'), 'hex'), 'running', now());

UPDATE computational_jobs SET status = 'failed', error = 'no convergence', finished_at = now()
WHERE input_hash = encode(sha256('a job that fails'), 'hex') AND status = 'running';
