-- Sessions whose seconds are simulated (recorded tables, models), and spaces that are known as a
-- whole: their optimum, and what random search is expected to attain there.

ALTER TABLE trials ADD COLUMN simulated_s DOUBLE;

CREATE TABLE landscapes (
    run_id VARCHAR,
    benchmark VARCHAR,
    configurations BIGINT,
    failures BIGINT,
    optimum DOUBLE,
    median DOUBLE,
    worst DOUBLE,
    seconds_mean DOUBLE
);

CREATE TABLE baselines (
    run_id VARCHAR,
    benchmark VARCHAR,
    evaluation BIGINT,
    expected DOUBLE,
    seconds DOUBLE
);

COMMENT ON COLUMN trials.simulated_s IS 'build, verify and measure on the simulated clock, seconds; NULL: the clocks of this trial are the wall''s';
COMMENT ON COLUMN trials.total_s IS 'time of the whole trial, seconds: of the wall; with simulated_s ask_s + simulated_s + tell_s';
COMMENT ON COLUMN trials.failure_kind IS 'build, crash, timeout, memory, wrong_result, resource, missing, missing_requirement, cancelled, internal; else NULL';
COMMENT ON COLUMN phases.seconds IS 'seconds: of the wall, or simulated where the trial has simulated_s';

COMMENT ON TABLE landscapes IS 'benchmarks of which every configuration is known: a recorded table, a model';
COMMENT ON COLUMN landscapes.run_id IS 'the run';
COMMENT ON COLUMN landscapes.benchmark IS 'full name of the benchmark';
COMMENT ON COLUMN landscapes.configurations IS 'feasible configurations';
COMMENT ON COLUMN landscapes.failures IS 'how many of them fail';
COMMENT ON COLUMN landscapes.optimum IS 'best value of the first objective, in its unit; NULL if all fail';
COMMENT ON COLUMN landscapes.median IS 'median of the first objective over those that succeed';
COMMENT ON COLUMN landscapes.worst IS 'worst value of the first objective';
COMMENT ON COLUMN landscapes.seconds_mean IS 'mean simulated seconds per evaluation over all of them; NULL: unknown';

COMMENT ON TABLE baselines IS 'calculated: what random search without repetitions is expected to have found on a known space';
COMMENT ON COLUMN baselines.run_id IS 'the run';
COMMENT ON COLUMN baselines.benchmark IS 'full name of the benchmark';
COMMENT ON COLUMN baselines.evaluation IS 'number of evaluations, from 1';
COMMENT ON COLUMN baselines.expected IS 'expected best of the first objective after so many, if at least one of them succeeded; in its unit';
COMMENT ON COLUMN baselines.seconds IS 'evaluation times landscapes.seconds_mean; NULL: unknown';
