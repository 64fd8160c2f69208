"""The page in a real browser: it opens clean, fetches nothing, and can be read by everybody."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

import itertools

from headless import Browser, find_browser
from many_studies import searches, training

from daybreak.report.making import make_report
from daybreak.report.writing import write_report

HOSTILE = (
    "<script>document.title='hacked'</script>{kind}-{number}",
    "\"'><img src=x onerror=\"document.title='hacked'\">{kind}-{number}",
    "{kind}-{number} ]]><svg onload=alert(1)> & $\\frac{{1}}$ `a` ; DROP TABLE runs --",
    "_{kind}-{number} שלום مرحبا \u202e gnp.exe",
    "{kind}-{number} " + "long" * 120,
)


@pytest.fixture(scope="module")
def browser():
    find_browser()
    with Browser() as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def small(folder):
    return written(searches(folder / "ten", benchmarks=1), folder / "ten.html")


@pytest.fixture(scope="module")
def trained(folder):
    return written(training(folder / "trained"), folder / "trained.html")


def written(results: Path, out: Path) -> Path:
    (file,) = write_report(out, make_report(results))
    return file


def pixels(png: bytes) -> np.ndarray:
    from matplotlib.image import imread

    return np.asarray(imread(io.BytesIO(png), format="png"))[..., :3]


def check_clean(tab, file):
    assert tab.messages == []
    assert [url for url in tab.requests if not url.startswith("data:")] == [file.resolve().as_uri()]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("width", "mobile"), [(1280, False), (390, True)], ids=["desk", "phone"])
@pytest.mark.parametrize("which", ["small", "trained"])
def test_it_opens_clean(browser, request, which, dark, width, mobile):
    file = request.getfixturevalue(which)
    tab = browser.open(file, width=width, dark=dark, mobile=mobile)
    seen = pixels(tab.screenshot())
    # neither blank nor of one colour, and dark where dark is asked for
    assert seen.std() > 0.02
    assert (np.median(seen) < 0.2) == dark
    # nothing sticks out: wide figures and tables scroll by themselves
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    check_clean(tab, file)
    tab.close()


def contrast(one, other):
    """WCAG 2.2, 1.4.3: contrast of two colours."""

    def luminance(colour):
        parts = [int(x) / 255 for x in re.findall(r"\d+", colour)[:3]]
        linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


COLOURS = """(() => {
  const seen = (list, of) => [...new Set([...list].map(e => getComputedStyle(e)[of]))];
  return {
    ground: getComputedStyle(document.body).backgroundColor,
    words: seen(document.querySelectorAll("p, td, th, a, li, summary, figcaption, h1, h2, h3"), "color"),
    labels: seen(document.querySelectorAll("svg text"), "fill"),
    lines: seen([...document.querySelectorAll("svg path[style]")]
      .filter(e => e.style.stroke.startsWith("var(")), "stroke"),
  };
})()"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_words_and_lines_are_legible(browser, trained, dark):
    tab = browser.open(trained, dark=dark)
    found = tab.evaluate(COLOURS)
    assert len(found["lines"]) >= 3
    assert all(contrast(one, found["ground"]) >= 4.5 for one in found["words"])
    assert all(contrast(one, found["ground"]) >= 4.5 for one in found["labels"])
    assert all(contrast(one, found["ground"]) >= 3 for one in found["lines"])
    tab.close()


def test_the_reader_may_choose_the_colours_with_the_keyboard(browser, small):
    tab = browser.open(small, dark=False)
    ground = "getComputedStyle(document.body).backgroundColor"
    light = tab.evaluate(ground)
    tab.evaluate("document.getElementById('scheme-system').focus()")
    tab.press("ArrowRight")
    assert tab.evaluate("document.activeElement.id") == "scheme-light"
    assert tab.evaluate(ground) == light
    tab.press("ArrowRight")
    assert tab.evaluate("document.activeElement.id") == "scheme-dark"
    dark = tab.evaluate(ground)
    assert contrast(dark, light) > 10
    tab.close()
    # and the other way round, where the system is dark
    tab = browser.open(small, dark=True)
    assert tab.evaluate(ground) == dark
    tab.evaluate("document.getElementById('scheme-light').click()")
    assert tab.evaluate(ground) == light
    tab.close()


def test_the_first_stop_of_the_keyboard_skips_to_the_content(browser, small):
    tab = browser.open(small)
    tab.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    assert tab.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    tab.press("Enter")
    assert tab.evaluate("location.hash") == "#content"
    tab.close()


OUTLINE = """(() => {
  const all = query => [...document.querySelectorAll(query)];
  return {
    headings: all("h1, h2, h3, h4").map(e => Number(e.tagName[1])),
    figures: all("svg").map(e => [e.getAttribute("role"), e.querySelector("title")?.textContent]),
    captions: all("figure").map(e => e.querySelector("figcaption")?.textContent.length ?? 0),
    tables: all("table").map(e => [e.caption?.textContent ?? "",
      e.closest("[aria-label]")?.getAttribute("aria-label") ?? "", e.tHead.querySelectorAll("th[scope=col]").length]),
    scrolling: all(".scroll, pre").filter(e => e.tabIndex !== 0).length,
    lost: all("a[href^='#']").filter(e => !document.getElementById(e.getAttribute("href").slice(1))).length,
    twice: all("[id]").length - new Set(all("[id]").map(e => e.id)).size,
    scripts: all("script").length + all("*").filter(e => [...e.attributes].some(a => a.name.startsWith("on"))).length,
    language: document.documentElement.lang,
    unnamed: all("a, button, input, summary").filter(e => !(e.textContent.trim() || e.ariaLabel || e.labels?.length)).length,
  };
})()"""


