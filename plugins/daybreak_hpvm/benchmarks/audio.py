"""An ambisonic encoder, after ILLIXR's audio pipeline as ported to HPVM.

Several sound sources are encoded into the 16 (third-order) channels of a sound field. For every
source: normalisation (NM) scales 16-bit samples; encoding (EN) delays the signal by the time that
sound takes to the listener (with interpolation between samples), applies the gain of its distance
(one for channel 0, another for the rest) and multiplies by the source's spherical-harmonic
coefficients; summation (SM) adds up the sources. (libspatialaudio's encoder with distance; its
delay buffer is the first `delay_line` samples of each row here.) Fixed point: volumes and gains
have 15 fraction bits, coefficients 14, fractions of a delay 8; words are wide enough for any input.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, pi, sin, sqrt
from random import Random
from typing import Any

from daybreak import Space
from daybreak_hpvm.benchmarks.parts import factors, flags
from daybreak_hpvm.benchmarks.sizes import Size
from daybreak_hpvm.ir.build import ProgramBuilder
from daybreak_hpvm.ir.expr import eq, minimum, select
from daybreak_hpvm.ir.program import Program
from daybreak_hpvm.ir.types import fitting, s, u

__all__ = [
    "EXPERT",
    "NAME",
    "NOTES",
    "SIZES",
    "SUMMARY",
    "draw",
    "program",
    "solve",
    "space",
]

NAME = "audio"
SUMMARY = "ambisonic encoding of several sound sources"
SIZES = (
    Size("sources", 4, 1, 64, "sound sources"),
    Size("channels", 16, 1, 64, "channels of the sound field: (order + 1)^2"),
    Size("samples", 16, 1, 4096, "samples in a block"),
    Size("delay_line", 16, 2, 4096, "earlier samples that are kept"),
)
NOTES = (
    "15 parameters, 839,808 configurations = 2^7 x 3^8: published are 15 parameters and 840K "
    "(840,000 itself is no product of 15 ranges of two or more values); names and ranges are ours",
    "EN_LF changes something only where EN and SM are fused",
)
EXPERT = {
    "NM_UnrollL1": 2,
    "EN_UnrollL3": 4,
    "SM_UnrollL2": 4,
    "EN_coef_BuffIn": 1,
    "EN_gain_BuffIn": 1,
    "EN_LF": 1,
    "EN_Nd_F_SM": 1,
    "TLP": 1,
}


def space() -> Space:
    """Return 3^8 unroll factors times 2^7 switches."""
    loops = ["NM_UnrollL1", *(f"EN_UnrollL{k}" for k in range(4))]
    loops += [f"SM_UnrollL{k}" for k in range(3)]
    switches = ["EN_coef_BuffIn", "EN_gain_BuffIn", "EN_norm_BuffIn", "EN_LF"]
    switches += ["NM_Nd_F_EN", "EN_Nd_F_SM", "TLP"]
    return Space([*factors(dict.fromkeys(loops, (1, 2, 4))), *flags(switches)], name="hpvm/audio")


def program(sizes: Mapping[str, int]) -> Program:
    """Return the encoder of one block."""
    sources, channels = sizes["sources"], sizes["channels"]
    samples, kept = sizes["samples"], sizes["delay_line"]
    length = kept + samples
    p = ProgramBuilder("audio")
    pcm = p.input("pcm", s(16), (sources, length))
    volume = p.input("volume", u(16), (sources,))
    delay = p.input("delay", fitting(0, kept - 1), (sources,))
    fraction = p.input("fraction", u(8), (sources,))
    gain = p.input("gain", u(16), (2, sources))
    coefficient = p.input("coef", s(16), (channels, sources))
    normal = p.array("norm", s(18), (sources, length))
    encoded = p.array("enc", s(20), (samples, channels, sources))
    field = p.output("field", s(26), (samples, channels))

    with p.node("NM") as n, n.loop("NM_s", sources) as i, n.loop("NM_t", length) as t:
        normal[i, t] = (pcm[i, t] * volume[i] + (1 << 14)) >> 15
    with p.node("EN") as n, n.loop("EN_t", samples) as t:
        heard = n.local("heard", s(18), (sources,))
        with n.loop("EN_s", sources) as i:
            # delay_line - delay lies in 1 .. delay_line, so both samples exist
            place = t + (kept - minimum(delay[i], kept - 1))
            late, early = fraction[i], 256 - fraction[i]
            heard[i] = (normal[i, place] * early + normal[i, place - 1] * late) >> 8
        with n.loop("EN_c", channels) as c, n.loop("EN_u", sources) as i:
            near = select(eq(c, 0), gain[0, i], gain[1, i])
            encoded[t, c, i] = (((heard[i] * near) >> 15) * coefficient[c, i]) >> 14
    with p.node("SM") as n, n.loop("SM_t", samples) as t, n.loop("SM_c", channels) as c:
        total = n.scalar("total", s(26), 0)
        with n.loop("SM_s", sources) as i:
            n.reduce(total, "add", encoded[t, c, i])
        field[t, c] = total
    return p.build()


def _harmonics(azimuth: float, elevation: float) -> list[float]:
    """Return real spherical harmonics (SN3D, ACN order) up to order 3 of a direction."""
    x, y, z = cos(azimuth) * cos(elevation), sin(azimuth) * cos(elevation), sin(elevation)
    return [
        1.0, y, z, x,
        sqrt(3) * x * y, sqrt(3) * y * z, (3 * z * z - 1) / 2, sqrt(3) * x * z,
        sqrt(3) / 2 * (x * x - y * y),
        sqrt(5 / 8) * y * (3 * x * x - y * y), sqrt(15) * x * y * z,
        sqrt(3 / 8) * y * (5 * z * z - 1), z * (5 * z * z - 3) / 2,
        sqrt(3 / 8) * x * (5 * z * z - 1), sqrt(15) / 2 * z * (x * x - y * y),
        sqrt(5 / 8) * x * (x * x - 3 * y * y),
    ]  # fmt: skip


def draw(sizes: Mapping[str, int], random: Random) -> dict[str, Any]:
    """Return noisy sources at random places; channels beyond order 3 get random coefficients."""
    sources, channels = sizes["sources"], sizes["channels"]
    length = sizes["delay_line"] + sizes["samples"]
    columns = []
    for _ in range(sources):
        angles = random.uniform(-pi, pi), random.uniform(-pi / 2, pi / 2)
        exact = _harmonics(*angles) + [random.uniform(-1, 1) for _ in range(channels)]
        columns.append([round(value * (1 << 14)) for value in exact[:channels]])
    return {
        "pcm": [[random.randrange(-(1 << 15), 1 << 15) for _ in range(length)] for _ in columns],
        "volume": [random.randrange(1 << 14, 1 << 15) for _ in columns],
        "delay": [random.randrange(sizes["delay_line"]) for _ in columns],
        "fraction": [random.randrange(256) for _ in columns],
        "gain": [[random.randrange(1 << 12, 1 << 15) for _ in columns] for _ in range(2)],
        "coef": [[column[c] for column in columns] for c in range(channels)],
    }


def solve(sizes: Mapping[str, int], inputs: Mapping[str, Any]) -> dict[str, list[int]]:
    """Return the field, source by source, each as an outer product of signal and coefficients."""
    import numpy as np

    kept, samples = sizes["delay_line"], sizes["samples"]
    field = np.zeros((samples, sizes["channels"]), dtype=np.int64)
    signals = np.array(inputs["pcm"], dtype=np.int64)
    gains = np.array(inputs["gain"], dtype=np.int64)
    coefficients = np.array(inputs["coef"], dtype=np.int64)
    for source, plain in enumerate(signals):
        signal = (plain * inputs["volume"][source] + 2**14) // 2**15
        back = kept - inputs["delay"][source]
        part = inputs["fraction"][source]
        near, far = signal[back : back + samples], signal[back - 1 : back - 1 + samples]
        heard = (near * (256 - part) + far * part) // 256
        omni, rest = ((heard * g) // 2**15 for g in gains[:, source])
        drawn = np.outer(rest, coefficients[:, source])
        drawn[:, 0] = omni * coefficients[0, source]
        field += drawn // 2**14
    return {"field": [int(v) for v in field.ravel()]}
