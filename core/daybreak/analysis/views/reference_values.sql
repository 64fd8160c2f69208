-- reference_values: what the references (default, expert) measured, per run and benchmark.
-- Unit: `median`, `lowest` and `highest` are in `unit`.
-- Columns:
--   run_id     the run
--   benchmark  full name of the benchmark
--   reference  name of the reference
--   metric     one of the benchmark's objectives
--   unit       its unit
--   trials     how often it was measured with a finite result
--   failures   how often it failed or gave no finite result
--   median     median over those trials; NULL if there is none
--   lowest     the smallest
--   highest    the largest
WITH measured AS (
    SELECT s.run_id, s.benchmark, t.reference, s.objective, t.status,
           unnest(CASE WHEN len(map_keys(t.objectives)) > 0 THEN map_entries(t.objectives)
                       ELSE [{'key': s.objective, 'value': NULL::DOUBLE}] END) AS entry
    FROM trials t
    JOIN studies s USING (study_id)
    WHERE t.reference IS NOT NULL
),
valued AS (
    SELECT run_id, benchmark, reference, entry.key AS metric,
           CASE WHEN status <> 'failed' AND isfinite(entry.value) THEN entry.value END AS value
    FROM measured
    WHERE entry.key IS NOT NULL
)
SELECT v.run_id, v.benchmark, v.reference, v.metric, any_value(m.unit) AS unit,
       count(v.value) AS trials, count(*) - count(v.value) AS failures,
       median(v.value) AS median, min(v.value) AS lowest, max(v.value) AS highest
FROM valued v
LEFT JOIN metrics m ON m.run_id = v.run_id AND m.benchmark = v.benchmark AND m.metric = v.metric
GROUP BY v.run_id, v.benchmark, v.reference, v.metric
