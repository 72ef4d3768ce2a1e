"""The QR symbol of a GS1 Digital Link URI: modules, size rules and text, before any drawing.

Sizes are those of the GS1 General Specifications, section 5.12.3.1 (symbol specification table 1,
QR Code with GS1 Digital Link URI, retail point of sale): X-dimension 0.396 mm to 0.990 mm, target
0.495 mm, quiet zone of four modules on every side. Human readable text follows section 4.14.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import qrcode
from qrcode.constants import (
    ERROR_CORRECT_H,
    ERROR_CORRECT_L,
    ERROR_CORRECT_M,
    ERROR_CORRECT_Q,
)
from qrcode.exceptions import DataOverflowError

from traceability.gs1 import DigitalLink, parse_digital_link
from traceability.labels.errors import SizeOutOfRange, TooMuchData

__all__ = [
    "QUIET_ZONE_MODULES",
    "X_DIMENSION_MM_DEFAULT",
    "X_DIMENSION_MM_MAX",
    "X_DIMENSION_MM_MIN",
    "ErrorCorrection",
    "Symbol",
    "make_symbol",
    "module_pixels",
]

X_DIMENSION_MM_MIN = 0.396
X_DIMENSION_MM_DEFAULT = 0.495
X_DIMENSION_MM_MAX = 0.990
QUIET_ZONE_MODULES = 4
DPI_MIN = 72
DPI_MAX = 2400
_MM_PER_INCH = 25.4
_URI_LENGTH_MAX = 500


class ErrorCorrection(Enum):
    """How much of the symbol may be lost: about 7, 15, 25 and 30 per cent (ISO/IEC 18004)."""

    L = "L"
    M = "M"
    Q = "Q"
    H = "H"


_LEVELS = {
    ErrorCorrection.L: ERROR_CORRECT_L,
    ErrorCorrection.M: ERROR_CORRECT_M,
    ErrorCorrection.Q: ERROR_CORRECT_Q,
    ErrorCorrection.H: ERROR_CORRECT_H,
}


@dataclass(frozen=True, slots=True)
class Symbol:
    """A QR symbol, quiet zone included."""

    modules: tuple[tuple[bool, ...], ...]
    """Rows of modules, dark is True."""
    text: tuple[str, ...]
    """Human readable lines, such as '(01) 09521234543213'."""

    @property
    def size(self) -> int:
        """Modules along one side."""
        return len(self.modules)


def make_symbol(
    uri: str,
    error_correction: ErrorCorrection = ErrorCorrection.M,
    text: tuple[str, ...] | None = None,
) -> Symbol:
    """The symbol for a Digital Link URI; `text` replaces the human readable lines.

    Raises a Gs1Error subclass where `uri` is no valid Digital Link, TooMuchData beyond 500
    characters, which no label reader should be asked to read.
    """
    if len(uri) > _URI_LENGTH_MAX:
        raise TooMuchData(
            f"the URI has {len(uri)} characters; at most {_URI_LENGTH_MAX} fit a label"
        )
    link = parse_digital_link(uri)
    code = qrcode.QRCode(error_correction=_LEVELS[error_correction], border=QUIET_ZONE_MODULES)
    code.add_data(uri)
    try:
        code.make(fit=True)
    except (DataOverflowError, ValueError) as error:
        raise TooMuchData(
            f"the URI does not fit a QR code at level {error_correction.value}"
        ) from error
    modules = tuple(tuple(bool(module) for module in row) for row in code.get_matrix())
    return Symbol(modules, _human_readable(link) if text is None else text)


def _human_readable(link: DigitalLink) -> tuple[str, ...]:
    identifier = link.identifier
    pairs = [(identifier.ai, identifier.value), *identifier.qualifiers]
    return tuple(f"({ai}) {value}" for ai, value in pairs)


def check_x_dimension(millimetres: float) -> float:
    """Hold an X-dimension against the allowed range. Raises SizeOutOfRange."""
    if not (math.isfinite(millimetres) and X_DIMENSION_MM_MIN <= millimetres <= X_DIMENSION_MM_MAX):
        raise SizeOutOfRange(
            f"a module of {millimetres:g} mm is outside {X_DIMENSION_MM_MIN:g} to "
            f"{X_DIMENSION_MM_MAX:g} mm (GS1 General Specifications, section 5.12.3.1)"
        )
    return millimetres


def module_pixels(x_dimension_mm: float, dpi: int) -> int:
    """Printer dots of one module, the nearest whole number whose printed size is allowed.

    Raises SizeOutOfRange where the X-dimension is not allowed, `dpi` is outside 72 to 2,400, or no
    whole number of dots gives an allowed size.
    """
    check_x_dimension(x_dimension_mm)
    if not DPI_MIN <= dpi <= DPI_MAX:
        raise SizeOutOfRange(f"{dpi} dpi is outside {DPI_MIN} to {DPI_MAX}")
    per_mm = dpi / _MM_PER_INCH
    fewest = math.ceil(X_DIMENSION_MM_MIN * per_mm - 1e-9)
    most = math.floor(X_DIMENSION_MM_MAX * per_mm + 1e-9)
    if fewest > most:
        raise SizeOutOfRange(f"at {dpi} dpi no whole number of dots makes an allowed module")
    return min(max(round(x_dimension_mm * per_mm), fewest), most)
