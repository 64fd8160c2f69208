-- The first tables. Times of day are UTC; durations are in seconds; docs/reference/tables.md
-- describes every column. No primary keys: the spool decides what is new (`ingested`).

CREATE TABLE runs (
    run_id VARCHAR,
    suite VARCHAR,
    suite_key VARCHAR,
    status VARCHAR,
    message VARCHAR,
    machine_id VARCHAR,
    environment_id VARCHAR,
    started_at TIMESTAMP,
    finished_at TIMESTAMP,
    daybreak_version VARCHAR,
    suite_path VARCHAR,
    suite_source VARCHAR,
    details JSON
);

CREATE TABLE machines (machine_id VARCHAR, identity JSON);

CREATE TABLE environments (environment_id VARCHAR, lock JSON);

CREATE TABLE plugins (
    run_id VARCHAR,
    name VARCHAR,
    distribution VARCHAR,
    version VARCHAR,
    module VARCHAR,
    status VARCHAR,
    reason VARCHAR
);

CREATE TABLE benchmarks (
    run_id VARCHAR,
    benchmark VARCHAR,
    target VARCHAR,
    name VARCHAR,
    instance VARCHAR,
    summary VARCHAR,
    objective VARCHAR,
    objective_unit VARCHAR,
    direction VARCHAR,
    space_fingerprint VARCHAR,
    space JSON,
    options JSON,
    reference_configurations JSON,
    identity JSON,
    floors JSON,
    sandbox VARCHAR,
    notes JSON,
    details JSON
);

CREATE TABLE metrics (
    run_id VARCHAR,
    benchmark VARCHAR,
    metric VARCHAR,
    unit VARCHAR,
    direction VARCHAR,
    objective INTEGER,
    summary VARCHAR
);

CREATE TABLE studies (
    study_id VARCHAR,
    run_id VARCHAR,
    benchmark VARCHAR,
    target VARCHAR,
    optimizer VARCHAR,
    seed BIGINT,
    budget JSON,
    status VARCHAR,
    study_key VARCHAR,
    component VARCHAR,
    role VARCHAR,
    options JSON,
    protocol JSON,
    thresholds JSON,
    message VARCHAR,
    started_at TIMESTAMP,
    finished_at TIMESTAMP,
    objective VARCHAR,
    objective_unit VARCHAR,
    direction VARCHAR,
    study_no BIGINT,
    details JSON
);

CREATE TABLE thresholds (
    study_id VARCHAR,
    name VARCHAR,
    metric VARCHAR,
    relative_to VARCHAR,
    value DOUBLE,
    unit VARCHAR
);

CREATE TABLE trials (
    trial_id BIGINT,
    study_id VARCHAR,
    number INTEGER,
    status VARCHAR,
    failure_kind VARCHAR,
    configuration JSON,
    objective DOUBLE,
    objective_unit VARCHAR,
    started_at TIMESTAMP,
    ask_s DOUBLE,
    build_s DOUBLE,
    verify_s DOUBLE,
    measure_s DOUBLE,
    tell_s DOUBLE,
    total_s DOUBLE,
    elapsed_s DOUBLE,
    low DOUBLE,
    high DOUBLE,
    objectives MAP(VARCHAR, DOUBLE),
    reference VARCHAR,
    key VARCHAR,
    message VARCHAR,
    detail VARCHAR,
    facts JSON,
    proposal JSON
);

CREATE TABLE phases (trial_id BIGINT, phase VARCHAR, seconds DOUBLE);

CREATE TABLE samples (trial_id BIGINT, metric VARCHAR, i BIGINT, value DOUBLE);

CREATE TABLE events (
    trial_id BIGINT,
    seq BIGINT,
    step BIGINT,
    epoch DOUBLE,
    train_s DOUBLE,
    wall_s DOUBLE,
    metric VARCHAR,
    value DOUBLE
);

CREATE TABLE readings (
    run_id VARCHAR,
    study_id VARCHAR,
    trial_id BIGINT,
    read_at TIMESTAMP,
    name VARCHAR,
    value DOUBLE,
    text VARCHAR
);

-- how far into each segment of the spool this index has come
CREATE TABLE ingested (
    run_id VARCHAR,
    segment INTEGER,
    records BIGINT,
    bytes BIGINT
);

