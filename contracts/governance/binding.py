"""Calls and logs of the Governance contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from eth_abi.abi import encode

from contracts.abi import EventKind, Function
from contracts.consortium.ids import organisation_id_text, organisation_id_word
from contracts.errors import CalldataError, CalldataValueError, OrganisationIdError
from contracts.events import LogDecoder, Values, address_of
from contracts.governance.genesis import GOVERNANCE_ARTIFACT, VOTES_MAX
from contracts.governance.types import (
    Call,
    Choice,
    DefaultThresholdChanged,
    GovernanceEvent,
    ProposalExecuted,
    ProposalMade,
    ProposalWithdrawn,
    State,
    Summary,
    Tally,
    Threshold,
    ThresholdChanged,
    Voted,
    VotesChanged,
)
from ledger.state.keccak import keccak
from ledger.types import Address, Hash32, Log

CALLS_MAX: Final = 32
CALLS_BYTES_MAX: Final = 65_536
TEXT_BYTES_MAX: Final = 1_024
LIFETIME_DEFAULT_S: Final = 14 * 86_400
LIFETIME_MAX_S: Final = 90 * 86_400
DENOMINATOR_MAX: Final = 1_000_000


def _function(name: str) -> Function:
    return Function.of(GOVERNANCE_ARTIFACT, name)


_PROPOSE: Final = _function("propose")
_PROPOSE_AND_EXECUTE: Final = _function("proposeAndExecute")
_VOTE: Final = _function("vote")
_EXECUTE: Final = _function("execute")
_WITHDRAW: Final = _function("withdraw")
_SET_VOTES: Final = _function("setVotes")
_SET_DEFAULT_THRESHOLD: Final = _function("setDefaultThreshold")
_SET_THRESHOLD: Final = _function("setThreshold")
_PROPOSAL: Final = _function("proposal")
_PROPOSAL_COUNT: Final = _function("proposalCount")
_VOTERS: Final = _function("voters")
_CHOICE_OF: Final = _function("choiceOf")
_TOTAL_VOTES: Final = _function("totalVotes")
_VOTES_OF: Final = _function("votesOf")
_THRESHOLD_OF: Final = _function("thresholdOf")

# ---- calldata -----------------------------------------------------------------------------------
# All raise `CalldataValueError` or `OrganisationIdError` for what does not fit.


def propose(calls: Sequence[Call], text: str, lifetime_s: int = 0) -> bytes:
    """Propose calls, which says yes for the proposer; a lifetime of 0 is fourteen days."""
    _check_proposal(calls, text)
    if not 0 <= lifetime_s <= LIFETIME_MAX_S:
        raise CalldataValueError(
            f"a lifetime of {lifetime_s} s is not within 1 to {LIFETIME_MAX_S}"
        )
    return _PROPOSE.calldata(_tuples(calls), text, lifetime_s)


def propose_and_execute(calls: Sequence[Call], text: str) -> bytes:
    """Propose and execute in one transaction, for who has enough votes alone."""
    _check_proposal(calls, text)
    return _PROPOSE_AND_EXECUTE.calldata(_tuples(calls), text)


def vote(proposal: int, choice: Choice) -> bytes:
    """Say yes or no for the sender's organisation."""
    return _VOTE.calldata(proposal, int(choice))


def execute(proposal: int, calls: Sequence[Call]) -> bytes:
    """Make the calls of a proposal that has passed."""
    return _EXECUTE.calldata(proposal, _tuples(calls))


def withdraw(proposal: int) -> bytes:
    """Take a proposal of the sender's organisation back."""
    return _WITHDRAW.calldata(proposal)


def set_votes(organisation: str, votes: int) -> bytes:
    """Give an organisation a weight; 0 takes it. For a proposal."""
    if not 0 <= votes <= VOTES_MAX:
        raise CalldataValueError(f"{votes} votes are not within 0 to {VOTES_MAX}")
    return _SET_VOTES.calldata(organisation_id_word(organisation), votes)


