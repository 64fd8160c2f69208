-- evaluations: every trial that counts as an optimizer's evaluation. References are left out, in
-- studies of their own or among an optimizer's trials, and so are cancelled trials (Ctrl-C).
-- Unit: `objective` is in `objective_unit`, times are in seconds.
-- Columns:
--   trial_id        the trial
--   study_id        its study
--   run_id          its run
--   benchmark       full name target/benchmark[:instance]
--   optimizer       label of the optimizer
--   seed            the study's seed
--   number          the trial's number in its study, from 0
--   elapsed_s       the study's clock at the end of the trial
--   status          ok, stopped (measured, given up as hopeless) or failed
--   failure_kind    why it failed, else NULL
--   metric          name of the first objective
--   objective       value of the first objective; NULL if failed, NaN or infinite
--   objective_unit  its unit
--   direction       minimize or maximize
--   loss            the objective, negated if it is maximized: smaller is better
SELECT t.trial_id, t.study_id, s.run_id, s.benchmark, s.optimizer, s.seed, t.number, t.elapsed_s,
       t.status, t.failure_kind, s.objective AS metric,
       CASE WHEN t.status <> 'failed' AND isfinite(t.objective) THEN t.objective END AS objective,
       t.objective_unit, s.direction,
       CASE WHEN t.status <> 'failed' AND isfinite(t.objective)
            THEN CASE WHEN s.direction = 'maximize' THEN -t.objective ELSE t.objective END
       END AS loss
FROM trials t
JOIN studies s USING (study_id)
WHERE s.role = 'optimizer' AND t.reference IS NULL
  AND t.failure_kind IS DISTINCT FROM 'cancelled'
