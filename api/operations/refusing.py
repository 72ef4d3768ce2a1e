"""Refusals of contracts and of the ledger as problems: which status, and in which words."""

from __future__ import annotations

import contextlib
import re
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from api.errors import Conflict, Forbidden, Refusal, StorageExhausted, Unavailable, Unprocessable
from api.operations.errors import (
    Refused,
    RefusedConflict,
    RefusedForbidden,
    RefusedStale,
    RefusedUnprocessable,
)
from contracts.instruments import Machine
from contracts.machines import machine_of
from contracts.refusals import explain, record_named, refusal_name
from ledger.chain import BlockUnknown, Ledger
from ledger.evm import CallRequest
from ledger.mempool import NotPermitted, RefusedForNow
from ledger.projection import CommitError, StorageFull, read_transaction
from ledger.sending import (
    Busy,
    NoSigner,
    Outcome,
    SendingError,
    SendingStopped,
    SigningFailed,
    WouldFail,
)
from ledger.sending import Refused as LedgerRefused
from ledger.types import Hash32

NOT_THEIRS: Final = frozenset(
    {
        "CallerNotActive",
        "DealNotEntitled",
        "NotAdministrator",
        "NotArranger",
        "NotAuthority",
        "NotBank",
        "NotCaller",
        "NotCounter",
        "NotDebtor",
        "NotEntitled",
        "NotFinancing",
        "NotInstrument",
        "NotNodeAdministrator",
        "NotOffice",
        "NotParty",
        "NotProposer",
        "NotReceivables",
        "NotVoter",
        "NotWarehouse",
        "RoleMayNotCapture",
    }
)
"""Errors that say who may: 403. What says that a request makes no sense is 422, by its name; what
has changed since the client saw it is 412 (`STALE`); the rest is about how a record stands: 409."""

STALE: Final = frozenset({"StaleCollections", "StaleDeal", "StaleRevision"})
"""Errors that compare what the client named with what is there: 412."""

FULL_OR_OTHERWISE: Final = frozenset(
    {
        "OfferDiffers",
        "PledgeDiffers",
        "TooManyEndorsements",
        "TooManyFreezes",
        "TooManyHolders",
        "TooManyNames",
        "TooManyRevisions",
        "TooManyVersions",
    }
)
"""Named as what makes no sense is, but about how a record stands: the same request would have been
good before, or will be. 409."""

_SENSELESS: Final = re.compile(
    r"(?:Invalid|TooMany|Unknown|Malformed|Unsupported)\w*"
    r"|\w+(?:TooLong|TooLarge|Missing|Differs?|Malformed)"
    r"|Wrong\w*(?:Count|Keys|Legs)|NoEvidence|OutOfBounds|ZeroKey"
)


def refused_as(name: str | None, words: str, transaction: Hash32 | None = None) -> Refused:
    """The problem of a contract's error, by its name."""
    if name in NOT_THEIRS:
        kind: type[Refused] = RefusedForbidden
    elif name in STALE:
        kind = RefusedStale
    elif name is not None and name not in FULL_OR_OTHERWISE and _SENSELESS.fullmatch(name):
        kind = RefusedUnprocessable
    else:
        kind = RefusedConflict
    return kind(words, refusal=name, transaction=transaction)


class Refusals:
    """Says why something was refused, with acts, states and parties by their names."""

    def __init__(self, ledger: Ledger, engine: Engine) -> None:
        """`engine` has the projections, which tell whose words a refusal is in."""
        self._ledger = ledger
        self._engine = engine

    def of_revert(self, output: bytes, call: bytes, transaction: Hash32 | None = None) -> Refused:
        """The problem of revert data, and the calldata that it answers."""
        words = explain(output, self._machine(output), call)
        return refused_as(refusal_name(output), words, transaction)

    def of_outcome(self, outcome: Outcome) -> Refused:
        """The problem of what was mined and reverted: tried again on the states around its
        block."""
        mined = self._ledger.transaction(outcome.hash)
        if mined is not None:
            one = mined.transaction
            request = CallRequest(one.sender, one.to, one.value, one.data, one.gas)
            for number in (outcome.block_number - 1, outcome.block_number):
                with contextlib.suppress(BlockUnknown):
                    result = self._ledger.call(request, number)
                    if result.reverted:
                        return self.of_revert(result.output, one.data, outcome.hash)
        words = f"the contract refused in block {outcome.block_number}: another act came before"
        return refused_as(None, words, outcome.hash)

    def of_error(self, error: BaseException, call: bytes = b"") -> BaseException:
        """What a client is told of an error on the way of a call (its calldata, where it was
        tried); faults of our own stay as they are."""
        if isinstance(error, WouldFail) and error.reverted:
            return self.of_revert(error.output, call)
        return _problem_of(error)

    def _machine(self, output: bytes) -> Machine | None:
        """The table of the record that revert data is about. None, where it cannot be read: a
        refusal without names is better than none."""
        id_ = record_named(output)
        if id_ is None:
            return None
        with contextlib.suppress(SQLAlchemyError), read_transaction(self._engine) as connection:
            return machine_of(connection, id_)
        return None


def _problem_of(error: BaseException) -> BaseException:
    match error:
        case Refusal():
            return error
        case WouldFail():
            return Unprocessable(f"the call fails: {error}")
        case NoSigner():
            return Forbidden(str(error))
        case Busy() | SendingStopped():
            return Unavailable(str(error), retry_after_s=2)
        case SigningFailed():
            return Unavailable(str(error), retry_after_s=30)
        case LedgerRefused(__cause__=NotPermitted()):
            return Forbidden(str(error))
        case LedgerRefused(__cause__=RefusedForNow()):
            return Unavailable(str(error), retry_after_s=5)
        case SendingError():
            return Conflict(str(error))
        case StorageFull():
            return StorageExhausted(str(error))
        case CommitError():
            return Unavailable(str(error), retry_after_s=5)
    return error
