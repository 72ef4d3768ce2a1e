"""Bundles and item answers as bytes: built once, kept while there is room."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import orjson
from sqlalchemy import Connection

from api.cache import ByteCache
from api.formats import timestamp
from api.services import Services
from api.trusting import current_trust
from api.waiting import wait_for_members
from contracts.consortium import find_organisations
from contracts.consortium.types import Organisation
from ledger.projection import read_transaction
from traceability.bundle import build_bundle, choose_checkpoint
from traceability.query import (
    Journey,
    JourneyEvent,
    StoredEvent,
    journey,
    names_something_within,
)

UNKNOWN_ROLE: Final = "unknown"


class Prover:
    """Answers with proofs. For the event loop: not thread-safe, and quick (indexed reads only).

    A bundle stays right for ever: it leads to the checkpoint that it carries, which later ones
    only extend. An item's answer is right for one block, because new events may belong to it.
    Neither is kept while too few members have signed a checkpoint that covers it.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._trust = services.trust
        self._trust_json = orjson.dumps(services.trust.fields())
        self._bundles = ByteCache(services.settings.bundle_cache_bytes_max)
        self._answers = ByteCache(services.settings.answer_cache_bytes_max)
        self._answers_block = -1
        self._organisations: dict[str, Organisation] = {}

    def bundle(self, event: StoredEvent) -> tuple[bytes, bool]:
        """The bundle's JCS bytes, without the newline that ends a file.

        Also whether as many members have signed as the trust file asks for: only then is it kept.
        Raises `NotProvableYet`.
        """
        # The place, not the event: each organisation's anchoring has a bundle of its own.
        key = (event.leaf_index, event.batch_index)
        known = self._bundles.get(key)
        if known is not None:
            return known, True
        ledger = self._services.ledger
        note, enough = choose_checkpoint(ledger.log, event.leaf_index, self._services.trust)
        made = build_bundle(event, ledger, note).json()
        if enough:
            self._bundles.put(key, made)
        return made, enough

    async def waited_bundle(self, event: StoredEvent, wait_s: float) -> tuple[bytes, bool]:
        """The same; of what was just recorded after a moment's wait for the members."""
        await wait_for_members(self._services, (event,), wait_s)
        return self.bundle(event)

    async def item(self, link: str) -> bytes | None:
        """The item answer (docs/proof-format.md section 7); None if nothing is known of it.

        `link` is a Digital Link of the item, with its lot if that is known. Where something was
        just recorded of it, a moment is waited for the members' signatures. Raises
        `NotProvableYet`.
        """
        known = self._known(link)
        if known is not None:
            return known
        found = self._journey(link)
        events = [step.event for step in found.events]
        if await wait_for_members(self._services, events, self._services.settings.witness_wait_s):
            self._known(link)  # there may be another block meanwhile
            found = self._journey(link)
        if not found.events:
            return None
        answer, enough = self._encode(found)
        if enough:
            self._answers.put(link, answer)
        return answer

    def _known(self, link: str) -> bytes | None:
        """The answer as of the last projected block, where it was made already."""
        block_number = self._services.projector.block_number
        if block_number != self._answers_block:
            self._answers.clear()
            self._organisations.clear()
            self._answers_block = block_number
        return self._answers.get(link)

    def _journey(self, link: str) -> Journey:
        with read_transaction(self._services.engine) as connection:
            found = journey(connection, link, events_max=self._services.settings.journey_length_max)
            self._learn(connection, (step.event.organisation for step in found.events))
            trust = current_trust(self._services, connection)
        if trust != self._trust:
            self._trust, self._trust_json = trust, orjson.dumps(trust.fields())
        return found

    def knows_items_of(self, gtin: str) -> bool:
        """Whether events name items or lots of a GTIN (14 digits)."""
        with read_transaction(self._services.engine) as connection:
            return names_something_within(connection, f"https://id.gs1.org/01/{gtin}")

    def _encode(self, found: Journey) -> tuple[bytes, bool]:
        bundles = [self.bundle(step.event) for step in found.events]
        pairs = zip(found.events, bundles, strict=True)
        answer = b"".join(
            (
                b'{"epc":',
                orjson.dumps(found.epc),
                b',"trust":',
                self._trust_json,
                b',"journey":[',
                b",".join(self._step(step, bundle) for step, (bundle, _) in pairs),
                b'],"truncated":true}' if found.truncated else b'],"truncated":false}',
            )
        )
        return answer, all(enough for _, enough in bundles)

    def _step(self, step: JourneyEvent, bundle: bytes) -> bytes:
        event = step.event
        head = orjson.dumps(
            {
                "eventID": event.event_id,
                "relation": step.relation.value,
                "about": step.about,
                "recordTime": timestamp(event.record_time),
                "organisation": self._organisation(event.organisation),
            }
        )
        return b'%b,"bundle":%b}' % (head[:-1], bundle)

    def _learn(self, connection: Connection, ids: Iterable[str]) -> None:
        missing = set(ids) - self._organisations.keys()
        if missing:
            self._organisations.update(find_organisations(connection, missing))

    def _organisation(self, organisation: str) -> dict[str, str]:
        known = self._organisations.get(organisation)
        if known is None:
            return {"id": organisation, "name": organisation, "nameZh": "", "role": UNKNOWN_ROLE}
        return {
            "id": known.id,
            "name": known.profile.name,
            "nameZh": known.profile.name_zh,
            "role": known.role.name.lower(),
        }
