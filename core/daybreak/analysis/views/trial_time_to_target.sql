-- trial_time_to_target: how long each training run took until it first reached each threshold, on
-- every clock that it recorded, as an interval: the truth lies between the last look at the metric
-- that found it below and the first that found it at or above. A run that did not get there is
-- censored: its target lies beyond `lower`. A run whose result was refuted (wrong_result) reached
-- nothing; a run that failed otherwise reached what its events show. Dollars are the training clock
-- (the wall clock where no other was recorded) at the study's price. Joules are those of events
-- of a metric `energy` that counts up; else, of a run's single sample of that metric, all that is
-- known is that it had not spent more by then.
-- Unit: `lower`, `upper` and `spent` are in seconds, epochs, steps, evaluations, dollars or joules, as
-- `clock` says; `threshold`, `margin` and `final_margin` are in the unit of the metric.
-- Uses: curve_targets
-- Columns:
--   trial_id      the trial: one training run
--   study_id      its study
--   run_id        its run
--   benchmark     full name of the benchmark
--   optimizer     label of the optimizer
--   entry         what is compared: the reference's name if the trial measures one, else the optimizer
--   seed          the study's seed
--   number        the trial's number in its study
--   reference     name of the reference; NULL: an optimizer's evaluation
--   target_name   name of the threshold; target: where training counts as done
--   threshold     the value to reach; NULL if unknown, then `reached` is NULL too
--   metric        the metric that is watched
--   clock         train_s, wall_s, epochs, steps, evaluations (looks at the metric), dollars, joules;
--                 no row where the run did not record it
--   lower         clock at the last look before it was reached, 0 if there is none; if it was not
--                 reached, at the last look
--   upper         clock at the first look that found it reached; NULL if there is none
--   reached       whether it was reached
--   spent         `upper` if it was reached, else all that was recorded: `lower`, or, of a run
--                 without any event, its measuring time and what that cost, and no progress
--   margin        how far beyond the threshold the metric was then, at least 0; NULL if not reached
--   final_margin  how far beyond it was at the last look; below 0 if short of it
--   later         looks after the threshold was reached; NULL if it was not
--   falls_back    whether any of them found the metric short of it again; NULL if there is none
--   ended         ok, stopped, or why the run failed
WITH runs AS (
    SELECT t.trial_id, t.study_id, t.number, t.reference, t.measure_s,
           CASE WHEN t.status = 'failed' THEN coalesce(t.failure_kind, 'failed') ELSE t.status END
               AS ended,
           w.target_name, w.metric, w.threshold, w.sign
    FROM trials t
    JOIN curve_targets w ON w.study_id = t.study_id
    WHERE t.failure_kind IS DISTINCT FROM 'cancelled'
),
looks AS (
    SELECT v.trial_id, r.target_name, v.seq, v.value, v.epoch, v.step, v.train_s, v.wall_s,
           r.ended <> 'wrong_result' AND isfinite(v.value)
               -- published fractions were percentages once
               AND r.sign * (v.value - r.threshold) <= 1e-9 * abs(r.threshold) AS there
    FROM events v
    JOIN runs r ON r.trial_id = v.trial_id AND r.metric = v.metric
    WHERE r.threshold IS NOT NULL
),
hits AS (
    SELECT trial_id, target_name, min(seq) AS seq
    FROM looks
    WHERE there
    GROUP BY trial_id, target_name
),
ends AS (
    SELECT k.trial_id, k.target_name, any_value(h.seq) IS NOT NULL AS reached,
           count(*) FILTER (h.seq IS NULL OR k.seq < h.seq) AS evaluations,
           max(k.seq) FILTER (h.seq IS NULL OR k.seq < h.seq) AS before_seq,
           max(k.epoch) FILTER (h.seq IS NULL OR k.seq < h.seq) AS before_epoch,
           max(k.step) FILTER (h.seq IS NULL OR k.seq < h.seq) AS before_step,
           max(k.train_s) FILTER (h.seq IS NULL OR k.seq < h.seq) AS before_train_s,
           max(k.wall_s) FILTER (h.seq IS NULL OR k.seq < h.seq) AS before_wall_s,
           any_value(h.seq) AS hit_seq,
           max(k.epoch) FILTER (k.seq = h.seq) AS hit_epoch,
           max(k.step) FILTER (k.seq = h.seq) AS hit_step,
           max(k.train_s) FILTER (k.seq = h.seq) AS hit_train_s,
           max(k.wall_s) FILTER (k.seq = h.seq) AS hit_wall_s,
           max(k.value) FILTER (k.seq = h.seq) AS hit_value,
           arg_max(k.value, k.seq) AS last_value,
           count(*) FILTER (k.seq > h.seq) AS later,
           bool_or(NOT k.there) FILTER (k.seq > h.seq) AS falls_back
    FROM looks k
    LEFT JOIN hits h ON h.trial_id = k.trial_id AND h.target_name = k.target_name
    GROUP BY k.trial_id, k.target_name
),
metered AS (  -- energy that was counted along the curve
    SELECT e.trial_id, e.target_name,
           max(v.value) FILTER (v.seq <= e.before_seq) AS before_joules,
           min(v.value) FILTER (v.seq >= e.hit_seq) AS hit_joules
    FROM ends e
    JOIN events v ON v.trial_id = e.trial_id AND v.metric = 'energy'
    WHERE isfinite(v.value)
    GROUP BY e.trial_id, e.target_name
),
totals AS (  -- energy of the whole run
    SELECT trial_id, max(value) AS joules
    FROM samples
    WHERE metric = 'energy' AND isfinite(value)
    GROUP BY trial_id
),
priced AS (
    SELECT s.study_id, s.run_id, s.benchmark, s.optimizer, s.seed,
           s.dollars_per_hour / 3600 AS dollars_per_s
    FROM studies s
),
timed AS (
    SELECT r.*, p.run_id, p.benchmark, p.optimizer, p.seed,
           CASE WHEN r.threshold IS NULL THEN NULL ELSE coalesce(e.reached, false) END AS reached,
           e.hit_value, e.last_value, e.later, e.falls_back,
           unnest([
               {'clock': 'train_s', 'before': e.before_train_s, 'hit': e.hit_train_s,
                'all': r.measure_s},
               {'clock': 'wall_s', 'before': e.before_wall_s, 'hit': e.hit_wall_s,
                'all': r.measure_s},
               -- a run without any look made no progress, where others counted it
               {'clock': 'epochs', 'before': e.before_epoch, 'hit': e.hit_epoch,
                'all': CASE WHEN count(coalesce(e.hit_epoch, e.before_epoch)) OVER alike > 0
                            THEN 0.0 END},
               {'clock': 'steps', 'before': e.before_step::DOUBLE, 'hit': e.hit_step::DOUBLE,
                'all': CASE WHEN count(coalesce(e.hit_step, e.before_step)) OVER alike > 0
                            THEN 0.0 END},
               {'clock': 'evaluations', 'before': e.evaluations::DOUBLE,
                'hit': CASE WHEN e.reached THEN e.evaluations + 1.0 END, 'all': 0.0},
               {'clock': 'dollars',
                'before': p.dollars_per_s * coalesce(e.before_train_s, e.before_wall_s),
                'hit': p.dollars_per_s * coalesce(e.hit_train_s, e.hit_wall_s),
                'all': p.dollars_per_s * r.measure_s},
               {'clock': 'joules',
                'before': CASE WHEN m.trial_id IS NOT NULL THEN m.before_joules
                               WHEN e.reached THEN NULL ELSE q.joules END,
                'hit': CASE WHEN NOT e.reached THEN NULL
                            WHEN m.trial_id IS NOT NULL THEN m.hit_joules ELSE q.joules END,
                'all': q.joules}
           ]) AS point,
           e.trial_id IS NOT NULL AS streamed
    FROM runs r
    JOIN priced p ON p.study_id = r.study_id
    LEFT JOIN ends e ON e.trial_id = r.trial_id AND e.target_name = r.target_name
    LEFT JOIN metered m ON m.trial_id = r.trial_id AND m.target_name = r.target_name
    LEFT JOIN totals q ON q.trial_id = r.trial_id
    WINDOW alike AS (PARTITION BY p.run_id, p.benchmark, r.target_name)
)
SELECT trial_id, study_id, run_id, benchmark, optimizer, coalesce(reference, optimizer) AS entry,
       seed, number, reference, target_name, threshold, metric, point.clock AS clock,
       CASE WHEN reached IS NULL THEN NULL ELSE coalesce(point."before", 0.0) END AS lower,
       CASE WHEN reached THEN point.hit END AS upper,
       reached,
       CASE WHEN reached THEN point.hit
            WHEN reached IS NOT NULL
            THEN coalesce(point."before", CASE WHEN NOT streamed THEN point."all" END, 0.0) END
           AS spent,
       CASE WHEN reached THEN greatest(sign * (threshold - hit_value), 0.0) + 0.0 END AS margin,
       sign * (threshold - last_value) AS final_margin,
       CASE WHEN reached THEN later END AS later,
       CASE WHEN reached AND later > 0 THEN falls_back END AS falls_back,
       ended
FROM timed
WHERE CASE WHEN NOT streamed THEN point."all"
           WHEN reached THEN point.hit ELSE point."before" END IS NOT NULL
