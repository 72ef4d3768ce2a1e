"""The firms of an invented world: what drives them, and which of them go bad.

Five causes, of which each party sees some and none sees all: soundness (slow; the bank's accounts
show it), liquidity now (the platform and the tax office see it first), demand (orders, invoices),
operations (deliveries, quality) and size. A loan goes bad by all of them, by the industry, by the
quarter, and by chance (a probit model: the largest of what is summed went bad).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from federation.generating.credit_codes import invented_codes
from federation.generating.draws import Draws, Floats, largest
from federation.generating.types import REGIONS, WorldSettings

INDUSTRIES = (13, 17, 22, 26, 29, 33, 34, 35, 36, 38, 39)
"""Divisions of manufacturing (GB/T 4754-2017): food, textiles, paper, chemicals, rubber and
plastics, metal products, general and special machinery, cars, electrical, electronics."""
_INDUSTRY_RISK = (-0.1, 0.3, 0.15, -0.05, 0.1, 0.05, -0.1, -0.15, 0.0, -0.1, -0.05)
_REGION_SHARES = (0.55, 0.8)
_CHANCE = 1.7


@dataclass(frozen=True, slots=True)
class Firms:
    """Every firm of the world, one a row."""

    ids: tuple[str, ...]
    quarter: NDArray[np.int64]
    time: Floats
    """Where in the whole time its quarter lies, 0 to 1, times the drift asked for."""
    region: NDArray[np.int64]
    """Place in REGIONS."""
    industry: Floats
    soundness: Floats
    liquidity: Floats
    demand: Floats
    operations: Floats
    size: Floats
    label: NDArray[np.uint8]

    @property
    def rows(self) -> int:
        """How many firms."""
        return len(self.ids)


def make_firms(settings: WorldSettings, draws: Draws) -> Firms:
    """Every firm, with its causes and its end."""
    rows = settings.firms
    quarter = np.floor(draws.uniform("quarter") * settings.quarters).astype(np.int64)
    time = settings.drift * quarter / max(1, settings.quarters - 1)
    region = np.searchsorted(_REGION_SHARES, draws.uniform("region"), side="right")
    industry = np.floor(draws.uniform("industry") * len(INDUSTRIES)).astype(np.int64)
    soundness = draws.normal("soundness") - 0.15 * region
    # Times get harder: demand weakens, and money with it.
    demand = draws.normal("demand") - 0.35 * time
    liquidity = 0.35 * soundness + 0.25 * demand + 0.9 * draws.normal("liquidity") - 0.2 * time
    operations = 0.25 * soundness + 0.97 * draws.normal("operations")
    size = draws.normal("size") - 0.2 * region
    risk = (
        -0.9 * soundness
        - 0.55 * liquidity
        - 0.2 * demand
        - 0.2 * operations
        - 0.2 * size
        + np.asarray(_INDUSTRY_RISK)[industry]
        + 0.2 * time
        # Who has neither orders nor money has no way out.
        + 0.3 * np.maximum(0.0, -demand) * np.maximum(0.0, -liquidity)
    )
    bad = largest(risk + _CHANCE * draws.normal("chance"), round(settings.bad_rate * rows))
    return Firms(
        ids=invented_codes((region + 1) * 100 + 1, start=settings.seed * 7_919),
        quarter=quarter,
        time=time,
        region=region.astype(np.int64),
        industry=np.asarray(INDUSTRIES, dtype=np.float64)[industry],
        soundness=soundness,
        liquidity=liquidity,
        demand=demand,
        operations=operations,
        size=size,
        label=bad.astype(np.uint8),
    )


def region_names(firms: Firms, rows: NDArray[np.int64]) -> tuple[str, ...]:
    """The regions of those firms."""
    return tuple(REGIONS[place] for place in firms.region[rows].tolist())
