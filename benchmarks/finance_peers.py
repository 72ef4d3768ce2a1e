"""What stands beside `benchmarks.finance`: a plain route with SQLite, and the engine alone.

`python -m benchmarks.finance_peers DATABASE` serves the plain route and prints its port.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, Field

from benchmarks.load import post, run_lanes
from benchmarks.measure import Row, peak_memory_mib, processor_time, row
from contracts.consortium import Founder, Profile, Role
from contracts.founding import consortium_alloc
from contracts.genesis import PLEDGES_ADDRESS, RECEIPTS_ADDRESS, STOCK_ADDRESS
from contracts.pledges import (
    Terms,
    accept_calldata,
    pledge_key,
    propose_calldata,
    release_calldata,
)
from contracts.receipts import Draft, issue_calldata, receipt_id, transfer_both_calldata
from contracts.stock import (
    Agreement,
    Count,
    Nature,
    count_calldata,
    lot_key,
    register_lot_calldata,
)
from ledger.crypto import AccountKey
from ledger.evm import BlockEnvironment, PyEvmEngine, decode_transaction
from ledger.sending import Unsigned
from ledger.sending.envelope import signed_envelope
from ledger.types import Address, Hash32, Receipt
from tests.contracts.scene import CHAIN_ID, MemoryChain

DAY: Final = 86_400
LOTS: Final = 4
GAS: Final = 2_000_000
BLOCK: Final = 50
"""Calls in a block of the engine alone."""
EVIDENCE: Final = hashlib.sha256(b"weighing slip").hexdigest()


def plan(number: int, now: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Bodies of requests: a lot, and its count (without the lot's key)."""
    lot = {
        "placeId": f"silo {number}",
        "lotId": f"maize {number}",
        "agreement": {"nature": "fixed", "unit": "KGM", "countAgeMaxSeconds": 30 * DAY},
        "counters": ["granary"],
    }
    count = {
        "quantity": "1000000000000",
        "countedAt": now,
        "sequence": 1,
        "evidence": f"0x{EVIDENCE}",
    }
    return lot, count


# ---- a plain route ------------------------------------------------------------------------------


class Plain(BaseModel):
    """What the plain route takes: the fields of a receipt, no rules."""

    number: Annotated[str, Field(max_length=32)]
    lot: Annotated[str, Field(max_length=66)]
    holder: Annotated[str, Field(max_length=32)]
    quantity: int
    expires: int
    goods: Annotated[str, Field(max_length=1_024)]


def plain_application(database: str) -> FastAPI:
    """One route: insert and commit, with an fsync, before the answer."""
    app = FastAPI(openapi_url=None)
    local = threading.local()
    writing = threading.Lock()

    def connection() -> sqlite3.Connection:
        if not hasattr(local, "connection"):
            local.connection = sqlite3.connect(database, isolation_level=None, timeout=30)
            local.connection.execute("PRAGMA journal_mode=WAL")
            local.connection.execute("PRAGMA synchronous=FULL")
        found: sqlite3.Connection = local.connection
        return found

    connection().execute(
        "CREATE TABLE receipt (id INTEGER PRIMARY KEY, number TEXT UNIQUE, lot TEXT, holder TEXT, "
        "quantity INTEGER, expires INTEGER, goods TEXT)"
    )

    @app.post("/receipts", status_code=201)
    def insert(body: Plain) -> dict[str, object]:
        with writing:
            done = connection().execute(
                "INSERT INTO receipt (number, lot, holder, quantity, expires, goods) "
                "VALUES (:number, :lot, :holder, :quantity, :expires, :goods)",
                body.model_dump(),
            )
        return {"id": done.lastrowid, **body.model_dump()}

    return app


