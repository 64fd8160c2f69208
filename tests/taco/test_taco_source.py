"""How a suite spells a data source."""

from __future__ import annotations

import pytest

from daybreak import UserError
from daybreak_taco.data.source import parse_source, short_name


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("pyamg:airfoil", "pyamg-airfoil"),
        ("suitesparse:cage12", "cage12"),
        ("suitesparse:SNAP/email-Enron", "SNAP-email-Enron"),
        ("frostt:uber", "frostt-uber"),
        ("data/my matrix.mtx.gz", "my-matrix"),
        ("/somewhere/t.tns", "t"),
        ("generate:power-law(rows=20000, seed=1)", "power-law-n20k-s1"),
        ("generate:power-law(nnz=1.4e6,rows=12345)", "power-law-n12345-z1.4M"),
        ("generate:stencil(points=27, side=12)", "stencil-p27-n12"),
        ("generate:fem", "fem"),
        ("generate:skewed(dims=10x20x30, nnz=100)", "skewed-d10x20x30-z100"),
        ("generate:blocks()", "blocks"),
    ],
)
def test_labels_are_short_and_name_what_was_given(text: str, label: str) -> None:
    tensor = any(word in text for word in ("dims", "frostt", ".tns", "blocks("))
    assert short_name(text, tensor=tensor) == label


def test_arguments_are_numbers_with_defaults_filled_in() -> None:
    source = parse_source("generate:power-law( nnz = 1.5e3 , rows=200 )", tensor=False)
    assert source.arguments == {"rows": 200, "nnz": 1500, "skew": 2, "seed": 1}
    assert dict(source.given) == {"rows": 200, "nnz": 1500}


@pytest.mark.parametrize(
    ("text", "tensor", "part"),
    [
        ("airfoil", False, "names no matrix"),
        ("pyamg:airfiol", False, "did you mean: airfoil"),
        ("pyagm:airfoil", False, "did you mean: pyamg"),
        ("pyamg:airfoil", True, "ships no tensor"),
        ("generate:power_law(rows=3)", False, "did you mean: power-law"),
        ("generate:banded(rwos=3)", False, "did you mean: rows"),
        ("generate:banded(rows)", False, "is no key=value"),
        ("generate:banded(rows=1e99)", False, "whole number"),
        ("generate:banded(rows=1.5)", False, "whole number"),
        ("generate:banded(rows=nan)", False, "whole number"),
        ("generate:banded(rows=1, rows=2)", False, "twice"),
        ("generate:banded(rows=__import__('os'))", False, "whole number"),
        ("generate:stencil(points=6)", False, "points=6"),
        ("generate:power-law(rows=10, nnz=51)", False, "half of the 100 places"),
        ("generate:block-sparse(rows=10, block=3)", False, "no multiple"),
        ("generate:block-sparse(rows=4, block=2, blocks=5)", False, "do not fit"),
        ("generate:skewed(dims=10x10)", True, "3 or 4 sizes"),
        ("generate:skewed(dims=10x0x10)", True, "3 or 4 sizes"),
        ("generate:blocks(dims=9x8x8, block=4, blocks=1)", True, "multiple of block=4"),
        ("frostt:../../etc/passwd", True, "names no tensor"),
        ("suitesparse:..", False, "names no matrix"),
        ("frostt:uber", False, "names no matrix"),
    ],
)
def test_what_is_misspelt_is_refused_with_the_nearest_name(
    text: str, tensor: bool, part: str
) -> None:
    with pytest.raises(UserError) as caught:
        parse_source(text, tensor=tensor)
    assert part in str(caught.value)
