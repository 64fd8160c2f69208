"""What is wrong with an optimizer's options for a benchmark, said before anything runs."""

from __future__ import annotations

from typing import Any

from daybreak import Benchmark, UserError

__all__ = ["accepts"]


def accepts(benchmark: Benchmark, options: dict[str, Any]) -> None:
    """Check validated options of `baco` against `benchmark`.

    Raises:
        UserError: the paper preset has one objective, or a prior names what is not there.
    """
    names = [metric.name for metric in benchmark.objectives]
    if options.get("preset") == "paper":
        if len(names) > 1:
            raise UserError(
                f"the preset 'paper' takes one objective, but there are {', '.join(names)}",
                remedy="use the preset 'default', or choose one objective of the benchmark",
            )
        return
    if options.get("prior") is not None:
        from daybreak_baco.default.belief import believed
        from daybreak_baco.default.coding import Coding
        from daybreak_baco.default.prior_options import PriorOptions

        prior = PriorOptions.model_validate(options["prior"])
        believed(benchmark.space, Coding(benchmark.space), prior, benchmark.references, None)
