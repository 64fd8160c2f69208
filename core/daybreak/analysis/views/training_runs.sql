-- training_runs: what each training run came to: one row per trial with a progress curve. Rates are
-- over the whole run, from where measuring began. The share of communication is there if the run
-- recorded its seconds: a metric `communication_s` (samples are added up, events count up) or a phase
-- `measure.communication`. Generalisation: the metric that judges the result independently is
-- called `test_` and the name of the progress metric (without its own `validation_` or `val_`).
-- Unit: clocks are in seconds; `first`, `last`, `best`, `test_value` and `gap` are in `unit`.
-- Uses: curves, progress_metrics
-- Columns:
--   trial_id             the trial
--   study_id             its study
--   run_id               its run
--   benchmark            full name of the benchmark
--   optimizer            label of the optimizer
--   entry                the reference's name if the trial measures one, else the optimizer
--   seed                 the study's seed
--   number               the trial's number in its study
--   status               ok, stopped or failed
--   failure_kind         why it failed, else NULL
--   metric               the progress metric
--   unit                 its unit
--   direction            minimize or maximize
--   evaluations          looks at the metric
--   first                its value at the first look
--   last                 its value at the last look
--   best                 its best finite value; NULL if there is none
--   epochs               epochs at the last look
--   steps                steps at the last look
--   train_s              training clock at the last look
--   wall_s               wall clock at the last look
--   seconds_per_epoch    of the training clock (the wall clock if no other was recorded)
--   epochs_per_s         the inverse
--   steps_per_s          steps in a second of the same clock
--   evaluation_share     share of the wall clock that was no training
--   communication_s      seconds in communication; NULL if not recorded
--   communication_share  over the same clock as the rates
--   dollars              price of that clock; NULL if the study has no price
--   joules               energy of the run; NULL if not recorded
--   watts                joules over the wall clock
--   test_metric          the metric that judges the result on unseen data; NULL: none was measured
--   test_value           its median over samples
--   gap                  how much worse it is than `last`; below 0 if better
WITH ends AS (
    SELECT c.trial_id, any_value(c.study_id) AS study_id, any_value(c.run_id) AS run_id,
           any_value(c.benchmark) AS benchmark, any_value(c.optimizer) AS optimizer,
           any_value(c.entry) AS entry, any_value(c.seed) AS seed, any_value(c.number) AS number,
           any_value(c.status) AS status, any_value(c.failure_kind) AS failure_kind,
           any_value(c.metric) AS metric, any_value(p.unit) AS unit,
           any_value(p.direction) AS direction, count(*) AS evaluations,
           arg_min(c.value, c.seq) AS first, arg_max(c.value, c.seq) AS last,
           max(c.value) FILTER (isfinite(c.value)) AS highest,
           min(c.value) FILTER (isfinite(c.value)) AS lowest,
           max(c.epoch) AS epochs, max(c.step) AS steps, max(c.train_s) AS train_s,
           max(c.wall_s) AS wall_s, coalesce(max(c.train_s), max(c.wall_s)) AS clock_s
    FROM curves c
    JOIN progress_metrics p
      ON p.run_id = c.run_id AND p.benchmark = c.benchmark AND p.metric = c.metric
    GROUP BY c.trial_id
),
streamed AS (  -- what events of other metrics counted up
    SELECT trial_id, max(value) FILTER (metric = 'communication_s') AS communication_s,
           max(value) FILTER (metric = 'energy') AS joules
    FROM events
    WHERE metric IN ('communication_s', 'energy') AND isfinite(value)
    GROUP BY trial_id
),
sampled AS (
    SELECT trial_id, sum(value) FILTER (metric = 'communication_s') AS communication_s,
           max(value) FILTER (metric = 'energy') AS joules
    FROM samples
    WHERE metric IN ('communication_s', 'energy') AND isfinite(value)
    GROUP BY trial_id
),
timed AS (
    SELECT trial_id, sum(seconds) AS communication_s
    FROM phases
    WHERE phase = 'measure.communication'
    GROUP BY trial_id
),
judged AS (
    SELECT trial_id, metric, median(value) AS value
    FROM samples
    WHERE starts_with(metric, 'test_') AND isfinite(value)
    GROUP BY trial_id, metric
)
SELECT e.trial_id, e.study_id, e.run_id, e.benchmark, e.optimizer, e.entry, e.seed, e.number,
       e.status, e.failure_kind, e.metric, e.unit, e.direction, e.evaluations, e.first, e.last,
       CASE WHEN e.direction = 'maximize' THEN e.highest ELSE e.lowest END AS best,
       e.epochs, e.steps, e.train_s, e.wall_s,
       e.clock_s / nullif(e.epochs, 0) AS seconds_per_epoch,
       e.epochs / nullif(e.clock_s, 0) AS epochs_per_s,
       e.steps / nullif(e.clock_s, 0) AS steps_per_s,
       1 - e.train_s / nullif(e.wall_s, 0) AS evaluation_share,
       coalesce(v.communication_s, a.communication_s, t.communication_s) AS communication_s,
       coalesce(v.communication_s, a.communication_s, t.communication_s) / nullif(e.clock_s, 0)
           AS communication_share,
       s.dollars_per_hour / 3600 * e.clock_s AS dollars,
       coalesce(v.joules, a.joules) AS joules,
       coalesce(v.joules, a.joules) / nullif(e.wall_s, 0) AS watts,
       j.metric AS test_metric, j.value AS test_value,
       CASE WHEN e.direction = 'maximize' THEN e.last - j.value ELSE j.value - e.last END AS gap
FROM ends e
JOIN studies s ON s.study_id = e.study_id
LEFT JOIN streamed v ON v.trial_id = e.trial_id
LEFT JOIN sampled a ON a.trial_id = e.trial_id
LEFT JOIN timed t ON t.trial_id = e.trial_id
LEFT JOIN judged j
  ON j.trial_id = e.trial_id
 AND j.metric = 'test_' || regexp_replace(e.metric, '^(validation_|val_)', '')
