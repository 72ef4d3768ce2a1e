"""QR labels that carry a GS1 Digital Link URI, sized by the GS1 General Specifications."""

from __future__ import annotations

from traceability.labels.drawing import qr_png, qr_svg, qr_terminal
from traceability.labels.errors import LabelError, SizeOutOfRange, TooMuchData
from traceability.labels.symbol import (
    QUIET_ZONE_MODULES,
    X_DIMENSION_MM_DEFAULT,
    X_DIMENSION_MM_MAX,
    X_DIMENSION_MM_MIN,
    ErrorCorrection,
)

__all__ = [
    "QUIET_ZONE_MODULES",
    "X_DIMENSION_MM_DEFAULT",
    "X_DIMENSION_MM_MAX",
    "X_DIMENSION_MM_MIN",
    "ErrorCorrection",
    "LabelError",
    "SizeOutOfRange",
    "TooMuchData",
    "qr_png",
    "qr_svg",
    "qr_terminal",
]
