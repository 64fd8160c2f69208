-- percent_of_peak: how near the best of each study comes to what the hardware can do. A row exists
-- only where a peak is known: the ceilings measured on the machine (`daybreak machine measure`), if
-- the trial states its work; the benchmark's floor for its objective; or a metric `percent_of_peak`
-- measured by the target. An unknown peak gives no row, never a zero. Work is stated by the fact
-- `work` or by the metrics `flops` and `bytes`; it took the objective, if that is a time, or the
-- training clock of the whole progress curve. The peak is the roofline's: the longer of what the
-- operations take at the measured flop/s and what the bytes take at the measured bandwidth of
-- memory. Of several measurements the newest counts. Above 100 the data lay in caches, or the work
-- is overstated.
-- Unit: per cent; `best` and `peak` are in `objective_unit`.
-- Uses: evaluations
-- Columns:
--   run_id           the run
--   benchmark        full name of the benchmark
--   optimizer        label of the optimizer
--   study_id         the study
--   seed             its seed
--   source           roofline (measured ceilings), floor (from the benchmark's floor) or metric
--                    (measured by the target)
--   best             the study's best objective
--   peak             the floor, or what the work takes at the ceiling; NULL if the target measured
--                    the share itself, or `best` is not what the work took
--   percent_of_peak  100: at the peak
--   objective_unit   unit of `best` and `peak`
--   seconds          what the work took; roofline only, like all that follow
--   flops_per_s      operations per second; NULL: not stated
--   bytes_per_s      bytes per second; NULL: not stated
--   ceiling          the ceiling that bounds this work: memory, gemm_f64 or gemm_f32
--   ceiling_value    its height, in flop/s or B/s
--   ceiling_threads  processors that it was measured with
WITH bests AS (
    SELECT run_id, benchmark, optimizer, study_id, seed, any_value(metric) AS metric,
           any_value(direction) AS direction, any_value(objective_unit) AS objective_unit,
           arg_min(objective, loss) AS best, arg_min(trial_id, loss) AS trial_id
    FROM evaluations
    WHERE loss IS NOT NULL
    GROUP BY run_id, benchmark, optimizer, study_id, seed
),
floors AS (
    SELECT run_id, benchmark, TRY_CAST(floors ->> objective AS DOUBLE) AS peak
    FROM benchmarks
),
sampled AS (
    SELECT trial_id, median(value) FILTER (metric = 'percent_of_peak') AS share,
           median(value) FILTER (metric = 'flops') AS flops,
           median(value) FILTER (metric = 'bytes') AS bytes
    FROM samples
    WHERE metric IN ('percent_of_peak', 'flops', 'bytes')
      AND trial_id IN (SELECT trial_id FROM bests)
    GROUP BY trial_id
),
curves AS (
    SELECT trial_id, max(train_s) AS train_s, max(epoch) AS epochs, max(step) AS steps
    FROM events
    WHERE trial_id IN (SELECT trial_id FROM bests)
    GROUP BY trial_id
),
units AS (
    FROM (VALUES ('ns', 1e-9), ('us', 1e-6), ('µs', 1e-6), ('ms', 1e-3), ('s', 1.0), ('min', 60.0),
                 ('h', 3600.0)) AS units(unit, seconds)
),
works AS (
    SELECT b.*, r.machine_id, u.seconds AS unit_s,
           coalesce(c.train_s, b.best * u.seconds) AS seconds,
           coalesce(s.flops, TRY_CAST(t.facts ->> '$.work.flops' AS DOUBLE) * k.times) AS flops,
           coalesce(s.bytes, TRY_CAST(t.facts ->> '$.work.bytes' AS DOUBLE) * k.times) AS bytes,
           coalesce(t.facts ->> '$.work.precision', 'f64') AS precision,
           coalesce(t.facts ->> '$.work.device', 'cpu') AS device,
           TRY_CAST(t.facts ->> '$.work.threads' AS BIGINT) AS threads
    FROM bests b
    JOIN trials t ON t.trial_id = b.trial_id
    JOIN runs r ON r.run_id = b.run_id
    LEFT JOIN sampled s ON s.trial_id = b.trial_id
    LEFT JOIN curves c ON c.trial_id = b.trial_id
    LEFT JOIN units u ON u.unit = b.objective_unit
    CROSS JOIN LATERAL (
        SELECT CASE t.facts ->> '$.work.per' WHEN 'epoch' THEN c.epochs WHEN 'step' THEN c.steps
               ELSE CASE WHEN t.facts ->> '$.work.per' IS NULL THEN 1.0 END END AS times
    ) k
),
newest AS (
    SELECT machine_id, device, ceiling, kind, threads, arg_max(value, measured_at) AS value
    FROM ceilings
    WHERE value > 0 AND isfinite(value)
    GROUP BY machine_id, device, ceiling, kind, threads
),
-- the ceilings above each work: of as many processors as it used, or the next more that were
-- measured; of the most, if it does not say or used more than that
above AS (
    SELECT w.study_id, n.ceiling, n.value, n.threads,
           CASE n.kind WHEN 'compute' THEN w.flops ELSE w.bytes END AS amount
    FROM works w
    JOIN newest n ON n.machine_id = w.machine_id AND n.device = w.device
                 AND n.ceiling IN ('memory', 'gemm_' || w.precision)
    QUALIFY row_number() OVER (
        PARTITION BY w.study_id, n.ceiling
        ORDER BY coalesce(n.threads >= w.threads, false) DESC,
                 CASE WHEN n.threads >= w.threads THEN n.threads ELSE -n.threads END) = 1
),
bounds AS (
    SELECT study_id, max(amount / value) AS peak_s, arg_max(ceiling, amount / value) AS ceiling,
           arg_max(value, amount / value) AS value, arg_max(threads, amount / value) AS threads
    FROM above
    WHERE amount > 0 AND isfinite(amount)
    GROUP BY study_id
)
SELECT b.run_id, b.benchmark, b.optimizer, b.study_id, b.seed, 'floor' AS source, b.best, f.peak,
       100 * CASE WHEN b.direction = 'maximize' THEN b.best / f.peak ELSE f.peak / b.best END
           AS percent_of_peak,
       b.objective_unit, NULL::DOUBLE AS seconds, NULL::DOUBLE AS flops_per_s,
       NULL::DOUBLE AS bytes_per_s, NULL::VARCHAR AS ceiling, NULL::DOUBLE AS ceiling_value,
       NULL::BIGINT AS ceiling_threads
FROM bests b
JOIN floors f ON f.run_id = b.run_id AND f.benchmark = b.benchmark
WHERE f.peak > 0 AND b.best > 0
UNION ALL
SELECT b.run_id, b.benchmark, b.optimizer, b.study_id, b.seed, 'metric', b.best, NULL, s.share,
       b.objective_unit, NULL, NULL, NULL, NULL, NULL, NULL
FROM bests b
JOIN sampled s ON s.trial_id = b.trial_id
WHERE isfinite(s.share)
UNION ALL
SELECT w.run_id, w.benchmark, w.optimizer, w.study_id, w.seed, 'roofline', w.best,
       CASE WHEN abs(w.best * w.unit_s - w.seconds) <= 1e-9 * w.seconds
            THEN a.peak_s / w.unit_s END,
       100 * a.peak_s / w.seconds, w.objective_unit, w.seconds, w.flops / w.seconds,
       w.bytes / w.seconds, a.ceiling, a.value, a.threads
FROM works w
JOIN bounds a ON a.study_id = w.study_id
WHERE w.seconds > 0 AND isfinite(w.seconds)
