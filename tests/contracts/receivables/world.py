"""Members who owe each other money, on a chain in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from eth_abi.abi import decode

from contracts.consortium import Founder, Profile, Role
from contracts.directory import add_version
from contracts.genesis import DIRECTORY_ADDRESS, PLEDGES_ADDRESS, RECEIVABLES_ADDRESS
from contracts.receivables import (
    Draft,
    Endorsement,
    Kind,
    Receivable,
    create_calldata,
    decode_endorsements_of,
    decode_receivable,
    endorsements_of_calldata,
    receivable_calldata,
    receivable_id,
)
from ledger.state.keccak import keccak
from ledger.types import Address, Hash32, Receipt
from tests.contracts.scene import CHAIN_ID, Key, MemoryChain, entries, error_of, govern, key

MEMBERS: Final = {
    "operator": Role.OPERATOR,
    "supplier": Role.MANUFACTURER,
    "maker": Role.MANUFACTURER,
    "tier-two": Role.MANUFACTURER,
    "tier-three": Role.CARRIER,
    "carrier": Role.CARRIER,
    "bank": Role.BANK,
    "other-bank": Role.BANK,
    "regulator": Role.REGULATOR,
    "court": Role.ARBITRATOR,
}
KEYS: Final = {name: key(number) for number, name in enumerate(MEMBERS, 1)}
DAY: Final = 86_400
DOCUMENT: Final = Hash32(b"\x0d" * 32)
DECISION: Final = Hash32(b"\x0e" * 32)


def forwarder(target: Address) -> bytes:
    """Creation code of a contract that passes every call on to `target`, as Settlement would."""
    body = bytes.fromhex("365f5f375f5f365f5f73") + target + bytes.fromhex("5af13d5f5f3e60")
    end = len(body) + 1 + 4
    code = body + bytes([end]) + bytes.fromhex("573d5ffd5b3d5ff3")
    return bytes.fromhex(f"60{len(code):02x}8060095f395ff3") + code


def hash_of(text: str) -> Hash32:
    return Hash32(keccak(text.encode()))


def founders() -> list[Founder]:
    return [
        Founder(name, role, Profile(name.title()), (KEYS[name].address,))
        for name, role in MEMBERS.items()
    ]


@dataclass
class World:
    """The chain, and stand-ins at two names that move no deposits."""

    chain: MemoryChain
    settlement: Address = field(default=Address(bytes(20)))
    financing: Address = field(default=Address(bytes(20)))
    keys: dict[Hash32, Hash32] = field(default_factory=dict)
    """Pledges by what they cover."""

    @classmethod
    def founded(cls) -> World:
        chain = MemoryChain.of(entries(founders(), votes={"operator": 1}))
        places = {}
        for name in ("settlement", "financing"):
            made = chain.send(KEYS["operator"], None, forwarder(RECEIVABLES_ADDRESS))
            assert made.contract_address is not None
            places[name] = made.contract_address
        calls = [(DIRECTORY_ADDRESS, add_version(name, place)) for name, place in places.items()]
        assert govern(chain, *calls, by=KEYS["operator"]).status == 1
        return cls(chain, places["settlement"], places["financing"])

    @property
    def now(self) -> int:
        return self.chain.time

    def wait_until(self, time: int) -> None:
        """The next block's time is at least this."""
        self.chain.number += max(0, time - self.chain.time - 1)

    def act(self, by: str, calldata: bytes) -> Receipt:
        """A member's call; it must go well."""
        receipt = self.attempt(by, calldata)
        assert receipt.status == 1, self.refusal(by, calldata)
        return receipt

    def attempt(self, by: str, calldata: bytes) -> Receipt:
        to = self.settlement if by == "settlement" else RECEIVABLES_ADDRESS
        sender = KEYS["operator"] if by == "settlement" else KEYS[by]
        return self.chain.send(sender, to, calldata)

    def refusal(self, by: str, calldata: bytes) -> str | None:
        """The error with which a call would end; None where it would go well."""
        to = self.settlement if by == "settlement" else RECEIVABLES_ADDRESS
        sender: Key = KEYS["operator"] if by == "settlement" else KEYS[by]
        self.chain.number += 1  # a call is made in the next block, as a transaction would be
        try:
            result = self.chain.call(sender.address, to, calldata)
        finally:
            self.chain.number -= 1
        return error_of(result)

    def pledges(self, by: str, calldata: bytes) -> Receipt:
        receipt = self.chain.send(KEYS[by], PLEDGES_ADDRESS, calldata)
        assert receipt.status == 1
        return receipt

    def get(self, id_: Hash32) -> Receivable:
        found = self.find(id_)
        assert found is not None
        return found

    def find(self, id_: Hash32) -> Receivable | None:
        return decode_receivable(self.answer(receivable_calldata(id_)))

    def chain_of(self, id_: Hash32) -> tuple[Endorsement, ...]:
        return decode_endorsements_of(self.answer(endorsements_of_calldata(id_)))

    def answer(self, calldata: bytes, to: Address = RECEIVABLES_ADDRESS) -> bytes:
        result = self.chain.call(KEYS["operator"].address, to, calldata)
        assert not result.reverted
        return result.output

    def create(self, draft: Draft, by: str = "supplier") -> Hash32:
        self.act(by, create_calldata(draft))
        return receivable_id(CHAIN_ID, by, draft.number)


def invoice(world: World, number: str = "INV-1", **changes: object) -> Draft:
    """The supplier's invoice to the maker, due in thirty days."""
    draft = Draft(
        kind=Kind.INVOICE,
        number=number,
        creditor="supplier",
        debtor="maker",
        terms=hash_of("terms"),
        amount=1_000_00,
        currency="CNY",
        due=world.now + 30 * DAY,
        grace_seconds=3 * DAY,
        keys=(hash_of(f"key {number}"),),
    )
    return replace(draft, **changes)  # type: ignore[arg-type]


def order(world: World, number: str = "PO-1", **changes: object) -> Draft:
    """The maker's order at the supplier, to be delivered in ten days."""
    more = {"kind": Kind.ORDER, "deliver_by": world.now + 10 * DAY, "attestor": "carrier"}
    return invoice(world, number, **{**more, **changes})


def bill(world: World, number: str = "BILL-1", **changes: object) -> Draft:
    """A bill on the maker, which a third member draws for the supplier."""
    return invoice(world, number, **{"kind": Kind.BILL, "keys": (), **changes})


def words_of(output: bytes, *types: str) -> tuple[object, ...]:
    return tuple(decode(list(types), output))
