-- percent_of_peak: how near the best of each study comes to what the hardware can do. A row exists
-- only where a peak is known: the benchmark's floor (roofline) for its objective, or a metric
-- `percent_of_peak` measured by the target. An unknown peak gives no row, never a zero.
-- Unit: per cent; `best` and `peak` are in `objective_unit`.
-- Uses: evaluations
-- Columns:
--   run_id           the run
--   benchmark        full name of the benchmark
--   optimizer        label of the optimizer
--   study_id         the study
--   seed             its seed
--   source           floor (from the benchmark's floor) or metric (measured by the target)
--   best             the study's best objective
--   peak             the floor; NULL if the target measured the share itself
--   percent_of_peak  100: at the peak
--   objective_unit   unit of `best` and `peak`
WITH bests AS (
    SELECT run_id, benchmark, optimizer, study_id, seed, any_value(metric) AS metric,
           any_value(direction) AS direction, any_value(objective_unit) AS objective_unit,
           arg_min(objective, loss) AS best, arg_min(trial_id, loss) AS trial_id
    FROM evaluations
    WHERE loss IS NOT NULL
    GROUP BY run_id, benchmark, optimizer, study_id, seed
),
floors AS (
    SELECT run_id, benchmark, TRY_CAST(floors ->> objective AS DOUBLE) AS peak
    FROM benchmarks
),
shares AS (
    SELECT trial_id, median(value) AS share
    FROM samples
    WHERE metric = 'percent_of_peak' AND trial_id IN (SELECT trial_id FROM bests)
    GROUP BY trial_id
)
SELECT b.run_id, b.benchmark, b.optimizer, b.study_id, b.seed, 'floor' AS source, b.best, f.peak,
       100 * CASE WHEN b.direction = 'maximize' THEN b.best / f.peak ELSE f.peak / b.best END
           AS percent_of_peak,
       b.objective_unit
FROM bests b
JOIN floors f ON f.run_id = b.run_id AND f.benchmark = b.benchmark
WHERE f.peak > 0 AND b.best > 0
UNION ALL
SELECT b.run_id, b.benchmark, b.optimizer, b.study_id, b.seed, 'metric', b.best, NULL, s.share,
       b.objective_unit
FROM bests b
JOIN shares s ON s.trial_id = b.trial_id
WHERE isfinite(s.share)
