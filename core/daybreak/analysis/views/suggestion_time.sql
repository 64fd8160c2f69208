-- suggestion_time: how long an optimizer thinks per evaluation (`ask_s` and `tell_s` together, real
-- time), by how many evaluations it has seen.
-- Unit: seconds.
-- Uses: evaluations
-- Columns:
--   run_id            the run
--   benchmark         full name of the benchmark
--   optimizer         label of the optimizer
--   first_evaluation  first evaluation of the bin
--   last_evaluation   last evaluation of the bin; NULL: the bin is open
--   evaluations       evaluations in the bin, over all studies
--   median_s          median
--   p90_s             ninth decile
--   mean_s            mean
--   total_s           sum
WITH counted AS (
    SELECT e.run_id, e.benchmark, e.optimizer,
           row_number() OVER (PARTITION BY e.study_id ORDER BY e.number) AS evaluation,
           coalesce(t.ask_s, 0) + coalesce(t.tell_s, 0) AS seconds
    FROM evaluations e
    JOIN trials t ON t.trial_id = e.trial_id
)
SELECT c.run_id, c.benchmark, c.optimizer, b.first_evaluation, b.last_evaluation,
       count(*) AS evaluations, median(c.seconds) AS median_s, quantile_cont(c.seconds, 0.9) AS p90_s,
       avg(c.seconds) AS mean_s, sum(c.seconds) AS total_s
FROM counted c
ASOF JOIN (VALUES (1, 10), (11, 20), (21, 40), (41, 60), (61, 100), (101, 200), (201, 500),
                  (501, 1000), (1001, NULL)) b(first_evaluation, last_evaluation)
  ON c.evaluation >= b.first_evaluation
GROUP BY c.run_id, c.benchmark, c.optimizer, b.first_evaluation, b.last_evaluation
