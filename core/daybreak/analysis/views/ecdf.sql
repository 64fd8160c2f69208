-- ecdf: when each study reached each of ten targets, rows ready for the empirical distribution over
-- targets and runs (N. Hansen and others, "COCO: a platform for comparing continuous optimizers in a
-- black-box setting", Optimization Methods and Software 36, 2021). A target is a share of the gap
-- between the median configuration that works (0) and the optimum (1) of the space; the expert
-- reference of the run is one more, if it was measured. Rows exist where the landscape is known.
-- Unit: `threshold` is in the objective's unit; seconds are of the study's own clock.
-- Uses: best_so_far, reference_values
-- Columns:
--   study_id     the study
--   run_id       the run
--   benchmark    full name of the benchmark
--   optimizer    label of the optimizer
--   seed         the study's seed
--   target_name  gap-0.5 to gap-1.0 by its share of the gap, or expert
--   gap          the share, for expert too: 1 is the optimum
--   threshold    the value to reach
--   reached      whether it was reached
--   evaluation   the evaluation that reached it first; NULL if none did
--   seconds      the clock then; NULL if none did
--   evaluations  evaluations of the study
--   study_s      the clock at its end
--   seconds_mean mean seconds of an evaluation over the whole space; NULL if unknown
WITH spent AS (
    SELECT study_id, any_value(run_id) AS run_id, any_value(benchmark) AS benchmark,
           any_value(optimizer) AS optimizer, any_value(seed) AS seed,
           count(*) AS evaluations, max(elapsed_s) AS study_s
    FROM best_so_far
    GROUP BY study_id
),
improvements AS (  -- few rows: the best changes about as often as the logarithm of the evaluations
    SELECT study_id, run_id, benchmark, best, min(evaluation) AS evaluation,
           min(elapsed_s) AS seconds
    FROM best_so_far
    WHERE best IS NOT NULL
    GROUP BY study_id, run_id, benchmark, best
),
targets AS (
    SELECT run_id, benchmark, 'gap-' || gap::FLOAT::VARCHAR AS target_name, gap,
           median + gap * (optimum - median) AS threshold, optimum < median AS minimize,
           seconds_mean
    FROM landscapes
    CROSS JOIN (VALUES (0.5::DOUBLE), (0.6), (0.7), (0.8), (0.9), (0.95), (0.98), (0.99), (1.0))
               g(gap)
    WHERE optimum <> median
    UNION ALL
    SELECT l.run_id, l.benchmark, 'expert', (l.median - r.median) / (l.median - l.optimum),
           r.median, l.optimum < l.median, l.seconds_mean
    FROM landscapes l
    JOIN (SELECT DISTINCT run_id, benchmark, objective FROM studies) s
      ON s.run_id = l.run_id AND s.benchmark = l.benchmark
    JOIN reference_values r
      ON r.run_id = l.run_id AND r.benchmark = l.benchmark AND r.metric = s.objective
     AND r.reference = 'expert'
    WHERE l.optimum <> l.median AND r.median IS NOT NULL
),
hits AS (
    SELECT i.study_id, t.target_name, min(i.evaluation) AS evaluation, min(i.seconds) AS seconds
    FROM improvements i
    JOIN targets t ON t.run_id = i.run_id AND t.benchmark = i.benchmark
     -- medians of recorded repetitions are rounded
     AND CASE WHEN t.minimize THEN i.best <= t.threshold + 1e-9 * abs(t.threshold)
              ELSE i.best >= t.threshold - 1e-9 * abs(t.threshold) END
    GROUP BY i.study_id, t.target_name
)
SELECT s.study_id, s.run_id, s.benchmark, s.optimizer, s.seed, t.target_name, t.gap, t.threshold,
       h.evaluation IS NOT NULL AS reached, h.evaluation, h.seconds, s.evaluations, s.study_s,
       t.seconds_mean
FROM spent s
JOIN targets t ON t.run_id = s.run_id AND t.benchmark = s.benchmark
LEFT JOIN hits h ON h.study_id = s.study_id AND h.target_name = t.target_name
