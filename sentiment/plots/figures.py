"""The look of the pictures: the same on every machine, and one colour a meaning."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, findSystemFonts
from matplotlib.ft2font import FT2Font

from sentiment.common.files import atomic_write

# Two colours of the Okabe-Ito palette, which people with any form of colour-blindness can tell apart.
TRAINING = "#0072B2"
VALIDATION = "#D55E00"
REFERENCE = "#777777"
# Words by their log-odds: purple and orange stay apart to people with any form of colour-blindness, and in grey print.
NEGATIVE = "#5E3C99"
NEUTRAL = "#D0D0D0"
POSITIVE = "#E69F00"


def new_figure(title: str, xlabel: str, ylabel: str) -> tuple[Figure, Axes]:
    """An empty figure of 800 x 500 pixels, whatever matplotlibrc the machine has."""
    matplotlib.rcdefaults()
    figure = Figure(figsize=(6.4, 4), dpi=125)
    # A layout engine would draw each picture twice.
    figure.subplots_adjust(left=0.13, right=0.97, bottom=0.13, top=0.92)
    axes = figure.add_subplot(title=title, xlabel=xlabel, ylabel=ylabel)
    return figure, axes


def save_figure(figure: Figure, path: Path) -> None:
    """Write the figure as a PNG, which holds no date."""
    with atomic_write(path) as part:
        figure.savefig(part, format="png")


def font_of(text: str) -> Path | None:
    """The first font that has all characters of a text: the one of the pictures, or one of this machine."""
    for path in _fonts():
        with suppress(RuntimeError):  # a font of bitmaps
            font = FT2Font(path)
            if all(font.get_char_index(ord(character)) for character in text):
                return Path(path)
    return None


def _fonts() -> Iterator[str]:
    yield findfont("DejaVu Sans")
    # Last Resort has every character, as a box.
    yield from sorted((path for path in findSystemFonts() if "LastResort" not in path), key=lambda path: ("Bold" in path, path))