@pytest.mark.parametrize("which", ["small", "trained"])
def test_it_can_be_read_without_eyes(browser, request, which):
    tab = browser.open(request.getfixturevalue(which))
    found = tab.evaluate(OUTLINE)
    levels = found["headings"]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert len(found["figures"]) >= 4
    assert all(role == "img" and title for role, title in found["figures"])
    assert min(found["captions"]) > 80
    assert all(label and columns for _, label, columns in found["tables"])
    assert found["language"] == "en"
    assert [found[n] for n in ("scrolling", "lost", "twice", "scripts", "unnamed")] == [0] * 5
    tab.close()


def test_the_data_behind_a_figure_can_be_saved(browser, small, tmp_path):
    tab = browser.open(small, downloads=tmp_path)
    tab.evaluate("document.querySelector(\"a[download='leaderboard.csv']\").click()")
    deadline = time.monotonic() + 20
    while not (tmp_path / "leaderboard.csv").exists():
        assert time.monotonic() < deadline, "nothing was saved"
        time.sleep(0.05)
    import pandas as pd

    frame = pd.read_csv(tmp_path / "leaderboard.csv")
    found = frame[~frame["reference"]]
    assert set(found["who"]) == {f"optimizer-{i}" for i in range(5)}
    assert (found["n"] == 2).all()
    check_clean(tab, small)
    tab.close()


def hostile(kind, number):
    return HOSTILE[number % len(HOSTILE)].format(kind=kind, number=number)


@pytest.mark.parametrize("write", [searches, training])
def test_names_are_shown_and_never_obeyed(browser, folder, write):
    sizes = {"optimizers": 5, "seeds": 1} if write is searches else {"entries": 5, "seeds": 2}
    results = write(folder / f"h-{write.__name__}", benchmarks=5, named=hostile, **sizes)
    file = written(results, folder / f"h-{write.__name__}.html")
    tab = browser.open(file, width=390, mobile=True)
    assert "hacked" not in tab.evaluate("document.title")
    shown = tab.evaluate("document.body.textContent")
    kind = "optimizer" if write is searches else "entry"
    for number in range(5):
        assert hostile(kind, number).replace("\u202e", "\ufffd") in shown
    # markup in a name makes no element
    assert (
        tab.evaluate("document.querySelectorAll('script, img, main svg:not([class])').length") == 0
    )
    assert "could not be made" not in shown
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    check_clean(tab, file)
    tab.close()


def test_a_page_that_is_read_again_keeps_its_readers_choices(browser, folder):
    results = searches(folder / "live", benchmarks=1, optimizers=2, seeds=1)
    (file,) = write_report(folder / "live.html", make_report(results), refresh_s=2)
    tab = browser.open(file)
    tab.evaluate(
        "document.getElementById('scheme-dark').click(); scrollTo(0, 900); window.first = true;"
        "document.querySelectorAll('details')[1].open = true"
    )
    deadline = time.monotonic() + 30
    while tab.evaluate("window.first"):
        assert time.monotonic() < deadline, "it is not read again"
        time.sleep(0.2)
    time.sleep(0.5)
    assert tab.evaluate("document.getElementById('scheme-dark').checked")
    opened = "[...document.querySelectorAll('details')].map(e => e.open).indexOf(true)"
    assert tab.evaluate(opened) == 1
    assert tab.evaluate("scrollY") == 900
    assert tab.messages == []
    tab.close()


def test_paper_is_white_and_holds_no_buttons(browser, small):
    tab = browser.open(small, dark=True, media="print")
    tab.evaluate("document.getElementById('scheme-dark').checked = true")
    ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert contrast(ground, "rgb(0, 0, 0)") > 20
    for hidden in (".scheme", "nav.contents", ".tools"):
        assert (
            tab.evaluate(f"getComputedStyle(document.querySelector('{hidden}')).display") == "none"
        )
    assert tab.pdf().startswith(b"%PDF")
    tab.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "shape",
    [
        {"benchmarks": 20, "optimizers": 10, "seeds": 50, "evaluations": 20},
        {"benchmarks": 1, "optimizers": 1, "seeds": 10_000, "evaluations": 10},
        {"benchmarks": 5_000, "optimizers": 2, "seeds": 1, "evaluations": 5},
        {"benchmarks": 2, "optimizers": 1_000, "seeds": 5, "evaluations": 5},
    ],
    ids=["square", "seeds", "benchmarks", "optimizers"],
)
def test_ten_thousand_studies_open_as_well(browser, tmp_path, shape):
    file = written(searches(tmp_path / "many", **shape), tmp_path / "many.html")
    assert file.stat().st_size < 6_000_000
    tab = browser.open(file)
    assert pixels(tab.screenshot()).std() > 0.02
    assert "could not be made" not in tab.evaluate("document.body.textContent")
    # few enough elements that scrolling does not stutter
    assert tab.evaluate("document.querySelectorAll('*').length") < 40_000
    assert "10000 studies" in tab.evaluate("document.title")
    check_clean(tab, file)
    tab.close()


@pytest.mark.slow
def test_ten_thousand_training_runs_open_as_well(browser, tmp_path):
    results = training(tmp_path / "many", benchmarks=10, entries=10, seeds=100)
    file = written(results, tmp_path / "many.html")
    assert file.stat().st_size < 6_000_000
    tab = browser.open(file)
    assert tab.evaluate("document.querySelectorAll('*').length") < 40_000
    assert "could not be made" not in tab.evaluate("document.body.textContent")
    check_clean(tab, file)
    tab.close()
