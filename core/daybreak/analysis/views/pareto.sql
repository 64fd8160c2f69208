-- pareto: trials that no other trial of the same benchmark and run beats: none is at least as good
-- in every objective and better in one. Benchmarks with one objective have no rows here (see
-- best_so_far). Trials that lack a finite value for an objective take no part.
-- Unit: `objectives` are in the units that the table `metrics` lists.
-- Uses: objective_losses
-- Columns:
--   run_id      the run
--   benchmark   full name of the benchmark
--   optimizer   label of the optimizer that found it
--   study_id    its study
--   trial_id    the trial
--   number      its number in the study
--   objectives  value of every objective, by name
WITH distinct_points AS (SELECT DISTINCT run_id, benchmark, losses FROM objective_losses),
-- beaten in the first two objectives alone, of two: a walk along the first
walked AS (
    SELECT *, min(losses[2]) OVER (PARTITION BY run_id, benchmark ORDER BY losses[1], losses[2]
                                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS lowest
    FROM distinct_points
    WHERE len(losses) = 2
),
front AS (
    SELECT run_id, benchmark, losses FROM walked WHERE lowest IS NULL OR losses[2] < lowest
    UNION ALL
    SELECT run_id, benchmark, losses
    FROM distinct_points p
    WHERE len(losses) > 2 AND NOT EXISTS (
        SELECT 1 FROM distinct_points q
        WHERE q.run_id = p.run_id AND q.benchmark = p.benchmark AND q.losses <> p.losses
          AND len(list_filter(range(1, len(p.losses) + 1),
                              lambda i : q.losses[i] > p.losses[i])) = 0)
)
SELECT v.run_id, v.benchmark, v.optimizer, v.study_id, v.trial_id, v.number, v.objectives
FROM objective_losses v
JOIN front f ON f.run_id = v.run_id AND f.benchmark = v.benchmark AND f.losses = v.losses
