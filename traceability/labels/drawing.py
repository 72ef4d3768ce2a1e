"""Drawing QR labels: PNG, SVG and the terminal."""

from __future__ import annotations

import io
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from PIL import Image, ImageDraw, ImageFont

from traceability.labels.errors import TooMuchData
from traceability.labels.symbol import (
    X_DIMENSION_MM_DEFAULT,
    ErrorCorrection,
    Symbol,
    check_x_dimension,
    make_symbol,
    module_pixels,
)

__all__ = ["qr_png", "qr_svg", "qr_terminal"]

_TEXT_HEIGHT_MODULES = 2.5
_LINE_HEIGHT_MODULES = 3.0
_LINES_MAX = 20
_MONOSPACE_ASPECT = 0.6  # width of a character relative to its height


def qr_svg(
    uri: str,
    *,
    x_dimension_mm: float = X_DIMENSION_MM_DEFAULT,
    error_correction: ErrorCorrection = ErrorCorrection.M,
    text: Iterable[str] | None = None,
) -> str:
    """An SVG document of true size in millimetres: the QR code of a Digital Link URI with its quiet
    zone, and human readable text below (`text=()` for none).

    Raises a Gs1Error subclass, TooMuchData, SizeOutOfRange.
    """
    check_x_dimension(x_dimension_mm)
    symbol = _labelled(uri, error_correction, text)
    height = symbol.size + _text_modules(symbol)
    width_mm, height_mm = symbol.size * x_dimension_mm, height * x_dimension_mm
    lines = "".join(
        f'<text x="{symbol.size / 2:g}" y="{_baseline(symbol, index):g}"'
        f' font-size="{_TEXT_HEIGHT_MODULES:g}">{escape(line)}</text>'
        for index, line in enumerate(symbol.text)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width_mm:.3f}mm"'
        f' height="{height_mm:.3f}mm" viewBox="0 0 {symbol.size} {height:g}"'
        f' role="img" aria-label={quoteattr("QR code of " + uri)}>'
        f'<rect width="{symbol.size}" height="{height:g}" fill="#fff"/>'
        f'<path d="{_path(symbol)}" fill="#000" shape-rendering="crispEdges"/>'
        f'<g font-family="monospace" text-anchor="middle" fill="#000">{lines}</g></svg>\n'
    )


def _labelled(uri: str, level: ErrorCorrection, text: Iterable[str] | None) -> Symbol:
    """The symbol with text lines that fit below it: longer ones are folded, not shrunk."""
    symbol = make_symbol(uri, level, None if text is None else tuple(text))
    width = int((symbol.size - 2) / (_TEXT_HEIGHT_MODULES * _MONOSPACE_ASPECT))
    lines = tuple(
        line[start : start + width]
        for line in symbol.text
        for start in range(0, max(len(line), 1), width)
    )
    if len(lines) > _LINES_MAX:
        raise TooMuchData(f"the text takes {len(lines)} lines; at most {_LINES_MAX} fit below")
    return Symbol(symbol.modules, lines)


def _text_modules(symbol: Symbol) -> float:
    return _LINE_HEIGHT_MODULES * len(symbol.text) + (1 if symbol.text else 0)


def _baseline(symbol: Symbol, index: int) -> float:
    return symbol.size + _LINE_HEIGHT_MODULES * index + _TEXT_HEIGHT_MODULES


def _path(symbol: Symbol) -> str:
    """One rectangle for each run of dark modules in a row."""
    parts: list[str] = []
    for y, row in enumerate(symbol.modules):
        start: int | None = None
        for x, dark in enumerate((*row, False)):
            if dark and start is None:
                start = x
            elif not dark and start is not None:
                parts.append(f"M{start} {y}h{x - start}v1H{start}z")
                start = None
    return "".join(parts)


def qr_png(
    uri: str,
    *,
    x_dimension_mm: float = X_DIMENSION_MM_DEFAULT,
    dpi: int = 300,
    error_correction: ErrorCorrection = ErrorCorrection.M,
    text: Iterable[str] | None = None,
) -> bytes:
    """A PNG file for printing at `dpi`: whole dots for each module, so no edge is blurred, and the
    resolution is written into the file.

    Raises a Gs1Error subclass, TooMuchData, SizeOutOfRange.
    """
    pixels = module_pixels(x_dimension_mm, dpi)
    symbol = _labelled(uri, error_correction, text)
    side = symbol.size * pixels
    image = Image.new("L", (side, side + round(_text_modules(symbol) * pixels)), 255)
    code = Image.new("L", (symbol.size, symbol.size))
    code.putdata([0 if dark else 255 for row in symbol.modules for dark in row])
    image.paste(code.resize((side, side), Image.Resampling.NEAREST), (0, 0))
    _write_text(image, symbol, pixels)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True, dpi=(dpi, dpi))
    return file.getvalue()


def _write_text(image: Image.Image, symbol: Symbol, pixels: int) -> None:
    draw = ImageDraw.Draw(image)
    for index, line in enumerate(symbol.text):
        size = _TEXT_HEIGHT_MODULES * pixels
        font = ImageFont.load_default(size)
        width = draw.textlength(line, font)
        if width > image.width - 2 * pixels:
            size *= (image.width - 2 * pixels) / width
            font = ImageFont.load_default(size)
        place = (image.width / 2, _baseline(symbol, index) * pixels)
        draw.text(place, line, fill=0, font=font, anchor="ms")


def qr_terminal(
    uri: str, *, error_correction: ErrorCorrection = ErrorCorrection.L, colour: bool = True
) -> str:
    """The QR code in half blocks, two rows of modules a line, for a terminal.

    With `colour` it is black on white whatever the terminal's colours are; without, light modules
    are drawn, which suits light text on a dark background. Raises as `qr_svg` does.
    """
    symbol = make_symbol(uri, error_correction, ())
    rows = [*symbol.modules]
    if len(rows) % 2:
        rows.append((False,) * symbol.size)
    blocks = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
    begin, end = ("\x1b[38;5;16;48;5;231m", "\x1b[0m") if colour else ("", "")
    lines = (
        "".join(blocks[(up == colour, down == colour)] for up, down in zip(*pair, strict=True))
        for pair in zip(rows[::2], rows[1::2], strict=True)
    )
    return "\n".join(f"{begin}{line}{end}" for line in lines) + "\n"
