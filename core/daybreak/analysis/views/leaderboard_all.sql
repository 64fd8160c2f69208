-- leaderboard_all: how good the results of each optimizer are, per run and benchmark; all runs.
-- The best of each study at its end is one value; a study without any valid result counts as
-- worse than every other, so that failing is not rewarded. Where a benchmark has several objectives,
-- `best_*`, `versus_*`, `expert` and `baseline` are about the first one alone, and `share_*` says who
-- is ahead: the share of the joint front's hypervolume at the studies' ends. `best_low` to `best_high` is the
-- distribution-free 95 % confidence interval of the median from order statistics, for which six
-- studies are needed; with fewer it is the smallest and the largest.
-- Unit: `best_*`, `expert`, `baseline` are in `objective_unit`; `versus_*` are ratios; `share_*` go
-- from 0 to 1.
-- Uses: evaluations, front_share, reference_values
-- Columns:
--   benchmark       full name of the benchmark
--   optimizer       label of the optimizer
--   studies         studies (seeds) with at least one evaluation
--   best_median     median over studies of their best objective; NULL if most have none
--   best_low        lower end of its interval; NULL if unbounded
--   best_high       upper end of its interval; NULL if unbounded
--   versus_expert   how many times better than the expert reference of the same run: above 1 is
--                   better than the expert, whichever the direction; NULL if it was not measured
--   failures        evaluations that failed
--   evaluations     all evaluations
--   versus_default  the same ratio against the default reference
--   expert          median of the expert reference
--   baseline        median of the default reference
--   objective_unit  unit of the objective
--   direction       minimize or maximize
--   failed_studies  studies that ended with status failed, with or without evaluations
--   open_studies    studies that have not ended (running or interrupted)
--   run_id          the run
--   suite           the suite's name
--   machine_id      the machine that it ran on
--   share_median    with several objectives: median over studies of the share of the joint front's
--                   hypervolume (see `front_share`); NULL with one
--   share_low       lower end of its interval, as of `best_median`
--   share_high      upper end of its interval
WITH ended AS (
    SELECT study_id, count(*) AS evaluations, count(*) FILTER (status = 'failed') AS failures,
           min(loss) AS loss
    FROM evaluations
    GROUP BY study_id
),
grouped AS (
    SELECT s.run_id, s.benchmark, s.optimizer,
           any_value(s.direction) AS direction, any_value(s.objective) AS metric,
           any_value(s.objective_unit) AS objective_unit,
           count(e.study_id) AS studies,
           coalesce(sum(e.evaluations), 0)::BIGINT AS evaluations,
           coalesce(sum(e.failures), 0)::BIGINT AS failures,
           count(*) FILTER (s.status = 'failed') AS failed_studies,
           count(*) FILTER (s.status IN ('pending', 'running', 'interrupted')) AS open_studies,
           median(coalesce(e.loss, 'inf'::DOUBLE)) FILTER (e.study_id IS NOT NULL) AS middle,
           list_sort(list(coalesce(e.loss, 'inf'::DOUBLE)) FILTER (e.study_id IS NOT NULL))
               AS losses
    FROM studies s
    LEFT JOIN ended e ON e.study_id = s.study_id
    WHERE s.role = 'optimizer'
    GROUP BY s.run_id, s.benchmark, s.optimizer
),
shared AS (
    SELECT run_id, benchmark, optimizer, median(share) AS share_median,
           list_sort(list(share)) AS shares
    FROM front_share
    GROUP BY run_id, benchmark, optimizer
),
tails AS (  -- P(at most k of n coin tosses are heads)
    SELECT n, sum(exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) - n * ln(2)))
               OVER (PARTITION BY n ORDER BY k) AS tail
    FROM (SELECT n, unnest(range(0, n // 2)) AS k
          FROM (SELECT DISTINCT studies AS n FROM grouped WHERE studies > 0))
),
ranks AS (SELECT n, greatest(1, count(*) FILTER (tail <= 0.025)) AS lower_rank
          FROM tails GROUP BY n),
ends AS (
    SELECT g.*, losses[coalesce(r.lower_rank, 1)] AS first_loss,
           losses[len(losses) + 1 - coalesce(r.lower_rank, 1)] AS last_loss,
           CASE WHEN direction = 'maximize' THEN -1 ELSE 1 END AS sign,
           coalesce(r.lower_rank, 1) AS lower_rank
    FROM grouped g
    LEFT JOIN ranks r ON r.n = g.studies
),
valued AS (
    SELECT *, CASE WHEN isfinite(middle) THEN sign * middle END AS best_median,
           CASE WHEN sign > 0 THEN first_loss ELSE -last_loss END AS raw_low,
           CASE WHEN sign > 0 THEN last_loss ELSE -first_loss END AS raw_high
    FROM ends
)
SELECT v.benchmark, v.optimizer, v.studies, v.best_median,
       CASE WHEN isfinite(v.raw_low) THEN v.raw_low END AS best_low,
       CASE WHEN isfinite(v.raw_high) THEN v.raw_high END AS best_high,
       CASE WHEN x.median > 0 AND v.best_median > 0
            THEN CASE WHEN v.sign > 0 THEN x.median / v.best_median
                      ELSE v.best_median / x.median END END AS versus_expert,
       v.failures, v.evaluations,
       CASE WHEN d.median > 0 AND v.best_median > 0
            THEN CASE WHEN v.sign > 0 THEN d.median / v.best_median
                      ELSE v.best_median / d.median END END AS versus_default,
       x.median AS expert, d.median AS baseline,
       v.objective_unit, v.direction, v.failed_studies, v.open_studies,
       v.run_id, runs.suite, runs.machine_id,
       h.share_median, h.shares[v.lower_rank] AS share_low,
       h.shares[len(h.shares) + 1 - v.lower_rank] AS share_high
FROM valued v
LEFT JOIN shared h ON h.run_id = v.run_id AND h.benchmark = v.benchmark
     AND h.optimizer = v.optimizer
LEFT JOIN runs ON runs.run_id = v.run_id
LEFT JOIN reference_values x ON x.run_id = v.run_id AND x.benchmark = v.benchmark
     AND x.reference = 'expert' AND x.metric = v.metric
LEFT JOIN reference_values d ON d.run_id = v.run_id AND d.benchmark = v.benchmark
     AND d.reference = 'default' AND d.metric = v.metric
