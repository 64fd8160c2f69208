-- score_by_time: as `score`, on the clock instead of by evaluations. Each row is a moment: when random
-- search is done with its first, second, ... evaluation, at the mean cost of an evaluation over the
-- whole space; so benchmarks of any speed share a clock. On recorded measurements the clock is
-- simulated. A study that has spent its evaluations keeps its best until random search has had as
-- many: a lower bound of what it would have found in that time.
-- Unit: `elapsed_s` in seconds; `best`, `baseline` and `optimum` are in the objective's unit.
-- Uses: best_so_far
-- Columns:
--   study_id            the study
--   run_id              the run
--   benchmark           full name of the benchmark
--   optimizer           label of the optimizer
--   seed                the study's seed
--   random_evaluations  evaluations that random search completes in that time
--   elapsed_s           that time on the study's clock
--   best                best objective by then; NULL before the first success
--   baseline            expected best of random search by then
--   optimum             best objective of the whole space
--   score               the score, with the rules of `score`
WITH searched AS (
    SELECT q.run_id, q.benchmark, q.evaluation, q.seconds, l.optimum, l.worst,
           q.expected + (l.worst - q.expected)
               * CASE WHEN q.evaluation > l.failures THEN 0
                      ELSE exp(lgamma(l.failures + 1) - lgamma(l.failures - q.evaluation + 1)
                               - lgamma(l.configurations + 1)
                               + lgamma(l.configurations - q.evaluation + 1)) END AS baseline
    FROM baselines q
    JOIN landscapes l ON l.run_id = q.run_id AND l.benchmark = q.benchmark
    WHERE q.seconds IS NOT NULL
),
ends AS (
    SELECT b.study_id, max(b.elapsed_s) AS study_s,
           any_value(TRY_CAST(s.budget->>'$.evaluations' AS BIGINT)) AS budget,
           any_value(b.run_id) AS run_id, any_value(b.benchmark) AS benchmark,
           any_value(b.optimizer) AS optimizer, any_value(b.seed) AS seed
    FROM best_so_far b
    JOIN studies s ON s.study_id = b.study_id
    GROUP BY b.study_id
),
moments AS (
    SELECT e.study_id, e.run_id, e.benchmark, e.optimizer, e.seed, q.evaluation, q.seconds,
           q.baseline, q.optimum, q.worst
    FROM ends e
    JOIN searched q ON q.run_id = e.run_id AND q.benchmark = e.benchmark
    WHERE q.seconds <= e.study_s OR q.evaluation <= e.budget
)
SELECT m.study_id, m.run_id, m.benchmark, m.optimizer, m.seed, m.evaluation AS random_evaluations,
       m.seconds AS elapsed_s, b.best, m.baseline, m.optimum,
       CASE WHEN abs(m.baseline - m.optimum) > 1e-12 * abs(m.optimum)
            THEN (m.baseline - coalesce(b.best, m.worst)) / (m.baseline - m.optimum)
            WHEN abs(b.best - m.optimum) <= 1e-9 * abs(m.optimum) THEN 1.0 END AS score
FROM moments m
ASOF LEFT JOIN best_so_far b ON b.study_id = m.study_id AND b.elapsed_s <= m.seconds
