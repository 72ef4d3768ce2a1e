"""What has been spent, and what may be."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import rfc8785

from federation.privacy.accounting import DELTA_UNIT, MILLION, epsilon_of
from federation.privacy.errors import BudgetExceeded, PrivacyInvalid, StepSpent

SPENDS_MAX: Final = 100_000
RHO_UNIT: Final = 10**12
"""Costs are written down in millionths of a millionth, rounded up."""


@dataclass(frozen=True, slots=True)
class Spend:
    """One release that was paid for."""

    step: str
    """Its name, unique in a run."""
    mechanism: str
    """As `discrete-gaussian`."""
    rho_units: int
    """Its cost as zCDP, in 10^-12, rounded up."""
    epsilon_millionths: int
    """What everything came to with it, in millionths, rounded up."""

    def to_json(self) -> bytes:
        """RFC 8785."""
        return rfc8785.dumps(self.to_dict())

    def to_dict(self) -> dict[str, str | int]:
        """As it stands in JSON."""
        return {
            "epsilon": self.epsilon_millionths,
            "mechanism": self.mechanism,
            "rho": self.rho_units,
            "step": self.step,
        }

    @property
    def digest(self) -> bytes:
        """SHA-256 of its JSON, for the ledger."""
        return hashlib.sha256(self.to_json()).digest()


class Budget:
    """An allowance of (epsilon, delta) over a run; asked before anything is released."""

    def __init__(
        self, epsilon_millionths: int, delta_units: int, spent: Iterable[Spend] = ()
    ) -> None:
        """`delta_units`: in 10^-18. `spent`: what a run that is taken up again has spent.

        Raises `PrivacyInvalid`, `StepSpent`, `BudgetExceeded`.
        """
        if not 0 < epsilon_millionths <= 100 * MILLION:
            raise PrivacyInvalid(f"an epsilon of {epsilon_millionths} millionths is not 0 to 100")
        if not 0 < delta_units < DELTA_UNIT:
            raise PrivacyInvalid(f"a delta of {delta_units} units of 10^-18 is not 0 to 1")
        self._epsilon_millionths = epsilon_millionths
        self._delta_units = delta_units
        self._spends: list[Spend] = []
        for spend in spent:
            self._put(spend.step, spend.mechanism, spend.rho_units)

    @property
    def epsilon_millionths(self) -> int:
        """What may be spent."""
        return self._epsilon_millionths

    @property
    def delta(self) -> float:
        """The delta that goes with it."""
        return self._delta_units / DELTA_UNIT

    @property
    def spent_millionths(self) -> int:
        """What all releases so far come to, in millionths of epsilon, rounded up."""
        return self._spends[-1].epsilon_millionths if self._spends else 0

    @property
    def spends(self) -> tuple[Spend, ...]:
        """Every release, in order."""
        return tuple(self._spends)

    def spend(self, step: str, rho: float, mechanism: str = "discrete-gaussian") -> Spend:
        """Write a release down before it is made.

        Raises `BudgetExceeded` if it would be too much; nothing is written down then.
        """
        if not 0 < rho < 1_000:
            raise PrivacyInvalid(f"a release that costs {rho} is not one to account for")
        return self._put(step, mechanism, math.ceil(rho * RHO_UNIT))

    def _put(self, step: str, mechanism: str, rho_units: int) -> Spend:
        if any(one.step == step for one in self._spends):
            raise StepSpent(step)
        if len(self._spends) >= SPENDS_MAX or not 0 < len(step) <= 100:
            raise PrivacyInvalid("too many steps, or a step's name is not 1 to 100 characters")
        total = rho_units + sum(one.rho_units for one in self._spends)
        epsilon = epsilon_of(total / RHO_UNIT, self.delta)
        millionths = math.ceil(epsilon * MILLION)
        if millionths > self._epsilon_millionths:
            raise BudgetExceeded(step, millionths, self._epsilon_millionths)
        spend = Spend(step, mechanism, rho_units, millionths)
        self._spends.append(spend)
        return spend
