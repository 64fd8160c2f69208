-- curve_targets: the thresholds that training runs of a study are timed to: those of the suite on a
-- metric that the runs stream, and `target`, the value at which training counts as done (the suite's
-- stop rule, else the benchmark's own target), unless one of the former is just that.
-- Unit: `threshold` is in the unit of its metric.
-- Uses: progress_metrics, reference_values
-- Columns:
--   study_id     the study
--   run_id       its run
--   benchmark    full name of the benchmark
--   target_name  name of the threshold, or target
--   metric       the metric to watch
--   threshold    the value to reach; NULL if it is relative to a reference without a result
--   sign         1 if the metric is minimized, -1 if it is maximized
WITH streamed AS (
    SELECT DISTINCT s.run_id, s.benchmark, v.metric
    FROM (SELECT DISTINCT trial_id, metric FROM events) v
    JOIN trials t ON t.trial_id = v.trial_id
    JOIN studies s ON s.study_id = t.study_id
),
named AS (
    SELECT s.study_id, s.run_id, s.benchmark, h.name AS target_name, c.metric,
           h.value * CASE WHEN h.relative_to IS NULL THEN 1.0 ELSE r.median END AS threshold,
           coalesce(m.direction, CASE WHEN c.metric = s.objective THEN s.direction END, 'minimize')
               AS direction
    FROM thresholds h
    JOIN studies s ON s.study_id = h.study_id
    JOIN streamed c
      ON c.run_id = s.run_id AND c.benchmark = s.benchmark
     AND c.metric = coalesce(h.metric, s.objective)
    LEFT JOIN reference_values r
      ON r.run_id = s.run_id AND r.benchmark = s.benchmark AND r.reference = h.relative_to
     AND r.metric = c.metric
    LEFT JOIN metrics m
      ON m.run_id = s.run_id AND m.benchmark = s.benchmark AND m.metric = c.metric
),
own AS (
    SELECT s.study_id, s.run_id, s.benchmark, 'target' AS target_name, p.metric,
           coalesce(TRY_CAST(s.protocol ->> '$.stop.target' AS DOUBLE), p.target) AS threshold,
           p.direction
    FROM studies s
    JOIN progress_metrics p ON p.run_id = s.run_id AND p.benchmark = s.benchmark
),
every AS (
    SELECT * FROM named
    UNION ALL
    SELECT * FROM own o
    WHERE o.threshold IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM named n
                      WHERE n.study_id = o.study_id AND n.metric = o.metric
                        AND (n.target_name = 'target'
                             OR abs(n.threshold - o.threshold) <= 1e-9 * abs(o.threshold)))
)
SELECT study_id, run_id, benchmark, target_name, metric, threshold,
       CASE WHEN direction = 'maximize' THEN -1 ELSE 1 END AS sign
FROM every
