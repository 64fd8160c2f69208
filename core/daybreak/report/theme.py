"""Colours of the page, light and dark, and the switch between them: style sheets alone, no script.

The reader's system decides until one of the three buttons of `SWITCH` is pressed. Pages are printed
in light colours.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping

from daybreak.report.figures.style import SHADES

__all__ = ["SWITCH", "style_sheet"]

_LIGHT = {
    "--ink": "#1f2328",
    "--faint": "#57606a",
    "--line": "#d1d9e0",
    "--ground": "#ffffff",
    "--raised": "#f6f8fa",
    "--edge": "#1f232840",
    "--link": "#0757b5",
} | {name: on_white for name, on_white, _ in SHADES.values()}
_DARK = {
    "--ink": "#e6edf3",
    "--faint": "#a3acb5",
    "--line": "#3d444d",
    "--ground": "#0d1117",
    "--raised": "#161c24",
    "--edge": "#e6edf350",
    "--link": "#6cb0ff",
} | {name: on_black for name, _, on_black in SHADES.values()}

#: the buttons; without support for `:has()` the style sheet hides them
SWITCH = """<form class="scheme"><fieldset><legend>Colours</legend>
<input type="radio" name="scheme" id="scheme-system" checked><label for="scheme-system">System</label>
<input type="radio" name="scheme" id="scheme-light"><label for="scheme-light">Light</label>
<input type="radio" name="scheme" id="scheme-dark"><label for="scheme-dark">Dark</label>
</fieldset></form>"""


def style_sheet() -> str:
    """Return the whole style sheet of a page."""
    rules = importlib.resources.files("daybreak.report").joinpath("page.css").read_text("utf-8")
    light, dark = _block(_LIGHT, "light"), _block(_DARK, "dark")
    return "\n".join(
        (
            f":root {{ {light} }}",
            f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}",
            f"@media screen {{ :root:has(#scheme-light:checked) {{ {light} }}",
            f":root:has(#scheme-dark:checked) {{ {dark} }} }}",
            rules,
        )
    )


def _block(colours: Mapping[str, str], scheme: str) -> str:
    return f"color-scheme: {scheme}; " + " ".join(f"{n}: {c};" for n, c in colours.items())
