"""What HTTP shows to whom: leaves, events, notices, refusals, asked for by who has no right."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_account import Account
from eth_utils.address import to_checksum_address

from api import ApiSettings
from api.errors import Unavailable
from api.limits import Turns
from api.sight import INSTRUMENTS, OPEN, ROOM_OF_KIND, room_of
from contracts import consortium, receivables
from contracts.abi import canonical_type
from contracts.consortium import Role, organisation_id_word
from contracts.financing.genesis import APPLICATIONS_ARTIFACT
from contracts.genesis import RECEIVABLES_ADDRESS
from contracts.governance import Call
from contracts.network import NETWORK_ADDRESS, add_node
from ledger.tlog import EventLeaf, TlogProof, decode_leaf, leaf_hash
from ledger.types import Hash32
from tests.api.conftest import Clock, Node
from tests.api.loan_scene import SALT
from tests.api.loan_scene import LoanScene as Loans
from tests.api.members import Member
from tests.api.test_receivables import Scene as Invoices
from tests.contracts.governance.model import node_of
from tests.traceability.capture.stack import BANK, CARRIER, FARM, OFFICE, Identity

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("S1")]
LIMITS = ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0)


@pytest.fixture(scope="module")
def invoices(share_node: Callable[..., Node], identity: Identity) -> Invoices:
    node = share_node(LIMITS, signers=identity.accounts)
    agreed = consortium.set_role(FARM, Role.RETAILER)
    node.stack.govern(Call(consortium.CONSORTIUM_ADDRESS, agreed))  # for everybody to read
    return Invoices(node)


@pytest.fixture(scope="module")
def made(invoices: Invoices) -> dict[str, Any]:
    """What making a receivable of the farm against the carrier has answered."""
    answer = invoices.supplier.send("POST", "/receivables", invoices.body())
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    (leaf,) = (one["leaf"] for one in body["events"] if one["name"] == "ReceivableActed")
    return {**body, "leaf": leaf}


def entry(member: Member, leaf: int) -> str | None:
    """The leaf's text, as it is given to a member."""
    found = member.get(f"/log/proof/{leaf}")
    return None if found["entry"] is None else bytes.fromhex(found["entry"][2:]).decode()


def test_a_stranger_gets_hashes_of_finance_and_no_bytes(
    invoices: Invoices, made: dict[str, Any]
) -> None:
    id_, client = made["receivable"]["id"], invoices.node.client
    size, told = invoices.node.services.ledger.log.size, {}
    for leaf in range(size):
        answer = client.get(f"/log/proof/{leaf}")
        assert answer.status_code == 200
        assert answer.headers["vary"] == "Authorization"
        found = answer.json()
        told[leaf] = found["entry"]
        digest = bytes.fromhex(found["hash"][2:])
        TlogProof.decode(found["proof"]).verify(digest)
        if found["entry"] is not None:
            data = bytes.fromhex(found["entry"][2:])
            assert leaf_hash(data) == digest
            assert id_[2:] not in data.decode()
    assert told[made["leaf"]] is None
    assert told[size - 1] is not None, "blocks are for everybody"
    address = f"0x{RECEIVABLES_ADDRESS.hex()}"
    assert not any(one and address in bytes.fromhex(one[2:]).decode() for one in told.values())


def test_a_leaf_is_given_to_its_parties_by_keys_of_its_room(
    invoices: Invoices, made: dict[str, Any]
) -> None:
    id_, leaf = made["receivable"]["id"], made["leaf"]
    for member in (invoices.supplier, invoices.customer):
        found = member.get(f"/log/proof/{leaf}")
        data = bytes.fromhex(found["entry"][2:])
        assert id_[2:] in data.decode()
        TlogProof.decode(found["proof"]).verify(leaf_hash(data))
    assert entry(invoices.bank, leaf) is None
    for scope in ("capture", "notices:read", "receipts:*", "receivables:write"):
        assert entry(Member(invoices.node, FARM, scope), leaf) is None
    keys = invoices.node.services.keys
    for bound, given in ((id_, True), (f"0x{'77' * 32}", False)):
        member = Member(invoices.node, FARM, "receivables:read")
        member.secret = keys.create(FARM, ["receivables:read"], instruments=[bound])[0]
        assert (entry(member, leaf) is not None) is given
    refused = invoices.node.client.get(
        f"/log/proof/{leaf}", headers={"Authorization": "Bearer tally_none"}
    )
    assert refused.status_code == 401


