-- leaderboard: `leaderboard_all` for the newest run of each suite on each machine, best first: with
-- several objectives by the share of the joint front, else by the best result. Runs are never mixed
-- in a row: each says which run it is of. A run without any evaluation is passed over.
-- Unit: as in `leaderboard_all`.
-- Uses: leaderboard_all
-- Columns: as in `leaderboard_all`
WITH newest AS (
    SELECT run_id
    FROM runs
    WHERE run_id IN (SELECT run_id FROM leaderboard_all WHERE evaluations > 0)
    QUALIFY row_number() OVER (
        PARTITION BY suite, machine_id ORDER BY started_at DESC NULLS LAST, run_id DESC) = 1
)
SELECT l.*
FROM leaderboard_all l
JOIN newest USING (run_id)
ORDER BY l.suite, l.run_id, l.benchmark,
         -l.share_median NULLS LAST,
         CASE WHEN l.direction = 'maximize' THEN -l.best_median ELSE l.best_median END NULLS LAST,
         l.optimizer
