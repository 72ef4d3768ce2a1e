"""A member's node that lies when it proposes: `python -m … node start DIR` like `tally`.

Everything else in it is our own node. What it lies with and where it notes its lies is told by the
environment, as JSON: {"key": private key of its own account, "chainId": …, "notes": file}.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from eth_account import Account

from ledger.consensus.cometbft import abci_pb2 as pb
from ledger.consensus.cometbft.application import Application
from nodes.cli import main
from tests.acceptance.consortium.load import sign

VARIABLE = "TALLY_TEST_LIES"
_BURN = "0x000000000000000000000000000000000000dEaD"
_STRANGER = Account.from_key("0x" + "57" * 32)
Lie = Callable[[list[bytes]], list[bytes]]


class Liar:
    """Puts one thing into each proposal that may not be in a block."""

    def __init__(self, key: str, chain_id: int, notes: Path) -> None:
        self._own = Account.from_key(key)
        self._chain_id = chain_id
        self._notes = notes
        self._count = 0
        self._past: list[bytes] = []
        self.last: list[bytes] = []
        """The proposal lied with last."""

    def lies(self) -> dict[str, Lie]:
        """By name; each is given the honest proposal, which has at least one transaction."""
        return {
            "unpermitted": lambda raws: [*raws, self._signed(_STRANGER)],
            "garbage": lambda raws: [*raws, b"\x02garbage"],
            "empty": lambda raws: [*raws, b""],
            "forged": lambda raws: [*raws[:-1], raws[-1][:-1] + bytes([raws[-1][-1] ^ 1])],
            "twice": lambda raws: [*raws, raws[0]],
            "replayed": lambda raws: [self._past[0], *raws],
            "nonce gap": lambda raws: [*raws, self._signed(self._own, nonce=1 << 32)],
            "other chain": lambda raws: [*raws, self._signed(self._own, chain_id=1)],
            "gas over the block's": lambda raws: [*raws, self._signed(self._own, gas=1 << 40)],
            "too large": lambda raws: [*raws, self._signed(self._own, data=bytes(1_100_000))],
            "too little gas": lambda raws: [*raws, self._signed(self._own, gas=20_000)],
            "unpermitted first": lambda raws: [self._signed(_STRANGER), *raws],
        }

    def lie(self, honest: list[bytes]) -> list[bytes]:
        """The next lie, noted."""
        if not self._past:
            self._past = honest[:1]
            return honest
        lies = self.lies()
        name = list(lies)[self._count % len(lies)]
        self._count += 1
        with self._notes.open("a") as file:
            file.write(f"{name}\n")
        self.last = lies[name](honest)
        return self.last

    def _signed(
        self,
        account: object,
        *,
        nonce: int = 0,
        chain_id: int | None = None,
        gas: int = 100_000,
        data: bytes = b"",
    ) -> bytes:
        chosen = self._chain_id if chain_id is None else chain_id
        return bytes.fromhex(sign(account, chosen, nonce, gas, to=_BURN, data=data).raw[2:])


def lie_when_proposing(liar: Liar) -> None:
    """Patch the application of this process."""
    prepare, process = Application.prepare_proposal, Application.process_proposal

    def prepare_and_lie(
        self: Application, request: pb.RequestPrepareProposal
    ) -> pb.ResponsePrepareProposal:
        honest = list(prepare(self, request).txs)
        return pb.ResponsePrepareProposal(txs=liar.lie(honest) if honest else honest)

    def vote_for_own_lies(
        self: Application, request: pb.RequestProcessProposal
    ) -> pb.ResponseProcessProposal:
        if liar.last and list(request.txs) == liar.last:
            return pb.ResponseProcessProposal(status=pb.ResponseProcessProposal.ACCEPT)
        return process(self, request)

    Application.prepare_proposal = prepare_and_lie  # type: ignore[method-assign]
    Application.process_proposal = vote_for_own_lies  # type: ignore[method-assign]


if __name__ == "__main__":
    told = json.loads(os.environ[VARIABLE])
    lie_when_proposing(Liar(told["key"], told["chainId"], Path(told["notes"])))
    main()
