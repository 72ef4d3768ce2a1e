"""By which table a record lives: its acts, states and parties by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection

from contracts import financing, pledges, receipts, receivables, settlement
from contracts.instruments import Machine, Viewer
from contracts.models import MACHINE as MODELS_MACHINE
from contracts.models import queries as models
from ledger.types import Hash32

_EVERYTHING: Final = Viewer.everything()
_TABLES: Final[tuple[tuple[Machine, Callable[[Connection, Hash32, Viewer], object]], ...]] = (
    (receipts.MACHINE, receipts.find_receipt),
    (receivables.MACHINE, receivables.find_receivable),
    (financing.MACHINE, financing.find_application),
    (settlement.MACHINE, settlement.find_deal),
    (pledges.MACHINE, pledges.find_pledge),
    (MODELS_MACHINE, models.find_project),
    (MODELS_MACHINE, models.find_data_set),
    (MODELS_MACHINE, models.find_grant),
    (MODELS_MACHINE, models.find_run),
    (MODELS_MACHINE, models.find_release),
    (MODELS_MACHINE, models.find_batch),
    (MODELS_MACHINE, models.find_payment),
)


def machine_of(connection: Connection, id_: Hash32) -> Machine | None:
    """The table of the record with this id, or None where it has none or does not show yet.

    Ids are hashes over chain and contract, so that two rooms never share one. A call may fail in
    another contract than the one that was called: the record says whose words are meant.
    """
    for machine, find in _TABLES:
        if find(connection, id_, _EVERYTHING) is not None:
            return machine
    return None
