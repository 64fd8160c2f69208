-- objective_losses: the evaluations of benchmarks with several objectives as points, each number
-- smaller is better. Those that failed, or lack a finite value for an objective, are left out.
-- Unit: `losses` are in the objectives' units, in their order, negated where more is better.
-- Uses: evaluations
-- Columns:
--   run_id      the run
--   benchmark   full name of the benchmark
--   optimizer   label of the optimizer
--   study_id    its study
--   trial_id    the trial
--   number      its number in the study
--   objectives  value of every objective, by name
--   losses      a number for every objective, in the order of the table `metrics`
--   signs       1 for an objective that is minimized, -1 for one that is maximized, in that order
WITH several AS (
    SELECT run_id, benchmark, list(metric ORDER BY objective) AS names,
           list(CASE WHEN direction = 'maximize' THEN -1 ELSE 1 END ORDER BY objective) AS signs
    FROM metrics
    WHERE objective IS NOT NULL
    GROUP BY run_id, benchmark
    HAVING count(*) > 1
),
points AS (
    SELECT e.run_id, e.benchmark, e.optimizer, e.study_id, e.trial_id, e.number, t.objectives,
           list_transform(range(1, len(v.names) + 1),
                          lambda i : v.signs[i] * t.objectives[v.names[i]]) AS losses,
           v.signs
    FROM several v
    JOIN evaluations e ON e.run_id = v.run_id AND e.benchmark = v.benchmark
    JOIN trials t ON t.trial_id = e.trial_id
    WHERE e.status <> 'failed'
)
SELECT * FROM points
WHERE len(list_filter(losses, lambda x : x IS NULL OR NOT isfinite(x))) = 0