def test_entries_in_tiles_are_for_who_has_the_ledger_anyway(
    invoices: Invoices, made: dict[str, Any]
) -> None:
    client, leaf = invoices.node.client, made["leaf"]
    before, with_it = (f"/log/tile/entries/000.p/{width}" for width in (1, leaf + 1))
    assert client.get(before).status_code == 200
    assert client.get(f"/log/tile/0/000.p/{leaf + 1}").status_code == 200
    assert client.get(with_it).status_code == 401
    assert invoices.supplier.send("GET", with_it).status_code == 403, "a party runs no node"
    rooms = [f"{room}:read" for room in sorted(set(ROOM_OF_KIND.values()))]
    runner = Member(invoices.node, CARRIER, *rooms)
    assert runner.send("GET", with_it).status_code == 403
    invoices.node.stack.govern(Call(NETWORK_ADDRESS, add_node(node_of(1, CARRIER, 10))))
    assert runner.send("GET", with_it).status_code == 200
    assert Member(invoices.node, CARRIER, "capture").send("GET", with_it).status_code == 403
    court = Member(invoices.node, BANK, "supervise", *rooms)
    assert court.send("GET", with_it).status_code == 403
    invoices.node.stack.govern(
        Call(consortium.CONSORTIUM_ADDRESS, consortium.set_role(BANK, Role.REGULATOR))
    )
    try:
        time.sleep(1.1)  # standing is looked at once a second
        given = court.send("GET", with_it)
        assert given.status_code == 200
        assert made["receivable"]["id"][2:].encode() in given.content
        assert "private" in given.headers["cache-control"]
        assert entry(court, leaf) is not None
        partly = Member(invoices.node, BANK, "supervise", "receipts:read")
        assert partly.send("GET", with_it).status_code == 403
    finally:
        invoices.node.stack.govern(
            Call(consortium.CONSORTIUM_ADDRESS, consortium.set_role(BANK, Role.BANK))
        )
        time.sleep(1.1)


def test_events_are_told_by_the_scopes_of_their_rooms(
    invoices: Invoices, made: dict[str, Any]
) -> None:
    path = f"/transactions/{made['transaction']}"
    for scope in ("capture", "notices:read", "stock:read"):
        weak = Member(invoices.node, FARM, scope).get(path)
        told = {one["contract"] for one in weak["events"]}
        assert told <= {"claims"}, scope
        assert weak["status"] == "done"
    assert not Member(invoices.node, FARM, "capture").get(path)["events"]
    strong = Member(invoices.node, FARM, "receivables:read").get(path)
    assert "ReceivableActed" in [one["name"] for one in strong["events"]]


def test_notices_are_told_by_the_scopes_of_their_rooms(
    invoices: Invoices, made: dict[str, Any]
) -> None:
    def told(*scopes: str, **query: str) -> list[str]:
        member = Member(invoices.node, CARRIER, "notices:read", *scopes)
        return [one["kind"] for one in member.get("/notices", params=query)["notices"]]

    assert told() == []
    assert told("receipts:*", "financing:read") == []
    assert told("receipts:read", kind="receivable.*") == []
    assert "receivable.create" in told("receivables:read")
    assert "receivable.create" in told("receivables:read", kind="receivable.create")


def test_who_signs_himself_learns_nothing_of_foreign_records(
    invoices: Invoices, made: dict[str, Any]
) -> None:
    node, id_ = invoices.node, Hash32(bytes.fromhex(made["receivable"]["id"][2:]))

    def send(name: str, id_: Hash32) -> tuple[int, str]:
        key = node.stack.identity.accounts[name]
        transaction = {
            "type": 2,
            "chainId": node.stack.ledger.chain_id,
            "nonce": node.stack.ledger.pending_nonce(key.address),
            "gas": 1_000_000,
            "maxFeePerGas": 0,
            "maxPriorityFeePerGas": 0,
            "to": to_checksum_address(RECEIVABLES_ADDRESS),
            "value": 0,
            "data": receivables.accept_calldata(id_, 9),
        }
        raw = bytes(Account.sign_transaction(transaction, key.private_key).raw_transaction)
        member = Member(node, name, "receivables:*")
        answer = member.send("POST", "/transactions", {"raw": f"0x{raw.hex()}"})
        detail = str(answer.json()["detail"])
        return answer.status_code, detail.replace(f"0x{id_.hex()}", "ID")

    foreign, unknown = send(BANK, id_), send(BANK, Hash32(b"\x66" * 32))
    assert foreign == unknown
    assert foreign[0] == 404
    shown = invoices.bank.send("POST", f"/receivables/{made['receivable']['id']}/accept")
    assert shown.status_code == 404
    assert send(CARRIER, id_)[0] == 412, "its debtor is told that he is late"