-- views installed from SQL files, by a digest of their text
CREATE TABLE installed_views (name VARCHAR, digest VARCHAR);

-- What the columns mean, for any client: SELECT comment FROM duckdb_columns()

COMMENT ON TABLE runs IS 'one execution of a suite on one machine';
COMMENT ON COLUMN runs.run_id IS 'id of the run, also the name of its folder in the spool';
COMMENT ON COLUMN runs.suite IS 'name of the suite';
COMMENT ON COLUMN runs.suite_key IS 'hash of the suite''s name, benchmarks and protocol';
COMMENT ON COLUMN runs.status IS 'running, finished, failed or interrupted (killed, too)';
COMMENT ON COLUMN runs.message IS 'why it failed, else NULL';
COMMENT ON COLUMN runs.machine_id IS 'the machine that it ran on';
COMMENT ON COLUMN runs.environment_id IS 'the software that it ran with';
COMMENT ON COLUMN runs.started_at IS 'when it began (UTC)';
COMMENT ON COLUMN runs.finished_at IS 'when it ended (UTC); NULL while it runs or if it was killed';
COMMENT ON COLUMN runs.daybreak_version IS 'version of Daybreak that began it';
COMMENT ON COLUMN runs.suite_path IS 'where the suite was read from';
COMMENT ON COLUMN runs.suite_source IS 'text of the suite';
COMMENT ON COLUMN runs.details IS 'whatever else is known';

COMMENT ON TABLE machines IS 'hardware that runs were measured on';
COMMENT ON COLUMN machines.machine_id IS 'hash of the identity';
COMMENT ON COLUMN machines.identity IS 'what does not change from day to day: processor, caches, cores';

COMMENT ON TABLE environments IS 'software that runs were measured with';
COMMENT ON COLUMN environments.environment_id IS 'hash of the lock';
COMMENT ON COLUMN environments.lock IS 'packages, compilers and their versions';

COMMENT ON TABLE plugins IS 'plugins that were installed at a run';
COMMENT ON COLUMN plugins.run_id IS 'the run';
COMMENT ON COLUMN plugins.name IS 'name of the plugin''s entry point';
COMMENT ON COLUMN plugins.distribution IS 'the installed distribution that it comes from';
COMMENT ON COLUMN plugins.version IS 'version of the distribution';
COMMENT ON COLUMN plugins.module IS 'module that it was loaded from';
COMMENT ON COLUMN plugins.status IS 'ok, blocked, incompatible, missing-requirement, import-error, hook-error';
COMMENT ON COLUMN plugins.reason IS 'why it is not ok, else NULL';

COMMENT ON TABLE benchmarks IS 'benchmarks as they were opened in a run';
COMMENT ON COLUMN benchmarks.run_id IS 'the run';
COMMENT ON COLUMN benchmarks.benchmark IS 'full name target/benchmark[:instance]';
COMMENT ON COLUMN benchmarks.target IS 'the target';
COMMENT ON COLUMN benchmarks.name IS 'the part of the name that the target knows';
COMMENT ON COLUMN benchmarks.instance IS 'label of the data and sizes';
COMMENT ON COLUMN benchmarks.summary IS 'one line';
COMMENT ON COLUMN benchmarks.objective IS 'name of the first objective, which ranks';
COMMENT ON COLUMN benchmarks.objective_unit IS 'its unit';
COMMENT ON COLUMN benchmarks.direction IS 'minimize or maximize';
COMMENT ON COLUMN benchmarks.space_fingerprint IS 'hash of the search space';
COMMENT ON COLUMN benchmarks.space IS 'the search space: parameters and constraints';
COMMENT ON COLUMN benchmarks.options IS 'options of the benchmark, defaults filled in';
COMMENT ON COLUMN benchmarks.reference_configurations IS 'the references and their configurations';
COMMENT ON COLUMN benchmarks.identity IS 'what makes trials comparable: hash of the data, compiler version';
COMMENT ON COLUMN benchmarks.floors IS 'per metric the value that no honest result can beat (roofline)';
COMMENT ON COLUMN benchmarks.sandbox IS 'how candidates were confined';
COMMENT ON COLUMN benchmarks.notes IS 'what a reader must know, e.g. inert parameters';
COMMENT ON COLUMN benchmarks.details IS 'whatever else is known';

