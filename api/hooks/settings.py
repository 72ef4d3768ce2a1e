"""Bounds and patience of webhooks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HookSettings:
    """Every one has a safe default; units stand last in the names."""

    allow_private_addresses: bool = False
    """Whether to send to private and loopback addresses too, and there without TLS."""
    per_organisation_max: int = 20
    total_max: int = 1_000
    at_once_max: int = 32
    """Deliveries under way."""
    at_once_per_organisation_max: int = 8
    attempt_timeout_s: float = 15.0
    """From the first look at the name to the last byte of the answer that is read."""
    answer_size_bytes_max: int = 16_384
    """More of an answer is not read."""
    backoff_first_s: float = 5.0
    """Before the second attempt; doubles from then on, and is drawn between half and whole."""
    backoff_max_s: float = 4 * 3600.0
    give_up_s: float = 3 * 86_400.0
    """A webhook that has failed for so long is disabled."""
    batch_max: int = 50
    """Notices delivered in a row before another webhook has its turn."""
    log_length_max: int = 1_000
    """Attempts kept for each webhook."""
    poll_s: float = 5.0
