-- progress_metrics: which metric tells how far training has come, per run and benchmark: the one that
-- the benchmark declares; else that of a threshold; else the first objective; else the only one.
-- Benchmarks without any event have no row.
-- Unit: `target` is in `unit`.
-- Columns:
--   run_id     the run
--   benchmark  full name of the benchmark
--   metric     the progress metric
--   unit       its unit; NULL if unknown
--   direction  minimize or maximize
--   target     the benchmark's own target; NULL if it has none
--   declared   whether the benchmark declares the metric
WITH streamed AS (
    SELECT s.run_id, s.benchmark, v.metric, any_value(s.objective) AS objective,
           any_value(s.direction) AS direction
    FROM (SELECT DISTINCT trial_id, metric FROM events) v
    JOIN trials t ON t.trial_id = v.trial_id
    JOIN studies s ON s.study_id = t.study_id
    GROUP BY s.run_id, s.benchmark, v.metric
),
asked AS (
    SELECT DISTINCT s.run_id, s.benchmark, coalesce(h.metric, s.objective) AS metric
    FROM thresholds h
    JOIN studies s ON s.study_id = h.study_id
),
declared AS (
    SELECT run_id, benchmark, details ->> '$.curve.metric' AS metric,
           TRY_CAST(details ->> '$.curve.target' AS DOUBLE) AS target
    FROM benchmarks
    WHERE details ->> '$.curve.metric' IS NOT NULL
),
ranked AS (
    SELECT c.run_id, c.benchmark, c.metric, d.metric IS NOT NULL AS declared, d.target,
           CASE WHEN c.metric = c.objective THEN c.direction END AS direction,
           row_number() OVER (PARTITION BY c.run_id, c.benchmark
                              ORDER BY d.metric IS NOT NULL DESC, a.metric IS NOT NULL DESC,
                                       c.metric = c.objective DESC NULLS LAST, c.metric) AS place
    FROM streamed c
    LEFT JOIN declared d
      ON d.run_id = c.run_id AND d.benchmark = c.benchmark AND d.metric = c.metric
    LEFT JOIN asked a ON a.run_id = c.run_id AND a.benchmark = c.benchmark AND a.metric = c.metric
)
SELECT r.run_id, r.benchmark, r.metric, m.unit,
       coalesce(m.direction, r.direction, 'minimize') AS direction, r.target, r.declared
FROM ranked r
LEFT JOIN metrics m
  ON m.run_id = r.run_id AND m.benchmark = r.benchmark AND m.metric = r.metric
WHERE r.place = 1