COMMENT ON TABLE metrics IS 'what a benchmark measures, objectives first';
COMMENT ON COLUMN metrics.run_id IS 'the run';
COMMENT ON COLUMN metrics.benchmark IS 'full name of the benchmark';
COMMENT ON COLUMN metrics.metric IS 'name of the metric';
COMMENT ON COLUMN metrics.unit IS 'its unit';
COMMENT ON COLUMN metrics.direction IS 'minimize or maximize';
COMMENT ON COLUMN metrics.objective IS 'rank as an objective from 0; NULL: no objective';
COMMENT ON COLUMN metrics.summary IS 'one line';

COMMENT ON TABLE studies IS 'one optimizer on one benchmark with one seed; references have studies too';
COMMENT ON COLUMN studies.study_id IS 'id of the study, unique over all runs';
COMMENT ON COLUMN studies.run_id IS 'the run';
COMMENT ON COLUMN studies.benchmark IS 'full name target/benchmark[:instance]';
COMMENT ON COLUMN studies.target IS 'the target';
COMMENT ON COLUMN studies.optimizer IS 'label of the optimizer';
COMMENT ON COLUMN studies.seed IS 'the seed';
COMMENT ON COLUMN studies.budget IS 'evaluations, seconds, dollars, tokens; null: unbounded';
COMMENT ON COLUMN studies.status IS 'running, finished, exhausted (nothing left to propose), failed, interrupted';
COMMENT ON COLUMN studies.study_key IS 'hash by which a resumed run finds the study';
COMMENT ON COLUMN studies.component IS 'the registered optimizer behind the label';
COMMENT ON COLUMN studies.role IS 'optimizer, or reference: its trials are no evaluations';
COMMENT ON COLUMN studies.options IS 'options of the optimizer, defaults filled in';
COMMENT ON COLUMN studies.protocol IS 'measurement protocol';
COMMENT ON COLUMN studies.thresholds IS 'thresholds as the suite gives them';
COMMENT ON COLUMN studies.message IS 'why it failed, else NULL';
COMMENT ON COLUMN studies.started_at IS 'when it began (UTC)';
COMMENT ON COLUMN studies.finished_at IS 'when it ended (UTC)';
COMMENT ON COLUMN studies.objective IS 'name of the benchmark''s first objective';
COMMENT ON COLUMN studies.objective_unit IS 'its unit';
COMMENT ON COLUMN studies.direction IS 'minimize or maximize';
COMMENT ON COLUMN studies.study_no IS 'number that ids of its trials begin with';
COMMENT ON COLUMN studies.details IS 'whatever else is known';

COMMENT ON TABLE thresholds IS 'thresholds of studies, one row each; see the view time_to_target';
COMMENT ON COLUMN thresholds.study_id IS 'the study';
COMMENT ON COLUMN thresholds.name IS 'name of the threshold';
COMMENT ON COLUMN thresholds.metric IS 'the metric to watch; NULL: the first objective';
COMMENT ON COLUMN thresholds.relative_to IS 'name of a reference; NULL: the value is absolute';
COMMENT ON COLUMN thresholds.value IS 'factor of the reference''s median, or a value in `unit`; NULL if its unit does not fit the metric';
COMMENT ON COLUMN thresholds.unit IS 'unit of an absolute value: that of the metric';

