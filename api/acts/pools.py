"""Requests about pools, as calls of PoolBook (what a pool is) and Pools (its money).

One class for each act: the fields of its body, its calldata, and what it does in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from api.acts.pool_base import PoolAct
from api.acts.pool_book import (
    Accept,
    Admit,
    Appoint,
    Assign,
    Close,
    Commit,
    Correct,
    Dismiss,
    Withdraw,
)
from api.acts.pool_cash import Collect, Confirm, Distribute, Pay, VoidCollection

ACTS: Final[Mapping[str, type[PoolAct]]] = {
    "accept": Accept,
    "withdraw": Withdraw,
    "appoint": Appoint,
    "assign": Assign,
    "close": Close,
    "commit": Commit,
    "correct": Correct,
    "admit": Admit,
    "dismiss": Dismiss,
    "collect": Collect,
    "void-collection": VoidCollection,
    "distribute": Distribute,
    "pay": Pay,
    "confirm": Confirm,
}
"""What members do with a pool that there is."""
