"""Transactions of this node's accounts: tried, signed, submitted, followed to their block."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from ledger.chain.errors import LedgerClosed, WaitTimeout
from ledger.evm import CallRequest
from ledger.evm.errors import TransactionRefused
from ledger.mempool.errors import AlreadyKnown
from ledger.sending.envelope import signed_envelope
from ledger.sending.errors import (
    Busy,
    NonceUsed,
    NoSigner,
    Refused,
    SendingError,
    SendingStopped,
    SendingTimeout,
    WouldFail,
)
from ledger.sending.nonces import Nonces
from ledger.sending.outcomes import find_outcome, outcomes_of
from ledger.sending.protocol import Chain, Signer
from ledger.sending.refusals import Refusal, classify
from ledger.sending.types import Outcome, SendingSettings, Signed, Unsigned
from ledger.state.keccak import keccak
from ledger.types import Address, CommittedBlock, Hash32

FILLER_GAS: Final = 21_000
TRIAL_GAS_SPARE: Final = 150_000
"""Beside half as much again as the trial used: refunds (EIP-3529, a fifth), what calls keep back
(EIP-150, a 64th) and slots that another act emptied meanwhile. Unused gas costs nothing."""

_log = logging.getLogger(__name__)


def _future() -> Future[Outcome]:
    """One that who waits for it cannot cancel: others may wait for the same."""
    future: Future[Outcome] = Future()
    future.set_running_or_notify_cancel()
    return future


@dataclass(slots=True, eq=False)
class _Live:
    """A transaction that was submitted and is in no block yet."""

    signed: Signed
    future: Future[Outcome] = field(default_factory=_future)
    submitted_at: float = 0.0


class Sender:
    """Thread-safe. Many transactions of one account may be under way.

    What a crash must not lose is kept by the caller (`Signed.raw`) before `submit`, and submitted
    again after a restart: the same bytes can only happen once.
    """

    def __init__(
        self,
        ledger: Chain,
        signers: Mapping[str, Signer],
        nonces: Nonces,
        settings: SendingSettings | None = None,
    ) -> None:
        """`signers` by organisation may grow later; `nonces` is the process's only one."""
        self.settings = settings or SendingSettings()
        self._chain = ledger
        self._signers = signers
        self._nonces = nonces
        self._lock = threading.Lock()
        self._live: dict[Hash32, _Live] = {}
        self._accounts: dict[str, tuple[Signer, Address]] = {}
        self._stopping = threading.Event()
        self._running = False
        self._unsubscribe: Callable[[], None] | None = None
        self._thread = threading.Thread(target=self._tend, name="sender", daemon=True)

    def start(self) -> None:
        """Begin to follow blocks, and to help what got stuck."""
        self._unsubscribe = self._chain.subscribe(self._on_block)
        with self._lock:
            self._running = True
        self._thread.start()

    def stop(self) -> None:
        """End; futures that are open raise `SendingStopped`."""
        with self._lock:
            if not self._running:
                return
            self._running = False
        self._stopping.set()
        if self._unsubscribe is not None:
            self._unsubscribe()
        self._thread.join()
        with self._lock:
            left = list(self._live.values())
            self._live.clear()
        for live in left:
            live.future.set_exception(SendingStopped("the node was stopped meanwhile"))

    # ---- trying and signing ---------------------------------------------------------------------

    def account(self, organisation: str) -> Address:
        """The account that signs for an organisation. Raises `NoSigner`."""
        signer = self._signers.get(organisation)
        if signer is None:
            raise NoSigner(
                f"this node holds no signing key of {organisation}: act through its own node, or "
                "sign the transaction yourself"
            )
        known = self._accounts.get(organisation)
        if known is None or known[0] is not signer:
            known = self._accounts[organisation] = (signer, signer.address)
        return known[1]

    def signs_as(self, organisation: str, account: Address) -> bool:
        """Whether that account is the one that signs for the organisation here."""
        return organisation in self._signers and self.account(organisation) == account

    def trial(self, account: Address, to: Address, data: bytes) -> int:
        """Gas to give a call that goes well in the block that comes next. Raises `WouldFail`."""
        gas_max = self._chain.limits().block_gas_limit
        request = CallRequest(sender=account, to=to, value=0, data=data, gas=gas_max)
        result = self._chain.call_next(request)
        if result.reverted or result.error is not None:
            reason = result.error or "the contract refused"
            raise WouldFail(reason, result.output, reverted=result.reverted)
        return min(result.gas_used + result.gas_used // 2 + TRIAL_GAS_SPARE, gas_max)

    def sign(self, organisation: str, to: Address, data: bytes, gas: int) -> Signed:
        """A signed transaction, whose nonce is held until it is in a block or given up.

        It must go to `submit` or to `discard`. Raises `NoSigner`, `Busy`, `SigningFailed`.
        """
        account = self.account(organisation)
        under_way = self._nonces.held(account)
        if under_way >= self.settings.in_flight_max:
            raise Busy(
                f"{under_way} transactions of {organisation} are under way, which is as many as "
                "may be: send this one again a little later"
            )
        nonce = self._nonces.reserve(account)
        try:
            unsigned = Unsigned(self._chain.chain_id, nonce, gas, to, data)
            raw = signed_envelope(unsigned, self._signers[organisation])
        except BaseException:
            self._nonces.release(account, nonce)
            raise
        return Signed(organisation, account, nonce, Hash32(keccak(raw)), raw)

    def adopt(self, signed: Signed) -> None:
        """Hold the nonce of what was signed before a restart, until it is submitted again."""
        if signed.own:
            self._nonces.hold(signed.account, signed.nonce)

    def discard(self, signed: Signed) -> None:
        """Give up what was never submitted; the nonce is used by whoever signs next."""
        if signed.own:
            self._nonces.release(signed.account, signed.nonce)

    # ---- submitting and following ---------------------------------------------------------------

    def submit(self, signed: Signed) -> Future[Outcome]:
        """Give it to the ledger, and follow it. The same transaction again gives the same future.

        The future raises `NonceUsed`, `Refused`, `SendingStopped`. It is resolved once the block
        is durable, in a thread that must not be held up.
        """
        with self._lock:
            if not self._running:
                raise SendingStopped("the sender does not run")
            live = self._live.get(signed.hash)
            if live is not None:
                return live.future
            live = self._live[signed.hash] = _Live(signed)
        self._push(live)
        return live.future

    def wait(self, signed: Signed, timeout_s: float) -> Outcome:
        """Submit, if that is to be done, and wait. Raises what `submit` does, `SendingTimeout`."""
        try:
            return self.submit(signed).result(timeout_s)
        except SendingError:
            raise
        except TimeoutError as error:
            raise SendingTimeout(
                f"transaction 0x{signed.hash.hex()} was in no block within {timeout_s:g} s"
            ) from error

    def outcome(self, transaction_hash: Hash32) -> Outcome | None:
        """A transaction in its block, whoever sent it; None where it is in none."""
        return find_outcome(self._chain, transaction_hash)

    def in_flight(self) -> int:
        """Transactions that were submitted and are in no block yet."""
        return len(self._live)

    def _push(self, live: _Live) -> None:
        live.submitted_at = time.monotonic()
        try:
            self._chain.submit(live.signed.raw)
        except LedgerClosed:
            return  # the node is stopping
        except TransactionRefused as error:
            self._on_refused(live, error)
        except Exception:
            _log.exception("transaction 0x%s could not be submitted", live.signed.hash.hex())

    def _on_refused(self, live: _Live, error: TransactionRefused) -> None:
        signed = live.signed
        found = find_outcome(self._chain, signed.hash)
        if found is not None:
            self._settle(signed.hash, found)
            return
        refusal = classify(error)
        if refusal is Refusal.WAIT and (signed.own or isinstance(error, AlreadyKnown)):
            return
        words = f"transaction 0x{signed.hash.hex()}: {error}"
        if refusal is Refusal.NONCE_USED:
            failure: SendingError = NonceUsed(words)
        else:
            failure = Refused(str(error))
        failure.__cause__ = error
        self._settle(signed.hash, failure)

    def _on_block(self, block: CommittedBlock) -> None:
        if not self._live:
            return
        for outcome in outcomes_of(block, self._live):
            self._settle(outcome.hash, outcome)

    def _settle(self, transaction_hash: Hash32, result: Outcome | SendingError) -> None:
        with self._lock:
            live = self._live.pop(transaction_hash, None)
        if live is None:
            return
        self.discard(live.signed)
        if isinstance(result, Outcome):
            live.future.set_result(result)
        else:
            live.future.set_exception(result)

    # ---- helping what got stuck -----------------------------------------------------------------

    def _tend(self) -> None:
        while not self._stopping.wait(self.settings.tick_s):
            try:
                self._fill_gaps()
                self._submit_again()
            except LedgerClosed:
                return
            except Exception:
                _log.exception("sender: a step failed; it is tried again")

    def _submit_again(self) -> None:
        late = time.monotonic() - self.settings.resubmit_after_s
        with self._lock:
            stuck = [live for live in self._live.values() if live.submitted_at < late]
        for live in stuck:
            transaction_hash = live.signed.hash
            if self._chain.pending_transaction(transaction_hash) is not None:
                live.submitted_at = time.monotonic()
                continue
            try:
                self._chain.wait_for(transaction_hash, 0.0)
            except WaitTimeout:
                self._push(live)  # nobody knows it: a crash, or it was refused for a while
            except TransactionRefused as error:
                self._on_refused(live, error)
                if transaction_hash in self._live:
                    self._push(live)
            else:
                found = find_outcome(self._chain, transaction_hash)
                if found is not None:
                    self._settle(transaction_hash, found)

    def _fill_gaps(self) -> None:
        with self._lock:
            senders = {one.signed.account: one.signed for one in self._live.values()}
        for account, signed in senders.items():
            if signed.own and self.signs_as(signed.organisation, account):
                self._fill_gap(signed.organisation, account)

    def _fill_gap(self, organisation: str, account: Address) -> None:
        """A transaction to oneself that does nothing but use up a nonce which was given up."""
        nonce = self._nonces.fill(account)
        if nonce is None:
            return
        _log.warning("filling nonce %d of %s", nonce, organisation)
        try:
            filler = Unsigned(self._chain.chain_id, nonce, FILLER_GAS, account, b"")
            raw = signed_envelope(filler, self._signers[organisation])
        except BaseException:
            self._nonces.release(account, nonce)
            raise
        future = self.submit(Signed(organisation, account, nonce, Hash32(keccak(raw)), raw))
        future.add_done_callback(_forget)


def _forget(future: Future[Outcome]) -> None:
    """Nobody waits for a filler."""
    error = future.exception()
    if error is not None and not isinstance(error, (SendingStopped, NonceUsed)):
        _log.warning("a nonce could not be filled: %s", error)
