"""Proposals through a node's JSON-RPC: made, voted on, executed, read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from contracts import consortium, governance, network
from contracts.genesis import CONSORTIUM_ADDRESS, GOVERNANCE_ADDRESS, NETWORK_ADDRESS
from contracts.governance import Call, Choice, ProposalMade, State, Summary
from ledger.crypto import AccountSigner
from ledger.types import Address, Hash32, Log
from nodes.proposals.errors import ActionInvalid, CallRefused, ProposalError
from nodes.proposals.rpc import RpcClient
from nodes.proposals.trial import would_fail

APPEARS_S: Final = 4.0
"""How long a proposal is waited for that the node does not have: it may be a block behind."""
PREFIX_MIN: Final = 6
"""A node may be named by the beginning of its id, this long at least."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A proposal: what the contract says of it now, and what was proposed."""

    id: int
    summary: Summary
    made: ProposalMade
    votes: tuple[tuple[str, Choice], ...]
    """What voters have said, by organisation."""


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a transaction that proposed, voted or executed."""

    proposal: int
    state: State
    transaction: str
    """Hash of the last transaction, 0x and hex."""
    trouble: str = ""
    """Why what has passed could not be executed as well. Empty: it was, or was not tried."""


class ProposalClient:
    """Reads and moves proposals. Implements `ActionContext`."""

    def __init__(self, rpc: RpcClient, origin: str = "") -> None:
        self._rpc = rpc
        self.origin = origin

    # ---- reading --------------------------------------------------------------------------------

    def count(self) -> int:
        """How many proposals there are; their numbers begin with 1."""
        output = self._rpc.call(GOVERNANCE_ADDRESS, governance.proposal_count_calldata())
        if not output:
            raise ProposalError("this ledger has no Governance contract: it was founded before")
        return governance.decode_proposal_count(output)

    def summary(self, proposal: int) -> Summary:
        """What the contract says. Raises `ProposalError` where there is no such proposal.

        One that was just made at another member's node is waited for.
        """
        deadline = time.monotonic() + APPEARS_S
        while True:
            output = self._rpc.call(GOVERNANCE_ADDRESS, governance.proposal_calldata(proposal))
            found = governance.decode_proposal(output) if output else None
            if found is not None:
                return found
            if time.monotonic() > deadline:
                raise ProposalError(f"there is no proposal {proposal}")
            time.sleep(APPEARS_S / 20)

    def show(self, proposal: int) -> Shown:
        """All of a proposal. Raises `ProposalError`."""
        summary = self.summary(proposal)
        return Shown(proposal, summary, self._made_in(proposal, summary), self._said(proposal))

    def _made_in(self, proposal: int, summary: Summary) -> ProposalMade:
        query = {
            "address": f"0x{GOVERNANCE_ADDRESS.hex()}",
            "fromBlock": hex(summary.block_number),
            "toBlock": hex(summary.block_number),
            "topics": [
                [f"0x{topic.hex()}" for topic in governance.PROPOSAL_TOPICS],
                f"0x{proposal:064x}",
            ],
        }
        for raw in self._rpc.ask("eth_getLogs", query):
            event = governance.decode_log(_log(raw))
            if isinstance(event, ProposalMade):
                if governance.content_hash(event.calls) != summary.content_hash:
                    raise ProposalError(
                        f"the node tells other calls of proposal {proposal} than the contract "
                        "keeps: do not vote by it, ask another node"
                    )
                return event
        raise ProposalError(f"the node does not have the log of proposal {proposal}")

    def _said(self, proposal: int) -> tuple[tuple[str, Choice], ...]:
        """What those who vote now have said; one question each, and they are 128 at most."""
        voters = governance.decode_voters(
            self._rpc.call(GOVERNANCE_ADDRESS, governance.voters_calldata())
        )
        said = []
        for organisation in sorted(voters):
            data = governance.choice_of_calldata(proposal, organisation)
            choice = governance.decode_choice_of(self._rpc.call(GOVERNANCE_ADDRESS, data))
            if choice is not None:
                said.append((organisation, choice))
        return tuple(said)

    def organisation_of(self, account: Address) -> str | None:
        """The organisation that an account may vote for."""
        data = consortium.administers_calldata(account)
        output = self._rpc.call(CONSORTIUM_ADDRESS, data)
        return consortium.decode_administers(output) if output else None

    def votes_of(self, organisation: str) -> int:
        """Its weight, as it counts now."""
        output = self._rpc.call(GOVERNANCE_ADDRESS, governance.votes_of_calldata(organisation))
        return governance.decode_votes_of(output) if output else 0

    def node_named(self, text: str) -> bytes:
        """Id of the node of that label, id, or beginning of an id. Raises `ActionInvalid`."""
        output = self._rpc.call(NETWORK_ADDRESS, network.node_ids_calldata())
        ids = network.decode_node_ids(output) if output else ()
        found = {node for node in ids if len(text) >= PREFIX_MIN and node.hex().startswith(text)}
        found |= {node for node in ids if self._label(node) == text}
        if len(found) != 1:
            known = ", ".join(f"{self._label(node)} ({node.hex()[:12]})" for node in ids) or "none"
            problem = "no node is" if not found else "more than one node is"
            raise ActionInvalid(f"{problem} named {text[:60]!r}; there are: {known}")
        return found.pop()

    def _label(self, node: bytes) -> str:
        """The last part of the name in its witness key, `<origin>/<label>`."""
        output = self._rpc.call(NETWORK_ADDRESS, network.node_calldata(node))
        found = network.decode_node(node, output)
        name = found[0].contact.witness_key.partition("+")[0] if found else ""
        return name.rpartition("/")[2]

    # ---- moving ---------------------------------------------------------------------------------

    def propose(
        self,
        signer: AccountSigner,
        calls: Sequence[Call],
        text: str,
        lifetime_s: int = 0,
        *,
        execute: bool = True,
    ) -> Made:
        """Propose; where the proposer's votes suffice, execute in the same transaction.

        Raises `CallRefused` with the contract's reason.
        """
        at_once = governance.propose_and_execute(calls, text)
        if execute and self._suffices(signer, at_once):
            receipt = self._send(signer, at_once)
        else:
            receipt = self._send(signer, governance.propose(calls, text, lifetime_s))
        return self._made(self._number_in(receipt), receipt)

    def vote(
        self, signer: AccountSigner, proposal: int, choice: Choice, *, execute: bool = True
    ) -> Made:
        """Vote, and execute where that made it pass.

        The vote counts also where executing is refused: that is told as `trouble`.
        """
        receipt = self._send(signer, governance.vote(proposal, choice))
        made = self._made(proposal, receipt)
        if not execute or made.state is not State.PASSED:
            return made
        try:
            return self.execute(signer, proposal)
        except CallRefused as refused:
            # Somebody else may have been faster; the summary says.
            again = self._made(proposal, receipt)
            return replace(again, trouble=str(refused)) if again.state is State.PASSED else again

    def execute(self, signer: AccountSigner, proposal: int) -> Made:
        """Make the calls of a proposal that has passed. Raises `CallRefused`."""
        shown = self.show(proposal)
        receipt = self._send(signer, governance.execute(proposal, shown.made.calls))
        return self._made(proposal, receipt)

    def withdraw(self, signer: AccountSigner, proposal: int) -> Made:
        """Take a proposal of one's own back."""
        return self._made(proposal, self._send(signer, governance.withdraw(proposal)))

    def would_fail(self, calls: Sequence[Call]) -> str | None:
        """Why executing the calls, all together, would be refused now; None where it would not."""
        return would_fail(self._rpc, calls)

    def check(self, calls: Sequence[Call]) -> None:
        """Raises `ProposalError` where executing the calls would be refused as things are."""
        trouble = self.would_fail(calls)
        if trouble is not None:
            raise ProposalError(
                f"nothing is proposed: as things are, executing it would be refused: {trouble}"
            )

    def _suffices(self, signer: AccountSigner, at_once: bytes) -> bool:
        """Whether the signer's organisation decides alone; then a failure is told as such."""
        organisation = self.organisation_of(signer.address)
        output = self._rpc.call(GOVERNANCE_ADDRESS, governance.total_votes_calldata())
        total = governance.decode_total_votes(output)
        if organisation is not None and self.votes_of(organisation) == total:
            return True
        try:
            self._rpc.call(GOVERNANCE_ADDRESS, at_once, signer.address)
        except CallRefused:
            return False
        return True

    def _send(self, signer: AccountSigner, data: bytes) -> dict[str, Any]:
        return self._rpc.send(signer, GOVERNANCE_ADDRESS, data)

    def _made(self, proposal: int, receipt: dict[str, Any]) -> Made:
        return Made(proposal, self.summary(proposal).state, str(receipt["transactionHash"]))

    def _number_in(self, receipt: dict[str, Any]) -> int:
        for raw in receipt["logs"]:
            log = _log(raw)
            if log.address == GOVERNANCE_ADDRESS and log.topics[0] in governance.PROPOSAL_TOPICS:
                event = governance.decode_log(log)
                if isinstance(event, ProposalMade):
                    return event.id
        raise ProposalError(f"transaction {receipt['transactionHash']} made no proposal")


def _log(raw: dict[str, Any]) -> Log:
    return Log(
        Address(bytes.fromhex(raw["address"][2:])),
        tuple(Hash32(bytes.fromhex(topic[2:])) for topic in raw["topics"]),
        bytes.fromhex(raw["data"][2:]),
    )