def set_default_threshold(threshold: Threshold) -> bytes:
    """Change the share that functions without one of their own need. For a proposal."""
    check_threshold(threshold)
    return _SET_DEFAULT_THRESHOLD.calldata(_share(threshold))


def set_threshold(target: Address, selector: bytes, threshold: Threshold | None) -> bytes:
    """Give a function a share of its own; None takes it. For a proposal."""
    if threshold is not None:
        check_threshold(threshold)
    share = _share(threshold) if threshold else (0, 0)
    return _SET_THRESHOLD.calldata(target, selector, share)


def check_threshold(threshold: Threshold) -> None:
    """Raises `CalldataValueError` unless it is above one half and at most one."""
    n, d = threshold.numerator, threshold.denominator
    if not (1 <= n <= d <= DENOMINATOR_MAX and 2 * n > d):
        raise CalldataValueError(
            f"threshold {n}/{d}: above one half, at most one, with a denominator of at most "
            f"{DENOMINATOR_MAX}"
        )


def content_hash(calls: Sequence[Call]) -> Hash32:
    """What the contract keeps of a proposal's calls."""
    return Hash32(keccak(encode(["(address,bytes)[]"], [_tuples(calls)])))


def _check_proposal(calls: Sequence[Call], text: str) -> None:
    if not 1 <= len(calls) <= CALLS_MAX:
        raise CalldataValueError(f"a proposal has 1 to {CALLS_MAX} calls, not {len(calls)}")
    size = sum(len(call.data) for call in calls)
    if size > CALLS_BYTES_MAX:
        raise CalldataValueError(f"the calls have {size} bytes; at most {CALLS_BYTES_MAX} go")
    if len(text.encode()) > TEXT_BYTES_MAX:
        raise CalldataValueError(f"the text is longer than {TEXT_BYTES_MAX} bytes")


def _tuples(calls: Sequence[Call]) -> list[tuple[Address, bytes]]:
    return [(call.target, call.data) for call in calls]


def _share(threshold: Threshold) -> tuple[int, int]:
    return threshold.numerator, threshold.denominator


# ---- answers ------------------------------------------------------------------------------------


def proposal_calldata(proposal: int) -> bytes:
    """Calldata of `proposal`, to be called, not sent."""
    return _PROPOSAL.calldata(proposal)


def decode_proposal(output: bytes) -> Summary | None:
    """Answer of `proposal`; None where there is no such proposal. Raises `CalldataError`."""
    (fields,) = _PROPOSAL.result(output)
    state, organisation, block_number, created, expires, content, tally, required = fields
    if state == 0:
        return None
    try:
        return Summary(
            state=State(state),
            organisation=organisation_id_text(organisation),
            block_number=block_number,
            created=created,
            expires=expires,
            content_hash=Hash32(content),
            tally=Tally(*tally),
            required=Threshold(*required),
        )
    except (OrganisationIdError, ValueError) as error:
        raise CalldataError(f"result of proposal: {error}") from error


def proposal_count_calldata() -> bytes:
    """Calldata of `proposalCount`, to be called, not sent."""
    return _PROPOSAL_COUNT.calldata()


def decode_proposal_count(output: bytes) -> int:
    """How many proposals there are. Raises `CalldataError`."""
    return int(_PROPOSAL_COUNT.result(output)[0])


def voters_calldata() -> bytes:
    """Calldata of `voters`, to be called, not sent."""
    return _VOTERS.calldata()


def decode_voters(output: bytes) -> dict[str, int]:
    """Weights by organisation, whether they count now or not. Raises `CalldataError`."""
    organisations, votes = _VOTERS.result(output)
    try:
        names = [organisation_id_text(word) for word in organisations]
        return dict(zip(names, votes, strict=True))
    except ValueError as error:
        raise CalldataError(f"result of voters: {error}") from error


