"""For those who keep their own keys: transactions to sign, and signed ones that come back."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Final

from sqlalchemy import Connection, Engine

from api.errors import Forbidden, NotFound, ProblemPart, Unprocessable, ValidationFailed
from api.operations.naming import check_named
from api.operations.telling import Teller
from api.operations.types import Call, Limits, Prepared
from api.principals import CAPTURE, Principal
from api.sight import room_of
from contracts.claimants import find_claimant, room_of_claimant
from contracts.claims import CLAIMS_ADDRESS, Released
from contracts.claims import decode_log as decode_claims_log
from contracts.consortium import Account, Kind, Status, accounts_of, find_account
from ledger.chain import Ledger
from ledger.evm import decode_transaction
from ledger.evm.errors import TransactionRefused
from ledger.projection import read_transaction
from ledger.sending import (
    Nonces,
    Outcome,
    Sender,
    Signed,
    Unsigned,
    signing_hash,
    unsigned_envelope,
)
from ledger.types import Address, Hash32, Transaction

TYPES: Final = frozenset({0, 1, 2})
ACCOUNTS_SHOWN_MAX: Final = 5


class OwnKeys:
    """Thread-safe."""

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        sender: Sender,
        nonces: Nonces,
        teller: Teller,
        limits: Limits,
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._sender = sender
        self._nonces = nonces
        self._teller = teller
        self._limits = limits
        self._lock = threading.Lock()
        self._prepared: OrderedDict[Hash32, int] = OrderedDict()
        """Until when, by signing hash."""

    def prepare(self, organisation: str, call: Call, account: Address | None) -> Prepared:
        """The transaction that `account` is to sign: by default the organisation's only one.

        Nothing is reserved. Raises `Unprocessable`, and `WouldFail` where it would be refused.
        """
        signer = self._signing_account(organisation, account)
        gas = self._sender.trial(signer, call.to, call.data)
        nonce = self._nonces.next(signer)
        unsigned = Unsigned(self._ledger.chain_id, nonce, gas, call.to, call.data)
        digest = signing_hash(unsigned)
        valid_until = int(time.time() + self._limits.prepared_lifetime_s)
        with self._lock:
            self._prepared[digest] = valid_until
            self._prepared.move_to_end(digest)
            while len(self._prepared) > self._limits.prepared_max:
                self._prepared.popitem(last=False)
        return Prepared(
            account=signer,
            chain_id=unsigned.chain_id,
            nonce=nonce,
            gas=gas,
            to=call.to,
            data=call.data,
            signing_hash=digest,
            unsigned=unsigned_envelope(unsigned),
            call=call,
            valid_until=valid_until,
        )

    def check(self, principal: Principal, raw: bytes) -> Signed:
        """A transaction that this organisation may send through here.

        Raises `ValidationFailed` for what is none, `Forbidden` for another's account or a scope
        that is missing, `Unprocessable` for what is no act on an instrument, `NotFound` where it
        names a record that the principal does not see, and `WouldFail` where it would be refused
        in the next block.
        """
        one = self._decoded(raw)
        with read_transaction(self._engine) as connection:
            _check_account(connection, principal, one.sender)
        if one.chain_id != self._ledger.chain_id:
            raise Unprocessable(
                f"signed for chain {one.chain_id}; this is chain {self._ledger.chain_id}"
            )
        self._check_call(principal, one)
        signed = Signed(principal.organisation, one.sender, one.nonce, one.hash, raw, own=False)
        if self._sender.outcome(one.hash) is None:
            self._check_in_time(one)
            if one.to is not None and one.nonce == self._ledger.pending_nonce(one.sender):
                self._sender.trial(one.sender, one.to, one.data)
        return signed

    def may_see(self, principal: Principal, transaction_hash: Hash32) -> bool:
        """Whether there is such a transaction, and it is the organisation's (or he sees all)."""
        mined = self._ledger.transaction(transaction_hash)
        found = (
            self._ledger.pending_transaction(transaction_hash)
            if mined is None
            else mined.transaction
        )
        if found is None:
            return False
        if principal.viewer.sees_all:
            return True
        with read_transaction(self._engine) as connection:
            known = find_account(connection, found.sender)
        return known is not None and known.organisation == principal.organisation

    def _signing_account(self, organisation: str, account: Address | None) -> Address:
        with read_transaction(self._engine) as connection:
            known = [
                one.address
                for one in accounts_of(connection, organisation)
                if one.status is Status.ACTIVE and one.kind is Kind.ACCOUNT
            ]
        if account is not None:
            if account not in known:
                raise Unprocessable(
                    f"0x{account.hex()} is no active account of {organisation}",
                    errors=[ProblemPart("no active account", parameter="account")],
                )
            return account
        if len(known) != 1:
            shown = ", ".join(f"0x{one.hex()}" for one in known[:ACCOUNTS_SHOWN_MAX])
            raise Unprocessable(
                f"say by ?account= which account is to sign: {organisation} has {shown or 'none'}",
                errors=[ProblemPart("which account is to sign", parameter="account")],
            )
        return known[0]

    def _decoded(self, raw: bytes) -> Transaction:
        try:
            return decode_transaction(raw, self._ledger.limits().transaction_size_bytes_max)
        except TransactionRefused as error:
            raise ValidationFailed(
                f"raw: {error}", errors=[ProblemPart(str(error), pointer="/raw")]
            ) from error

    def _check_call(self, principal: Principal, one: Transaction) -> None:
        if one.type not in TYPES or one.value or one.to is None:
            raise Unprocessable(
                "only calls of instruments pass here: transactions of type 0 to 2, without value"
            )
        contract = self._teller.name(one.to)
        if contract == "provenance":
            principal.check(CAPTURE)
            return
        room = None if contract is None else room_of(contract)
        if contract is None or room is None:
            raise Unprocessable(f"0x{one.to.hex()} is none of this ledger's instruments")
        if contract == "claims":
            self._check_claim(principal, one)
            return
        principal.check(f"{room}:write")
        with read_transaction(self._engine) as connection:
            check_named(connection, contract, one.data, principal.viewer)

    def _check_claim(self, principal: Principal, one: Transaction) -> None:
        """A claim is of the room whose record has it, or had it until this call took it."""
        outcome, room = self._sender.outcome(one.hash), None
        with read_transaction(self._engine) as connection:
            if outcome is None:
                check_named(connection, "claims", one.data, principal.viewer)
                found = find_claimant(connection, Hash32(one.data[4:36]), principal.viewer)
                room = None if found is None else found.room
            elif (id_ := _released(outcome)) is not None:
                room = room_of_claimant(connection, id_, principal.viewer)
                if room is None:
                    raise NotFound(f"there is no record 0x{id_.hex()} that you may see")
        if room is not None or not principal.may("receivables:write"):
            principal.check(f"{room or 'receipts'}:write")

    def _check_in_time(self, one: Transaction) -> None:
        """Raises `Unprocessable` for what this node has prepared too long ago."""
        if one.type != 2 or one.gas_price or one.access_list or one.to is None:
            return
        digest = signing_hash(Unsigned(self._ledger.chain_id, one.nonce, one.gas, one.to, one.data))
        with self._lock:
            valid_until = self._prepared.get(digest)
        if valid_until is not None and valid_until < time.time():
            raise Unprocessable(
                "it was prepared too long ago, and what it was shown to do may be another thing "
                "now: prepare it again"
            )


def _released(outcome: Outcome) -> Hash32 | None:
    """From which record a mined call took a claim; None: it was refused."""
    for placed in outcome.logs:
        if placed.log.address == CLAIMS_ADDRESS:
            event = decode_claims_log(placed.log)
            if isinstance(event, Released):
                return event.id
    return None


def _check_account(connection: Connection, principal: Principal, sender: Address) -> Account:
    known = find_account(connection, sender)
    if known is None or known.organisation != principal.organisation:
        raise Forbidden(f"0x{sender.hex()}, who signed it, is no account of your organisation")
    if known.status is not Status.ACTIVE:
        raise Forbidden(f"account 0x{sender.hex()} is {known.status.word}")
    return known
