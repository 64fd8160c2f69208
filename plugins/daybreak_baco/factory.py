"""Makes the optimizer of the preset that the options name."""

from __future__ import annotations

from typing import Any

from daybreak import Optimizer, Problem

__all__ = ["create"]


def create(problem: Problem, options: dict[str, Any]) -> Optimizer:
    """Return the optimizer for `problem`; `options` are validated ones of `BacoOptions`.

    Only the chosen preset's modules are imported.
    """
    if options.get("preset", "default") == "paper":
        from daybreak_baco.paper.optimizer import PaperBaco
        from daybreak_baco.paper.options import PaperOptions

        return PaperBaco(problem, PaperOptions.model_validate(options))
    from daybreak_baco.default.optimizer import DefaultBaco
    from daybreak_baco.default.options import DefaultOptions

    return DefaultBaco(problem, DefaultOptions.model_validate({"preset": "default", **options}))
