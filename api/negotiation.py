"""Which representation a request asks for (RFC 9110 section 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request

from api.errors import NotAcceptable, QueryInvalid

HTML: Final = "text/html"
JSON: Final = "application/json"
JSON_LD: Final = "application/ld+json"
_RANGES_MAX: Final = 30


def choose(request: Request, offers: Sequence[str]) -> str:
    """The best of `offers`, the first of equals. `?format=json|html` wins over the header.

    Raises `NotAcceptable`, or `QueryInvalid` for a format that is not offered.
    """
    wanted = request.query_params.get("format")
    if wanted is not None:
        for offer in offers:
            if offer.rpartition("/")[2] == wanted:
                return offer
        known = ", ".join(offer.rpartition("/")[2] for offer in offers if "+" not in offer)
        raise QueryInvalid(f"format: {wanted[:40]!r} is not offered here, only {known}")
    header = request.headers.get("accept", "")
    if not header.strip():
        return offers[0]
    ranges = [_range(item) for item in header.split(",")[:_RANGES_MAX]]
    best = max(offers, key=lambda offer: (_weight(offer, ranges), -offers.index(offer)))
    if _weight(best, ranges) <= 0:
        raise NotAcceptable(f"none of {header[:200]!r} is offered here, only {', '.join(offers)}")
    return best


def _range(item: str) -> tuple[str, float]:
    media, *parameters = item.split(";")
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name.strip().lower() == "q":
            try:
                quality = min(1.0, max(0.0, float(value)))
            except ValueError:
                quality = 0.0
    return media.strip().lower(), quality if quality == quality else 0.0


def _weight(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Quality of the most specific range that fits."""
    kind = offer.partition("/")[0]
    for form in (offer, f"{kind}/*", "*/*"):
        qualities = [quality for media, quality in ranges if media == form]
        if qualities:
            return max(qualities)
    return 0.0
