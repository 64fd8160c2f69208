"""What submitters do with the format: lines as they stand in published logs, shortened to what matters.

From mlcommons/training_results_v0.6, _v0.7, _v3.1, _v4.0, _v5.1 and hpc_results_v0.7 (Apache-2.0);
each test names its file. The targets are those of mlcommons/logging's compliance checker.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from importing import remarks, rows, run_import

from daybreak import FailureKind, TrialStatus
from daybreak_importers.findings import Findings
from daybreak_importers.mllog.layout import LogFile, place_of
from daybreak_importers.mllog.lines import scan
from daybreak_importers.mllog.outcomes import Judged, judge
from daybreak_importers.mllog.quality import name_of, quality_of, round_of_time
from daybreak_importers.mllog.runs import assemble


def judged(text: str, name: str, round_: float) -> tuple[Judged, list[str]]:
    (run,) = assemble(scan(iter([text.encode()])))
    findings = Findings()
    found = judge(run, quality_of(name, round_), "f", findings)
    return found, [f"{remark.line}: {remark.what}" for remark in findings.remarks]


def lines(*events: tuple[int, str, str, str]) -> str:
    """Write ``:::MLLOG`` lines of (ms, key, value, metadata), the last two as JSON."""
    return "".join(
        f':::MLLOG {{"namespace": "", "time_ms": {ms}, "event_type": "POINT_IN_TIME", '
        f'"key": "{key}", "value": {value}, "metadata": {{"file": "f", "lineno": 1{more}}}}}\n'
        for ms, key, value, more in events
    )


def test_metadata_as_python_writes_them() -> None:
    # v0.6, Intel/results/clx-8260l-2s-x32/minigo/result_0.txt
    text = """\
