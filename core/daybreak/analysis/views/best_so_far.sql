-- best_so_far: the best result of a study after each of its evaluations.
-- Unit: `best` and `objective` are in `objective_unit`, `elapsed_s` in seconds.
-- Uses: evaluations
-- Columns:
--   study_id        the study
--   number          number of the trial in its study
--   elapsed_s       the study's clock at the end of the trial
--   best            best objective up to and including this trial; NULL before the first success
--   evaluation      counts the study's evaluations from 1
--   objective       this trial's own result; NULL if it failed
--   objective_unit  unit of both
--   run_id          the run
--   benchmark       full name of the benchmark
--   optimizer       label of the optimizer
--   seed            the study's seed
SELECT study_id, number, elapsed_s,
       CASE WHEN direction = 'maximize' THEN -min(loss) OVER so_far
            ELSE min(loss) OVER so_far END AS best,
       row_number() OVER so_far AS evaluation,
       objective, objective_unit, run_id, benchmark, optimizer, seed
FROM evaluations
WINDOW so_far AS (PARTITION BY study_id ORDER BY number ROWS UNBOUNDED PRECEDING)
