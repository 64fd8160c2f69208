"""Texts of strangers in HTML, figures and data: read back by the standard library's own readers."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("matplotlib")

from daybreak.analysis.answers import Answer, Estimate
from daybreak.report.bands import band
from daybreak.report.figures.bars import Stack, draw_stacks
from daybreak.report.figures.compromises import Cloud, Point, draw_clouds
from daybreak.report.figures.lines import Level, Panel, draw_panels
from daybreak.report.figures.marks import Mark, Rows, draw_rows
from daybreak.report.figures.names import drawn_name
from daybreak.report.figures.style import SHADES
from daybreak.report.markup import attached_csv, element, prose, table, text
from daybreak.report.sections.cost import _axis
from daybreak.report.sections.shape import flat
from daybreak.report.units import duration, readable_unit

NASTY = (
    "<script>alert(1)</script>", "\"' onload='x", "]]>&amp;&", "$\\frac{1}{2}$", "$", "_hidden",
    "", " ", "\x00\x08\x1b[31m", "\u202egnp.exe", "שלום مرحبا", "😀" * 9, "x" * 600, "a\nb\tc",
    "id=\"axes_1\" url(#p) href=\"#q\"", "%d {0} {name}", "\\", "\ud800",
)  # fmt: skip


class Reader(HTMLParser):
    """Texts, tags and attributes as a browser would see them."""

    def __init__(self, markup):
        super().__init__()
        self.texts, self.tags, self.attributes = [], [], []
        self.feed(f"<p>{markup}</p>")
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize("words", NASTY)
def test_texts_stay_texts(words):
    found = Reader(text(words))
    assert found.tags == ["p"]
    assert "".join(found.texts).replace("\ufffd", "?") == "".join(
        "?" if ord(c) in (0, 8, 0x1B, 0x202E, 0xD800) else c for c in words
    )
    inside = Reader(element("b", text("x"), title=words))
    assert inside.tags == ["p", "b"]
    assert [name for name, _ in inside.attributes] == ["title"]
    assert Reader(prose(f"`{words}` and {words}")).tags in (["p"], ["p", "code"])
    text(words).encode("utf-8")  # lone surrogates too


@given(st.text())
def test_any_text_survives_escaping(words):
    assert Reader(text(words)).tags == ["p"]


def test_attributes_that_are_unknown_are_left_out():
    assert element("a", text("x"), class_=None, open=True, aria_label="l", hidden=False) == (
        '<a open aria-label="l">x</a>'
    )


ANSWER = Answer(
    "n", "A <title>", ("who<", "value"),
    tuple({"who<": name, "value": Estimate(0.5, 0.4, None)} for name in NASTY), ("a `note` <",),
)  # fmt: skip


def test_a_table_has_caption_headings_and_notes():
    found = Reader(table(ANSWER))
    assert {"table", "caption", "thead", "tbody", "ul", "code"} <= {*found.tags}
    assert "script" not in found.tags
    assert found.attributes.count(("scope", "col")) == 2
    assert found.attributes.count(("scope", "row")) == len(NASTY)
    assert "[0.4, ?]" in found.texts
    short = Reader(table(ANSWER, most=3))
    assert short.tags.count("tr") == 4
    assert any(f"the first 3 of {len(NASTY)} rows" in words for words in short.texts)


def test_attached_data_are_csv_that_a_spreadsheet_reads():
    names = [name for name in NASTY if "\ud800" not in name]
    rows = [(name, 1 / 3, None, float("nan"), 10**9) for name in names]
    link, count = attached_csv("d", ("a,b", "c", "d", "e", "f"), rows)
    (href,) = [value for name, value in Reader(link).attributes if name == "href"]
    head, _, data = href.partition(",")
    assert head == "data:text/csv;charset=utf-8"
    found = list(csv.reader(io.StringIO(unquote(data), newline="")))
    assert count == len(rows)
    assert found[0] == ["a,b", "c", "d", "e", "f"]
    assert [row[0] for row in found[1:]] == names
    assert all(row[1:] == ["0.3333333", "", "", "1000000000"] for row in found[1:])


def test_data_that_are_too_long_end_at_a_whole_row():
    link, count = attached_csv("d", ("n",), [(i,) for i in range(10_000)], most=5000)
    (href,) = [value for name, value in Reader(link).attributes if name == "href"]
    rows = unquote(href.partition(",")[2]).split()
    assert len(href) < 5100
    assert rows == ["n", *(str(i) for i in range(count))]
    assert f"the first {count} of 10000 rows" in "".join(Reader(link).texts)


def test_an_estimate_becomes_three_columns_of_data():
    found = flat(
        Answer("n", "t", ("who", "x"), ({"who": "a", "x": Estimate(1.0, 0.5, 2.0)}, {"who": "b"}))
    )
    assert found.columns == ("who", "x", "x low", "x high")
    assert found.rows == [["a", 1.0, 0.5, 2.0], ["b", None, None, None]]


def every_figure(name):
    x = np.arange(1.0, 5.0)
    line = band(name, x, np.cumsum(np.ones((3, 4)), axis=0) * x, singles=[(x, x)] * 3)
    words = {"title": name, "description": name}
    yield draw_panels([Panel(name, [line], name, name, [Level(name, 2.0)], log_y=True)], **words)
    yield draw_panels([Panel(name, [line], name, name)] * 3, **words, order=[name])
    yield draw_rows([Rows(name, [Mark(name, 1.0, None, 2.0, (1.0,), name)], name)], **words)
    yield draw_stacks([Stack(name, {name: 1.0}, name)], [name], x=name, **words)
    yield draw_clouds([Cloud(name, [Point(name, 1, 2, (1, 2), front=True)], name, name)], **words)


@pytest.mark.parametrize("name", [n for n in NASTY if "\ud800" not in n], ids=ascii)
def test_figures_show_any_name(name):
    for drawn in every_figure(name):
        root = ET.fromstring(drawn)
        tags = {child.tag.rpartition("}")[2] for child in root.iter()}
        assert not tags & {"script", "image", "a", "foreignObject"}
        shown = " ".join(one.text or "" for one in root.iter("{http://www.w3.org/2000/svg}text"))
        assert drawn_name(name, 24)[:8] in shown or len(drawn_name(name)) == 0


def test_names_in_figures_are_of_bounded_length_and_keep_both_ends():
    found = drawn_name("kernel/" + "x" * 500 + "/double", 40)
    assert len(found) == 40
    assert found.startswith("kernel/")
    assert found.endswith("/double")
    assert drawn_name("_a") != "_a"  # matplotlib would leave it out of the legend


def test_colours_are_variables_with_a_colour_of_their_own():
    drawn = next(every_figure("a: #3987c8; b"))
    assert "var(--shade-3987c8, #3987c8)" in drawn
    # in a name it stays as it is
    assert "a: #3987c8; b" in "".join(ET.fromstring(drawn).itertext())
    assert len({name for name, _, _ in SHADES.values()}) == len(SHADES)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 s"), (2e-7, "200 ns"), (0.085, "85 ms"), (12.34, "12.3 s"), (59.99, "1 min 0 s"),
        (61, "1 min 1 s"), (3599.7, "1 h 0 min"), (11_520, "3 h 12 min"), (183_600, "2 d 3 h"),
        (-5, "-5 s"),
    ],
)  # fmt: skip
def test_durations_in_words(seconds, words):
    assert duration(seconds) == words


def test_units_fit_the_smallest_value():
    assert readable_unit([2.0, 0.003, None], "s") == (pytest.approx(1e3), "ms")
    assert readable_unit([0.5], "J") == (1.0, "J")
    assert readable_unit([], "s") == (1.0, "s")


def test_long_names_show_both_ends_and_stay_whole_in_the_text():
    name = "train/" + "long-" * 30 + "0123456789abcdefghij-7"
    found = Answer("a", "t", ("who", "message"), ({"who": name, "message": "m" * 300},))
    shown = table(found)
    assert re.sub("<[^>]*>", "", shown).count(name) == 1
    assert "0123456789abcdefghij-7</" not in shown.partition("</span>")[0]
    assert shown.partition("</span>")[2].startswith("23456789abcdefghij-7</th>")
    # what stands last is read in full
    assert f"<td>{'m' * 300}</td>" in shown


def test_fronts_are_drawn_in_readable_units():
    seconds = {"metric": "seconds", "unit": "s", "direction": "minimize"}
    assert _axis(seconds, [2e-5, 3e-5]) == (
        pytest.approx(1e6),
        "seconds (us, less is better)",
    )
    assert _axis({"metric": "hits", "unit": None, "direction": "maximize"}, [5.0]) == (
        1.0,
        "hits (more is better)",
    )
