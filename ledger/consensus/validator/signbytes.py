"""What a CometBFT validator signs: canonical votes, proposals and vote extensions.

Source: CometBFT v0.38, `spec/core/data_structures.md` (CanonicalVote, CanonicalProposal) and the
canonical Protocol Buffers encoding. Each is behind its length as an unsigned varint. Times are
always present, block ids only where a vote is not for nil.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from google.protobuf.message import DecodeError

from ledger.consensus.validator import privval_pb2 as pb
from ledger.consensus.validator.errors import RequestRefused
from ledger.consensus.wire import FrameError, frame, unframe

CHAIN_ID_SIZE_BYTES_MAX: Final = 50
PREVOTE: Final = 1
PRECOMMIT: Final = 2
PROPOSAL: Final = 32
_HASH_SIZE_BYTES: Final = 32
_HEIGHT_MAX: Final = (1 << 63) - 1
_SECONDS_LEAST: Final = -62_135_596_800
"""The year 1, Go's zero time."""
_SECONDS_MOST: Final = 253_402_300_799
_NANOS_MOST: Final = 999_999_999


class Step(IntEnum):
    """Which signature of a round: they are made in this order."""

    NONE = 0
    PROPOSE = 1
    PREVOTE = 2
    PRECOMMIT = 3


def step_of(request: pb.Vote | pb.Proposal) -> Step:
    """The step of a checked request."""
    if isinstance(request, pb.Proposal):
        return Step.PROPOSE
    return Step.PREVOTE if request.type == PREVOTE else Step.PRECOMMIT


def is_nil(block: pb.BlockID) -> bool:
    """Whether a vote is for no block."""
    part_set = block.part_set_header
    return not block.hash and not part_set.total and not part_set.hash


def check_vote(vote: pb.Vote, chain_id: str) -> None:
    """Raises `RequestRefused` unless it is a whole vote that may be signed."""
    if vote.type not in (PREVOTE, PRECOMMIT):
        raise RequestRefused(f"a vote of type {vote.type} is neither prevote nor precommit")
    _check_place(vote.height, vote.round, chain_id)
    _check_time(vote.timestamp)
    if is_nil(vote.block_id):
        if vote.extension:
            raise RequestRefused("a vote for no block has no extension")
    else:
        _check_block(vote.block_id)
    if vote.extension and vote.type == PREVOTE:
        raise RequestRefused("a prevote has no extension")


def check_proposal(proposal: pb.Proposal, chain_id: str) -> None:
    """Raises `RequestRefused` unless it is a whole proposal that may be signed."""
    if proposal.type != PROPOSAL:
        raise RequestRefused(f"a proposal of type {proposal.type}, not {PROPOSAL}")
    _check_place(proposal.height, proposal.round, chain_id)
    _check_time(proposal.timestamp)
    _check_block(proposal.block_id)
    if not -1 <= proposal.pol_round < max(proposal.round, 1):
        raise RequestRefused(
            f"a proposal of round {proposal.round} with proof of lock of {proposal.pol_round}"
        )


def vote_sign_bytes(vote: pb.Vote, chain_id: str) -> bytes:
    """What is signed of a vote."""
    canonical = pb.CanonicalVote(
        type=vote.type, height=vote.height, round=vote.round, chain_id=chain_id
    )
    if not is_nil(vote.block_id):
        _copy_block(vote.block_id, canonical.block_id)
    _copy_time(vote.timestamp, canonical.timestamp)
    return frame(canonical.SerializeToString(deterministic=True))


def proposal_sign_bytes(proposal: pb.Proposal, chain_id: str) -> bytes:
    """What is signed of a proposal."""
    canonical = pb.CanonicalProposal(
        type=PROPOSAL,
        height=proposal.height,
        round=proposal.round,
        pol_round=proposal.pol_round,
        chain_id=chain_id,
    )
    if not is_nil(proposal.block_id):
        _copy_block(proposal.block_id, canonical.block_id)
    _copy_time(proposal.timestamp, canonical.timestamp)
    return frame(canonical.SerializeToString(deterministic=True))


def extension_sign_bytes(vote: pb.Vote, chain_id: str) -> bytes:
    """What is signed of the extension of a precommit."""
    canonical = pb.CanonicalVoteExtension(
        extension=vote.extension, height=vote.height, round=vote.round, chain_id=chain_id
    )
    return frame(canonical.SerializeToString(deterministic=True))


def time_if_all_that_differs(step: Step, signed: bytes, asked: bytes) -> pb.Timestamp | None:
    """The time in `signed` where `asked` differs from it in nothing but the time.

    Both are sign bytes of that step. Raises ValueError where they are not.
    """
    first, second = _canonical(step, signed), _canonical(step, asked)
    time = pb.Timestamp()
    time.CopyFrom(first.timestamp)
    first.ClearField("timestamp")
    second.ClearField("timestamp")
    same = first.SerializeToString(deterministic=True) == second.SerializeToString(
        deterministic=True
    )
    return time if same else None


def _canonical(step: Step, data: bytes) -> pb.CanonicalVote | pb.CanonicalProposal:
    try:
        if step is Step.PROPOSE:
            return pb.CanonicalProposal.FromString(unframe(data))
        return pb.CanonicalVote.FromString(unframe(data))
    except (FrameError, DecodeError) as error:
        raise ValueError(f"no sign bytes of a {step.name.lower()}: {error}") from error


def _check_place(height: int, round_: int, chain_id: str) -> None:
    if not 0 < height <= _HEIGHT_MAX or round_ < 0:
        raise RequestRefused(f"height {height}, round {round_} do not exist")
    if not 0 < len(chain_id.encode()) <= CHAIN_ID_SIZE_BYTES_MAX:
        raise RequestRefused(f"a chain id has 1 to {CHAIN_ID_SIZE_BYTES_MAX} bytes")


def _check_time(time: pb.Timestamp) -> None:
    if not _SECONDS_LEAST <= time.seconds <= _SECONDS_MOST or not 0 <= time.nanos <= _NANOS_MOST:
        raise RequestRefused(f"{time.seconds} s and {time.nanos} ns is no time")


def _check_block(block: pb.BlockID) -> None:
    sizes = len(block.hash), len(block.part_set_header.hash)
    if sizes != (_HASH_SIZE_BYTES, _HASH_SIZE_BYTES) or not block.part_set_header.total:
        raise RequestRefused("the block id is neither whole nor that of no block")


def _copy_block(source: pb.BlockID, target: pb.BlockID) -> None:
    target.hash = source.hash
    target.part_set_header.total = source.part_set_header.total
    target.part_set_header.hash = source.part_set_header.hash


def _copy_time(source: pb.Timestamp, target: pb.Timestamp) -> None:
    target.seconds = source.seconds
    target.nanos = source.nanos
    target.SetInParent()
