"""What the demo's temperature recorders measured: (lowest, highest) degrees Celsius per window."""

from __future__ import annotations

Ranges = tuple[tuple[float, float], ...]

TEMPERATURE_MIN_C, TEMPERATURE_MAX_C = 0.0, 8.0
"""What the jars bear, by their label."""

FREEZER_LOGGER, LORRY_LOGGER, VAN_LOGGER = "9521001LOG01", "9521003LOG27", "9521004LOG08"

FREEZING_C: Ranges = (
    (-9.4, 2.1), (-17.8, -9.9), (-20.6, -18.3), (-21.2, -20.1), (-21.4, -20.6), (-21.3, -20.4),
)  # fmt: skip
FIRST_LEG_C: Ranges = (
    (3.1, 4.6), (2.8, 3.9), (2.6, 3.4), (2.7, 3.5), (2.9, 3.8), (2.5, 3.3),
    (2.4, 3.2), (2.6, 3.6), (3.0, 4.1), (2.8, 3.7), (2.7, 3.4), (2.9, 3.9),
    (3.2, 4.4), (3.1, 4.2), (3.0, 4.0), (3.1, 4.3),
)  # fmt: skip
SECOND_LEG_C: Ranges = (
    (3.0, 3.9), (3.1, 4.2), (3.3, 4.6), (4.2, 6.1), (5.9, 7.8), (7.6, 9.7),
    (9.4, 11.6), (8.3, 11.2), (6.0, 7.9), (4.4, 6.2), (3.6, 4.7), (3.2, 4.1),
    (3.0, 3.8), (2.9, 3.6), (2.8, 3.5), (2.9, 3.7), (3.0, 3.9), (2.8, 3.6),
    (2.7, 3.5), (2.9, 3.6), (3.0, 3.8), (2.9, 3.7), (2.8, 3.6), (2.9, 3.8),
    (3.0, 3.9), (3.1, 4.0), (2.9, 3.8), (2.8, 3.6), (2.9, 3.7), (3.0, 3.9),
    (3.1, 4.1), (3.0, 4.0),
)  # fmt: skip
LAST_LEG_C: Ranges = (
    (3.4, 4.8), (3.1, 4.2), (2.9, 3.8), (3.0, 3.9), (3.2, 4.5),
)  # fmt: skip
