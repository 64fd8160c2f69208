-- Training jobs: what the machine costs while they train, and curves that end before their target.

ALTER TABLE studies ADD COLUMN dollars_per_hour DOUBLE;

COMMENT ON COLUMN studies.dollars_per_hour IS 'price of the machine as the suite gives it, US dollars per hour; NULL: unpriced';
COMMENT ON COLUMN trials.failure_kind IS 'build, crash, timeout, memory, wrong_result, resource, missing, missing_requirement, not_reached, cancelled, internal; else NULL';
COMMENT ON COLUMN phases.phase IS 'build, verify, measure, conclude (of a training job), or a finer name such as build.compile';