def plain_route(lanes: int, requests: int) -> Row:
    """The plain route under the same load, in a process of its own."""
    body = {"lot": f"0x{'5e' * 32}", "holder": "trader", "quantity": 1000, "goods": "maize"}
    each = -(-requests // lanes)
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [sys.executable, "-m", __spec__.name, str(Path(folder) / "plain.sqlite")],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            load = [
                [
                    post(
                        "/receipts",
                        "127.0.0.1",
                        orjson.dumps(body | {"number": f"{lane}-{one}", "expires": 1 << 31}),
                    )
                    for one in range(each)
                ]
                for lane in range(lanes)
            ]
            before = processor_time([server.pid])
            answered = asyncio.run(run_lanes("127.0.0.1", port, load, keep_bodies=False))
            used = processor_time([server.pid]).since(before).application_s
            answers = list(chain.from_iterable(answered))
            if any(one.status != 201 for one in answers):
                raise RuntimeError("the plain route refused a row")
            seconds = max(one.ended for one in answers) - min(one.started for one in answers)
            return row(
                "peer: FastAPI and SQLite, insert and commit",
                len(answers),
                seconds,
                [one.ended - one.started for one in answers],
                peak_memory_mib(server.pid),
                f"{lanes} connections; {used * 1000 / len(answers):.1f} ms of processor; no rules, "
                "no signature, no log",
            )
        finally:
            server.terminate()
            server.wait(30)


def serve(database: str) -> None:
    """Serve the plain route on a free port, which is printed."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(512)
        print(listening.getsockname()[1], flush=True)
        config = uvicorn.Config(plain_application(database), log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listening])


# ---- the engine alone ---------------------------------------------------------------------------


class Engine:
    """The execution engine over a state in memory, in blocks of signed transactions."""

    def __init__(self, execution: PyEvmEngine | None = None) -> None:
        self.execution = execution or PyEvmEngine()
        self.signers = {
            name: AccountKey.generate() for name in ("granary", "trader", "mill", "bank")
        }
        self.nonces = dict.fromkeys(self.signers, 0)
        roles = {"granary": Role.WAREHOUSE, "bank": Role.BANK}
        founders = [
            Founder(
                id=name,
                role=roles.get(name, Role.MANUFACTURER),
                profile=Profile(name, name, ""),
                accounts=(signer.address,),
            )
            for name, signer in self.signers.items()
        ]
        alloc, _ = consortium_alloc(founders, (), None)
        places = {Address(bytes.fromhex(text[2:])): entry for text, entry in alloc.items()}
        self.chain = MemoryChain.of(places)

    def signed(self, name: str, to: Address, data: bytes) -> bytes:
        """The member's next transaction."""
        nonce = self.nonces[name]
        self.nonces[name] += 1
        return signed_envelope(Unsigned(CHAIN_ID, nonce, GAS, to, data), self.signers[name])

    def block(self, raws: Sequence[bytes]) -> list[Receipt]:
        """Decode (with the senders' signatures), execute, and hash the state."""
        chain = self.chain
        chain.number += 1
        zero = Hash32(bytes(32))
        environment = BlockEnvironment(
            chain_id=CHAIN_ID,
            number=chain.number,
            timestamp=chain.time,
            gas_limit=GAS * len(raws),
            coinbase=Address(bytes(20)),
            mix_hash=zero,
            parent_hash=zero,
            block_hash=lambda _: None,
        )
        execution = self.execution.begin(chain.state, environment)
        receipts = [execution.apply(decode_transaction(raw)) for raw in raws]
        chain.state.take(execution.seal())
        return receipts


def bare_engine(receipts: int) -> Row:
    """The same calls in blocks of 50: no HTTP, no disk, no log, no lists."""
    engine = Engine()
    lot = stocked(engine)
    calls = [call for number in range(receipts) for call in life(engine, f"E-{number}", lot)]
    # One after the other a receipt's acts; those of different receipts as they come.
    ordered = [calls[place] for step in range(5) for place in range(step, len(calls), 5)]
    raws = [engine.signed(*call) for call in ordered]
    blocks = [raws[start : start + BLOCK] for start in range(0, len(raws), BLOCK)]
    started = time.perf_counter()
    done = list(chain.from_iterable(engine.block(block) for block in blocks))
    seconds = time.perf_counter() - started
    if any(one.status != 1 for one in done):
        raise RuntimeError("a call was refused by the engine alone")
    note = f"one core, in memory, blocks of {BLOCK}, signatures checked"
    return row("limit: the same calls, engine alone", len(done), seconds, note=note)


def stocked(engine: Engine) -> Hash32:
    """A lot with goods enough."""
    place, lot = (Hash32(hashlib.sha256(text).digest()) for text in (b"silo", b"maize"))
    key = lot_key("granary", place, lot)
    agreement = Agreement(Nature.FIXED, "KGM", 0, 0, 30 * DAY)
    count = Count(key, 10**12, engine.chain.time, 1, Hash32(bytes.fromhex(EVIDENCE)))
    first = engine.block(
        [
            engine.signed(
                "granary",
                STOCK_ADDRESS,
                register_lot_calldata(place, lot, agreement, ["granary"]),
            ),
            engine.signed("granary", STOCK_ADDRESS, count_calldata(count)),
        ]
    )
    if any(one.status != 1 for one in first):
        raise RuntimeError("the lot could not be counted")
    return key


def life(engine: Engine, number: str, lot: Hash32) -> list[tuple[str, Address, bytes]]:
    """The five acts of a receipt: who, on which contract, with which calldata."""
    now = engine.chain.time
    id_ = receipt_id(CHAIN_ID, "granary", number)
    goods, agreed = (Hash32(hashlib.sha256(text).digest()) for text in (b"maize", b"loan"))
    terms = Terms(8_000_000, "CNY", now + 90 * DAY, 7 * DAY, agreed)
    key = pledge_key(RECEIPTS_ADDRESS, id_, 2, "mill", "bank", terms)
    draft = Draft(
        number=number,
        lot=lot,
        goods=goods,
        terms=agreed,
        holder="trader",
        owner="trader",
        quantity=1000,
        expires=now + 180 * DAY,
        keys=(),
        payload=b"",
    )
    offer = propose_calldata(RECEIPTS_ADDRESS, id_, 2, "bank", terms)
    return [
        ("granary", RECEIPTS_ADDRESS, issue_calldata(draft)),
        ("trader", RECEIPTS_ADDRESS, transfer_both_calldata(id_, 1, "mill", "mill", "sold")),
        ("mill", PLEDGES_ADDRESS, offer),
        ("bank", PLEDGES_ADDRESS, accept_calldata(key)),
        ("bank", PLEDGES_ADDRESS, release_calldata(key, [id_], "repaid")),
    ]


if __name__ == "__main__":
    serve(sys.argv[1])
