"""Parties of a run as threads of the test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from federation.channel import Channel, Message, local_channels
from federation.channel.protocol import Tap
from federation.tables import Table
from federation.trees import (
    GuestPart,
    HostPart,
    TreeSettings,
    fit_as_guest,
    fit_as_host,
    score_as_guest,
    score_as_host,
)

GUEST = "bank"
Change = Callable[[str, Message], Message]
"""What a party that lies makes of a message to another."""


class Lying:
    """A channel whose party changes what it sends."""

    def __init__(self, channel: Channel, change: Change) -> None:
        self._channel, self._change = channel, change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    def send(self, to: str, message: Message) -> None:
        self._channel.send(to, self._change(to, message))


@dataclass
class Run:
    """What became of a run."""

    guest: GuestPart
    hosts: dict[str, HostPart]
    errors: dict[str, BaseException] = field(default_factory=dict)


@dataclass
class Parties:
    """A guest and its hosts."""

    guest: Table
    label: NDArray[np.uint8]
    hosts: Mapping[str, Table]
    seed: int = 11
    timeout_s: float = 60.0
    tap: Tap | None = None
    lies: Mapping[str, Change] = field(default_factory=dict)

    def channels(self) -> dict[str, Channel]:
        """One for each."""
        names = [GUEST, *self.hosts] if self.hosts else [GUEST, "nobody"]
        made = local_channels("0xabc", names, timeout_s=self.timeout_s, tap=self.tap)
        return {
            name: Lying(one, self.lies[name]) if name in self.lies else one  # type: ignore[misc]
            for name, one in made.items()
        }

    def fit(self, settings: TreeSettings, **more: Any) -> Run:
        """Fit; raises what the guest raises. `more` by party: keyword arguments."""
        errors: dict[str, BaseException] = {}
        channels = self.channels()

        def host(name: str) -> HostPart:
            return fit_as_host(
                channels[name], GUEST, self.hosts[name], settings, workers=1, **more.get(name, {})
            )

        with _Threads({name: (host, channels[name]) for name in self.hosts}, errors) as found:
            try:
                part = fit_as_guest(
                    channels[GUEST],
                    list(self.hosts),
                    self.guest,
                    self.label,
                    settings,
                    seed=self.seed,
                    workers=1,
                    **more.get(GUEST, {}),
                )
            except BaseException as error:
                error.args = (*error.args, errors)
                raise
            finally:
                channels[GUEST].close()
        return Run(part, found, errors)

    def score(
        self, run: Run, guest: Table | None = None, hosts: Mapping[str, Table] | None = None
    ) -> NDArray[np.float64]:
        """Margins of these tables, or of those it was learned from."""
        channels = self.channels()
        tables = hosts or self.hosts

        def host(name: str) -> None:
            score_as_host(channels[name], GUEST, run.hosts[name], tables[name])

        with _Threads({name: (host, channels[name]) for name in self.hosts}, run.errors):
            try:
                return score_as_guest(
                    channels[GUEST], list(self.hosts), run.guest, guest or self.guest
                )
            finally:
                channels[GUEST].close()


class _Threads:
    def __init__(self, calls: Mapping[str, Any], errors: dict[str, BaseException]) -> None:
        self._found: dict[str, Any] = {}
        self._errors = errors
        self._threads = [
            threading.Thread(target=self._run, args=(name, *call)) for name, call in calls.items()
        ]

    def _run(self, name: str, call: Callable[[str], Any], channel: Channel) -> None:
        try:
            self._found[name] = call(name)
        except BaseException as error:
            self._errors[name] = error
        finally:
            channel.close()

    def __enter__(self) -> dict[str, Any]:
        for one in self._threads:
            one.start()
        return self._found

    def __exit__(self, *_: object) -> None:
        for one in self._threads:
            one.join()


def invented(
    rows: int = 400, fields: Sequence[int] = (3, 2, 2), seed: int = 5, missing: float = 0.05
) -> Parties:
    """Rows of a guest with `fields[0]` features and of a host for each further number: ties,
    missing values, and labels that hang on features of all parties."""
    rng = np.random.default_rng(seed)
    columns, signal = [], np.zeros(rows)
    for number in range(sum(fields)):
        column = rng.normal(size=rows)
        if number % 3 == 1:
            column = np.round(column)  # heavy ties
        signal += column * (1.5 if number % 2 else -1.0) + (column > 1) * 2
        column[rng.random(rows) < missing * (number % 2)] = np.nan
        columns.append(column)
    label = (np.nan_to_num(signal) + rng.normal(size=rows) > 1).astype(np.uint8)
    ids = tuple(f"firm-{seed}-{n:06d}" for n in range(rows))
    tables, first = [], 0
    for count in fields:
        names = [f"f{first + n}" for n in range(count)]
        tables.append(Table(ids, {name: columns[first + n] for n, name in enumerate(names)}))
        first += count
    hosts = {f"host{n}": table for n, table in enumerate(tables[1:])}
    return Parties(tables[0], label, hosts)


def pooled(parties: Parties) -> Parties:
    """All columns in the hands of the guest."""
    columns = dict(parties.guest.columns)
    for table in parties.hosts.values():
        columns |= dict(table.columns)
    return Parties(Table(parties.guest.ids, columns), parties.label, {}, parties.seed)


@pytest.fixture(scope="session")
def parties_of() -> Callable[..., Parties]:
    return invented


@pytest.fixture(scope="session")
def pool() -> Callable[[Parties], Parties]:
    return pooled


@pytest.fixture(scope="session")
def rehearsal() -> Callable[..., TreeSettings]:
    """Settings with the scheme that hides nothing."""

    def make(**more: Any) -> TreeSettings:
        return TreeSettings(**{"trees": 4, "scheme": "plain", "rehearsal": True, **more})

    return make
