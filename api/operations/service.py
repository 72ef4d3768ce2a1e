"""Operations: what a client asks for is tried, signed, made durable, sent, and answered."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection, Engine

from api.errors import Unavailable
from api.operations import records
from api.operations.errors import KeyReused, UnderWay
from api.operations.gas import GasBook
from api.operations.own_keys import OwnKeys
from api.operations.places import Places
from api.operations.records import Record
from api.operations.refusing import Refusals, refused_as
from api.operations.telling import Teller
from api.operations.types import Call, Done, Idempotency, Limits, Prepared, Standing
from api.operations.work import Shower, Work
from api.principals import Principal
from ledger.chain import Ledger
from ledger.evm import decode_transaction
from ledger.projection import CommitError, GroupCommitter, Projector, read_transaction
from ledger.sending import (
    Nonces,
    NonceUsed,
    Outcome,
    Sender,
    SendingSettings,
    SendingStopped,
    Signed,
    Signer,
)
from ledger.types import Address, Hash32

ATTEMPTS_MAX: Final = 5
"""How often a call is signed anew whose nonce another transaction took."""
PURGE_EVERY_S: Final = 600.0

_log = logging.getLogger(__name__)


class Operations:
    """Thread-safe; one for a process.

    Under an Idempotency-Key the signed transaction is durable before it is submitted. After a
    crash exactly the same bytes are submitted again, so the same request happens once, whatever
    happens in between. A request that was refused before it was signed leaves nothing behind.
    """

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        projector: Projector,
        signers: Mapping[str, Signer],
        nonces: Nonces,
        *,
        limits: Limits | None = None,
        sending: SendingSettings | None = None,
    ) -> None:
        """`signers` by organisation; `nonces` is the process's only one. `engine` has the
        projection, and the records too."""
        self.limits = limits or Limits()
        self._engine = engine
        self._ledger = ledger
        self._teller = Teller(engine)
        self._refusals = Refusals(ledger, engine)
        self._sender = Sender(ledger, signers, nonces, sending)
        self._own_keys = OwnKeys(engine, ledger, self._sender, nonces, self._teller, self.limits)
        self._committer = GroupCommitter(engine, "operations-commit")
        self._shower = Shower(projector)
        self._places = Places(engine, projector)
        self._gas = GasBook()
        self._pool = ThreadPoolExecutor(self.limits.threads, "operation")
        self._lock = threading.Lock()
        self._live: dict[tuple[str, str], Work] = {}
        self._waiting = 0
        self._running = False
        self._left: list[Record] | None = None
        self._next_purge = time.monotonic()

    # ---- beginning and ending -------------------------------------------------------------------

    def adopt(self) -> None:
        """Hold the nonces of what was under way when the node last stopped.

        Before anybody else signs with the same accounts, and before `start`.
        """
        with read_transaction(self._engine) as connection:
            self._left = records.unsettled(connection)
        for record in self._left:
            if record.raw is not None:
                self._sender.adopt(self._signed(record, record.raw))

    def start(self) -> None:
        """Begin, and submit again what was under way."""
        if self._left is None:
            self.adopt()
        self._committer.start()
        self._shower.start()
        self._sender.start()
        with self._lock:
            self._running = True
        left, self._left = self._left or [], None
        for record in left:
            work = self._work_of(record)
            with self._lock:
                self._live[(record.organisation, record.key)] = work
                self._waiting += 1
            self._later(work, self._submit)
        if left:
            _log.info("operations: %d were under way", len(left))

    def stop(self) -> None:
        """End in order. What is under a key goes on at the next start."""
        with self._lock:
            if not self._running:
                return
            self._running = False
        self._pool.shutdown(wait=True)
        self._sender.stop()
        self._shower.stop()
        self._committer.stop()

    # ---- doing ----------------------------------------------------------------------------------

    async def perform(
        self, principal: Principal, call: Call, idempotency: Idempotency | None = None
    ) -> Done:
        """Do it, signed by the organisation's account on this node.

        Returns once its block is durable and shows. Raises `Refused` (with nothing done, or, with
        its `transaction`, a nonce used), `KeyReused`, `UnderWay` after `limits.wait_s`, and other
        `Refusal`s, among them `Forbidden` where this node has no key of the organisation.
        """
        work, joined = self._enter(Work(principal.organisation, call, idempotency))
        return await self._answered(work, joined)

    async def relay(
        self, principal: Principal, raw: bytes, idempotency: Idempotency | None = None
    ) -> Done:
        """Submit what an account of the organisation has signed. As `perform`; the same bytes
        again give the same answer. Raises `Forbidden`, `Unprocessable`, `ValidationFailed`."""
        loop = asyncio.get_running_loop()
        try:
            signed = await loop.run_in_executor(self._pool, self._own_keys.check, principal, raw)
        except Exception as error:
            raise self._refusals.of_error(error) from error
        known = self._sender.outcome(signed.hash) is not None
        work, joined = self._enter(
            Work(principal.organisation, None, idempotency, signed=signed, known=known)
        )
        return await self._answered(work, joined)

    def begin(
        self, organisation: str, call: Call, idempotency: Idempotency | None = None
    ) -> Future[Done]:
        """As `perform`, for who waits by himself; the future raises the same."""
        return self._enter(Work(organisation, call, idempotency))[0].future

    def prepare(self, principal: Principal, call: Call, account: Address | None = None) -> Prepared:
        """The transaction for `account` to sign: by default the organisation's only one.

        Raises `Refused`, `Unprocessable`.
        """
        try:
            return self._own_keys.prepare(principal.organisation, call, account)
        except Exception as error:
            raise self._refusals.of_error(error, call.data) from error

    def place(self, contract: str) -> Address:
        """Where the current version of a contract is. Raises `Unavailable` where there is none."""
        return self._places.of(contract)

    def standing(self, principal: Principal, transaction_hash: Hash32) -> Standing | None:
        """How a transaction of the organisation stands (any, for who sees all); None: unknown."""
        if not self._own_keys.may_see(principal, transaction_hash):
            return None
        outcome = self._sender.outcome(transaction_hash)
        if outcome is None:
            return Standing("pending", None, None)
        if outcome.status != 1:
            return Standing("refused", None, self._refusals.of_outcome(outcome))
        return Standing("done", self._done(outcome), None)

    # ---- on the way -----------------------------------------------------------------------------

    def _enter(self, work: Work) -> tuple[Work, bool]:
        """Begin the work, or join that under the same key; whether it was joined."""
        key = work.idempotency
        with self._lock:
            if not self._running:
                raise Unavailable("the node is stopping", retry_after_s=5)
            if key is not None:
                known = self._live.get((work.organisation, key.key))
                if known is not None and known.idempotency is not None:
                    _check_same(key, known.idempotency.digest)
                    return known, True
            if self._waiting >= self.limits.waiting_max:
                raise Unavailable(
                    f"{self._waiting} operations are under way: try again a little later",
                    retry_after_s=2,
                )
            if key is not None:
                self._live[(work.organisation, key.key)] = work
            self._waiting += 1
            purge = time.monotonic() > self._next_purge
            if purge:
                self._next_purge = time.monotonic() + PURGE_EVERY_S
        if purge:
            oldest = self._not_before_ms()
            self._write(lambda connection: records.purge(connection, oldest))
        self._later(work, self._start)
        return work, False

    async def _answered(self, work: Work, joined: bool) -> Done:
        try:
            done = await asyncio.wait_for(
                asyncio.shield(asyncio.wrap_future(work.future)), self.limits.wait_s
            )
        except TimeoutError as error:
            signed = work.signed
            if work.abandon() or signed is None:
                raise Unavailable("the node is busy: nothing was done", retry_after_s=2) from error
            raise UnderWay(signed.hash) from error
        return replace(done, replayed=True) if joined or work.known else done

    def _start(self, work: Work) -> None:
        """In the pool: what is known of the key, then try, sign, store, submit."""
        if work.idempotency is not None:
            with read_transaction(self._engine) as connection:
                record = records.find(
                    connection, work.organisation, work.idempotency.key, self._not_before_ms()
                )
            if record is not None:
                self._replay(work, work.idempotency, record)
                return
        if work.signed is None and not self._sign(work):
            return
        self._store(work)

    def _replay(self, work: Work, key: Idempotency, record: Record) -> None:
        _check_same(key, record.request_digest)
        work.known = work.durable = True
        if record.refusal is not None:
            raise refused_as(*record.refusal, transaction=record.hash)
        if record.raw is not None:
            work.signed = self._signed(record, record.raw)
            self._submit(work)
            return
        outcome = self._sender.outcome(record.hash)
        if outcome is None:
            raise Unavailable("the transaction of this key does not show yet", retry_after_s=2)
        self._finish(work, self._done(outcome))

    def _sign(self, work: Work) -> bool:
        assert work.call is not None
        account = self._sender.account(work.organisation)
        call = work.call
        gas = self._gas.enough_for(call) if self._waiting > self.limits.untried_above else None
        if gas is None:
            gas = self._sender.trial(account, call.to, call.data)
        gas = min(gas, self._ledger.limits().block_gas_limit)
        signed = self._sender.sign(work.organisation, call.to, call.data, gas)
        if not work.carry(signed):
            self._sender.discard(signed)
            self._fail(work, Unavailable("the node is busy: nothing was done", retry_after_s=2))
            return False
        return True

    def _store(self, work: Work) -> None:
        key, signed = work.idempotency, work.signed
        assert signed is not None
        if key is None or work.durable:
            self._submit(work)
            return
        oldest = self._not_before_ms()

        def stored(done: Future[None]) -> None:
            error = done.exception()
            if error is None:
                work.durable = True
                self._later(work, self._submit)
            else:
                self._sender.discard(signed)
                self._fail(work, error)

        try:
            stored_later = self._committer.submit(
                lambda connection: records.save(connection, key, signed, oldest)
            )
        except CommitError:
            self._sender.discard(signed)
            raise
        stored_later.add_done_callback(stored)

    def _submit(self, work: Work) -> None:
        assert work.signed is not None
        self._sender.submit(work.signed).add_done_callback(lambda done: self._sent(work, done))

    def _sent(self, work: Work, done: Future[Outcome]) -> None:
        error = done.exception()
        if error is None:
            outcome = done.result()
            self._shower.await_block(
                outcome.block_number, lambda shows: self._shown(work, outcome, shows)
            )
        elif isinstance(error, NonceUsed) and work.signed is not None and work.signed.own:
            self._later(work, self._sign_again)
        elif isinstance(error, SendingStopped) and work.signed is not None:
            self._fail(work, UnderWay(work.signed.hash))
        elif work.durable:
            self._later(work, lambda work: self._give_up(work, error))
        else:
            self._fail(work, error)

    def _give_up(self, work: Work, error: BaseException) -> None:
        """It will never be in a block. The record goes first: nothing told may come true later."""
        assert work.signed is not None
        gone = work.signed.hash
        self._committer.submit(lambda connection: records.forget(connection, gone)).result()
        self._fail(work, error)

    def _sign_again(self, work: Work) -> None:
        """Another transaction took the nonce for good, so this one can never run: take the next."""
        old = work.signed
        assert old is not None
        work.attempts += 1
        if work.attempts > ATTEMPTS_MAX:
            raise Unavailable("others use this account's nonces: try again", retry_after_s=5)
        call = decode_transaction(old.raw)
        assert call.to is not None
        new = self._sender.sign(work.organisation, call.to, call.data, call.gas)
        _log.warning("nonce %d of %s is taken; using %d", old.nonce, work.organisation, new.nonce)
        if work.durable:
            try:
                self._committer.submit(
                    lambda connection: records.replace(connection, old.hash, new)
                ).result()
            except BaseException:
                self._sender.discard(new)
                raise
        work.signed = new
        self._submit(work)

    # ---- ends -----------------------------------------------------------------------------------

    def _shown(self, work: Work, outcome: Outcome, shows: bool) -> None:
        if not shows:
            self._fail(work, UnderWay(outcome.hash))
            return
        told: tuple[str | None, str] | None = None
        if outcome.status == 1:
            if work.call is not None:
                self._gas.learn(work.call, outcome.gas_used)
            self._finish(work, self._done(outcome))
        else:
            refused = self._refusals.of_outcome(outcome)
            told = (refused.refusal, refused.detail)
            self._fail(work, refused)
        if work.durable:
            self._write(lambda connection: records.settle(connection, outcome.hash, told))

    def _done(self, outcome: Outcome) -> Done:
        return Done(
            transaction=outcome.hash,
            block=outcome.block_number,
            block_time=outcome.block_time,
            gas_used=outcome.gas_used,
            events=self._teller.events(outcome.logs),
        )

    def _finish(self, work: Work, done: Done) -> None:
        self._leave(work)
        work.future.set_result(done)

    def _fail(self, work: Work, error: BaseException) -> None:
        self._leave(work)
        tried = b"" if work.call is None else work.call.data
        work.future.set_exception(self._refusals.of_error(error, tried))

    def _leave(self, work: Work) -> None:
        with self._lock:
            self._waiting -= 1
            key = work.idempotency
            if key is not None and self._live.get((work.organisation, key.key)) is work:
                del self._live[(work.organisation, key.key)]

    def _later(self, work: Work, step: Callable[[Work], None]) -> None:
        """Go on in the pool."""
        try:
            self._pool.submit(self._guarded, work, step)
        except RuntimeError:  # it was shut down
            signed = work.signed
            stopping = Unavailable("the node is stopping: nothing was done", retry_after_s=5)
            self._fail(work, stopping if signed is None else UnderWay(signed.hash))

    def _guarded(self, work: Work, step: Callable[[Work], None]) -> None:
        try:
            step(work)
        except Exception as error:
            self._fail(work, error)

    def _write(self, run: Callable[[Connection], object]) -> None:
        """Store what a restart would find out again by itself."""

        def check(done: Future[object]) -> None:
            error = done.exception()
            if error is not None:
                _log.error("operations: an outcome could not be stored: %s", error)

        with contextlib.suppress(CommitError):
            self._committer.submit(run).add_done_callback(check)

    # ---- records --------------------------------------------------------------------------------

    def _not_before_ms(self) -> int:
        """Records of before this moment are forgotten."""
        return int((time.time() - self.limits.record_lifetime_s) * 1000)

    def _signed(self, record: Record, raw: bytes) -> Signed:
        own = self._sender.signs_as(record.organisation, record.account)
        return Signed(record.organisation, record.account, record.nonce, record.hash, raw, own)

    def _work_of(self, record: Record) -> Work:
        """Work from before a restart."""
        assert record.raw is not None
        return Work(
            record.organisation,
            None,
            Idempotency(record.key, record.request_digest),
            signed=self._signed(record, record.raw),
            durable=True,
            known=True,
        )


def _check_same(key: Idempotency, digest: bytes) -> None:
    """Raises `KeyReused`."""
    if key.digest != digest:
        raise KeyReused(
            f"the Idempotency-Key {key.key[:60]!r} came before with another request: take a new "
            "key for a new request"
        )
