-- duplicates: how many evaluations a study wasted on configurations that it had measured before,
-- and how many proposals of an optimizer's library never came to a measurement.
-- Unit: counts.
-- Uses: evaluations
-- Columns:
--   study_id            the study
--   run_id              the run
--   benchmark           full name of the benchmark
--   optimizer           label of the optimizer
--   seed                the study's seed
--   evaluations         evaluations of the study
--   configurations      different configurations among them
--   repeated            evaluations less configurations: measured again
--   library_duplicates  proposals that the library had made before, answered from memory; NULL if
--                       the optimizer does not say
--   infeasible          proposals that violate a known constraint, answered as failures; NULL if the
--                       optimizer does not say
SELECT e.study_id, any_value(e.run_id) AS run_id, any_value(e.benchmark) AS benchmark,
       any_value(e.optimizer) AS optimizer, any_value(e.seed) AS seed, count(*) AS evaluations,
       count(DISTINCT hash(t.configuration::VARCHAR)) AS configurations,
       count(*) - count(DISTINCT hash(t.configuration::VARCHAR)) AS repeated,
       sum(TRY_CAST(t.proposal->>'$.duplicates' AS BIGINT))::BIGINT AS library_duplicates,
       sum(TRY_CAST(t.proposal->>'$.infeasible' AS BIGINT))::BIGINT AS infeasible
FROM evaluations e
JOIN trials t ON t.trial_id = e.trial_id
GROUP BY e.study_id
