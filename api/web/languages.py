"""Which of the two languages a visitor prefers (RFC 9110 section 12.5.4)."""

from __future__ import annotations

from typing import Literal

__all__ = ["Language", "preferred_language"]

Language = Literal["en", "zh"]
_RANGES_MAX = 20


def preferred_language(accept_language: str) -> Language:
    """'zh' if the header ranks any Chinese above any English, else 'en'."""
    weights: dict[str, float] = {}
    for item in accept_language.split(",")[:_RANGES_MAX]:
        tag, _, parameters = item.partition(";")
        primary = tag.strip().lower().split("-")[0]
        weights[primary] = max(weights.get(primary, 0.0), _weight(parameters))
    chinese, english = weights.get("zh", 0.0), weights.get("en", 0.0)
    if chinese > english:
        return "zh"
    if chinese == english and chinese > 0:
        # Equal weights: the one named first.
        return "zh" if list(weights).index("zh") < list(weights).index("en") else "en"
    return "en"


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0
