-- overhead: where the time of evaluations went. What is neither build, verify nor measure is the
-- price of tuning: the optimizer's ask and tell, and the rest (worker start, data, recording).
-- Unit: seconds; `overhead_share` is a ratio (0 to 1).
-- Uses: evaluations
-- Columns:
--   run_id             the run
--   benchmark          full name of the benchmark
--   optimizer          label of the optimizer
--   evaluations        evaluations, failed ones too
--   ask_s              sum of the optimizer's time to propose
--   build_s            sum of build times
--   verify_s           sum of verification times
--   measure_s          sum of measuring times
--   tell_s             sum of the optimizer's time to learn
--   other_s            what remains of the total
--   total_s            sum of the trials' wall times
--   overhead_share     (ask_s + tell_s + other_s) / total_s; NULL if the total is zero
--   median_overhead_s  median of the same sum over single trials
WITH parts AS (
    SELECT e.run_id, e.benchmark, e.optimizer,
           coalesce(t.ask_s, 0) AS ask_s, coalesce(t.build_s, 0) AS build_s,
           coalesce(t.verify_s, 0) AS verify_s, coalesce(t.measure_s, 0) AS measure_s,
           coalesce(t.tell_s, 0) AS tell_s, coalesce(t.total_s, 0) AS total_s
    FROM evaluations e
    JOIN trials t ON t.trial_id = e.trial_id
)
SELECT run_id, benchmark, optimizer, count(*) AS evaluations,
       sum(ask_s) AS ask_s, sum(build_s) AS build_s, sum(verify_s) AS verify_s,
       sum(measure_s) AS measure_s, sum(tell_s) AS tell_s,
       sum(total_s - ask_s - build_s - verify_s - measure_s - tell_s) AS other_s,
       sum(total_s) AS total_s,
       sum(total_s - build_s - verify_s - measure_s) / nullif(sum(total_s), 0) AS overhead_share,
       median(total_s - build_s - verify_s - measure_s) AS median_overhead_s
FROM parts
GROUP BY run_id, benchmark, optimizer
