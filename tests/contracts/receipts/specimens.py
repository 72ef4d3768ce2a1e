"""A receipt in any state and under any burden: written straight into the contract's storage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

from contracts.consortium import organisation_id_word
from contracts.genesis import PLEDGES_ADDRESS, RECEIPTS_ADDRESS, SETTLEMENT_ADDRESS
from contracts.receipts import MACHINE, Purpose
from contracts.receipts.genesis import RECEIPTS_ARTIFACT
from contracts.storage import Layout
from ledger.state.keccak import keccak
from ledger.types import Hash32
from tests.contracts import scene
from tests.contracts.receipts.world import DAY, World, hash_of

BURDENS: Final = ("pledged", "permitted", "frozen", "locked")
LAYOUT: Final = Layout.of(RECEIPTS_ARTIFACT)
place_of = cache(LAYOUT.place)
QUANTITY: Final = 10_000
REQUESTED: Final = 1_000
PURPOSES: Final = {
    "award": Purpose.DELIVERY,
    "shred": Purpose.DELIVERY,
    "cancel": Purpose.CORRECTION,
    "replace": Purpose.CORRECTION,
    "to-paper": Purpose.PAPER,
}
REJECTABLE: Final = {"reject-ownership": 1, "reject-holding": 2, "reject-both": 3}


call_of = partial(scene.call_of, RECEIPTS_ARTIFACT)


@dataclass(frozen=True, slots=True)
class Specimen:
    """How the receipt stands."""

    state: str
    burden: str = "plain"
    owner: str = "farm"
    """The holder is the farm."""

    @property
    def pledged(self) -> bool:
        return self.burden in ("pledged", "permitted")


@dataclass
class Cabinet:
    """A world with two receipts of the farm's, the first of them pledged to the bank."""

    world: World
    id: Hash32
    other: Hash32

    @classmethod
    def filled(cls) -> Cabinet:
        world = World.founded()
        cabinet = cls(world, world.issue(QUANTITY), world.issue(QUANTITY))
        world.pledged(cabinet.id)
        return cabinet

    @contextmanager
    def showing(self, specimen: Specimen, act: str, call: bytes, by: str) -> Iterator[None]:
        """While this lasts, the receipt is as the specimen says, and ready for the act."""
        state = self.world.chain.state
        slots = {address: dict(words) for address, words in state.slots.items()}
        accounts, root = dict(state.accounts), state.root
        try:
            self._write(specimen, act, call, by)
            yield
        finally:
            state.slots, state.accounts, state.root = slots, accounts, root

    def _write(self, specimen: Specimen, act: str, call: bytes, by: str) -> None:
        control = ("_controls", bytes(self.id))
        entry = ("_entries", bytes(self.id))
        revision = 7
        self._set(*control, "state", value=MACHINE.states.index(specimen.state))
        self._set(*control, "revision", value=revision)
        self._set(*entry, "owner", value=organisation_id_word(specimen.owner))
        self._set(
            "_entries", bytes(self.other), "owner", value=organisation_id_word(specimen.owner)
        )
        self._set(*entry, "purpose", value=int(PURPOSES.get(act, Purpose.NONE)))
        self._set(*entry, "rejectable", value=REJECTABLE.get(act, 0))
        self._set(*entry, "rejectableRevision", value=revision)
        self._set(*entry, "formerHolder", value=organisation_id_word("trader"))
        self._set(*entry, "formerOwner", value=organisation_id_word("trader"))
        self._set(*entry, "nominee", value=organisation_id_word("trader"))
        self._set(*entry, "requested", value=REQUESTED if act == "deliver" else 0)
        if act == "expire":
            self._set(*entry, "expires", value=self.world.chain.time - DAY)
        self._burden(specimen, act, call, by)

    def _burden(self, specimen: Specimen, act: str, call: bytes, by: str) -> None:
        control = ("_controls", bytes(self.id))
        if not specimen.pledged:
            self._set(*control, "pledgee", value=0)
        if specimen.burden == "permitted":
            self._set(*control, "permit", value=keccak(call))
        if specimen.burden == "frozen":
            # By whoever is to thaw or award it, otherwise by somebody else.
            authority = by if act in ("unfreeze", "award") else "weighers"
            self._set(*control, "freezes", value=1)
            self._set("_frozenBy", bytes(self.id), organisation_id_word(authority), value=1)
        if specimen.burden == "locked":
            self._set(*control, "locked", value=1)
            self._set("_lockedBy", bytes(self.id), value=bytes(SETTLEMENT_ADDRESS))

    def _set(self, label: str, *path: str | bytes, value: int | bytes) -> None:
        place = place_of(label, *path)
        size = int(LAYOUT.types[place.type]["numberOfBytes"])
        number = int.from_bytes(value, "big") if isinstance(value, bytes) else value
        words = self.world.chain.state.slots[RECEIPTS_ADDRESS]
        mask = ((1 << (8 * size)) - 1) << (8 * place.offset)
        word = words.get(place.slot, 0) & ~mask | number << (8 * place.offset)
        words[place.slot] = word


CONTRACTS: Final = {"pledges": PLEDGES_ADDRESS, "settlement": SETTLEMENT_ADDRESS}
PAPER: Final = hash_of("paper")
