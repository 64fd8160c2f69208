-- time_to_target: how long each study took until it first reached each of its thresholds, on two
-- clocks, as an interval: the truth lies between the last evaluation before and the first that
-- reached it. Failed trials count on both clocks. They never reach anything, with one exception: a
-- threshold on a metric that trials stream is looked for inside their progress curves, wherever
-- these ended (a refuted result, wrong_result, counts for nothing); the clock in seconds is then
-- that of the look inside the trial.
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
--   lower        clock at the last evaluation (or look inside one) before the threshold was reached,
--                0 if there is none; if it was not reached, where the study ended
--   upper        clock at the first evaluation (or look) that reached it; NULL if it was not reached
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
looks AS (  -- inside progress curves
    SELECT w.study_id, w.target_name, e.trial_id, min(v.seq) AS seq, any_value(e.number) AS number
    FROM wanted w
    JOIN evaluations e ON e.study_id = w.study_id
    JOIN events v ON v.trial_id = e.trial_id AND v.metric = w.metric
    WHERE isfinite(v.value) AND e.failure_kind IS DISTINCT FROM 'wrong_result'
      AND w.sign * (v.value - w.threshold) <= 1e-9 * abs(w.threshold)
    GROUP BY w.study_id, w.target_name, e.trial_id
),
hits AS (
    SELECT study_id, target_name, min(number) AS number
    FROM (SELECT * FROM main_hits UNION ALL FROM other_hits
          UNION ALL SELECT study_id, target_name, number FROM looks)
    GROUP BY study_id, target_name
),
inside AS (  -- the look that found it, and the one before, on the study's clock
    SELECT h.study_id, h.target_name, any_value(b.began_s) AS began_s,
           max(coalesce(v.wall_s, v.train_s)) FILTER (v.seq = k.seq) AS look_s,
           max(coalesce(v.wall_s, v.train_s)) FILTER (v.seq < k.seq) AS before_s
    FROM hits h
    JOIN looks k
      ON k.study_id = h.study_id AND k.target_name = h.target_name AND k.number = h.number
    JOIN wanted w ON w.study_id = h.study_id AND w.target_name = h.target_name
    JOIN (SELECT trial_id, elapsed_s - total_s + coalesce(ask_s, 0) + coalesce(build_s, 0)
                           + coalesce(verify_s, 0) AS began_s
          FROM trials) b ON b.trial_id = k.trial_id
    JOIN events v ON v.trial_id = k.trial_id AND v.metric = w.metric
    GROUP BY h.study_id, h.target_name
),
ends AS (
    SELECT w.study_id, w.target_name,
           count(*) FILTER (e.number <= h.number) AS hit_evaluation,
           max(e.elapsed_s) FILTER (e.number = h.number) AS hit_s,
           coalesce(arg_max(e.elapsed_s, e.number) FILTER (e.number < h.number), 0.0) AS before_s,
           count(e.number) AS evaluations, arg_max(e.elapsed_s, e.number) AS end_s,
           any_value(h.number) IS NOT NULL AS reached
    FROM wanted w
    LEFT JOIN hits h ON h.study_id = w.study_id AND h.target_name = w.target_name
    LEFT JOIN evaluations e ON e.study_id = w.study_id
    GROUP BY w.study_id, w.target_name
),
clocks AS (  -- a look lies between the ends of its trial
    SELECT e.study_id, e.target_name, e.hit_evaluation, e.evaluations, e.end_s, e.reached,
           least(e.hit_s, greatest(e.before_s, coalesce(i.began_s + i.look_s, e.hit_s))) AS hit_s,
           least(e.hit_s, greatest(e.before_s, coalesce(i.began_s + i.before_s, e.before_s)))
               AS before_s
    FROM ends e
    LEFT JOIN inside i ON i.study_id = e.study_id AND i.target_name = e.target_name
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
