-- failures: how many of an optimizer's trials failed, by kind. Cancelled trials are listed here,
-- though they count nowhere else. No failure, no row.
-- Unit: counts and shares (0 to 1).
-- Columns:
--   run_id        the run
--   benchmark     full name of the benchmark
--   optimizer     label of the optimizer
--   failure_kind  build, crash, timeout, memory, wrong_result, resource, missing, missing_requirement,
--                 not_reached, cancelled or internal
--   failures      trials that failed so
--   trials        all trials of the optimizer on the benchmark in this run
--   share         failures / trials
--   example       the message of the first of them
WITH counted AS (
    SELECT s.run_id, s.benchmark, s.optimizer, t.failure_kind, count(*) AS n,
           count(*) FILTER (t.status = 'failed') AS failures,
           arg_min(t.message, t.number) FILTER (t.status = 'failed') AS example
    FROM trials t
    JOIN studies s USING (study_id)
    WHERE s.role = 'optimizer' AND t.reference IS NULL
    GROUP BY s.run_id, s.benchmark, s.optimizer, t.failure_kind
)
SELECT run_id, benchmark, optimizer, failure_kind, failures, trials, failures / trials AS share,
       example
FROM (SELECT *, sum(n) OVER (PARTITION BY run_id, benchmark, optimizer)::BIGINT AS trials
      FROM counted)
WHERE failures > 0
