-- training_repeats: which training runs are repeats of one another. On a benchmark whose seed decides
-- everything that is drawn, runs of one configuration with one seed are one training, timed again (as
-- references are during a run): they say nothing of other seeds, so the statistics keep one of them,
-- the middle one by its clock; of two in the middle the one recorded first, since the quicker one
-- would flatter what is repeated. On other benchmarks every run is one of its own.
-- Unit: counts.
-- Uses: progress_metrics
-- Columns:
--   trial_id   the trial
--   run_id     its run
--   benchmark  full name of the benchmark
--   repeats    runs of that training, this one among them
--   kept       whether it is the one that statistics keep
WITH clocks AS (
    SELECT trial_id, max(coalesce(train_s, wall_s)) AS clock_s
    FROM events
    GROUP BY trial_id
),
runs AS (
    SELECT t.trial_id, s.run_id, s.benchmark, coalesce(t.reference, s.optimizer) AS entry, s.seed,
           t.configuration::VARCHAR AS configuration,
           CASE WHEN coalesce(b.details ->> '$.seeded' = 'true', false) THEN 0
                ELSE t.trial_id END AS luck,
           coalesce(c.clock_s, t.measure_s, 0) AS clock_s
    FROM trials t
    JOIN studies s ON s.study_id = t.study_id
    JOIN progress_metrics p ON p.run_id = s.run_id AND p.benchmark = s.benchmark
    LEFT JOIN benchmarks b ON b.run_id = s.run_id AND b.benchmark = s.benchmark
    LEFT JOIN clocks c ON c.trial_id = t.trial_id
    WHERE t.failure_kind IS DISTINCT FROM 'cancelled'
),
ranked AS (
    SELECT *, count(*) OVER same AS repeats, row_number() OVER (same ORDER BY clock_s) AS place
    FROM runs
    WINDOW same AS (PARTITION BY run_id, benchmark, entry, seed, configuration, luck)
)
SELECT trial_id, run_id, benchmark, repeats,
       row_number() OVER (PARTITION BY run_id, benchmark, entry, seed, configuration, luck
                          ORDER BY abs(2 * place - repeats - 1), trial_id) = 1 AS kept
FROM ranked
