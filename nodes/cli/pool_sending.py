"""States of an asset book on their way to a node, and back with their proof."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.client import Tallystick
from contracts.pools import BookState
from nodes.cli.asking import asking
from nodes.cli.pool_files import state_body
from nodes.errors import NodeError


def send_states(
    pool: str, states: Sequence[BookState], reason: str, url: str | None, key: str | None
) -> list[dict[str, Any]]:
    """Commit what is newer than the ledger's last state. Raises `NodeError`."""
    with asking(url, key) as tally:
        return [_send(tally, pool, one, reason) for one in _newer(tally, pool, states)]


def fetch_state(
    pool: str, day: str, revision: int, url: str | None, key: str | None
) -> dict[str, Any]:
    """A state with its evidence. Raises `NodeError`."""
    with asking(url, key) as tally:
        return tally.pools.day(pool, day, revision=revision, evidence=True)


def _newer(tally: Tallystick, pool: str, states: Sequence[BookState]) -> list[BookState]:
    last = tally.pools.get(pool)["lastDate"]
    if last is None:
        return list(states)
    known = (last, int(tally.pools.day(pool, last)["revision"]))
    return [one for one in states if (one.date.isoformat(), one.revision) > known]


def _send(tally: Tallystick, pool: str, state: BookState, reason: str) -> dict[str, Any]:
    body, act = state_body(state), "commit"
    if state.revision > 1:
        if not reason:
            raise NodeError(f"the state of {state.date} corrects another one: say why by --reason")
        body, act = {**body, "reason": reason}, "correct"
    done = tally.pools.act(pool, act, body)
    return {
        "date": body["date"],
        "revision": state.revision,
        "transaction": done.transaction,
        "block": done.block,
        "leaf": done.leaf,
    }
