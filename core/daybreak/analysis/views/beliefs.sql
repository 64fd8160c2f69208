-- beliefs: what an optimizer said about each of its proposals, beside what was then measured.
-- Evaluations about which nothing was said have no row.
-- Unit: `objective`, `mean` and `deviation` are in the objective's unit; `feasibility` is a
-- probability; `acquisition` is in whatever unit the optimizer maximizes.
-- Uses: evaluations
-- Columns:
--   study_id      the study
--   run_id        the run
--   benchmark     full name of the benchmark
--   optimizer     label of the optimizer
--   seed          the study's seed
--   evaluation    counts the study's evaluations from 1
--   source        where the proposal came from: design, model, random, local, prior, ...
--   mean          objective that it predicted
--   deviation     standard deviation of the prediction
--   feasibility   probability that the configuration works
--   acquisition   value of the acquisition function
--   objective     what was measured; NULL if it failed
--   status        ok, stopped or failed
--   lengthscales  lengthscale by column of the model's inputs (JSON)
--   importance    importance by parameter, summing to 1 (JSON)
--   note          a remark of the optimizer's
WITH counted AS (
    SELECT e.*, row_number() OVER (PARTITION BY e.study_id ORDER BY e.number) AS evaluation
    FROM evaluations e
)
SELECT c.study_id, c.run_id, c.benchmark, c.optimizer, c.seed, c.evaluation,
       t.proposal->>'$.source' AS source,
       TRY_CAST(t.proposal->>'$.mean' AS DOUBLE) AS mean,
       TRY_CAST(t.proposal->>'$.deviation' AS DOUBLE) AS deviation,
       TRY_CAST(t.proposal->>'$.feasibility' AS DOUBLE) AS feasibility,
       TRY_CAST(t.proposal->>'$.acquisition' AS DOUBLE) AS acquisition,
       c.objective, c.status, t.proposal->'$.lengthscales' AS lengthscales,
       t.proposal->'$.importance' AS importance, t.proposal->>'$.note' AS note
FROM counted c
JOIN trials t ON t.trial_id = c.trial_id
WHERE t.proposal IS NOT NULL
