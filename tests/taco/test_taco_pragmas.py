"""TACO's loop pragmas in the words of GCC."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from daybreak_taco.ccompiler import find_compiler
from daybreak_taco.pragmas import for_gcc, unroll_loop

HINT = "#pragma clang loop interleave(enable) vectorize(enable)\n"


def test_unroll_keeps_its_factor_and_indentation() -> None:
    text = "  #pragma unroll 12\n  for (;;) {\n  }\n"
    assert for_gcc(text, independent=False).startswith("  #pragma GCC unroll 12\n")


@pytest.mark.parametrize(
    ("body", "independent", "pragma"),
    [
        ("  A_vals[jA] = A_vals[jA] + x;\n", True, "#pragma omp simd\n"),
        ("  A_vals[jA] = A_vals[jA] + x;\n", False, None),
        ("  ta_val += B_vals[j] * c_vals[j];\n", False, "#pragma omp simd reduction(+:ta_val)\n"),
        ("  ta_val += x;\n  tb += y;\n", True, "#pragma omp simd reduction(+:ta_val,tb)\n"),
        ("  ta_val += x;\n  A_vals[k] = 1;\n", True, None),
        ("  double t = 0.0;\n  t += x;\n  A_vals[k] = t;\n", True, "#pragma omp simd\n"),
        ("  while (j < 3) {\n  ta += x;\n  }\n", True, None),
    ],
)
def test_simd_is_promised_only_where_it_holds(
    body: str, independent: bool, pragma: str | None
) -> None:
    text = f"before;\n{HINT}for (int32_t k = 0; k < 8; k++) {{\n{body}}}\nafter += 1;\n"
    made = for_gcc(text, independent=independent)
    assert "clang" not in made
    loop = f"for (int32_t k = 0; k < 8; k++) {{\n{body}}}\nafter += 1;\n"
    assert made == f"before;\n{pragma or ''}{loop}"


def test_unroll_is_put_before_every_loop_of_that_variable() -> None:
    text = "  for (int32_t mB = 0; x; y) {\n    for (int32_t m = 0; x; y) {\n"
    made = unroll_loop(text, "mB", 4)
    assert made.count("#pragma unroll 4") == 1
    assert made.startswith("  #pragma unroll 4\n  for (int32_t mB")


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs GCC")
def test_gcc_unrolls_by_the_factor_asked_for(tmp_path: Path) -> None:
    """GCC's assembly holds as many multiplications as the pragma says, and ignores TACO's own."""
    loop = (
        "double f(const double *a, const double *b, int n) {\n  double t = 0.0;\n"
        "  #pragma unroll 8\n  for (int i = 0; i < n; i++) {\n    t += a[i] * b[i];\n  }\n"
        "  return t;\n}\n"
    )
    counts = []
    for text in (loop, for_gcc(loop, independent=False)):
        (tmp_path / "f.c").write_text(text)
        command = ["gcc", "-O2", "-w", "-S", "-o", "-", str(tmp_path / "f.c")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        counts.append(len(re.findall(r"\bv?f?mul(?:sd|pd)?\b|\bfmadd|\bvfmadd", done.stdout)))
    assert counts[1] >= 8 * counts[0] > 0


def test_the_compiler_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_compiler().version
