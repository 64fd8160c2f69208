"""The benchmarks of MLPerf training and HPC: what their evaluations measure, and what counts as done.

Sources: since v0.7, and for HPC, ``ATLEAST_ONE_CHECK`` of eval_accuracy or eval_error in
``mlperf_logging/compliance_checker/<round>/closed_<benchmark>.yaml`` of mlcommons/logging (a test
holds the numbers read there); before, the rounds' training rules (mlcommons/training_policies).
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Part", "Quality", "benchmark_row", "name_of", "quality_of", "round_of_time"]


@dataclass(frozen=True, slots=True)
class Part:
    """One number of an evaluation: metric, unit, whether more is better, target if there is one.

    `large`: smallest global batch size of which another target is asked, and that target.
    """

    metric: str
    unit: str = "1"
    more: bool = True
    target: float | None = None
    summary: str = ""
    large: tuple[int, float] | None = None

    def reached(self, value: float, target: float | None = None) -> bool:
        """Return whether `value` counts as done."""
        target = self.target if target is None else target
        if target is None:
            return False
        return value >= target if self.more else value <= target


@dataclass(frozen=True, slots=True)
class Quality:
    """What evaluations of a benchmark measure: one part, or several that all must be reached.

    `known`: whether the benchmark is one of MLPerf's.
    """

    parts: tuple[Part, ...]
    known: bool = True

    @property
    def curve(self) -> Part:
        """The progress metric: the one part, or the share of their targets that all parts reach."""
        if len(self.parts) == 1:
            return self.parts[0]
        return Part("attained", "1", True, 1.0, "least share of its target that a metric reaches")


_ALIASES: Mapping[str, str] = {
    "image_classification": "resnet",
    "resnet50": "resnet",
    "resnet-50": "resnet",
    "single_stage_detector": "ssd",
    "ssd_resnet34": "ssd",
    "ssd-resnet34": "ssd",
    "object_detection": "maskrcnn",
    "mask": "maskrcnn",
    "mask_rcnn": "maskrcnn",
    "mask-rcnn": "maskrcnn",
    "rnn_translator": "gnmt",
    "translation": "transformer",
    "transformer_translation": "transformer",
    "recommendation": "ncf",
    "reinforcement": "minigo",
    "rnn_speech_recognition": "rnnt",
    "image_segmentation": "unet3d",
    "unet-3d": "unet3d",
    "language_model": "bert",
    "recommendation_v2": "dlrm_dcnv2",
    "dlrmv2": "dlrm_dcnv2",
    "dlrm-dcnv2": "dlrm_dcnv2",
    "dcnv2": "dlrm_dcnv2",
    "large_language_model": "gpt3",
    "sd": "stable_diffusion",
    "stable-diffusion": "stable_diffusion",
    "graph_neural_network": "gnn",
    "llama2-70b-lora": "llama2_70b_lora",
    "llama31-405b": "llama31_405b",
    "llama31-8b": "llama31_8b",
    "flux": "flux1",
}

_TOP1 = "share of validation images classified right"
_AP = "average precision on the validation set"
_BLEU = "BLEU score, 0 to 100"
_LOSS = "loss on the validation set"
# benchmark -> from which round on, and its parts since then
_QUALITIES: Mapping[str, tuple[tuple[float, tuple[Part, ...]], ...]] = {
    "resnet": (
        (0.5, (Part("top1_accuracy", target=0.749, summary=_TOP1),)),
        (0.6, (Part("top1_accuracy", target=0.759, summary=_TOP1),)),
    ),
    "ssd": (
        (0.5, (Part("ap", target=0.212, summary=_AP),)),
        (0.6, (Part("ap", target=0.23, summary=_AP),)),
    ),
    "retinanet": ((2.0, (Part("ap", target=0.34, summary=_AP),)),),
    "maskrcnn": (
        (
            0.5,
            (
                Part("box_ap", target=0.377, summary="average precision of boxes"),
                Part("mask_ap", target=0.339, summary="average precision of masks"),
            ),
        ),
    ),
    "gnmt": (
        (0.5, (Part("bleu", target=21.8, summary=_BLEU),)),
        (0.6, (Part("bleu", target=24.0, summary=_BLEU),)),
    ),
    "transformer": ((0.5, (Part("bleu", target=25.0, summary=_BLEU),)),),
    "ncf": ((0.5, (Part("hit_rate", target=0.635, summary="hit rate at 10"),)),),
    "minigo": (
        (0.5, (Part("win_rate", target=0.4, summary="share of moves predicted right"),)),
        (0.6, (Part("win_rate", target=0.5, summary="share of moves right, or of games won"),)),
    ),
    "dlrm": ((0.7, (Part("auc", target=0.8025, summary="area under the ROC curve"),)),),
    "dlrm_dcnv2": ((3.0, (Part("auc", target=0.80275, summary="area under the ROC curve"),)),),
    "bert": (
        (
            0.7,
            (
                Part(
                    "mlm_accuracy",
                    target=0.712,
                    summary="share of masked words right",
                    large=(8192, 0.706),
                ),
            ),
        ),
        (1.0, (Part("mlm_accuracy", target=0.72, summary="share of masked words right"),)),
    ),
    "rnnt": ((1.0, (Part("wer", more=False, target=0.058, summary="word error rate"),)),),
    "unet3d": ((1.0, (Part("dice", target=0.908, summary="mean DICE score"),)),),
    "gpt3": ((3.0, (Part("log_perplexity", more=False, target=2.69, summary=_LOSS),)),),
    "stable_diffusion": (
        (
            3.1,
            (
                Part("fid", more=False, target=90.0, summary="Frechet inception distance"),
                Part("clip", target=0.15, summary="CLIP score"),
            ),
        ),
    ),
    "llama2_70b_lora": ((4.0, (Part("eval_loss", more=False, target=0.925, summary=_LOSS),)),),
    "gnn": ((4.0, (Part("accuracy", target=0.72, summary="share of nodes classified right"),)),),
    "rgat": ((5.0, (Part("accuracy", target=0.72, summary="share of nodes classified right"),)),),
    "llama31_405b": ((5.0, (Part("log_perplexity", more=False, target=5.6, summary=_LOSS),)),),
    "llama31_8b": ((5.1, (Part("log_perplexity", more=False, target=3.3, summary=_LOSS),)),),
    "flux1": ((5.1, (Part("eval_loss", more=False, target=0.586, summary=_LOSS),)),),
    "deepseekv3_671b": ((6.0, (Part("log_perplexity", more=False, target=3.6, summary=_LOSS),)),),
    "gpt_oss_20b": ((6.0, (Part("log_perplexity", more=False, target=3.34, summary=_LOSS),)),),
    "dlrmv4": ((6.1, (Part("accuracy", target=0.75, summary="quality as logged"),)),),
    "qwen35_397b_grpo": (
        (6.1, (Part("accuracy", target=0.69, summary="share of validation tasks solved"),)),
    ),
    # MLPerf HPC
    "cosmoflow": ((0.7, (Part("mae", more=False, target=0.124, summary="mean absolute error"),)),),
    "deepcam": ((0.7, (Part("iou", target=0.82, summary="intersection over union"),)),),
    "oc20": ((1.0, (Part("mae", more=False, target=0.036, summary="mean absolute error"),)),),
    "openfold": ((3.0, (Part("lddt", target=0.8, summary="lDDT-Ca"),)),),
}

# first second (UTC) of logs of a round: submissions are some weeks before publication
_ROUNDS: tuple[tuple[float, float], ...] = (
    (0.0, 0.5),
    (1551398400.0, 0.6),  # 2019-03-01
    (1575158400.0, 0.7),  # 2019-12-01
    (1609459200.0, 1.0),  # 2021-01-01
    (1627776000.0, 1.1),  # 2021-08-01
    (1640995200.0, 2.0),  # 2022-01-01
    (1659312000.0, 2.1),  # 2022-08-01
    (1672531200.0, 3.0),  # 2023-01-01
    (1690848000.0, 3.1),  # 2023-08-01
    (1704067200.0, 4.0),  # 2024-01-01
    (1722470400.0, 4.1),  # 2024-08-01
    (1735689600.0, 5.0),  # 2025-01-01
    (1754006400.0, 5.1),  # 2025-08-01
    (1767225600.0, 6.0),  # 2026-01-01
    (1782864000.0, 6.1),  # 2026-07-01
)


def name_of(text: str, round_: float) -> str:
    """Return the name of a benchmark, whichever of its names a log or folder uses."""
    name = re.sub(r"[^a-z0-9_.-]+", "-", text.strip().lower()).strip("-") or "unnamed"
    name = _ALIASES.get(name, name)
    if name == "ssd" and round_ >= 2.0:
        return "retinanet"  # the name stayed when the network changed
    if name in ("gnn", "rgat"):
        return "rgat" if round_ >= 5.0 else "gnn"
    return name


def is_name(text: str) -> bool:
    """Return whether `text` is one of the names of a benchmark of MLPerf."""
    return _ALIASES.get(text.lower(), text.lower()) in _QUALITIES


def quality_of(name: str, round_: float) -> Quality:
    """Return what is measured; of an unknown benchmark, a metric `eval_accuracy` without target."""
    stages = _QUALITIES.get(name)
    if stages is None:
        summary = "value of eval_accuracy, taken as better the larger it is"
        return Quality((Part("eval_accuracy", summary=summary),), known=False)
    place = bisect.bisect_right([since for since, _ in stages], round_)
    return Quality(stages[max(0, place - 1)][1])


def round_of_time(moment: float) -> float:
    """Return the round that a log of this moment (UTC seconds) is of."""
    place = bisect.bisect_right([since for since, _ in _ROUNDS], moment)
    return _ROUNDS[max(0, place - 1)][1]


def benchmark_row(name: str, round_: float, *, open_division: bool) -> dict[str, Any]:
    """Return the benchmark's row; rounds and divisions have their own rules, so each its own."""
    quality = quality_of(name, round_)
    curve = quality.curve
    instance = f"v{round_:.1f}" + ("-open" if open_division else "")
    parts = list(quality.parts) if len(quality.parts) == 1 else [curve, *quality.parts]
    return {
        "benchmark": f"mlperf/{name}:{instance}",
        "target": "mlperf",
        "name": name,
        "instance": instance,
        "summary": f"MLPerf training {instance}: {name}",
        "objectives": [
            {
                "name": "time_to_train",
                "unit": "s",
                "direction": "minimize",
                "summary": "run_start to run_stop, evaluation included: MLPerf's score",
            }
        ],
        "metrics": [
            {
                "name": "time_to_target",
                "unit": "s",
                "direction": "minimize",
                "summary": "training clock at the first evaluation at the target",
            },
            *(
                {
                    "name": part.metric,
                    "unit": part.unit,
                    "direction": "maximize" if part.more else "minimize",
                    "summary": part.summary,
                }
                for part in parts
            ),
        ],
        "curve": {"metric": curve.metric, "target": curve.target},
        "notes": [
            "imported: train_s leaves out evaluation where the log brackets it and training stood "
            "still meanwhile; wall_s counts everything since run_start"
        ],
    }
