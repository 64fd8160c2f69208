-- throughput: how fast evaluations come, per run, benchmark and optimizer.
-- Unit: seconds of the studies' own clocks.
-- Uses: evaluations
-- Columns:
--   run_id                the run
--   benchmark             full name of the benchmark
--   optimizer             label of the optimizer
--   studies               studies with evaluations
--   evaluations           their evaluations, failed ones too
--   study_s               sum of the studies' clocks at their last evaluation
--   evaluations_per_hour  evaluations in an hour of study time; NULL if the clocks stand at zero
--   seconds_per_evaluation  the inverse, in seconds
WITH ended AS (
    SELECT run_id, benchmark, optimizer, study_id, count(*) AS evaluations,
           max(elapsed_s) AS study_s
    FROM evaluations
    GROUP BY run_id, benchmark, optimizer, study_id
)
SELECT run_id, benchmark, optimizer, count(*) AS studies, sum(evaluations)::BIGINT AS evaluations,
       sum(study_s) AS study_s,
       3600 * sum(evaluations) / nullif(sum(study_s), 0) AS evaluations_per_hour,
       sum(study_s) / sum(evaluations) AS seconds_per_evaluation
FROM ended
GROUP BY run_id, benchmark, optimizer
