"""Bounds and switches of the HTTP interface. Every one has a safe default."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """All limits in one place; units stand last in the names."""

    body_size_bytes_max: int = 8 << 20
    """Bytes of one capture document (GS1-EPCIS-Capture-File-Size-Limit)."""
    event_count_max: int = 10_000
    """Events of one capture document (GS1-EPCIS-Capture-Limit)."""
    event_size_bytes_max: int = 1 << 20
    """Bytes of a single event posted to /events."""
    depth_max: int = 64
    """JSON nesting of a posted document."""
    body_timeout_s: float = 30.0
    request_timeout_s: float = 60.0
    """Longest time that one request may take before it is answered with a problem."""
    anchor_timeout_s: float = 20.0
    """How long POST /events waits until the event is provable."""
    witness_wait_s: float = 2.0
    """How long a proof of what was just recorded waits until enough members have signed."""
    target_size_bytes_max: int = 8192
    """Path and query of a request."""
    headers_size_bytes_max: int = 32_768
    headers_count_max: int = 100
    rate_per_address_per_s: float = 1000.0
    """Requests from one network address; 0 switches the limit off."""
    rate_per_address_burst: int = 2000
    rate_per_key_per_s: float = 500.0
    """Writing requests with one key; 0 switches the limit off."""
    rate_per_key_burst: int = 1000
    rate_clients_max: int = 50_000
    """Clients whose rate is remembered; the longest silent are forgotten first."""
    page_size_default: int = 100
    page_size_max: int = 1000
    journey_length_max: int = 200
    """Steps of one item answer; more are cut and said so (`truncated`)."""
    bundle_cache_bytes_max: int = 64 << 20
    answer_cache_bytes_max: int = 32 << 20