COMMENT ON TABLE trials IS 'one configuration, proposed, built, verified and measured';
COMMENT ON COLUMN trials.trial_id IS 'id of the trial: study_no * 4194304 + number; the same in every index';
COMMENT ON COLUMN trials.study_id IS 'the study';
COMMENT ON COLUMN trials.number IS 'counts from 0 within the study';
COMMENT ON COLUMN trials.status IS 'ok, failed, or stopped (measured, given up as hopeless)';
COMMENT ON COLUMN trials.failure_kind IS 'build, crash, timeout, memory, wrong_result, resource, missing_requirement, cancelled, internal; else NULL';
COMMENT ON COLUMN trials.configuration IS 'a value for every parameter; permutations are lists';
COMMENT ON COLUMN trials.objective IS 'first objective: median of its samples, in objective_unit; NULL if failed';
COMMENT ON COLUMN trials.objective_unit IS 'unit of objective, low and high';
COMMENT ON COLUMN trials.started_at IS 'when it began (UTC)';
COMMENT ON COLUMN trials.ask_s IS 'the optimizer''s time to propose it, seconds';
COMMENT ON COLUMN trials.build_s IS 'time to build, seconds; NULL if it did not come to that';
COMMENT ON COLUMN trials.verify_s IS 'time to verify, seconds; NULL if it did not come to that';
COMMENT ON COLUMN trials.measure_s IS 'time to measure, warm-up and repeats, seconds; NULL if it did not come to that';
COMMENT ON COLUMN trials.tell_s IS 'the optimizer''s time to learn from it, seconds';
COMMENT ON COLUMN trials.total_s IS 'wall time of the whole trial, seconds';
COMMENT ON COLUMN trials.elapsed_s IS 'the study''s own clock at the end of the trial, seconds';
COMMENT ON COLUMN trials.low IS 'lower end of the 95 % confidence interval of objective';
COMMENT ON COLUMN trials.high IS 'upper end of the same interval';
COMMENT ON COLUMN trials.objectives IS 'value of every objective by name, each in the unit that metrics lists';
COMMENT ON COLUMN trials.reference IS 'name of the reference that was measured; NULL: an optimizer''s evaluation';
COMMENT ON COLUMN trials.key IS 'hash of everything that makes the trial repeatable';
COMMENT ON COLUMN trials.message IS 'one line about a failure';
COMMENT ON COLUMN trials.detail IS 'longer text, e.g. the end of the compiler''s output';
COMMENT ON COLUMN trials.facts IS 'facts about the artifact: code hash, sizes, warm-up count';
COMMENT ON COLUMN trials.proposal IS 'what the optimizer believed when it proposed this';

COMMENT ON TABLE phases IS 'clocks of a trial, each phase its own';
COMMENT ON COLUMN phases.trial_id IS 'the trial';
COMMENT ON COLUMN phases.phase IS 'build, verify, measure, or a finer name such as build.compile';
COMMENT ON COLUMN phases.seconds IS 'wall time, seconds';

COMMENT ON TABLE samples IS 'single measured values';
COMMENT ON COLUMN samples.trial_id IS 'the trial';
COMMENT ON COLUMN samples.metric IS 'the metric; its unit is in metrics';
COMMENT ON COLUMN samples.i IS 'counts the repetitions from 0';
COMMENT ON COLUMN samples.value IS 'the value in the metric''s unit';

COMMENT ON TABLE events IS 'points of progress curves inside trials, e.g. of a training job';
COMMENT ON COLUMN events.trial_id IS 'the trial';
COMMENT ON COLUMN events.seq IS 'counts the events of the trial';
COMMENT ON COLUMN events.step IS 'training step, if there is one';
COMMENT ON COLUMN events.epoch IS 'training epoch, if there is one';
COMMENT ON COLUMN events.train_s IS 'training clock, evaluation and checkpoints excluded, seconds';
COMMENT ON COLUMN events.wall_s IS 'wall clock since the measurement began, seconds';
COMMENT ON COLUMN events.metric IS 'the metric; its unit is in metrics';
COMMENT ON COLUMN events.value IS 'the value in the metric''s unit';

COMMENT ON TABLE readings IS 'what was read off the machine, which changes: clock rate, load, temperature; and warnings';
COMMENT ON COLUMN readings.run_id IS 'the run';
COMMENT ON COLUMN readings.study_id IS 'the study, if it belongs to one';
COMMENT ON COLUMN readings.trial_id IS 'the trial, if it belongs to one';
COMMENT ON COLUMN readings.read_at IS 'when it was read (UTC)';
COMMENT ON COLUMN readings.name IS 'name of the reading, parts joined by dots; warning: a sentence for the reader';
COMMENT ON COLUMN readings.value IS 'the value if it is a number';
COMMENT ON COLUMN readings.text IS 'the value as text';

COMMENT ON TABLE ingested IS 'how far the index has taken in each segment of the spool';
COMMENT ON COLUMN ingested.run_id IS 'the run';
COMMENT ON COLUMN ingested.segment IS 'number of the segment';
COMMENT ON COLUMN ingested.records IS 'records taken in';
COMMENT ON COLUMN ingested.bytes IS 'bytes taken in, while the segment is still lines';
