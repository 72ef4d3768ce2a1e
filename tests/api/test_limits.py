"""Token buckets."""

from __future__ import annotations

import pytest

from api.limits import RateLimiter

pytestmark = pytest.mark.feature("A1")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_then_the_rate_holds() -> None:
    clock = Clock()
    limiter = RateLimiter(2.0, 3, 10, clock)
    assert [limiter.take("a") for _ in range(4)] == [0, 0, 0, 1]
    clock.now = 0.5
    assert limiter.take("a") == 0
    assert limiter.take("a") == 1


def test_clients_do_not_share_a_bucket() -> None:
    limiter = RateLimiter(1.0, 1, 10, Clock())
    assert limiter.take("a") == 0
    assert limiter.take("b") == 0
    assert limiter.take("a") > 0


def test_waiting_time_is_honest() -> None:
    clock = Clock()
    limiter = RateLimiter(0.1, 1, 10, clock)
    limiter.take("a")
    wait_s = limiter.take("a")
    assert wait_s == 10
    clock.now = wait_s
    assert limiter.take("a") == 0


def test_memory_is_bounded() -> None:
    limiter = RateLimiter(1.0, 1, 5, Clock())
    for number in range(100):
        limiter.take(str(number))
    assert len(limiter) == 5


def test_zero_switches_it_off() -> None:
    limiter = RateLimiter(0, 1, 5, Clock())
    assert {limiter.take("a") for _ in range(1000)} == {0}
    assert len(limiter) == 0
