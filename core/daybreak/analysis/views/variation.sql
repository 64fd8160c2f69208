-- variation: how much results scatter, from three sources told apart. `samples`: repeats within a
-- trial. `references`: the same reference measured again during the run, thus drift and noise of
-- the machine; where a benchmark draws from the study's seed, as training does, its luck too.
-- `studies`: the best results of studies that differ in their seed; of those that have one.
-- Unit: `median` is in `objective_unit`; `spread` is a ratio.
-- Uses: evaluations
-- Columns:
--   run_id          the run
--   benchmark       full name of the benchmark
--   optimizer       label of the optimizer; for `references` the name of the reference
--   level           samples, references or studies
--   n               trials with at least two samples, measurements, or studies
--   median          median of their values
--   spread          interquartile range over the median; for `samples` the median of that over the
--                   trials; NULL for a single value
--   objective_unit  unit of the objective
WITH repeated AS (
    SELECT p.trial_id, quantile_cont(p.value, [0.25, 0.5, 0.75]) AS quarters
    FROM samples p
    JOIN evaluations e ON e.trial_id = p.trial_id AND e.metric = p.metric
    WHERE isfinite(p.value) AND e.loss IS NOT NULL
    GROUP BY p.trial_id
    HAVING count(*) > 1
),
bests AS (
    SELECT run_id, benchmark, optimizer, study_id, arg_min(objective, loss) AS best,
           any_value(objective_unit) AS objective_unit
    FROM evaluations
    WHERE loss IS NOT NULL
    GROUP BY run_id, benchmark, optimizer, study_id
)
SELECT e.run_id, e.benchmark, e.optimizer, 'samples' AS level, count(*) AS n,
       median(r.quarters[2]) AS median,
       median((r.quarters[3] - r.quarters[1]) / nullif(abs(r.quarters[2]), 0)) AS spread,
       any_value(e.objective_unit) AS objective_unit
FROM repeated r
JOIN evaluations e ON e.trial_id = r.trial_id
GROUP BY e.run_id, e.benchmark, e.optimizer
UNION ALL
SELECT s.run_id, s.benchmark, t.reference, 'references', count(*), median(t.objective),
       CASE WHEN count(*) > 1
            THEN (quantile_cont(t.objective, 0.75) - quantile_cont(t.objective, 0.25))
                 / nullif(abs(median(t.objective)), 0) END,
       any_value(t.objective_unit)
FROM trials t
JOIN studies s USING (study_id)
WHERE t.reference IS NOT NULL AND t.status <> 'failed' AND isfinite(t.objective)
GROUP BY s.run_id, s.benchmark, t.reference
UNION ALL
SELECT run_id, benchmark, optimizer, 'studies', count(*), median(best),
       CASE WHEN count(*) > 1
            THEN (quantile_cont(best, 0.75) - quantile_cont(best, 0.25))
                 / nullif(abs(median(best)), 0) END,
       any_value(objective_unit)
FROM bests
GROUP BY run_id, benchmark, optimizer
