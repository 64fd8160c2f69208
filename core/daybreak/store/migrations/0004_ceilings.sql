-- Ceilings of the roofline, measured on machines.

CREATE TABLE ceilings (
    run_id VARCHAR,
    machine_id VARCHAR,
    device VARCHAR,
    ceiling VARCHAR,
    kind VARCHAR,
    threads BIGINT,
    value DOUBLE,
    low DOUBLE,
    high DOUBLE,
    unit VARCHAR,
    repeats BIGINT,
    measured_at TIMESTAMP,
    details JSON
);

COMMENT ON TABLE ceilings IS 'how fast machines move bytes and calculate, measured by daybreak machine measure';
COMMENT ON COLUMN ceilings.run_id IS 'the run that measured it';
COMMENT ON COLUMN ceilings.machine_id IS 'the machine that it was measured on';
COMMENT ON COLUMN ceilings.device IS 'cpu';
COMMENT ON COLUMN ceilings.ceiling IS 'memory, a cache (L1d, L2, ...), gemm_f64 or gemm_f32';
COMMENT ON COLUMN ceilings.kind IS 'bandwidth or compute';
COMMENT ON COLUMN ceilings.threads IS 'processors that worked at the same time';
COMMENT ON COLUMN ceilings.value IS 'median over the repetitions, in unit';
COMMENT ON COLUMN ceilings.low IS 'lower end of the 95 % confidence interval of the median';
COMMENT ON COLUMN ceilings.high IS 'upper end of the same interval';
COMMENT ON COLUMN ceilings.unit IS 'B/s or flop/s';
COMMENT ON COLUMN ceilings.repeats IS 'number of repetitions';
COMMENT ON COLUMN ceilings.measured_at IS 'when (UTC)';
COMMENT ON COLUMN ceilings.details IS 'kernel, sizes, how bytes or operations are counted, libraries, every repetition';
