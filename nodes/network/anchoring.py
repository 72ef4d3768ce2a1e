"""Where a joiner's belief begins: checkpoints that k of n members have signed, a header with one's
root."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from ledger.tlog import Checkpoint, ThresholdNotMet, TlogError, open_checkpoint
from nodes.network.engine_header import EngineHeader
from nodes.network.errors import JoinRefused
from nodes.network.source import MemberSource
from traceability.bundle import Trust

POLL_S: Final = 1.0
TRIES: Final = 60
HEADERS_SEARCHED_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Anchor:
    """A header of the engine whose log root enough members have cosigned.

    Established: the trust file's members signed a log with this root; the header names that root
    and the chain id of the engine that begins as the trust file pins; its hash, which becomes the
    light client's root of trust, is computed here from all its fields, so that nothing in it can
    be changed afterwards, the hash of its validators included.

    Not established: that those validators, or any, ever signed the header. Members sign the log
    and not the engine's headers, and who validates stands in the state, which is not there yet: a
    member's node could make up a header round a true root. What an engine that follows from it
    brings is therefore believed only after `check_validators` has compared the validators that it
    follows with those of the restored state, whose log the members have signed (`check_signed`).
    By replay the anchor is no root of anything: validators follow from the pinned beginning.
    """

    header: EngineHeader
    checkpoint: Checkpoint


def find_anchor(source: MemberSource, trust: Trust, chain_id: str) -> Anchor:
    """A header of the engine's network `chain_id` with the root of a cosigned checkpoint.

    Raises `JoinRefused` where none is found, or what is shown is signed by too few or of another
    network.
    """
    problem = "no checkpoint"
    for _ in range(TRIES):
        note = source.network().checkpoint
        try:
            if note is None:
                raise JoinRefused(f"{source.url} has no checkpoint that enough members have signed")
            checkpoint = open_checkpoint(note, trust.keys, trust.threshold, trust.origin)
            header = _header_with(source, checkpoint.root)
        except (ThresholdNotMet, JoinRefused) as bad:
            problem = str(bad)
        except TlogError as bad:
            raise JoinRefused(f"{source.url}: the checkpoint is refused: {bad}") from None
        else:
            if header is not None:
                _check_chain(source, header, chain_id)
                return Anchor(header, checkpoint)
            problem = "no header of the engine has the root of the cosigned checkpoint"
        time.sleep(POLL_S)
    raise JoinRefused(f"nothing can be trusted yet: {problem}")


def check_signed(source: MemberSource, trust: Trust, size: int, root: bytes) -> None:
    """That enough members have signed a log that begins with the one of this size and root.

    What only the sender of a snapshot says is believed no further than they have signed. Raises
    `JoinRefused`.
    """
    problem = "no checkpoint"
    for _ in range(TRIES):
        note = source.network().checkpoint
        try:
            if note is not None:
                found = open_checkpoint(note, trust.keys, trust.threshold, trust.origin)
                if found.size >= size:
                    source.check_consistency(size, root, found)
                    return
                problem = f"the newest signed checkpoint has size {found.size}"
        except ThresholdNotMet as few:
            problem = str(few)
        except TlogError as bad:
            raise JoinRefused(f"{source.url}: the checkpoint is refused: {bad}") from None
        time.sleep(POLL_S)
    raise JoinRefused(f"too few members have signed the log up to size {size}: {problem}")


def _check_chain(source: MemberSource, header: EngineHeader, chain_id: str) -> None:
    if header.chain_id != chain_id:
        raise JoinRefused(
            f"{source.url}: header {header.height} is of the engine's network "
            f"{header.chain_id[:60]!r}, and this ledger's is {chain_id!r}"
        )


def _header_with(source: MemberSource, root: bytes) -> EngineHeader | None:
    newest = source.height()
    for height in range(newest, max(0, newest - HEADERS_SEARCHED_MAX), -1):
        header = source.header(height)
        if header.app_hash == root:
            return header
    return None
