"""Training runs put together from logs of every dialect, by hand and from excerpts of real ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak import FailureKind, TrialStatus
from daybreak_importers.findings import Findings
from daybreak_importers.mllog.lines import Damaged, Line, read_lines, scan
from daybreak_importers.mllog.outcomes import Judged, judge
from daybreak_importers.mllog.quality import name_of, quality_of, round_of_time
from daybreak_importers.mllog.runs import Run, assemble

DATA = Path(__file__).parents[1] / "data" / "mlperf"


def mllog(*events: tuple[object, ...]) -> str:
    """Write ``:::MLLOG`` lines of (seconds after 1.6e9, key, value, metadata)."""
    import json

    lines = []
    for second, key, *rest in events:
        value = rest[0] if rest else None
        metadata = {"file": "train.py", "lineno": 1, **(rest[1] if len(rest) > 1 else {})}  # type: ignore[dict-item]
        content = {
            "namespace": "",
            "time_ms": int((1_600_000_000 + float(str(second))) * 1000),
            "event_type": "POINT_IN_TIME",
            "key": key,
            "value": value,
            "metadata": metadata,
        }
        lines.append(":::MLLOG " + json.dumps(content))
    return "\n".join(lines) + "\n"


def epoch(number: object) -> dict[str, object]:
    return {"epoch_num": number}


def runs(text: str | bytes) -> list[Run]:
    data = text.encode() if isinstance(text, str) else text
    return assemble(scan(iter([data])))


def judged(
    text: str | bytes, name: str = "resnet", round_: float = 1.0
) -> tuple[Judged, list[str]]:
    (run,) = runs(text)
    findings = Findings()
    found = judge(run, quality_of(name, round_), "f", findings)
    return found, [f"{remark.line}: {remark.what}" for remark in findings.remarks]


#: two epochs of ten seconds, each with an evaluation of two, and a success
PLAIN = mllog(
    (0, "submission_benchmark", "resnet"),
    (0, "global_batch_size", 256),
    (1, "init_start"),
    (4, "init_stop"),
    (5, "run_start"),
    (5, "epoch_start", None, epoch(1)),
    (15, "epoch_stop", None, epoch(1)),
    (15, "eval_start", None, epoch(1)),
    (17, "eval_accuracy", 0.5, epoch(1)),
    (17, "eval_stop", None, epoch(1)),
    (17, "epoch_start", None, epoch(2)),
    (27, "eval_start", None, epoch(2)),
    (29, "eval_accuracy", 0.76, epoch(2)),
    (29, "eval_stop", None, epoch(2)),
    (30, "run_stop", None, {"status": "success"}),
)


class TestARun:
    def test_has_two_clocks_a_score_and_its_curve(self) -> None:
        found, odd = judged(PLAIN)
        outcome = found.outcome
        assert odd == []
        assert outcome.status is TrialStatus.OK
        assert outcome.objectives == {"time_to_train": 25.0}  # 30 - 5
        assert [(e.epoch, e.train_s, e.wall_s, e.value) for e in outcome.events] == [
            (1.0, 10.0, 12.0, 0.5),
            (2.0, 20.0, 24.0, 0.76),
        ]
        assert {s.metric: s.value for s in outcome.samples} == {
            "time_to_train": 25.0,
            "time_to_target": 20.0,
        }
        assert outcome.phases == {"measure": 25.0, "build": 3.0, "measure.evaluate": 4.0}
        assert found.started_at == "2020-09-13T12:26:45.000000+00:00"
        assert found.target is None
        (run,) = runs(PLAIN)
        assert run.configuration == {"global_batch_size": 256}

    def test_of_v05_is_as_the_submitter_scored_it(self) -> None:
        (run,) = assemble(read_lines(DATA / "ncf_result_0.txt"))
        found = judge(run, quality_of("ncf", 0.5), "f", Findings())
        # run_stop 1541731885.447123289 - run_start 1541731858.930371284; the log's own script says
        # mlperf_score 26.516479969024658
        assert found.outcome.objectives["time_to_train"] == pytest.approx(26.516752, abs=1e-5)
        first, second = found.outcome.events[:2]
        assert (first.epoch, first.value) == (1.0, 0.43023113081527586)  # epochs from 0
        assert first.wall_s == pytest.approx(8.142146588, abs=1e-5)
        assert first.train_s == pytest.approx(7.856146575, abs=1e-5)
        # eval_start 1868.127781391 less run_start, less the first evaluation's 0.286682128 s
        assert second.train_s == pytest.approx(8.910727979, abs=1e-5)

    def test_with_evaluation_beside_training_keeps_the_clock_running(self) -> None:
        (run,) = assemble(read_lines(DATA / "ssd_result_0.txt"))
        found = judge(run, quality_of("ssd", 0.5), "f", Findings())
        # eval_start of epoch 48 comes before eval_stop of epoch 42
        assert run.evaluated.concurrent
        assert [e.epoch for e in found.outcome.events] == [32.0, 42.0, 48.0]
        # eval_start - run_start 1543595951.605592966
        assert [e.train_s for e in found.outcome.events] == pytest.approx(
            [645.116910935, 836.700553074, 933.016833067], abs=1e-5
        )
        # eval_accuracy - run_start
        assert [e.wall_s for e in found.outcome.events] == pytest.approx(
            [773.426084873, 975.896845102, 1070.215578086], abs=1e-5
        )
        assert found.outcome.status is TrialStatus.OK

    def test_of_v06_has_its_value_and_metadata_apart(self) -> None:
        text = (
            ':::MLL 0.0 submission_benchmark: {"value": "gnmt", "metadata": {}}\n'
            ':::MLL 1558641496.5 run_start: {"value": null, "metadata": {"lineno": 1}}\n'
            ':::MLL 1558641506.5 eval_start: {"value": null, "metadata": {"epoch_num": 1}}\n'
            ':::MLL 1558641507.0 eval_accuracy: {"value": 24.5, "metadata": {"epoch_num": 1}}\n'
            ':::MLL 1558641507.0 eval_stop: {"value": null, "metadata": {"epoch_num": 1}}\n'
            ':::MLL 1558641508.5 run_stop: {"value": null, "metadata": {"status": "success"}}\n'
        )
        found, odd = judged(text, "gnmt", 0.6)
        assert odd == []
        assert found.outcome.objectives == {"time_to_train": 12.0}
        (event,) = found.outcome.events
        assert (event.metric, event.value, event.train_s, event.wall_s) == (
            "bleu",
            24.5,
            10.0,
            10.5,
        )
        assert runs(text)[0].benchmark == "gnmt"

    def test_with_dates_for_times_and_signs_for_percent(self) -> None:
        text = (
            "MLPerf: resnet [06/13/19 23:59:56], run_start\n" * 3
            + "MLPerf: resnet [06/13/19 23:59:57], run_start\n"
            + 'MLPerf: resnet [06/13/19 23:59:57], model_hp_relu: "(3) -> (4)"\n'
            + "MLPerf: resnet [06/13/19 23:59:58], train_epoch:0\n"
            + "MLPerf: resnet [06/14/19 00:00:06], eval_start\n"
            + 'MLPerf: resnet [06/14/19 00:00:07], eval_accuracy: {"value": 75.98000%, "epoch": 0}\n'
            + "MLPerf: resnet [06/14/19 00:00:08], eval_stop\n"
            + "MLPerf: resnet [06/14/19 00:00:09], run_stop\n"
        )
        found, odd = judged(text, "resnet", 0.6)
        (event,) = found.outcome.events
        assert (event.epoch, event.train_s, event.wall_s) == (1.0, 10.0, 11.0)
        assert event.value == pytest.approx(0.7598)
        assert found.outcome.objectives == {"time_to_train": 13.0}
        assert odd == [
            "None: repeated lines: 2, each counted once",
            "None: run_stop without a success flag: inferred from the evaluations, a success "
            "(top1_accuracy 0.7598 at best, target 0.759)",
        ]

    def test_with_seconds_instead_of_milliseconds(self) -> None:
        text = PLAIN.replace('"time_ms": ', '"time_s": ').replace('000, "event', '.000, "event')
        assert judged(text)[0].outcome.objectives == {"time_to_train": 25.0}


class TestHowItEnded:
    def text(self, *end: tuple[object, ...], value: float = 0.76) -> str:
        return mllog(
            (5, "run_start"),
            (15, "eval_start", None, epoch(1)),
            (17, "eval_accuracy", value, epoch(1)),
            (17, "eval_stop", None, epoch(1)),
            *end,
        )

    def test_without_run_stop_is_inferred_from_the_last_evaluation(self) -> None:
        found, odd = judged(self.text())
        assert found.outcome.objectives == {"time_to_train": 12.0}
        assert odd == [
            "None: no run_stop: inferred from the evaluations, a success "
            "(top1_accuracy 0.76 at best, target 0.759)",
            "None: no length: the first evaluation at the target is taken as the end",
        ]
        found, odd = judged(self.text(value=0.7))
        assert found.outcome.status is TrialStatus.FAILED
        assert found.outcome.failure_kind is FailureKind.NOT_REACHED
        assert found.outcome.message == "no run_stop; top1_accuracy 0.7 at best, target 0.759"
        assert len(found.outcome.events) == 1
        assert odd[0].endswith("no success (top1_accuracy 0.7 at best, target 0.759)")

    @pytest.mark.parametrize(
        ("flag", "metadata"),
        [({"success": True}, {}), ({"success": "true"}, {}), (None, {"status": "success"})],
    )
    def test_a_success_flag_in_any_dress(self, flag: object, metadata: dict[str, object]) -> None:
        found, odd = judged(self.text((20, "run_stop", flag, metadata)))
        assert found.outcome.objectives == {"time_to_train": 15.0}
        assert odd == []

    @pytest.mark.parametrize(
        ("flag", "metadata"), [({"success": False}, {}), (None, {"status": "aborted"})]
    )
    def test_a_failure_is_a_result(self, flag: object, metadata: dict[str, object]) -> None:
        found, odd = judged(self.text((20, "run_stop", flag, metadata), value=0.7))
        assert found.outcome.failure_kind is FailureKind.NOT_REACHED
        assert odd == []

    def test_where_flag_and_evaluations_differ_the_flag_counts(self) -> None:
        found, odd = judged(self.text((20, "run_stop", None, {"status": "aborted"})))
        assert found.outcome.status is TrialStatus.FAILED
        assert odd[0].startswith("None: contradiction: logged as aborted, but top1_accuracy 0.76")
        found, odd = judged(self.text((20, "run_stop", None, {"status": "success"}), value=0.7))
        assert found.outcome.objectives == {"time_to_train": 15.0}
        assert odd[0].startswith("None: contradiction: logged as a success, but top1_accuracy 0.7")

    def test_a_run_that_ends_before_it_begins_has_no_length(self) -> None:
        found, odd = judged(self.text((3, "run_stop", None, {"status": "success"})))
        assert "5: negative time: run_stop is before run_start" in odd
        assert found.outcome.objectives == {"time_to_train": 12.0}  # the evaluation at the target

    def test_evaluations_outside_the_run_have_no_clock(self) -> None:
        text = mllog(
            (5, "run_start"),
            (2, "eval_accuracy", 0.1, epoch(1)),
            (10, "epoch_start", None, epoch(2)),
            (90, "eval_accuracy", 0.4, epoch(2)),
            (91, "eval_result", 0.76, {"epoch_num": 3, "timestamp": 20.5}),
            (27, "run_stop", None, {"status": "success"}),
        )
        found, odd = judged(text)
        assert [(e.train_s, e.wall_s, e.value) for e in found.outcome.events] == [
            (None, None, 0.1),
            (None, None, 0.4),
            (20.5, 20.5, 0.76),
        ]
        assert odd[:3] == [
            "5: scored by eval_result: 20.5 s, though the log goes on to 22 s",
            "2: negative time: before run_start, so without a clock",
            "4: after run_stop: the evaluation has no clock",
        ]
        assert found.outcome.objectives == {"time_to_train": 20.5}


class TestLines:
    def test_prefixes_are_ignored_and_repeated_lines_count_once(self) -> None:
        doubled = "".join(
            f"DEBUG:{line}\n0: INFO:root:{line}\n" for line in PLAIN.strip().split("\n")
        )
        found, odd = judged(doubled)
        assert found.outcome.objectives == {"time_to_train": 25.0}
        assert len(found.outcome.events) == 2
        assert odd == ["None: repeated lines: 15, each counted once"]

    def test_ranks_that_log_a_little_later_count_once(self) -> None:
        text = PLAIN + mllog((17.004, "eval_accuracy", 0.5, epoch(1)))
        found, odd = judged(text)
        assert len(found.outcome.events) == 2
        assert odd == ["None: repeated lines: 1, each counted once"]

    def test_a_log_cut_in_the_middle_says_where(self) -> None:
        cut = PLAIN[: PLAIN.index('"eval_accuracy", "value": 0.76') + 20]
        found, odd = judged(cut)
        assert len(found.outcome.events) == 1
        assert odd[0] == "13: cut in the middle: the log's last line"
        assert found.outcome.failure_kind is FailureKind.NOT_REACHED

    def test_a_damaged_line_is_reported_and_the_rest_used(self) -> None:
        lines = PLAIN.split("\n")
        lines[8] = lines[8].replace('"value": 0.5', '"value": 0.5 oops')
        found, odd = judged("\n".join(lines))
        assert [e.value for e in found.outcome.events] == [0.76]
        assert odd == ["9: damaged line: not read"]

    def test_an_evaluation_without_a_number_is_left_out(self) -> None:
        text = PLAIN + mllog((29.5, "eval_accuracy", "NaN", epoch(3)))
        found, odd = judged(text)
        assert len(found.outcome.events) == 2
        assert odd == ["16: evaluation without a number"]

    @pytest.mark.parametrize("end", ["\r", "\r\n"])
    def test_line_ends_of_all_systems(self, end: str) -> None:
        (run,) = runs(PLAIN.replace("\n", end))
        assert (run.line, run.seconds, len(run.evaluated.found)) == (5, 25.0, 2)

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
    def test_encodings(self, encoding: str) -> None:
        data = ("caf\u00e9\n" + PLAIN).encode(encoding)
        if encoding == "utf-16-be":
            data = b"\xfe\xff" + data
        (run,) = runs(data)
        assert (run.line, run.seconds) == (6, 25.0)

    def test_bytes_that_are_no_text_do_no_harm(self) -> None:
        data = b"\xff\xfe\x00caf\xe9 \x80\n".replace(b"\xff\xfe", b"\xff\xff") + PLAIN.encode()
        assert runs(data)[0].seconds == 25.0

    def test_several_lines_run_together(self) -> None:
        assert runs(PLAIN.replace("\n", " "))[0].seconds == 25.0

    def test_several_runs_in_a_log(self) -> None:
        second = PLAIN.replace("16000000", "16100000").replace("256", "512")
        first, other = runs(PLAIN + second)
        assert [first.place, other.place] == [0, 1]
        assert [first.seconds, other.seconds] == [25.0, 25.0]
        assert first.configuration == {"global_batch_size": 256}
        assert other.configuration == {"global_batch_size": 512}
        assert other.line == 20

    def test_a_log_without_run_start_begins_with_its_first_line(self) -> None:
        text = "\n".join(line for line in PLAIN.split("\n") if "run_start" not in line)
        found, odd = judged(text.replace('"init_st', '"x_init_st'))
        assert odd[0] == "1: no run_start: clocks begin with the first line"
        assert found.outcome.objectives == {"time_to_train": 30.0}

    def test_no_log_at_all(self) -> None:
        assert runs("epoch 1\nepoch 2\n") == []
        assert runs("") == []
        assert runs(':::MLLOG {"key": "submission_org", "value": "x", "time_ms": 1}\n') == []

    def test_lines_that_do_not_matter_are_not_read(self) -> None:
        text = ':::MLLOG {"key": "tracked_stats", "value": {broken\n' + PLAIN
        assert judged(text)[1] == []


class TestEpochs:
    @pytest.mark.parametrize(
        ("begun", "evaluated", "done"),
        [
            ([("epoch_start", {"epoch_num": 0})], 0, 1),
            ([("epoch_start", {"epoch_num": 1})], 1, 1),
            ([("block_start", {"first_epoch_num": 0, "epoch_count": 4})], 3, 4),
            ([("block_start", {"first_epoch_num": 0, "epoch_count": 4})], 4, 4),
            ([("block_start", {"first_epoch_num": 1, "epoch_count": 4})], 4, 4),
            ([], 0, 0),
            ([("epoch_start", {"epoch_num": 0})], 0.25, 0.25 + 0),
        ],
    )
    def test_count_epochs_that_are_done(
        self, begun: list[tuple[str, dict[str, object]]], evaluated: float, done: float
    ) -> None:
        text = mllog(
            (0, "run_start"),
            *((1, key, None, metadata) for key, metadata in begun),
            (9, "eval_start", None, epoch(evaluated)),
            (10, "eval_accuracy", 0.8, epoch(evaluated)),
        )
        (evaluation,) = runs(text)[0].evaluated.found
        assert evaluation.epoch == done

    def test_samples_under_the_name_of_an_epoch_are_steps(self) -> None:
        text = mllog((0, "run_start"), (9, "eval_accuracy", 0.73, epoch(2_457_600)))
        (evaluation,) = runs(text)[0].evaluated.found
        assert (evaluation.epoch, evaluation.step) == (None, 2_457_600)

    def test_samples_count_as_steps(self) -> None:
        text = mllog((0, "run_start"), (9, "eval_accuracy", 0.9, {"samples_count": 3072}))
        (evaluation,) = runs(text)[0].evaluated.found
        assert (evaluation.epoch, evaluation.step) == (None, 3072)


class TestQuality:
    def test_losses_fall(self) -> None:
        text = mllog(
            (0, "run_start"),
            (9, "eval_accuracy", 0.93, {"samples_count": 1}),
            (19, "eval_accuracy", 0.92, {"samples_count": 2}),
        )
        found, odd = judged(text, "llama2_70b_lora", 4.0)
        assert found.outcome.objectives == {"time_to_train": 19.0}
        assert "a success (eval_loss 0.92 at best, target 0.925)" in odd[1]

    def test_percentages_are_divided(self) -> None:
        text = PLAIN.replace('"value": 0.5', '"value": 50.0').replace(
            '"value": 0.76', '"value": 76'
        )
        found, odd = judged(text)
        assert [e.value for e in found.outcome.events] == pytest.approx([0.5, 0.76])
        assert odd == ["None: percentages: top1_accuracy is divided by 100"]

    @pytest.mark.parametrize(
        "value", [[0.38, 0.33], {"BBOX": 0.38, "SEGM": 0.33}, {"bbox": 0.38, "segm": 0.33}]
    )
    def test_several_numbers_must_all_reach_their_targets(self, value: object) -> None:
        text = mllog(
            (0, "run_start"),
            (9, "eval_accuracy", value, epoch(1)),
            (19, "eval_accuracy", [0.378, 0.34], epoch(2)),
            (20, "run_stop", None, {"status": "success"}),
        )
        found, _ = judged(text, "maskrcnn", 0.7)
        values = {(e.metric, e.epoch): e.value for e in found.outcome.events}
        assert values["box_ap", 1.0] == 0.38
        assert values["mask_ap", 1.0] == 0.33
        assert values["attained", 1.0] == pytest.approx(0.33 / 0.339)
        assert values["attained", 2.0] == pytest.approx(0.378 / 0.377)
        assert {s.metric: s.value for s in found.outcome.samples}["time_to_target"] == 19.0

    def test_numbers_of_several_lines_belong_together(self) -> None:
        text = mllog(
            (0, "run_start"),
            (9, "eval_accuracy", 95.0, {"step_num": 1000, "metric": "FID"}),
            (10, "eval_accuracy", 0.16, {"step_num": 1000, "metric": "CLIP"}),
            (19, "eval_accuracy", 0.16, {"step_num": 2000, "metric": "CLIP"}),
            (20, "eval_accuracy", 80.0, {"step_num": 2000, "metric": "FID"}),
        )
        found, _ = judged(text, "stable_diffusion", 3.1)
        attained = [(e.step, e.value) for e in found.outcome.events if e.metric == "attained"]
        assert attained == [(1000, pytest.approx(90 / 95)), (2000, pytest.approx(0.16 / 0.15))]
        assert found.outcome.objectives == {"time_to_train": 20.0}

    def test_another_target_is_the_runs_own(self) -> None:
        found, odd = judged(PLAIN + mllog((31, "eval_target", 0.75)))
        assert found.target == 0.75
        assert odd == ["None: another target: 0.75 is logged, the round's is 0.759"]
        assert judged(PLAIN + mllog((31, "eval_target", 75.9)))[0].target is None

    def test_rounds_have_their_own_targets(self) -> None:
        def target(name: str, round_: float) -> float | None:
            return quality_of(name, round_).curve.target

        assert [target("resnet", r) for r in (0.5, 0.6, 4.0)] == [0.749, 0.759, 0.759]
        assert [target("bert", r) for r in (0.7, 1.0)] == [0.712, 0.72]
        assert [target("gnmt", r) for r in (0.5, 0.6)] == [21.8, 24.0]
        assert target("unheard-of", 1.0) is None
        assert name_of("mask_rcnn", 0.7) == "maskrcnn"
        assert (name_of("ssd", 1.1), name_of("ssd", 2.0)) == ("ssd", "retinanet")
        # the dates of logs in the rounds' repositories
        assert round_of_time(1541731858) == 0.5
        assert round_of_time(1560722603) == 0.6
        assert round_of_time(1593422652) == 0.7
        assert round_of_time(1621389965) == 1.0
        assert round_of_time(1715849821) == 4.0


class TestAnything:
    @given(st.binary(max_size=300), st.lists(st.integers(1, 40), max_size=30))
    def test_bytes_are_read_or_passed_over(self, data: bytes, cuts: list[int]) -> None:
        for prefix in (
            b"",
            b":::MLLOG ",
            b":::MLL 1.5 run_start: ",
            b":::MLPv0.5.0 ncf 1.0 (x:1) ",
        ):
            whole = prefix + data
            blocks, at = [], 0
            for cut in cuts:
                blocks.append(whole[at : at + cut])
                at += cut
            blocks.append(whole[at:])
            found = list(scan(iter([block for block in blocks if block])))
            assert all(isinstance(line, Line | Damaged) for line in found)
            for run in assemble(found):
                judge(run, quality_of("resnet", 1.0), "f", Findings())

    @given(st.lists(st.integers(1, 400), max_size=30))
    def test_it_makes_no_difference_how_a_file_is_cut_into_blocks(self, cuts: list[int]) -> None:
        data = ("noise\r\n" + PLAIN).encode()
        blocks, at = [], 0
        for cut in cuts:
            blocks.append(data[at : at + cut])
            at += cut
        blocks.append(data[at:])
        cut_up = list(scan(iter([block for block in blocks if block])))
        assert cut_up == list(scan(iter([data])))

    @given(st.data())
    def test_values_of_any_kind(self, data: st.DataObject) -> None:
        anything = st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["epoch_num", "value", "status", "BBOX"]), inner)
            ),
            max_leaves=6,
        )
        keys = [
            "run_start",
            "run_stop",
            "eval_accuracy",
            "eval_start",
            "eval_target",
            "block_start",
        ]
        lines = data.draw(
            st.lists(
                st.tuples(st.floats(-5, 500), st.sampled_from(keys), anything, st.just({})),
                max_size=8,
            )
        )
        metadata = data.draw(anything)
        text = mllog(*lines)
        for run in assemble(scan(iter([text.encode()]))):
            run.facts["x"] = metadata
            for name in ("resnet", "maskrcnn", "unheard-of"):
                judge(run, quality_of(name, 1.0), "f", Findings())
