"""A validator key that never signs two different things at one place."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace

from ledger.consensus.validator import privval_pb2 as pb
from ledger.consensus.validator.errors import DoubleSignRefused, RequestRefused
from ledger.consensus.validator.signbytes import (
    PRECOMMIT,
    Step,
    check_proposal,
    check_vote,
    extension_sign_bytes,
    is_nil,
    proposal_sign_bytes,
    step_of,
    time_if_all_that_differs,
    vote_sign_bytes,
)
from ledger.consensus.validator.state import Signed, SignState
from ledger.crypto.protocol import ValidatorSigner

_LOG = logging.getLogger(__name__)


class GuardedKey:
    """A key together with the record of what it signed last. Thread-safe."""

    def __init__(self, signer: ValidatorSigner, state: SignState) -> None:
        self._signer = signer
        self._state = state
        self._signing = threading.Lock()

    @property
    def public_key(self) -> bytes:
        """32 bytes."""
        return self._signer.public_key

    @property
    def last(self) -> Signed:
        """What was signed last."""
        return self._state.last

    def sign_vote(self, vote: pb.Vote, chain_id: str) -> pb.Vote:
        """The vote with its signature, and that of its extension for a precommit of a block.

        Where the same vote was signed before at another time, the answer has that time. Raises
        `RequestRefused`, `DoubleSignRefused`, and what the key and the disk raise.
        """
        check_vote(vote, chain_id)
        signed = pb.Vote()
        signed.CopyFrom(vote)
        with self._signing:
            self._sign(signed, vote_sign_bytes(vote, chain_id), chain_id)
            # Extensions need not be the same twice, and CometBFT drops what it did not ask for.
            if vote.type == PRECOMMIT and not is_nil(vote.block_id):
                extension = extension_sign_bytes(vote, chain_id)
                signed.extension_signature = self._signer.sign(extension)
        return signed

    def sign_proposal(self, proposal: pb.Proposal, chain_id: str) -> pb.Proposal:
        """The proposal with its signature. As `sign_vote`."""
        check_proposal(proposal, chain_id)
        signed = pb.Proposal()
        signed.CopyFrom(proposal)
        with self._signing:
            self._sign(signed, proposal_sign_bytes(proposal, chain_id), chain_id)
        return signed

    def _sign(self, request: pb.Vote | pb.Proposal, sign_bytes: bytes, chain_id: str) -> None:
        last = self._state.last
        if last.chain_id not in ("", chain_id):
            raise RequestRefused(
                f"this key signs for the chain {last.chain_id!r}, not for {chain_id!r}"
            )
        asked = Signed(chain_id, request.height, request.round, step_of(request), sign_bytes)
        if asked.place > last.place:
            signature = self._signer.sign(sign_bytes)
            # On disk before it leaves: a crash between the two costs a signature, not a slash.
            self._state.keep(replace(asked, signature=signature))
            request.signature = signature
            return
        time = _same_again(last, asked)
        if time is None:
            raise self._refusal(last, asked)
        request.timestamp.CopyFrom(time)
        request.signature = last.signature

    def _refusal(self, last: Signed, asked: Signed) -> DoubleSignRefused:
        refusal = DoubleSignRefused(
            f"a {_words(asked)} was asked for; a {_words(last)} is signed already, over "
            f"{'something else' if asked.place == last.place else 'what comes later'}"
        )
        # An engine that was restarted asks for earlier steps of its height again, and goes on
        # without them; whatever else comes here would have been a fault that others can prove.
        harmless = asked.height == last.height and asked.place < last.place
        level = logging.WARNING if harmless else logging.CRITICAL
        _LOG.log(level, "double sign refused: %s", refusal)
        return refusal


def _same_again(last: Signed, asked: Signed) -> pb.Timestamp | None:
    if asked.place != last.place or not last.sign_bytes:
        return None
    return time_if_all_that_differs(last.step, last.sign_bytes, asked.sign_bytes)


def _words(signed: Signed) -> str:
    step = "bar" if signed.step is Step.NONE else signed.step.name.lower()
    return f"{step} of height {signed.height} round {signed.round}"
