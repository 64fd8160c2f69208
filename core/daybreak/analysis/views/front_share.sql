-- front_share: how much of the joint front each study covers at its end, on benchmarks with several
-- objectives: the hypervolume of its trials as a share of that of all trials of the run on the
-- benchmark. The box lies between the best and the worst value of each objective on the joint front,
-- logarithmic where all values are positive; the reference point lies 10 % of it beyond the worst.
-- Unit: `share` from 0, nothing, to 1, all that was found.
-- Uses: evaluations, objective_losses, pareto
-- Columns:
--   run_id       the run
--   benchmark    full name of the benchmark
--   optimizer    label of the optimizer
--   study_id     its study
--   evaluations  its evaluations
--   share        its share of the joint front's hypervolume; 0 for a study without a valid result
WITH RECURSIVE numbered AS (  -- one row for each coordinate of a point
    SELECT run_id, benchmark, study_id, trial_id, signs[i] * losses[i] AS value, losses[i] AS loss,
           signs[i] AS sign, i
    FROM (SELECT *, unnest(range(1, len(losses) + 1)) AS i FROM objective_losses)
),
kinds AS (
    SELECT run_id, benchmark, i, bool_and(value > 0) AS logarithmic
    FROM numbered GROUP BY run_id, benchmark, i
),
scaled AS (
    SELECT n.run_id, n.benchmark, n.study_id, n.trial_id, n.i, p.trial_id IS NOT NULL AS joint,
           CASE WHEN k.logarithmic THEN n.sign * ln(n.value) ELSE n.loss END AS x
    FROM numbered n
    JOIN kinds k ON k.run_id = n.run_id AND k.benchmark = n.benchmark AND k.i = n.i
    LEFT JOIN pareto p ON p.trial_id = n.trial_id
),
box AS (  -- where the front is a single value, all that was seen is the extent
    SELECT run_id, benchmark, i, low, high > low AS wide,
           CASE WHEN high > low THEN high - low WHEN worst > low THEN worst - low ELSE 1 END
               AS extent
    FROM (SELECT run_id, benchmark, i, min(x) FILTER (joint) AS low, max(x) FILTER (joint) AS high,
                 max(x) AS worst
          FROM scaled GROUP BY run_id, benchmark, i)
),
inside AS (  -- points of the box, minimized
    SELECT s.run_id, s.benchmark, s.study_id, bool_or(s.joint) AS joint,
           list((s.x - b.low) / b.extent ORDER BY s.i) AS point,
           list(CASE WHEN b.wide THEN 1.1 ELSE 0.1 END ORDER BY s.i) AS reference
    FROM scaled s JOIN box b ON b.run_id = s.run_id AND b.benchmark = s.benchmark AND b.i = s.i
    GROUP BY s.run_id, s.benchmark, s.study_id, s.trial_id
    HAVING bool_and((s.x - b.low) / b.extent < CASE WHEN b.wide THEN 1.1 ELSE 0.1 END)
),
owned AS (  -- the different points of each study, and those of the joint front (no study)
    SELECT DISTINCT run_id, benchmark, study_id, point, reference FROM inside
    UNION ALL
    SELECT DISTINCT run_id, benchmark, NULL, point, reference FROM inside WHERE joint
),
walked AS (
    SELECT *, min(point[2]) OVER (PARTITION BY run_id, benchmark, study_id
                                  ORDER BY point[1], point[2]
                                  ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS lowest
    FROM owned
    WHERE len(point) = 2
),
fronts AS (
    SELECT run_id, benchmark, study_id, point, reference
    FROM walked WHERE lowest IS NULL OR point[2] < lowest
    UNION ALL
    SELECT run_id, benchmark, study_id, point, reference
    FROM owned p
    WHERE len(point) > 2 AND NOT EXISTS (
        SELECT 1 FROM owned q
        WHERE q.run_id = p.run_id AND q.benchmark = p.benchmark
          AND q.study_id IS NOT DISTINCT FROM p.study_id AND q.point <> p.point
          AND len(list_filter(range(1, len(p.point) + 1),
                              lambda i : q.point[i] > p.point[i])) = 0)
),
-- A volume is cut into slabs along its last coordinate: in each, all points that begin below it
-- count, without that coordinate. What is left at last are lengths.
slabs AS (
    SELECT run_id, benchmark, study_id, any_value(reference) AS reference,
           list(point) AS points, len(any_value(reference)) AS k, 1.0::DOUBLE AS size
    FROM fronts GROUP BY run_id, benchmark, study_id
    UNION ALL
    SELECT run_id, benchmark, study_id, reference,
           list_filter(points, lambda p : p[k] <= level), k - 1,
           size * (coalesce(levels[list_position(levels, level) + 1], reference[k]) - level)
    FROM (SELECT *, unnest(levels) AS level
          FROM (SELECT *, list_sort(list_distinct(list_transform(points, lambda p : p[k])))
                          AS levels
                FROM slabs WHERE k > 1))
),
volumes AS (
    SELECT run_id, benchmark, study_id,
           sum(size * (reference[1] - list_min(list_transform(points, lambda p : p[1])))) AS volume
    FROM slabs WHERE k = 1
    GROUP BY run_id, benchmark, study_id
)
SELECT e.run_id, e.benchmark, any_value(e.optimizer) AS optimizer, e.study_id,
       count(*) AS evaluations,
       least(1.0, coalesce(any_value(own.volume), 0.0) / any_value(joint.volume)) AS share
FROM (SELECT * FROM volumes WHERE study_id IS NULL) joint
JOIN evaluations e ON e.run_id = joint.run_id AND e.benchmark = joint.benchmark
LEFT JOIN (SELECT * FROM volumes WHERE study_id IS NOT NULL) own ON own.study_id = e.study_id
GROUP BY e.run_id, e.benchmark, e.study_id
