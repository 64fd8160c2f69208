-- time_to_target: how long each study took until it first reached each of its thresholds, on two
-- clocks, as an interval: the truth lies between the last evaluation before and the first that
-- reached it. Failed trials never reach anything but count on both clocks.
-- Unit: `lower` and `upper` are in evaluations or seconds, as `clock` says; `threshold` is in the
-- unit of its metric.
-- Uses: evaluations, reference_values
-- Columns:
--   study_id     the study
--   benchmark    full name of the benchmark
--   optimizer    label of the optimizer
--   seed         the study's seed
--   target_name  name of the threshold
--   threshold    the value to reach: absolute, or a factor times the reference's median in this run;
--                NULL if that reference gave no result, then `reached` is NULL too
--   clock        evaluations or seconds (the study's own clock)
--   lower        clock at the last evaluation before the threshold was reached, 0 if there is none;
--                if it was not reached, where the study ended
--   upper        clock at the first evaluation that reached it; NULL if it was not reached
--   reached      whether it was reached
--   metric       the metric that is watched
--   run_id       the run
WITH wanted AS (
    SELECT s.study_id, s.run_id, s.benchmark, s.optimizer, s.seed, h.name AS target_name,
           coalesce(h.metric, s.objective) AS metric, s.objective,
           h.value * CASE WHEN h.relative_to IS NULL THEN 1.0 ELSE r.median END AS threshold,
           CASE WHEN coalesce(m.direction, s.direction) = 'maximize' THEN -1 ELSE 1 END AS sign
    FROM studies s
    JOIN thresholds h USING (study_id)
    LEFT JOIN reference_values r
      ON r.run_id = s.run_id AND r.benchmark = s.benchmark AND r.reference = h.relative_to
     AND r.metric = coalesce(h.metric, s.objective)
    LEFT JOIN metrics m
      ON m.run_id = s.run_id AND m.benchmark = s.benchmark
     AND m.metric = coalesce(h.metric, s.objective)
    WHERE s.role = 'optimizer'
),
others AS (  -- metrics that are no objective: a trial's value is the median of its samples
    SELECT trial_id, metric, median(value) AS value
    FROM samples
    WHERE metric IN (SELECT metric FROM wanted WHERE metric <> objective)
    GROUP BY trial_id, metric
),
main_hits AS (
    SELECT w.study_id, w.target_name, min(e.number) AS number
    FROM wanted w
    JOIN evaluations e ON e.study_id = w.study_id
    WHERE w.metric IS NOT DISTINCT FROM w.objective
      AND w.sign * e.objective <= w.sign * w.threshold
    GROUP BY w.study_id, w.target_name
),
other_hits AS (
    SELECT w.study_id, w.target_name, min(e.number) AS number
    FROM wanted w
    JOIN evaluations e ON e.study_id = w.study_id
    JOIN trials t ON t.trial_id = e.trial_id
    LEFT JOIN others o ON o.trial_id = e.trial_id AND o.metric = w.metric
    WHERE w.metric <> w.objective AND e.status <> 'failed'
      AND isfinite(coalesce(t.objectives[w.metric], o.value))
      AND w.sign * coalesce(t.objectives[w.metric], o.value) <= w.sign * w.threshold
    GROUP BY w.study_id, w.target_name
),
hits AS (FROM main_hits UNION ALL FROM other_hits),
clocks AS (
    SELECT w.study_id, w.target_name,
           count(*) FILTER (e.number <= h.number) AS hit_evaluation,
           max(e.elapsed_s) FILTER (e.number = h.number) AS hit_s,
           arg_max(e.elapsed_s, e.number) FILTER (e.number < h.number) AS before_s,
           count(e.number) AS evaluations, arg_max(e.elapsed_s, e.number) AS end_s,
           any_value(h.number) IS NOT NULL AS reached
    FROM wanted w
    LEFT JOIN hits h ON h.study_id = w.study_id AND h.target_name = w.target_name
    LEFT JOIN evaluations e ON e.study_id = w.study_id
    GROUP BY w.study_id, w.target_name
)
SELECT w.study_id, w.benchmark, w.optimizer, w.seed, w.target_name, w.threshold, k.clock,
       CASE WHEN w.threshold IS NULL THEN NULL
            WHEN k.clock = 'evaluations'
            THEN CASE WHEN c.reached THEN c.hit_evaluation - 1 ELSE c.evaluations END::DOUBLE
            WHEN c.reached THEN coalesce(c.before_s, 0.0)
            ELSE coalesce(c.end_s, 0.0) END AS lower,
       CASE WHEN NOT c.reached THEN NULL
            WHEN k.clock = 'evaluations' THEN c.hit_evaluation::DOUBLE
            ELSE c.hit_s END AS upper,
       CASE WHEN w.threshold IS NOT NULL THEN c.reached END AS reached,
       w.metric, w.run_id
FROM wanted w
JOIN clocks c ON c.study_id = w.study_id AND c.target_name = w.target_name
CROSS JOIN (VALUES ('evaluations'), ('seconds')) k(clock)
