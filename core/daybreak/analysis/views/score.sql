-- score: how much of the way from calculated random search (0) to the optimum (1) a study has come
-- after each of its evaluations: (baseline - best) / (baseline - optimum). Below 0 it is worse than
-- random search. Rows exist where the whole landscape of the benchmark is known. (F. Willemsen and
-- others, "A methodology for comparing optimization algorithms for auto-tuning", FGCS 159, 2024.)
-- As long as nothing has succeeded, the study and the random search alike count as the worst
-- configuration that works: so failing is never rewarded, and random search scores 0 on average at
-- every evaluation, however many configurations fail. Where random search is sure to have found the
-- optimum, the score is 1 for a study that has it too and NULL for one that has not.
-- A study that ended before its budget of evaluations, since nothing was left to propose or since it
-- broke down, keeps its best until there: dropping it would favour those who give up.
-- Unit: `best`, `baseline` and `optimum` are in the objective's unit, `elapsed_s` in seconds.
-- Uses: best_so_far
-- Columns:
--   study_id    the study
--   run_id      the run
--   benchmark   full name of the benchmark
--   optimizer   label of the optimizer
--   seed        the study's seed
--   evaluation  counts evaluations from 1
--   best        best objective so far; NULL before the first success
--   baseline    expected best of random search after as many evaluations
--   optimum     best objective of the whole space
--   score       the score; above 1 only where noise beats the recorded optimum
--   elapsed_s   the study's clock at the end of the evaluation, or at its own end
WITH searched AS (
    SELECT q.run_id, q.benchmark, q.evaluation, l.optimum, l.worst,
           -- no success among so many draws without replacement: hypergeometric
           q.expected + (l.worst - q.expected)
               * CASE WHEN q.evaluation > l.failures THEN 0
                      ELSE exp(lgamma(l.failures + 1) - lgamma(l.failures - q.evaluation + 1)
                               - lgamma(l.configurations + 1)
                               + lgamma(l.configurations - q.evaluation + 1)) END AS baseline
    FROM baselines q
    JOIN landscapes l ON l.run_id = q.run_id AND l.benchmark = q.benchmark
),
ends AS (
    SELECT b.study_id, max(b.evaluation) AS last, max(b.elapsed_s) AS elapsed_s,
           CASE WHEN any_value(s.direction) = 'maximize' THEN max(b.best) ELSE min(b.best) END
               AS best,
           any_value(TRY_CAST(s.budget->>'$.evaluations' AS BIGINT)) AS budget,
           any_value(b.run_id) AS run_id, any_value(b.benchmark) AS benchmark,
           any_value(b.optimizer) AS optimizer, any_value(b.seed) AS seed
    FROM best_so_far b
    JOIN studies s ON s.study_id = b.study_id
    WHERE s.status IN ('exhausted', 'failed')
    GROUP BY b.study_id
),
held AS (
    SELECT study_id, run_id, benchmark, optimizer, seed, evaluation, best, elapsed_s
    FROM best_so_far
    UNION ALL
    SELECT study_id, run_id, benchmark, optimizer, seed, unnest(range(last + 1, budget + 1)), best,
           elapsed_s
    FROM ends
    WHERE budget > last
)
SELECT b.study_id, b.run_id, b.benchmark, b.optimizer, b.seed, b.evaluation, b.best, s.baseline,
       s.optimum,
       CASE WHEN abs(s.baseline - s.optimum) > 1e-12 * abs(s.optimum)
            THEN (s.baseline - coalesce(b.best, s.worst)) / (s.baseline - s.optimum)
            WHEN abs(b.best - s.optimum) <= 1e-9 * abs(s.optimum) THEN 1.0 END AS score,
       b.elapsed_s
FROM held b
JOIN searched s ON s.run_id = b.run_id AND s.benchmark = b.benchmark AND s.evaluation = b.evaluation
