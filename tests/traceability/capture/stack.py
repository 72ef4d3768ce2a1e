"""A whole node in one process, as the tests of capture and of the API use it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Engine

from contracts import consortium
from contracts.consortium.types import Founder, Profile, Role, Status
from contracts.founding import consortium_alloc
from contracts.governance import GOVERNANCE_ADDRESS, Call, propose_and_execute
from contracts.handlers import consortium_handlers
from ledger.chain import Genesis, Ledger
from ledger.consensus import SoloDriver
from ledger.crypto import AccountKey
from ledger.projection import Projector
from ledger.sending import Nonces
from ledger.tlog import NoteSigner
from ledger.types import Address
from tests.databases import migrated
from traceability.capture import CaptureService, CaptureSettings
from traceability.projection import PreparedBatches, ProvenanceHandler

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
ORIGIN = "tallystick.example/test"
OFFICE, FARM, CARRIER, BANK = "office", "green-valley", "night-carrier", "town-bank"
ROLES = {
    OFFICE: Role.OPERATOR,
    FARM: Role.MANUFACTURER,
    CARRIER: Role.CARRIER,
    BANK: Role.BANK,
}


@dataclass(frozen=True)
class Identity:
    """Keys and genesis: what survives a restart."""

    accounts: Mapping[str, AccountKey]
    signer: NoteSigner
    genesis: Genesis
    founders: tuple[Founder, ...]


def make_identity(seed: str = "", roles: Mapping[str, Role] = ROLES) -> Identity:
    """The same seed gives the same keys, also in another process. `roles`: of the founders."""

    def secret(name: str) -> bytes:
        return hashlib.sha256(f"{seed}:{name}".encode()).digest()

    accounts = {name: AccountKey(secret(name)) for name in roles}
    founders = tuple(
        Founder(name, role, Profile(name.title(), "名", ""), (accounts[name].address,))
        for name, role in roles.items()
    )
    alloc, section = consortium_alloc(founders, votes={OFFICE: 1})
    genesis = Genesis.parse(
        {
            "config": {"chainId": 827166},
            "gasLimit": "0x3b9aca00",
            "timestamp": "0x0",
            "alloc": alloc,
            "tallystick": {"origin": ORIGIN, **section},
        }
    )
    return Identity(accounts, NoteSigner(ORIGIN, secret("log")), genesis, founders)


@dataclass
class Stack:
    """A running node without HTTP."""

    identity: Identity
    ledger: Ledger
    driver: SoloDriver
    projector: Projector
    engine: Engine
    capture: CaptureService
    signers: Mapping[str, AccountKey]
    nonces: Nonces

    def send(self, organisation: str, to: bytes, data: bytes) -> None:
        """A transaction of that organisation, and wait until it is projected."""
        key = self.identity.accounts[organisation]
        raw = key.sign_transaction(
            {
                "type": 2,
                "chainId": self.ledger.chain_id,
                "nonce": self.ledger.pending_nonce(key.address),
                "gas": 10_000_000,
                "to": bytes(to),
                "value": 0,
                "data": data,
                "maxFeePerGas": 0,
                "maxPriorityFeePerGas": 0,
            }
        )
        mined, receipt = self.ledger.wait_for(self.ledger.submit(raw), 10)
        assert receipt.status == 1
        self.projector.wait_for(mined.block_number, 10)

    def govern(self, *calls: Call) -> None:
        """The one voter proposes and executes."""
        self.send(OFFICE, GOVERNANCE_ADDRESS, propose_and_execute(calls, "as said"))

    def set_status(self, organisation: str, status: Status) -> None:
        """The one voter suspends or reactivates an organisation."""
        data = consortium.set_organisation_status(organisation, status)
        self.govern(Call(consortium.CONSORTIUM_ADDRESS, data))
        time.sleep(1.1)  # capture looks at the standing once a second

    def head(self) -> int:
        return self.ledger.head().header.number


@contextmanager
def running(
    directory: Path, identity: Identity, settings: CaptureSettings | None = None, **options: Any
) -> Iterator[Stack]:
    """Open a node in a folder; a second time it is the same node."""
    ledger = Ledger.open(directory / "chain", genesis=identity.genesis, signer=identity.signer)
    engine = migrated(options.pop("database_url", f"sqlite:///{directory}/tally.sqlite"))
    prepared = PreparedBatches()
    genesis = identity.genesis
    entries = {
        Address(bytes.fromhex(text[2:])): entry for text, entry in genesis.fields["alloc"].items()
    }
    handlers = consortium_handlers(
        genesis.contracts, entries, {"provenance": ProvenanceHandler(prepared)}
    )
    projector = Projector(engine, ledger, handlers)
    # Asked for anew each time, so that a test can move the clock of the process.
    driver = SoloDriver(ledger, block_interval_ms=0, clock=lambda: time.time())
    signers = {name: key for name, key in identity.accounts.items() if name != OFFICE}
    signers, nonces = options.pop("signers", signers), Nonces(ledger)
    capture = CaptureService(
        engine,
        ledger,
        projector,
        signers,
        settings=settings or CaptureSettings(workers=0),
        prepared=prepared,
        nonces=nonces,
        **options,
    )
    projector.start()
    driver.start()
    capture.start()
    try:
        yield Stack(identity, ledger, driver, projector, engine, capture, signers, nonces)
    finally:
        capture.stop()
        driver.stop()
        projector.stop()
        ledger.close()
        engine.dispose()


def event(serial: object = 1, **changes: Any) -> dict[str, Any]:
    """A valid event about item `serial`."""
    return {
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "bizStep": "shipping",
        "eventTime": "2026-01-01T08:00:00.000Z",
        "eventTimeZoneOffset": "+00:00",
        "epcList": [f"https://id.gs1.org/01/09506000134352/21/{serial}"],
        "readPoint": {"id": "https://id.gs1.org/414/9506000134369"},
        **changes,
    }


def bare(serial: object = 1, **changes: Any) -> bytes:
    """The same event alone, with its context."""
    return orjson.dumps({"@context": [CONTEXT], **event(serial, **changes)})


def document(*events: dict[str, Any]) -> bytes:
    return orjson.dumps(
        {
            "@context": [CONTEXT],
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": "2026-01-01T00:00:00Z",
            "epcisBody": {"eventList": list(events)},
        }
    )