def choice_of_calldata(proposal: int, organisation: str) -> bytes:
    """Calldata of `choiceOf`, to be called, not sent."""
    return _CHOICE_OF.calldata(proposal, organisation_id_word(organisation))


def decode_choice_of(output: bytes) -> Choice | None:
    """What the organisation said last; None where nothing. Raises `CalldataError`."""
    (choice,) = _CHOICE_OF.result(output)
    try:
        return Choice(choice) if choice else None
    except ValueError as error:
        raise CalldataError(f"result of choiceOf: {error}") from error


def total_votes_calldata() -> bytes:
    """Calldata of `totalVotes`, to be called, not sent."""
    return _TOTAL_VOTES.calldata()


def decode_total_votes(output: bytes) -> int:
    """Sum of all weights that count. Raises `CalldataError`."""
    return int(_TOTAL_VOTES.result(output)[0])


def votes_of_calldata(organisation: str) -> bytes:
    """Calldata of `votesOf`, to be called, not sent."""
    return _VOTES_OF.calldata(organisation_id_word(organisation))


def decode_votes_of(output: bytes) -> int:
    """Weight that counts: 0 unless the organisation is active. Raises `CalldataError`."""
    return int(_VOTES_OF.result(output)[0])


def threshold_of_calldata(target: Address, selector: bytes) -> bytes:
    """Calldata of `thresholdOf`, to be called, not sent."""
    return _THRESHOLD_OF.calldata(target, selector)


def decode_threshold_of(output: bytes) -> Threshold:
    """What a call of that function needs. Raises `CalldataError`."""
    ((numerator, denominator),) = _THRESHOLD_OF.result(output)
    return Threshold(numerator, denominator)


# ---- logs ---------------------------------------------------------------------------------------


def decode_log(log: Log) -> GovernanceEvent:
    """The event in a log of the contract. Raises `LogError` where it is none of its events."""
    return _EVENTS.decode(log)


def _proposal_made(values: Values) -> GovernanceEvent:
    return ProposalMade(
        id=values["id"],
        organisation=organisation_id_text(values["organisation"]),
        by=address_of(values["by"]),
        calls=tuple(Call(address_of(target), data) for target, data in values["calls"]),
        text=values["text"],
        expires=values["expires"],
    )


def _voted(values: Values) -> GovernanceEvent:
    organisation = organisation_id_text(values["organisation"])
    return Voted(values["id"], organisation, address_of(values["by"]), Choice(values["choice"]))


def _executed(values: Values) -> GovernanceEvent:
    return ProposalExecuted(values["id"], address_of(values["by"]))


def _withdrawn(values: Values) -> GovernanceEvent:
    return ProposalWithdrawn(values["id"], address_of(values["by"]))


def _votes_changed(values: Values) -> GovernanceEvent:
    return VotesChanged(organisation_id_text(values["organisation"]), values["votes"])


def _default_changed(values: Values) -> GovernanceEvent:
    return DefaultThresholdChanged(Threshold(values["numerator"], values["denominator"]))


def _threshold_changed(values: Values) -> GovernanceEvent:
    threshold = Threshold(values["numerator"], values["denominator"])
    target = address_of(values["target"])
    return ThresholdChanged(
        target, values["selector"], threshold if threshold.denominator else None
    )


_EVENTS: Final = LogDecoder[GovernanceEvent](
    GOVERNANCE_ARTIFACT,
    ProposalMade=_proposal_made,
    Voted=_voted,
    ProposalExecuted=_executed,
    ProposalWithdrawn=_withdrawn,
    VotesChanged=_votes_changed,
    DefaultThresholdChanged=_default_changed,
    ThresholdChanged=_threshold_changed,
)

PROPOSAL_TOPICS: Final = tuple(
    EventKind.of(GOVERNANCE_ARTIFACT, name).topic
    for name in ("ProposalMade", "Voted", "ProposalExecuted", "ProposalWithdrawn")
)
"""`topics[0]` of the events of one proposal, whose number is `topics[1]`."""
