"""Several parties in threads of one process, and one that sends something else than it should."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from federation.channel import Channel, Message, Tap, Traffic, Value, local_channels
from federation.scorecard import (
    GuestPart,
    HostPart,
    ScorecardSettings,
    fit_as_guest,
    fit_as_host,
    score_as_guest,
    score_as_host,
)
from federation.tables import Table

GUEST = "bank"
PLAIN = ScorecardSettings(scheme="plain", rehearsal=True)
Alter = Callable[[dict[str, Value]], dict[str, Value]]


@dataclass(frozen=True)
class Altering:
    """A channel whose messages of one kind go out altered."""

    inner: Channel
    kind: str
    alter: Alter

    @property
    def run(self) -> str:
        return self.inner.run

    @property
    def me(self) -> str:
        return self.inner.me

    @property
    def others(self) -> frozenset[str]:
        return self.inner.others

    @property
    def traffic(self) -> Traffic:
        return self.inner.traffic

    def send(self, to: str, message: Message) -> None:
        if message.kind == self.kind:
            message = replace(message, body=self.alter(dict(message.body)))
        self.inner.send(to, message)

    def receive(self, sender: str, kind: str) -> Message:
        return self.inner.receive(sender, kind)

    def close(self) -> None:
        self.inner.close()


@dataclass(frozen=True)
class World:
    """A guest with a label and hosts, all with the same rows."""

    guest: Table
    label: NDArray[np.uint8]
    hosts: Mapping[str, Table]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self.hosts))

    def take(self, rows: NDArray[np.int64]) -> World:
        hosts = {name: table.take(rows) for name, table in self.hosts.items()}
        return World(self.guest.take(rows), self.label[rows], hosts)


def invented(rows: int = 600, *, hosts: int = 1, seed: int = 7, missing: float = 0.05) -> World:
    """Firms whose default has causes on all sides; some values are missing."""
    draw = np.random.default_rng(seed)
    columns = draw.normal(size=(2 + 2 * hosts, rows))
    columns[1] += 0.5 * columns[2]
    odds = columns.sum(axis=0) * 0.7 - 1.0
    label = (draw.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.uint8)
    columns[draw.random(columns.shape) < missing] = np.nan
    ids = tuple(f"firm-{number:06d}" for number in range(rows))
    tables = {
        f"host{n}": Table(ids, {"a": columns[2 + 2 * n], "b": columns[3 + 2 * n]})
        for n in range(hosts)
    }
    return World(Table(ids, {"c": columns[0], "d": columns[1]}), label, tables)


@dataclass
class Fitted:
    """What came of a run: parts, or what each party raised."""

    guest: GuestPart | None
    hosts: dict[str, HostPart]
    errors: dict[str, Exception]
    traffic: Traffic


def fit(
    world: World,
    settings: ScorecardSettings = PLAIN,
    *,
    liar: tuple[str, str, Alter] | None = None,
    tap: Tap | None = None,
    host_settings: ScorecardSettings | None = None,
) -> Fitted:
    """All parties at once. `liar`: who alters which kind of its messages, and how."""
    channels: dict[str, Channel] = dict(
        local_channels("0x01", (GUEST, *world.names), timeout_s=120, tap=tap)
    )
    if liar is not None:
        channels[liar[0]] = Altering(channels[liar[0]], liar[1], liar[2])
    hosts: dict[str, HostPart] = {}
    errors: dict[str, Exception] = {}

    def be_host(name: str) -> None:
        try:
            hosts[name] = fit_as_host(
                channels[name], GUEST, world.names, world.hosts[name], host_settings or settings
            )
        except Exception as error:
            errors[name] = error
            channels[name].close()

    threads = [threading.Thread(target=be_host, args=(name,)) for name in world.names]
    for thread in threads:
        thread.start()
    guest = None
    try:
        guest = fit_as_guest(channels[GUEST], world.names, world.guest, world.label, settings)
    except Exception as error:
        errors[GUEST] = error
        channels[GUEST].close()
    for thread in threads:
        thread.join()
    return Fitted(guest, hosts, errors, channels[GUEST].traffic)


def score(world: World, fitted: Fitted, *, tap: Tap | None = None) -> NDArray[np.float64]:
    """The guest's margins of all rows."""
    assert fitted.guest is not None
    channels = local_channels("0x02", (GUEST, *world.names), timeout_s=60, tap=tap)
    threads = [
        threading.Thread(
            target=score_as_host,
            args=(channels[name], GUEST, world.names, fitted.hosts[name], world.hosts[name]),
        )
        for name in world.names
    ]
    for thread in threads:
        thread.start()
    margins = score_as_guest(channels[GUEST], world.names, fitted.guest, world.guest)
    for thread in threads:
        thread.join()
    return margins
