"""Banks in threads with invented rows, and trainings among them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from federation.channel import Channel, ChannelError, Message, local_channels
from federation.horizontal import Field, HorizontalError, Training, fit_as_bank, fit_as_server
from federation.masking import Group, MaskingError
from federation.privacy import PrivacyError
from federation.tables import Table

SERVER = "operator"
FIELDS = (
    Field("age", -4.0, 4.0),
    Field("limit", -4.0, 4.0),
    Field("used", 0.0, 10.0),
    Field("late", 0.0, 3.0, (0.0, 1.0, 2.0, 3.0)),
)
Change = Callable[[str, Message], Message | None]


class Stopped(Exception):
    """A process ended here, as a test wanted."""


class Altered:
    """A channel whose `change` sees what is to be sent; raising `Stopped` ends the party."""

    def __init__(self, inner: Channel, change: Change) -> None:
        self._inner = inner
        self._change = change
        self.run, self.me = inner.run, inner.me
        self.others, self.traffic = inner.others, inner.traffic

    def send(self, to: str, message: Message) -> None:
        changed = self._change(to, message)
        if changed is not None:
            self._inner.send(to, changed)

    def receive(self, sender: str, kind: str) -> Message:
        return self._inner.receive(sender, kind)

    def close(self) -> None:
        self._inner.close()


def invented(rows: int, seed: int = 1) -> tuple[Table, NDArray[np.uint8]]:
    """Rows whose label follows from their fields, and some missing values."""
    draw = np.random.default_rng(seed)
    age, limit = draw.normal(0, 1, rows), draw.normal(0, 1, rows)
    used, late = draw.exponential(2, rows), draw.integers(0, 4, rows).astype(float)
    margin = -2 + 0.8 * late + 0.5 * np.sin(2 * age) - 0.7 * limit + 0.2 * used
    label = (draw.random(rows) < 1 / (1 + np.exp(-margin))).astype(np.uint8)
    age[draw.random(rows) < 0.1] = np.nan
    ids = tuple(f"firm-{seed}-{number}" for number in range(rows))
    return Table(ids, {"late": late, "used": used, "limit": limit, "age": age}), label


def dealt(table: Table, label: NDArray[np.uint8], banks: int, seed: int = 5) -> list[Any]:
    """The rows, dealt to so many banks."""
    order = np.random.default_rng(seed).permutation(table.rows)
    return [(table.take(part), label[part]) for part in np.array_split(order, banks)]


@dataclass
class Outcome:
    training: Training[Any] | None
    error: Exception | None
    banks: dict[str, Any]
    states: dict[str, bytes]
    """The last state of each party."""
    records: list[Any]
    transcript: list[tuple[str, str, bytes]]


@dataclass
class Consortium:
    """Banks with their rows; `train` lets them train."""

    parts: list[Any]
    group: Group
    keys: Mapping[str, Ed25519PrivateKey]
    timeout_s: float = 10.0
    changes: dict[str, Change] = field(default_factory=dict)
    settings_of: dict[str, Any] = field(default_factory=dict)
    """Another algorithm for a bank than the server's."""

    def train(
        self,
        algorithm: Any,
        *,
        states: Mapping[str, bytes] | None = None,
        stop_after: int | None = None,
    ) -> Outcome:
        given = dict(states or {})
        out = Outcome(None, None, {}, dict(given), [], [])
        channels = local_channels(
            "0x0a",
            (*self.group.members, SERVER),
            timeout_s=self.timeout_s,
            tap=lambda sender, to, data: out.transcript.append((sender, to, data)),
        )

        def channel_of(party: str) -> Channel:
            change = self.changes.get(party)
            return channels[party] if change is None else Altered(channels[party], change)

        def bank(party: str, part: Any) -> None:
            def save(state: bytes) -> None:
                out.states[party] = state

            try:
                out.banks[party] = fit_as_bank(
                    channel_of(party),
                    self.group,
                    self.keys[party],
                    self.settings_of.get(party, algorithm),
                    *part,
                    state=given.get(party),
                    save=save,
                )
            except (HorizontalError, MaskingError, PrivacyError, ChannelError, Stopped) as error:
                out.banks[party] = error
            finally:
                channels[party].close()

        def progress(record: Any, state: bytes) -> None:
            out.records.append(record)
            out.states[SERVER] = state
            if stop_after is not None and len(out.records) == stop_after:
                raise Stopped

        jobs = zip(self.group.members, self.parts, strict=True)
        threads = [threading.Thread(target=bank, args=job) for job in jobs]
        for thread in threads:
            thread.start()
        try:
            out.training = fit_as_server(
                channel_of(SERVER),
                self.group,
                algorithm,
                state=given.get(SERVER),
                progress=progress,
            )
        except (HorizontalError, MaskingError, PrivacyError, ChannelError, Stopped) as error:
            out.error = error
        finally:
            if out.error is not None:
                channels[SERVER].close()
            for thread in threads:
                thread.join(timeout=60)
            channels[SERVER].close()
        return out


@pytest.fixture
def consortium() -> Iterator[Callable[..., Consortium]]:
    def make(
        banks: int = 3,
        rows: int = 900,
        *,
        parts: list[Any] | None = None,
        threshold: int | None = None,
        noisy: bool = False,
    ) -> Consortium:
        parts = dealt(*invented(rows), banks) if parts is None else parts
        names = [f"bank-{number}" for number in range(len(parts))]
        keys = {name: Ed25519PrivateKey.generate() for name in names}
        public = {name: key.public_key().public_bytes_raw() for name, key in keys.items()}
        group = Group.of(SERVER, public, threshold=threshold, noisy=noisy)
        return Consortium(parts, group, keys)

    return make


@pytest.fixture
def fields() -> tuple[Field, ...]:
    return FIELDS


@pytest.fixture
def rows() -> Callable[..., tuple[Table, NDArray[np.uint8]]]:
    return invented


@pytest.fixture
def deal() -> Callable[..., list[Any]]:
    return dealt


@pytest.fixture
def stopped() -> type[Exception]:
    return Stopped