:::MLL 1560873710.141025 run_start: {"value": null, "metadata": {'lineno': 615, 'file': 'ml_perf/reference_implementation.py'}}
:::MLL 1560873710.141438 epoch_start: {"value": null, "metadata": {'lineno': 648, 'file': 'ml_perf/reference_implementation.py', 'epoch_num': 1}}
:::MLL 1560874400.000000 save_model: {"value": {'iteration': 13}, "metadata": {'lineno': 1, 'file': 'train.py'}}
:::MLL 1560875570.294620 eval_start: {"value": null, "metadata": {'lineno': 46, 'file': 'ml_perf/eval_models.py', 'epoch_num': 13}}
:::MLL 1560875596.504071 eval_stop: {"value": null, "metadata": {'lineno': 48, 'file': 'ml_perf/eval_models.py', 'epoch_num': 13}}
:::MLL 1560875596.504409 eval_accuracy: {"value": 0.16, "metadata": {'lineno': 49, 'file': 'ml_perf/eval_models.py', 'epoch_num': 13}}
:::MLL 1560875596.504726 eval_start: {"value": null, "metadata": {'lineno': 46, 'file': 'ml_perf/eval_models.py', 'epoch_num': 14}}
:::MLL 1560875622.039382 eval_stop: {"value": null, "metadata": {'lineno': 48, 'file': 'ml_perf/eval_models.py', 'epoch_num': 14}}
:::MLL 1560875622.039693 eval_accuracy: {"value": 0.51, "metadata": {'lineno': 49, 'file': 'ml_perf/eval_models.py', 'epoch_num': 14}}
:::MLL 1560875622.040032 eval_result: {"value": null, "metadata": {'lineno': 52, 'file': 'ml_perf/eval_models.py', 'iteration': 14, 'timestamp': 746.014}}
:::MLL 1560875622.040346 run_stop: {"value": null, "metadata": {'lineno': 53, 'file': 'ml_perf/eval_models.py', 'status': 'success'}}
"""
    found, odd = judged(text, "minigo", 0.6)
    # the log's own words: "Model 000015-000009 beat target after 746.014s"
    assert found.outcome.objectives == {"time_to_train": 746.014}
    assert found.outcome.status is TrialStatus.OK
    assert [(e.epoch, e.value, e.wall_s) for e in found.outcome.events] == [
        (13.0, 0.16, pytest.approx(1560874400.0 - 1560873710.141025)),
        (14.0, 0.51, 746.014),
    ]
    assert [e.train_s for e in found.outcome.events] == [e.wall_s for e in found.outcome.events]
    assert found.outcome.phases == {"measure": 746.014}
    assert odd == [
        "10: scored by eval_result: 746.014 s, though the log goes on to 1911.9 s",
        "None: evaluated after the run: the clock is when training had got so far",
    ]


def test_evaluations_made_when_the_run_was_over() -> None:
    # v4.0, NVIDIA/results/eos_n64_ngc24.04_nemo/stable_diffusion/result_0.txt
    text = lines(
        (1715070319590, "run_start", "null", ""),
        (1715070319591, "block_start", '"training_step"', ', "samples_count": 0'),
        (1715070401408, "block_stop", '"training_step"', ', "samples_count": 3072000'),
        (1715070412610, "block_start", '"training_step"', ', "samples_count": 3481600'),
        (1715070418315, "block_stop", '"training_step"', ', "samples_count": 3686400'),
        (1715070429207, "block_stop", '"training_step"', ', "samples_count": 4096000'),
        (1715070435722, "block_stop", '"training_step"', ', "samples_count": 4300800'),
        (1715070441166, "block_start", '"training_step"', ', "samples_count": 4505600'),
        (1715070609831, "eval_start", "null", ', "samples_count": 3072000'),
        (1715070629471, "eval_stop", "null", ', "samples_count": 3072000'),
        *(
            (ms, "eval_accuracy", value, f', "samples_count": {count}, "metric": "{metric}"')
            for ms, value, count, metric in (
                (1715070635782, "106.89117552853247", 3072000, "FID"),
                (1715070637605, "0.1484346091747284", 3072000, "CLIP"),
                (1715070685195, "91.13199691658912", 3584000, "FID"),
                (1715070686914, "0.16652949154376984", 3584000, "CLIP"),
                (1715070734974, "84.226364928453", 4096000, "FID"),
                (1715070736848, "0.17081396281719208", 4096000, "CLIP"),
            )
        ),
        (1715070429207, "run_stop", "null", ', "status": "success", "step_num": 2000'),
    )
    found, odd = judged(text, "stable_diffusion", 4.0)
    assert found.outcome.objectives == {"time_to_train": pytest.approx(109.617)}
    attained = [(e.step, e.value, e.wall_s) for e in found.outcome.events if e.metric == "attained"]
    assert attained == [
        (3072000, pytest.approx(90 / 106.89117552853247), pytest.approx(81.818)),
        # no block ends at 3584000 samples: known at the end of the next
        (3584000, pytest.approx(90 / 91.13199691658912), pytest.approx(98.725)),
        (4096000, pytest.approx(90 / 84.226364928453), pytest.approx(109.617)),
    ]
    # what was evaluated afterwards took no time of the run's
    assert "measure.evaluate" not in found.outcome.phases
    assert found.outcome.samples[1].value == pytest.approx(109.617)
    assert odd == ["None: evaluated after the run: the clock is when training had got so far"]


def test_a_run_stop_put_back_to_the_model_that_won() -> None:
    # v0.7, Intel/results/8-nodes-32s-cpx-tensorflow/minigo/result_run2.txt: no save of epoch 59 here
    text = lines(
        (1592711862665, "run_start", "null", ""),
        (1592712638040, "epoch_stop", "null", ', "epoch_num": 58'),
        (1592748200000, "eval_accuracy", "0.41", ', "epoch_num": 58'),
        (1592748455373, "eval_accuracy", "0.51171875", ', "epoch_num": 59'),
    ) + (
        ':::MLLOG {"namespace": "worker1", "time_ms": 1592736824359.000, "event_type": '
        '"INTERVAL_END", "key": "run_stop", "value": "succuss", "metadata": {"file": '
        '"ml_perf/eval_models.py", "lineno": 171, "status": "success"}}\n'
    )
    found, odd = judged(text, "minigo", 0.7)
    assert found.outcome.objectives == {"time_to_train": pytest.approx(24961.694)}
    assert [(e.epoch, e.wall_s) for e in found.outcome.events] == [
        (58.0, pytest.approx(775.375)),
        (59.0, None),
    ]
    assert "4: after run_stop: the evaluation has no clock" in odd


def test_errors_instead_of_accuracies() -> None:
    # hpc v0.7, NCSA/results/halv100_n16_tf1.15.0/cosmoflow/result_01.txt, and a last epoch of ours
    text = lines(
        (1603436048791, "run_start", "null", ""),
        (1603436062820, "epoch_start", "null", ', "epoch_num": 0'),
        (1603436319712, "eval_start", "null", ', "epoch_num": 0'),
        (1603436354391, "eval_stop", "null", ', "epoch_num": 0'),
        (1603436598304, "eval_error", "0.3092656433582306", ', "epoch_num": 0'),
        (1603436598315, "epoch_start", "null", ', "epoch_num": 1'),
        (1603436845662, "eval_start", "null", ', "epoch_num": 1'),
        (1603436879252, "eval_stop", "null", ', "epoch_num": 1'),
        (1603436886479, "eval_error", "0.1235", ', "epoch_num": 1'),
        (1603436886500, "run_stop", "null", ', "status": "success"'),
    )
    found, odd = judged(text, "cosmoflow", 0.7)
    assert odd == []
    assert [(e.metric, e.epoch, e.value) for e in found.outcome.events] == [
        ("mae", 1.0, 0.3092656433582306),
        ("mae", 2.0, 0.1235),
    ]
    # the second less the first evaluation's 34.679 s
    assert [e.train_s for e in found.outcome.events] == pytest.approx([270.921, 762.192])
    assert found.outcome.objectives == {"time_to_train": pytest.approx(837.709)}


def test_samples_under_the_names_of_epochs_and_of_samples() -> None:
    # v5.1, AMD/results/MI350X_EPYC_9575F_pytorch/llama31_8b/result_0.txt, and its beginning of ours
    text = lines(
        (1759966714694, "run_start", "null", ""),
        (1759966714694, "block_start", "null", ', "samples_count": 0'),
        (1759966800000, "eval_start", "null", ', "samples_count": 6144'),
        (1759966810000, "eval_accuracy", "6.1", ', "epoch_num": 6112, "samples_count": 6112'),
        (1759966810001, "eval_stop", "null", ', "samples_count": 6144'),
        (1759973767383, "eval_start", "null", ', "samples_count": 172032'),
        (
            1759973779684,
            "eval_accuracy",
            "3.2966725826263428",
            ', "epoch_num": 172000, "samples_count": 172000',
        ),
        (1759973779684, "eval_stop", "null", ', "samples_count": 172032'),
        (1759973779685, "run_stop", "null", ', "status": "success", "duration": "7064.99 sec"'),
    )
    found, odd = judged(text, "llama31_8b", 5.1)
    assert odd == []
    assert [(e.epoch, e.step) for e in found.outcome.events] == [(None, 6112), (None, 172000)]
    assert found.outcome.objectives == {"time_to_train": pytest.approx(7064.991)}


def test_blocks_of_validation_are_no_training() -> None:
    # v3.1, Intel-HabanaLabs/results/HLS-Gaudi2-N8-PT/stable_diffusion/result_0.txt
    text = lines(
        (1696441899747, "run_start", "null", ""),
        (1696441903981, "block_start", '"training_step"', ', "first_epoch_num": 0, "step_num": 0'),
        (1696443276603, "eval_start", "0", ', "epoch_num": 5'),
        (
            1696443276603,
            "block_start",
            '"validation_step"',
            ', "first_epoch_num": 4, "step_num": 0',
        ),
        (
            1696443276603,
            "eval_accuracy",
            "78.59101104736328",
            ', "epoch_num": 5, "step_num": 5000, "metric": "FID"',
        ),
        (
            1696443276603,
            "eval_accuracy",
            "0.16896246373653412",
            ', "epoch_num": 5, "step_num": 5000, "metric": "CLIP"',
        ),
        (1696443276603, "eval_stop", "0", ', "epoch_num": 5'),
        (1696443276603, "run_stop", "null", ', "status": "success"'),
    )
    (run,) = assemble(scan(iter([text.encode()])))
    assert not run.evaluated.concurrent
    found, odd = judged(text, "stable_diffusion", 3.1)
    assert odd == []
    assert [(e.metric, e.epoch) for e in found.outcome.events][-1] == ("attained", 5.0)


def test_seconds_under_the_name_of_milliseconds() -> None:
    text = lines((1600000000, "run_start", "null", ""), (1600000007500, "run_stop", "null", ""))
    (run,) = assemble(scan(iter([text.encode()])))
    assert run.seconds == 7.5


@pytest.mark.parametrize(("value", "target", "best"), [("0.2412", "", 24.12), ("24.12", "", 24.12)])
def test_bleu_from_0_to_1_and_to_100(value: str, target: str, best: float) -> None:
    text = lines(
        (1600000000000, "run_start", "null", ""),
        (1600000001000, "eval_accuracy", value, ', "epoch_num": 1'),
        (1600000002000, "run_stop", "null", ', "status": "success"'),
    )
    found, odd = judged(text, "gnmt", 0.7)
    assert found.outcome.events[0].value == pytest.approx(best)
    assert not any("contradiction" in what for what in odd)
    assert any("fractions" in what for what in odd) == (value == "0.2412")


@pytest.mark.parametrize(("batch", "status"), [(8192, TrialStatus.OK), (4096, TrialStatus.FAILED)])
def test_large_batches_of_bert_had_a_lower_target_in_v07(batch: int, status: TrialStatus) -> None:
    text = lines(
        (1600000000000, "global_batch_size", str(batch), ""),
        (1600000000000, "run_start", "null", ""),
        (1600000001000, "eval_accuracy", "0.708", ', "epoch_num": 1'),
        (1600000002000, "run_stop", "null", ""),
    )
    found, _ = judged(text, "bert", 0.7)
    assert found.outcome.status is status
    assert found.target == (0.706 if batch == 8192 else None)
    assert found.outcome.failure_kind is (None if batch == 8192 else FailureKind.NOT_REACHED)


#: round, benchmark as the folder of its logs is called, and bounds that one evaluation must reach:
#: ATLEAST_ONE_CHECK of compliance_checker/<round>/closed_<benchmark>.yaml, mlperf-logging 4.1.68
_CHECKS = """
0.7 bert >= 0.712            0.7 dlrm >= 0.8025           0.7 gnmt >= 24.0
0.7 maskrcnn >= 0.377 0.339  0.7 minigo >= 0.5            0.7 resnet >= 0.759
0.7 ssd >= 0.23              0.7 transformer >= 25.0      1.0 bert >= 0.72
1.0 dlrm >= 0.8025           1.0 maskrcnn >= 0.377 0.339  1.0 minigo >= 0.5
1.0 resnet >= 0.759          1.0 rnnt <= 0.058            1.0 ssd >= 0.23
1.0 unet3d >= 0.908          1.1 ssd >= 0.23              1.1 bert >= 0.72
2.0 ssd >= 0.34              2.1 rnnt <= 0.058            2.1 minigo >= 0.5
3.0 gpt3 <= 2.69             3.0 dlrm_dcnv2 >= 0.80275    3.0 ssd >= 0.34
4.0 gnn >= 0.72              4.0 llama2_70b_lora <= 0.925 4.1 gpt3 <= 2.69
5.0 rgat >= 0.72             5.0 retinanet >= 0.34        5.0 llama31_405b <= 5.6
5.1 flux1 <= 0.586           5.1 llama31_8b <= 3.3        5.1 llama2_70b_lora <= 0.925
6.0 deepseekv3_671b <= 3.6   6.0 gpt_oss_20b <= 3.34      6.0 dlrm_dcnv2 >= 0.80275
6.1 dlrmv4 >= 0.75           6.1 qwen35_397b_grpo >= 0.69 6.1 flux1 <= 0.586
1.0 cosmoflow <= 0.124       1.0 deepcam >= 0.82          2.0 oc20 <= 0.036
3.0 openfold >= 0.8
"""


def test_targets_are_those_of_the_checker() -> None:
    import re

    found = re.findall(r"(\d\.\d) (\w+) (>=|<=) ([\d.]+)(?: (0\.339))?", _CHECKS)
    assert len(found) == 43
    for number, benchmark, sign, *targets in found:
        round_ = float(number)
        quality = quality_of(name_of(benchmark, round_), round_)
        assert [part.target for part in quality.parts] == [float(t) for t in targets if t]
        assert {part.more for part in quality.parts} == {sign == ">="}, benchmark
        assert quality.known
    sd = quality_of("stable_diffusion", 3.1)
    assert [(part.metric, part.more, part.target) for part in sd.parts] == [
        ("fid", False, 90.0),
        ("clip", True, 0.15),
    ]


def test_names_follow_the_rounds() -> None:
    assert [name_of("rgat", r) for r in (4.0, 4.1, 5.0, 5.1)] == ["gnn", "gnn", "rgat", "rgat"]
    assert [name_of("ssd", r) for r in (1.1, 2.0)] == ["ssd", "retinanet"]
    assert [round_of_time(t) for t in (1760003634.0, 1770000000.0, 1785000000.0)] == [5.1, 6.0, 6.1]


@pytest.mark.parametrize(
    ("name", "label", "task", "number"),
    [
        (
            "Intel/results/1-node-8s-cpx-1-tensorflow/resnet/raw_logs/resnet50v1.5.log-rank0-1stRun",
            "Intel/1-node-8s-cpx-1-tensorflow",
            "resnet",
            5,
        ),
        (
            "Intel/results/1-node-4s-cpx-pytorch/dlrm/result_1_1n4r_32k_1592751389.txt",
            "Intel/1-node-4s-cpx-pytorch",
            "dlrm",
            1,
        ),
        (
            "Intel/results/8-nodes-32s-cpx-tensorflow/minigo/result_run10.txt",
            "Intel/8-nodes-32s-cpx-tensorflow",
            "minigo",
            10,
        ),
        ("NVIDIA/results/eos_n64/result/gnn/result_0.txt", "NVIDIA/eos_n64/result", "gnn", 0),
    ],
)
def test_folders_below_that_of_the_benchmark(
    name: str, label: str, task: str, number: int, tmp_path: Path
) -> None:
    log = LogFile(tmp_path / name, name, 1)
    place = place_of(log, tmp_path)
    assert (place.label, place.benchmark, log.number) == (label, task, number)


def test_raw_logs_beside_the_results_count_once(tmp_path: Path) -> None:
    text = lines(
        (1592751548166, "run_start", "null", ""),
        (1592751548168, "eval_accuracy", "0.81", ', "epoch_num": 1'),
        (1592751548188, "run_stop", "null", ', "status": "success"'),
    )
    folder = tmp_path / "v0.7" / "Intel" / "results" / "cpx" / "dlrm"
    (folder / "raw_logs").mkdir(parents=True)
    (folder / "result_1_1n4r_32k_1592751389.txt").write_text(text)
    (folder / "raw_logs" / "train.log").write_text("noise\n" + text)
    results = tmp_path / "results"
    done = run_import("mllog", tmp_path / "v0.7", results)
    assert rows("SELECT benchmark, optimizer, seed FROM studies", results) == [
        ("mlperf/dlrm:v0.7", "Intel/cpx", 1)
    ]
    assert [what.partition(":")[0] for _, _, what in remarks(done)] == [
        "no eval_start",
        "two files claim one run",
    ]
