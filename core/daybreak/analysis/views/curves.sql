-- curves: every event of every training run with the study that it belongs to: learning curves, ready
-- to be drawn. References are there too; cancelled trials (Ctrl-C) are left out.
-- Unit: `value` is in `unit`, clocks are in seconds since measuring began.
-- Columns:
--   trial_id      the trial: one training run
--   study_id      its study
--   run_id        its run
--   benchmark     full name target/benchmark[:instance]
--   optimizer     label of the optimizer
--   entry         what is compared: the reference's name if the trial measures one, else the optimizer
--   seed          the study's seed
--   number        the trial's number in its study, from 0
--   reference     name of the reference; NULL: an optimizer's evaluation
--   status        ok, stopped or failed
--   failure_kind  why it failed, else NULL
--   metric        the metric
--   unit          its unit; NULL if the benchmark does not list it
--   direction     minimize or maximize; NULL likewise
--   seq           counts the events of the trial
--   step          training step, if there is one
--   epoch         training epoch, if there is one
--   train_s       training clock, evaluation and checkpoints excluded; NULL if it was not recorded
--   wall_s        wall clock; NULL if it was not recorded
--   value         the metric's value
SELECT v.trial_id, t.study_id, s.run_id, s.benchmark, s.optimizer,
       coalesce(t.reference, s.optimizer) AS entry, s.seed, t.number, t.reference, t.status,
       t.failure_kind, v.metric, m.unit, m.direction, v.seq, v.step, v.epoch, v.train_s, v.wall_s,
       v.value
FROM events v
JOIN trials t ON t.trial_id = v.trial_id
JOIN studies s ON s.study_id = t.study_id
LEFT JOIN metrics m
  ON m.run_id = s.run_id AND m.benchmark = s.benchmark AND m.metric = v.metric
WHERE t.failure_kind IS DISTINCT FROM 'cancelled'