def test_nobody_but_the_borrower_counts_sealed_quotes(
    make_node: Callable[..., Node], identity: Identity, clock: Clock
) -> None:
    scene, now = Loans(make_node(LIMITS, signers=identity.accounts)), int(time.time())
    id_ = scene.applied(
        mode="market", quotesUntil=now + 600, revealUntil=now + 1_200, rateBpMax=900
    )
    quote = {"amount": 8_000_000, "rateBp": 430, "document": {"terms": 1}, "salt": SALT}
    sealed, hidden = {"quotes", "open", "best"}, {"best"}

    def counted(record: dict[str, Any]) -> set[str]:
        return sealed & set(record)

    committed = scene.bank.post(f"/loans/{id_}/commit", quote)
    assert counted(committed["loan"]["application"]) == set()
    for member in (scene.platform, scene.bank):
        assert counted(member.get(f"/loans/{id_}")["application"]) == set()
        assert counted(member.get("/loans")["loans"][0]["application"]) == set()
    own = scene.trader.get(f"/loans/{id_}")["application"]
    assert (own["quotes"], own["open"], own["best"]) == (1, 1, None)
    clock.reach(now + 600)
    scene.bank.post(f"/loans/{id_}/reveal", quote)
    done = scene.platform.post(f"/loans/{id_}/check")
    told = [one["values"] for one in done["events"] if one["name"] == "ApplicationActed"]
    assert told
    assert [counted(one["application"]) for one in told] == [set()]
    standing = scene.platform.get(f"/transactions/{done['transaction']}")
    assert [counted(one["values"]["application"]) for one in standing["events"]] == [set()]
    assert entry(scene.platform, done["leaf"]) is None, "its bytes name the best"
    reader = Member(scene.node, OFFICE, "notices:read", "financing:read")
    notices = reader.get("/notices", params={"kind": "application.check"})["notices"]
    assert [counted(one["body"]["record"]) for one in notices] == [set()]
    borrower = Member(scene.node, CARRIER, "notices:read", "financing:read")
    notices = borrower.get("/notices", params={"kind": "application.check"})["notices"]
    assert [counted(one["body"]["record"]) for one in notices] == [set()], "no event has them"
    assert entry(borrower, done["leaf"]) is not None
    own = scene.trader.get(f"/loans/{id_}")["application"]
    assert (own["quotes"], own["open"], own["best"]) == (1, 1, BANK)
    assert counted(scene.trader.post(f"/loans/{id_}/check")["loan"]["application"]) == set()
    assert fitting(scene.node, done["leaf"]) == [(None, 0, 0)], "whatever is true: (BANK, 1, 1)"
    clock.reach(now + 1_200)
    assert counted(scene.platform.get(f"/loans/{id_}")["application"]) == sealed - hidden


def fitting(node: Node, index: int) -> list[tuple[str | None, int, int]]:
    """Best bank, quotes and open of an application that fit the public hash of its event."""
    wanted = node.client.get(f"/log/proof/{index}").json()["hash"]
    leaf = decode_leaf(node.stack.ledger.log.entry(index))
    assert isinstance(leaf, EventLeaf)
    (event,) = (one for one in APPLICATIONS_ARTIFACT.abi if one.get("name") == "ApplicationActed")
    inputs = [one for one in event["inputs"] if not one["indexed"]]
    types = [canonical_type(one) for one in inputs]
    values = list(decode(types, leaf.data))
    place = [one["name"] for one in inputs].index("application")
    names = [one["name"] for one in inputs[place]["components"]]
    found: list[tuple[str | None, int, int]] = []
    for best in (None, BANK, FARM):
        for quotes, open_ in itertools.product(range(3), repeat=2):
            guess = dict(zip(names, values[place], strict=True))
            word = bytes(32) if best is None else organisation_id_word(best)
            guess |= {"best": word, "quotes": quotes, "open": open_}
            data = encode(types, [*values[:place], tuple(guess.values()), *values[place + 1 :]])
            if f"0x{leaf_hash(replace(leaf, data=data).encode()).hex()}" == wanted:
                found.append((best, quotes, open_))
    return found


def test_every_contract_and_kind_has_its_room() -> None:
    assert not OPEN & set(INSTRUMENTS)
    assert {room_of(one) for one in INSTRUMENTS} == set(ROOM_OF_KIND.values())
    assert all(room_of(one) is None for one in OPEN)


def test_dear_work_is_done_once_for_each_organisation_and_little_at_once() -> None:
    turns = Turns(2, 5)
    with turns.taken(FARM):
        with pytest.raises(Unavailable) as own, turns.taken(FARM):
            raise AssertionError
        assert own.value.headers["Retry-After"] == "5"
        with turns.taken(BANK), pytest.raises(Unavailable), turns.taken(CARRIER):
            raise AssertionError
        with turns.taken(CARRIER):
            pass
    with turns.taken(FARM):
        pass
