"""Figures and the page: sound SVG, text as text, nothing fetched, the same for the same data."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from daybreak.analysis.answers import Answer, Estimate
from daybreak.analysis.hits import Distribution, Profile
from daybreak.analysis.ranking import CriticalDifference, Rank
from daybreak.analysis.resampling import Interval
from daybreak.analysis.scores import ScoreCurve
from daybreak.errors import UserError
from daybreak.report.answers import cell, markdown_table
from daybreak.report.figures import (
    draw_beliefs,
    draw_ecdf,
    draw_profile,
    draw_ranks,
    draw_score,
    draw_score_by_benchmark,
    draw_suggestion_time,
)
from daybreak.report.figures.style import strokes
from daybreak.report.making import Part, Report
from daybreak.report.page import page
from daybreak.report.sections import Body, Data, Section
from daybreak.report.writing import write_report

NAMES = ["baco", "baco-paper", "random", "a<b & c", "optuna-tpe"]
SVG = "{http://www.w3.org/2000/svg}"


def curves(nan=False):
    x = np.linspace(-0.2, 0.9, 12)
    ends = np.full(12, np.nan) if nan else x
    return [ScoreCurve(name, x + i / 50, ends - 0.1, ends + 0.1) for i, name in enumerate(NAMES)]


def rank(name, benchmark, value):
    return Rank(benchmark, name, 60, value, Interval(value, value + 1), 0.5, 30)


def belief(evaluation, **said):
    row = dict.fromkeys(
        ("source", "mean", "deviation", "feasibility", "acquisition", "objective", "lengthscales",
         "importance", "note")
    )  # fmt: skip
    return row | {"evaluation": evaluation, "status": "ok"} | said


def figures():
    means = [rank(name, "(all)", i + 1.0) for i, name in enumerate(NAMES)]
    each = [rank(name, f"toy/{b}", float(i + 1)) for i, name in enumerate(NAMES) for b in "xy"]
    at, share = np.arange(1.0, 9.0), np.linspace(0, 1, 8)
    bins = [
        {"optimizer": name, "benchmark": b, "first_evaluation": first, "last_evaluation": last,
         "median_s": 0.01 * first, "p90_s": 0.02 * first}
        for name in NAMES for b in "xy" for first, last in ((1, 10), (11, 20), (1001, None))
    ]  # fmt: skip
    told = [
        belief(i, mean=1.0 + i, deviation=0.1, objective=None if i == 3 else 1.1 + i,
               status="failed" if i == 3 else "ok", feasibility=0.5, acquisition=0.1 / (i + 1),
               lengthscales='{"tile<": 0.5, "order": 2.0}', importance='{"tile<": 1.0}')
        for i in range(1, 9)
    ]  # fmt: skip
    return {
        "score": draw_score(curves()),
        "score without intervals": draw_score(curves(nan=True), clock="seconds"),
        "score by benchmark": draw_score_by_benchmark({f"toy/{b}": curves() for b in "xyz"}),
        "ranks": draw_ranks(means, each, CriticalDifference(2, 5, 1.5, 0.01, "")),
        "ranks, refused": draw_ranks(means, each, CriticalDifference(2, 5, None, None, "few")),
        "ecdf": draw_ecdf([Distribution(n, at, share, share, share) for n in NAMES]),
        "profile": draw_profile([Profile(n, np.asarray([1.0, 2]), share[:2], 1, 4) for n in NAMES]),
        "suggestions": draw_suggestion_time(bins),
        "beliefs": draw_beliefs(told, unit="ms"),
        "only importance": draw_beliefs([belief(1, importance='{"x": 1.0}')]),
    }


@pytest.fixture(scope="module")
def drawn():
    return figures()


def test_figures_are_sound_svg_with_a_title(drawn):
    for name, text in drawn.items():
        root = ET.fromstring(text)
        assert root.tag == f"{SVG}svg", name
        assert root.get("role") == "img"
        assert root.findtext(f"{SVG}title")
        assert root.findtext(f"{SVG}desc")


def test_text_is_text_and_takes_the_colour_of_the_page(drawn):
    labels = {element.text for element in ET.fromstring(drawn["score"]).iter(f"{SVG}text")}
    assert {*NAMES, "evaluations", "mean score"} <= labels
    for name, text in drawn.items():
        assert "currentColor" in text, name
        assert not re.search("#01020[34]", text), name
        # no opaque ground, on which a dark page would fail
        assert "fill: #ffffff" not in text, name


def test_figures_fetch_nothing_and_are_the_same_again(drawn):
    for name, text in drawn.items():
        plain = re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
        assert "http" not in plain, name
        assert "<image" not in plain
    assert figures() == drawn


def test_optimizers_are_told_apart_by_colour_or_dash():
    labels = [f"o{i}" for i in range(30)] + ["random", "baco", "baco-paper"]
    found = strokes(labels)
    assert len({(one.color, str(one.dash)) for one in found.values()}) == len(labels)
    # an optimizer keeps its stroke, whoever else is there, if it has a colour of its own
    assert strokes(["baco"])["baco"] == found["baco"]


class Page(HTMLParser):
    """What a page holds: ids, and everything that it would fetch."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found[n] for n in ("href", "src", "xlink:href") if found.get(n)]
        if tag not in ("meta", "link", "br", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


TABLE = Answer(
    "score", "t", ("optimizer", "at 20"), ({"optimizer": "<b>", "at 20": Estimate(0.5, 0.4, None)},),
    ("a note",), "",
)  # fmt: skip


def report(*sections, title="t", absent=()):
    return Report(title, "a run", (Part("brief", "In brief", sections, tuple(absent)),))


def test_the_page_stands_alone(drawn):
    data = Data(("a", "b<"), [(1, None), (0.5, 'x,"y"')])
    text = page(
        report(
            Section(
                "score", "Score & more",
                Body("look <here>", drawn["score"], TABLE, "SELECT a < b", data),
            ),
            Section("ecdf", "ECDF", Body("and here", drawn["ecdf"])),
            title="run <1>",
        )
    )  # fmt: skip
    found = Page(text)
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    inside = [link for link in found.links if not link.startswith("data:text/csv")]
    assert all(link.startswith("#") for link in inside)
    assert {link[1:] for link in inside} <= set(found.ids)
    for words in (
        "run &lt;1&gt;",
        "look &lt;here&gt;",
        "&lt;b&gt;",
        "SELECT a &lt; b",
        '0.5 <span class="ends">[0.4, ?]</span>',
    ):
        assert words in text
    assert "prefers-color-scheme: dark" in text
    # clip paths are found under their new names
    for name in re.findall(r"url\(#([^)]*)\)", text):
        assert name in found.ids


def test_a_report_is_a_page_or_a_folder_of_figures(tmp_path, drawn):
    made = report(
        Section("score", "Score", Body("c", drawn["score"])), Section("none", "None", Body("c"))
    )
    assert write_report(tmp_path / "deep" / "r.html", made) == [tmp_path / "deep/r.html"]
    assert write_report(tmp_path / "figures", made) == [tmp_path / "figures/score.svg"]
    ET.parse(tmp_path / "figures/score.svg")
    with pytest.raises(UserError, match="cannot be written"):
        write_report(tmp_path / "deep" / "r.html" / "x.html", made)
    with pytest.raises(UserError, match="nothing to draw"):
        write_report(tmp_path / "figures", report(Section("none", "None", Body("c"))))


def test_cells_and_markdown():
    assert [cell(x) for x in (None, "text", 3, 0.12345, 1234.5, -0.0)] == [
        "", "text", "3", "0.123", "1234", "0",
    ]  # fmt: skip
    assert cell(Estimate(1.5, 1.0, 2.0)) == "1.5 [1, 2]"
    assert cell(Estimate(0.5, None, 0.8, "<=")) == "<=0.5 [?, 0.8]"
    assert cell(Estimate(None, 0.1, 0.2)) == "[0.1, 0.2]"
    assert cell(Estimate(None)) == ""
    assert markdown_table(TABLE).splitlines() == [
        "| optimizer | at 20 |", "| --- | --- |", "| <b> | 0.5 [0.4, ?] |", "", "- A note.",
    ]  # fmt: skip


def test_long_names_leave_the_panels_their_width():
    def widths(*names):
        told = [
            belief(i, mean=1.0 + i, deviation=0.1, objective=1.0,
                   lengthscales=json.dumps(dict.fromkeys(names, i + 0.5)))
            for i in range(1, 9)
        ]  # fmt: skip
        root = ET.fromstring(draw_beliefs(told))
        labels = [element.text or "" for element in root.iter(f"{SVG}text")]
        boxes = [float(box.get("width")) for box in root.iter(f"{SVG}rect")]
        return min(width for width in boxes if width > 50), labels

    short, _ = widths(*"abcde")
    long, labels = widths(*(letter + " * (tile_size_x + filter_width)" * 5 for letter in "abcde"))
    assert long > 0.95 * short
    assert max(map(len, labels)) < 60
    assert any(label.startswith("a * (tile") for label in labels)


def test_coordinates_are_no_finer_than_a_tenth(drawn):
    paths = [path.get("d", "") for path in ET.fromstring(drawn["score"]).iter(f"{SVG}path")]
    decimals = [len(part) for d in paths for part in re.findall(r"\.(\d+)", d)]
    assert len(decimals) > 50
    assert max(decimals) == 1
    assert not any("\n" in d for d in paths)
