"""How long a report takes to write and a browser to open it, at ten and at ten thousand studies."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))

from headless import Browser, find_browser
from many_studies import searches, training

from daybreak.report.making import make_report
from daybreak.report.writing import write_report

SHAPES = {
    "10 studies": lambda folder: searches(folder, benchmarks=1, optimizers=5, seeds=2),
    "10,000 studies": lambda folder: searches(
        folder, benchmarks=20, optimizers=10, seeds=50, evaluations=30
    ),
    "10 training runs": lambda folder: training(folder, benchmarks=1, entries=2, seeds=5),
    "10,000 training runs": lambda folder: training(folder, benchmarks=10, entries=10, seeds=100),
}


@pytest.fixture(scope="module", params=SHAPES)
def results(request, tmp_path_factory):
    folder = SHAPES[request.param](tmp_path_factory.mktemp("results"))
    make_report(folder)  # fills the index, loads the libraries
    return folder


def test_report_write(benchmark, results, tmp_path):
    out = tmp_path / "report.html"
    benchmark.pedantic(lambda: write_report(out, make_report(results)), rounds=3)
    benchmark.extra_info["megabytes"] = out.stat().st_size / 1e6
    assert out.read_text(encoding="utf-8").rstrip().endswith("</html>")


def test_report_open(benchmark, results, tmp_path):
    find_browser()
    (out,) = write_report(tmp_path / "report.html", make_report(results))
    with Browser() as browser:
        tab = browser.open(out)
        assert tab.evaluate("document.querySelectorAll('svg, table').length") > 5
        tab.close()
        benchmark.pedantic(lambda: browser.open(out).close(), rounds=5)
