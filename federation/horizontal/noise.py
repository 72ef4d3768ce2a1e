"""The noise of each sum: how much each bank adds, and what it costs."""

from __future__ import annotations

from functools import cache

from federation.horizontal.errors import SettingsRefused
from federation.horizontal.settings import Privacy
from federation.horizontal.shapes import Shape
from federation.masking import Group
from federation.privacy import DELTA_UNIT, MILLION, Noise, noise_for, rho_of


def noise_of(privacy: Privacy, group: Group, shape: Shape) -> Noise:
    """What each bank adds. Raises `SettingsRefused` for a sum whose sensitivity has no bound."""
    if shape.sensitivity < 1 or shape.share <= 0:
        raise SettingsRefused("under differential privacy every sum must have a share of it")
    return noise_for(
        shape.sensitivity,
        _all_of(privacy.epsilon_millionths, privacy.delta_units) * shape.share,
        parties=_counted(privacy, group),
        length=shape.length,
    )


def _counted(privacy: Privacy, group: Group) -> int:
    """How many shares of noise are there at the least and unknown to whoever looks."""
    counted = group.threshold - privacy.knowing
    if counted < 1:
        raise SettingsRefused(
            f"of {group.threshold} members that stay {privacy.knowing} know their own noise: "
            "none is left whose noise hides a row"
        )
    return counted


@cache
def _all_of(epsilon_millionths: int, delta_units: int) -> float:
    # A hair less, so that what is rounded up in the account stays within the budget.
    return rho_of(epsilon_millionths / MILLION, delta_units / DELTA_UNIT) * (1 - 1e-6)
