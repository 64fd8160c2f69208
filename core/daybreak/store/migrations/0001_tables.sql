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
