"""Asset pools over HTTP: a whole life, bad input, who sees what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts.directory import add_version
from contracts.genesis import DIRECTORY_ADDRESS, POOL_BOOK_ADDRESS, POOLS_ADDRESS
from contracts.governance import Call as Decision
from contracts.pools import AssetProof, json_rows
from ledger.canonical import canonical_json
from ledger.types import Address
from tests.api.members import Member
from tests.api.pool_scene import EVIDENCE, RULES, PoolScene, book_of, state_of
from tests.ledger.projection.support import empty_database
from tests.traceability.capture.stack import OFFICE

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("F7"), pytest.mark.feature("S1")]


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
)
def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PoolScene]:
    folder = tmp_path_factory.mktemp("pools")
    with empty_database(request.param, folder) as url, ExitStack() as exits:
        yield PoolScene(exits, folder, url)


def test_the_life_of_a_pool_from_proposal_to_the_last_payment(
    scene: PoolScene, tmp_path: Path
) -> None:
    draft = scene.draft()
    made = scene.arranger.send("POST", "/pools", draft)
    assert made.status_code == 201, made.text
    pool = made.json()["pool"]["id"]
    leaves = {one["name"]: one["leaf"] for one in made.json()["events"]}
    for member, of_tranches in (
        (scene.south, True),
        (scene.trustee, True),
        (scene.stranger, False),
    ):
        for name in ("TrancheAgreed", "FeesAgreed", "RulesPublished"):
            given = member.get(f"/log/proof/{leaves[name]}")["entry"] is not None
            assert given is (of_tranches or name == "RulesPublished"), (member.name, name)
    assert made.headers["location"] == f"/pools/{pool}"
    assert made.json()["pool"]["state"] == "proposed"
    scene.trustee.post(f"/pools/{pool}/accept", {"office": "trustee"})
    active = scene.servicer.post(f"/pools/{pool}/accept", {"office": "servicer"})["pool"]
    assert (active["state"], active["act"]) == ("active", "accept")

    # Assets: a receivable of this ledger comes in, the servicer's book is committed.
    debt = scene.receivable()
    admitted = {"kind": "receivable", "instruments": [debt]}
    assert scene.servicer.post(f"/pools/{pool}/admit", admitted)["instruments"] == [debt]
    (held,) = scene.north.get(f"/pools/{pool}/instruments")["instruments"]
    assert (held["kind"], held["held"], held["control"]["amount"]) == (
        "receivable",
        True,
        "1000000",
    )
    yesterday = scene.today - timedelta(days=1)
    with book_of(tmp_path, pool, yesterday, debt) as book:
        committed = scene.servicer.post(f"/pools/{pool}/commit", state_of(book))["day"]
        assert committed["overdue"] == "30000"
        proof = book.prove(debt, yesterday, show_attributes=True)
        book.update(scene.today, json_rows([b'{"reference":"LOAN-2","daysPastDue":13}']))
        scene.servicer.post(f"/pools/{pool}/commit", state_of(book))
        later = book.prove("LOAN-2", scene.today)
    for one in (proof, later):
        verdict = verified(scene, pool, one)
        assert verdict["valid"], verdict
        assert verdict["day"]["by"] == "loan-service"

    # Money: the debtor pays the trustee, the servicer tells of it, the waterfall shares it out.
    payment = scene.paid(debt, 400_000)
    body = scene.collection(payment, principal="390000", income="10000")
    told = scene.servicer.post(f"/pools/{pool}/collect", body)
    assert told["open"] == {
        "period": 1,
        "state": "open",
        "principal": "390000",
        "income": "10000",
        "revision": 1,
    }
    answer = scene.trustee.send("GET", f"/pools/{pool}/periods/1")
    assert (answer.json()["state"], answer.headers["etag"]) == ("open", '"1"')
    end = {"period": 1, "end": yesterday.isoformat()}
    shared = scene.trustee.post(f"/pools/{pool}/distribute", end, revision=1)
    # Nine days of 3.65 % on 800 001 and of 7.3 % on 100 000; 0.5 % on both, and 1 000 a year.
    period = shared["period"]
    assert (period["fees"], period["interest"], period["principal"]) == ("135", "900", "390000")
    assert int(period["residual"]) == 400_000 - 135 - 900 - 390_000
    due = scene.trustee.get(f"/pools/{pool}/payments?period=1")["payments"]
    assert sum(int(one["amount"]) for one in due) == 400_000
    assert {one["confirmed"] for one in due} == {None}
    numbers = [one["number"] for one in due]
    paid = scene.trustee.post(f"/pools/{pool}/pay", {"numbers": numbers, "bank": "trust-bank"})
    assert [one["number"] for one in paid["confirmed"]] == numbers
    mine = scene.north.get(f"/pools/{pool}/payments?payee=north-fund")["payments"]
    assert all(one["payee"] == "north-fund" and one["confirmed"] for one in mine)
    (account,) = scene.north.get("/deposits?owner=north-fund")["accounts"]
    assert account["balance"] == str(sum(int(one["amount"]) for one in mine))
    proven = scene.north.get(mine[0]["confirmed"]["proof"])
    assert proven["leaf"] == mine[0]["confirmed"]["leaf"]

    # Each hundredth from the debtor to the investor.
    trace = scene.north.get(f"/pools/{pool}/periods/1/trace?payment={mine[0]['number']}")
    (came,) = trace["collections"]
    assert (came["payment"], came["source"]["payer"], came["source"]["cause"]) == (
        payment,
        "buyer",
        debt,
    )
    assert sum(int(one["amount"]) for one in trace["flows"]) == int(mine[0]["amount"])
    whole = scene.north.get(f"/pools/{pool}/periods/1/trace")
    assert sum(int(one["amount"]) for one in whole["flows"]) == 400_000

    # What is left of it.
    one = scene.south.get(f"/pools/{pool}")
    repaid = [int(tranche["repaid"]) for tranche in one["tranches"]]
    assert sum(repaid) == 390_000
    assert one["account"]["periods"] == 1
    assert one["account"]["unconfirmed"] == 0
    units = {"tranche": 0, "to": "south-fund", "units": "600000"}
    moved = scene.north.post(f"/pools/{pool}/assign", units)["moved"]
    assert (moved["senderUnits"], moved["recipientUnits"]) == ("0", "800001")
    (holder,) = scene.south.get(f"/pools/{pool}/tranches")["tranches"][0]["holders"]
    assert holder == {"organisation": "south-fund", "units": "800001"}
    scene.servicer.post(f"/pools/{pool}/dismiss", {"instruments": [debt], "reason": "sold"})
    assert scene.south.get(f"/pools/{pool}/instruments")["instruments"] == []

    # The end: not before all principal is repaid.
    early = scene.trustee.refused(f"/pools/{pool}/close")
    assert early[:2] == (409, "PrincipalOwed")
    last = scene.collection(scene.paid(debt, 520_000), 2, principal="510001", income="9999")
    scene.servicer.post(f"/pools/{pool}/collect", last)
    end = {"period": 2, "end": scene.today.isoformat()}
    scene.trustee.post(f"/pools/{pool}/distribute", end, revision=1)
    due = scene.trustee.get(f"/pools/{pool}/payments?period=2")["payments"]
    order = {"numbers": [one["number"] for one in due], "bank": "trust-bank"}
    scene.trustee.post(f"/pools/{pool}/pay", order)
    closed = scene.trustee.post(f"/pools/{pool}/close", {"remark": "wound up"})["pool"]
    assert closed["state"] == "closed"
    acts = [one["act"] for one in scene.north.get(f"/pools/{pool}/history")["acts"]]
    assert acts == ["create", "accept", "accept", "admit", "assign", "dismiss", "close"]


def verified(scene: PoolScene, pool: str, proof: AssetProof) -> dict[str, Any]:
    return scene.north.post(f"/pools/{pool}/verify", orjson.loads(proof.encode()))


# ---- who sees what ------------------------------------------------------------------------------


def test_who_is_no_party_finds_nothing_of_a_pool(scene: PoolScene) -> None:
    pool = scene.active()
    scene.servicer.post(f"/pools/{pool}/commit", scene.state(scene.today))
    assert scene.stranger.get("/pools") == {"pools": [], "after": None}
    known = {one["id"] for one in scene.north.get("/pools?limit=1000")["pools"]}
    assert pool in known
    parts = ("", "/tranches", "/history", "/document", "/days", f"/days/{scene.today}")
    money = ("/instruments", "/periods", "/periods/1", "/collections", "/payments")
    for part in (*parts, *money, "/periods/1/trace"):
        path = f"/pools/{pool}{part}"
        missing = scene.stranger.send("GET", path)
        unknown = scene.stranger.send("GET", path.replace(pool, EVIDENCE))
        assert missing.status_code == unknown.status_code == 404
        assert missing.json()["detail"] == unknown.json()["detail"].replace(EVIDENCE, pool)
    for act, body in (("close", {}), ("accept", {"office": "trustee"})):
        status, refusal, _ = scene.stranger.refused(f"/pools/{pool}/{act}", body)
        assert (status, refusal) == (404, None)
    supervising = scene.members["market-office"]
    assert supervising.get(f"/pools/{pool}")["id"] == pool
    plain = Member(scene.node, "market-office", "pools:read")
    assert plain.send("GET", f"/pools/{pool}").status_code == 404


def test_a_key_needs_the_scope_and_a_bound_one_its_pool(scene: PoolScene) -> None:
    pool = scene.active()
    reader = Member(scene.node, "trust-bank", "pools:read")
    assert reader.get(f"/pools/{pool}")["state"] == "active"
    assert reader.refused(f"/pools/{pool}/close")[0] == 403
    other = Member(scene.node, "trust-bank", "receipts:*")
    assert other.send("GET", f"/pools/{pool}").status_code == 403
    secret = scene.node.services.keys.create("trust-bank", ("pools:*",), (pool,))[0]
    reader.secret = secret
    assert reader.get(f"/pools/{pool}/days") == {"days": [], "after": None}
    assert reader.send("GET", "/pools").status_code == 403
    assert reader.send("GET", f"/pools/{EVIDENCE}").status_code == 403


def test_what_a_former_pool_instrument_does_elsewhere_is_not_told(scene: PoolScene) -> None:
    pool, debt = scene.active(), scene.receivable(50_000)
    body = {"kind": "receivable", "instruments": [debt]}
    scene.servicer.post(f"/pools/{pool}/admit", body)
    (one,) = scene.south.get(f"/pools/{pool}/instruments")["instruments"]
    assert (one["held"], one["control"]["state"], one["control"]["pledged"]) == (
        True,
        "accepted",
        False,
    )
    scene.trustee.post(f"/receivables/{debt}/endorse", {"to": "other-bank"})
    (one,) = scene.south.get(f"/pools/{pool}/instruments")["instruments"]
    assert (one["id"], one["held"], one["control"]) == (debt, False, None)


def test_a_payment_that_is_not_the_trustees_is_no_source(scene: PoolScene) -> None:
    """A servicer who names somebody else's payment learns nothing about it."""
    pool = scene.active()
    money = {"to": "buyer", "currency": "CNY", "amount": 900, "number": scene.number()}
    scene.trustee.post("/deposits", money)
    order = {
        "bank": "trust-bank",
        "payee": "seller",
        "currency": "CNY",
        "amount": 900,
        "number": scene.number(),
    }
    done = scene.members["buyer"].post("/deposits/payments", order)
    foreign = done["movements"][0]["payment"]
    scene.servicer.post(f"/pools/{pool}/collect", scene.collection(foreign))
    (one,) = scene.servicer.get(f"/pools/{pool}/collections")["collections"]
    assert (one["payment"], one["source"]) == (foreign, None)


# ---- revisions, idempotency, signing for oneself ------------------------------------------------


def test_what_somebody_else_has_changed_is_not_acted_upon(scene: PoolScene) -> None:
    pool = scene.active()
    seen = scene.trustee.send("GET", f"/pools/{pool}")
    revision = int(seen.headers["etag"].strip('"'))
    assert revision == seen.json()["revision"]
    appoint = {"office": "servicer", "organisation": "other-bank"}
    once = {"revision": revision, "headers": {"Idempotency-Key": scene.number()}}
    done = scene.trustee.post(f"/pools/{pool}/appoint", appoint, **once)
    again = scene.trustee.send("POST", f"/pools/{pool}/appoint", appoint, **once)
    assert (again.status_code, again.json()) == (200, done), "its revision was good at the time"
    late = scene.trustee.refused(f"/pools/{pool}/close", revision=revision)
    assert late[:2] == (412, "StaleRevision")
    scene.servicer.post(f"/pools/{pool}/commit", scene.state(scene.today))
    body = scene.state(scene.today, root=f"0x{'a1' * 32}", reason="wrong file")
    wrong = scene.servicer.refused(f"/pools/{pool}/correct", body, revision=2)
    assert wrong[:2] == (412, "StaleRevision")
    assert scene.servicer.post(f"/pools/{pool}/correct", body, revision=1)["day"]["revision"] == 2
    days = scene.north.get(f"/pools/{pool}/days")["days"]
    assert [(one["revision"], one["reason"]) for one in days] == [(2, "wrong file"), (1, "")]
    first = scene.north.get(f"/pools/{pool}/days/{scene.today}?revision=1")
    assert first["root"] == EVIDENCE
    scene.servicer.post(f"/pools/{pool}/collect", scene.collection(f"0x{'c1' * 32}"))
    scene.servicer.post(f"/pools/{pool}/collect", scene.collection(f"0x{'c2' * 32}"))
    end = {"period": 1, "end": scene.today.isoformat()}
    assert scene.trustee.refused(f"/pools/{pool}/distribute", end, revision=1)[0] == 412
    taken = {"number": 2, "reason": "came back"}
    assert scene.servicer.post(f"/pools/{pool}/void-collection", taken)["voided"]["number"] == 2
    shared = scene.trustee.post(f"/pools/{pool}/distribute", end, revision=3)
    assert shared["period"]["collected"] == "120000"
    settled = {"number": 1, "settled": EVIDENCE}
    confirmed = scene.trustee.post(f"/pools/{pool}/confirm", settled)["confirmed"]
    assert confirmed[0]["settled"] == EVIDENCE
    assert scene.trustee.refused(f"/pools/{pool}/confirm", settled)[:2] == (
        409,
        "PaymentConfirmedAlready",
    )


def test_a_repeated_request_happens_once_and_a_prepared_one_not_at_all(scene: PoolScene) -> None:
    key = {"Idempotency-Key": scene.number()}
    draft = scene.draft()
    first = scene.arranger.post("/pools", draft, headers=key)
    again = scene.arranger.send("POST", "/pools", draft, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["transaction"] == first["transaction"]
    assert scene.arranger.refused("/pools", draft)[:2] == (409, "PoolExists")
    pool = first["pool"]["id"]
    taking = {"office": "trustee", "remark": "as agreed"}
    prepared = scene.trustee.post(f"/pools/{pool}/accept?prepare=true", taking)
    assert (prepared["contract"], prepared["act"]) == ("pool-book", "accept")
    assert "become trustee of pool" in prepared["does"]["en"]
    assert scene.trustee.get(f"/pools/{pool}")["trusteeAccepted"] is False
    scene.trustee.post("/transactions", {"raw": signed(scene, prepared)})
    assert scene.trustee.get(f"/pools/{pool}")["trusteeAccepted"] is True


def signed(scene: PoolScene, prepared: dict[str, Any], by: str = "trust-bank") -> str:
    """What was prepared, signed with a key of one's own."""
    fields = {**prepared["transaction"], "type": 2}
    raw = scene.node.stack.identity.accounts[by].sign_transaction(
        {
            name: int(value, 16) if isinstance(value, str) and name not in ("to", "data") else value
            for name, value in fields.items()
        }
    )
    return f"0x{raw.hex()}"


def test_what_was_signed_for_fewer_collections_shares_nothing_out(scene: PoolScene) -> None:
    """The contract compares as well: between looking and acting something came in."""
    pool = scene.active()
    scene.servicer.post(f"/pools/{pool}/commit", scene.state(scene.today))
    scene.servicer.post(f"/pools/{pool}/collect", scene.collection(f"0x{'d1' * 32}"))
    end = {"period": 1, "end": scene.today.isoformat()}
    prepared = scene.trustee.post(f"/pools/{pool}/distribute?prepare=true", end, revision=1)
    scene.servicer.post(f"/pools/{pool}/collect", scene.collection(f"0x{'d2' * 32}"))
    late = scene.trustee.refused("/transactions", {"raw": signed(scene, prepared)})
    assert late[:2] == (412, "StaleCollections"), late
    assert scene.trustee.get(f"/pools/{pool}/periods/1")["revision"] == 2


# ---- what makes no sense ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "body", "pointer"),
    [
        ("accept", {}, "/office"),
        ("accept", {"office": "auditor"}, "/office"),
        ("commit", {"date": "2027-02-30"}, "/date"),
        ("correct", {"reason": ""}, "/date"),
        ("admit", {"kind": "receipt", "instruments": []}, "/instruments"),
        ("admit", {"kind": "receipt", "instruments": [EVIDENCE] * 65}, "/instruments"),
        ("collect", {"payment": EVIDENCE, "date": "2027-01-04", "period": 0}, "/period"),
        ("assign", {"tranche": 8, "to": "seller", "units": 1}, "/tranche"),
        ("pay", {"numbers": [1] * 33, "bank": "trust-bank"}, "/numbers"),
        ("distribute", {"period": 1, "end": "soon"}, "/end"),
        ("verify", {"format": "tallystick-pool-asset/2"}, "/format"),
        ("close", {"remark": "x", "why": "y"}, "/why"),
    ],
)
def test_a_body_that_makes_no_sense_is_told_where(
    scene: PoolScene, act: str, body: dict[str, Any], pointer: str
) -> None:
    answer = scene.servicer.send("POST", f"/pools/{EVIDENCE}/{act}", body)
    assert answer.status_code == 400
    assert pointer in [one.get("pointer") for one in answer.json()["errors"]]


def test_contracts_refusals_come_with_their_status(scene: PoolScene) -> None:
    pool = scene.proposed()
    state = scene.state(scene.today)
    refused = {
        "proposed only": (scene.servicer, "commit", state, (409, "WrongPoolState")),
        "no office": (scene.north, "accept", {"office": "trustee"}, (403, "NotOffice")),
        "no arranger": (scene.trustee, "withdraw", {}, (403, "NotOffice")),
    }
    for who, act, body, expected in refused.values():
        assert who.refused(f"/pools/{pool}/{act}", body)[:2] == expected
    assert scene.arranger.post(f"/pools/{pool}/withdraw")["pool"]["state"] == "withdrawn"
    assert scene.north.refused("/pools", scene.draft())[:2] == (403, "NotArranger")
    senseless = scene.draft(trustee="loan-service")
    assert scene.arranger.refused("/pools", senseless)[:2] == (422, "InvalidPool")
    bad = scene.draft(rulesDocument={"version": 1, "rules": [{"field": "balance"}]})
    status, _, detail = scene.arranger.refused("/pools", bad)
    assert (status, "rule 1" in detail) == (400, True)
    live = scene.active()
    unheld = {"kind": "receivable", "instruments": [scene.receivable(10, sold=False)]}
    assert scene.servicer.refused(f"/pools/{live}/admit", unheld)[:2] == (409, "AssetNotFree")
    gone = {"instruments": [EVIDENCE], "reason": "never there"}
    assert scene.servicer.refused(f"/pools/{live}/dismiss", gone)[:2] == (409, "AssetInPool")
    tomorrow = scene.state(scene.today + timedelta(days=2))
    assert scene.servicer.refused(f"/pools/{live}/commit", tomorrow)[1] == "DateInFuture"


def test_proofs_that_lead_elsewhere_are_not_valid(scene: PoolScene, tmp_path: Path) -> None:
    pool, other = scene.active(), scene.active()
    with book_of(tmp_path, pool, scene.today, EVIDENCE) as book:
        scene.servicer.post(f"/pools/{pool}/commit", state_of(book))
        good = book.prove("LOAN-1", scene.today, show_attributes=True)
        book.correct(scene.today, json_rows([b'{"reference":"LOAN-1","balance":70001}']))
        fixed = {**state_of(book), "reason": "wrong balance"}
        scene.servicer.post(f"/pools/{pool}/correct", fixed)
        newest = book.prove("LOAN-1", scene.today)
    assert good.revision == 1
    verdict = verified(scene, pool, good)
    assert (verdict["valid"], verdict["corrected"], verdict["attributesShown"]) == (
        True,
        True,
        True,
    )
    assert verified(scene, pool, newest)["corrected"] is False
    richer = replace(newest, asset=replace(newest.asset, balance=90_000))
    for wrong in (richer, replace(newest, revision=1), replace(newest, size=2, path=())):
        verdict = verified(scene, pool, wrong)
        assert not verdict["valid"]
        assert verdict["reason"]
    body = orjson.loads(good.encode())
    status, _, detail = scene.north.refused(f"/pools/{other}/verify", body)
    assert (status, "is of pool" in detail) == (400, True)
    unknown = orjson.loads(replace(good, revision=7).encode())
    assert scene.north.refused(f"/pools/{pool}/verify", unknown)[0] == 404


# ---- lists --------------------------------------------------------------------------------------


def test_pools_are_listed_by_what_is_asked_for_in_pages(scene: PoolScene) -> None:
    first, second = scene.proposed(), scene.active()
    newest = scene.arranger.get("/pools?limit=2")
    assert [one["id"] for one in newest["pools"]] == [second, first]
    more = scene.arranger.get(f"/pools?limit=2&after={newest['after']}")
    assert not {one["id"] for one in more["pools"]} & {first, second}
    number = scene.arranger.get(f"/pools/{first}")["number"]
    wanted = {
        f"number={number}": {first},
        f"number={number}&state=active": set(),
        "currency=EUR": set(),
        f"number={number}&holder=north-fund&trustee=trust-bank": {first},
        f"number={number}&holder=seller": set(),
        f"number={number}&servicer=loan-service&arranger=car-bank": {first},
    }
    for query, expected in wanted.items():
        found = scene.arranger.get(f"/pools?{query}")["pools"]
        assert {one["id"] for one in found} == expected, query
    for query in ("state=lost", "after=x", "limit=0", "currency=cny"):
        assert scene.arranger.send("GET", f"/pools?{query}").status_code == 400
    for part in ("days/2027-02-30", "days?after=1", "periods/0", "periods/9/trace"):
        answer = scene.arranger.send("GET", f"/pools/{second}/{part}")
        assert answer.status_code in (400, 404)
    assert scene.arranger.send("GET", f"/pools/{second}/document").content == canonical_json(RULES)


# ---- versions -----------------------------------------------------------------------------------


def deployed(scene: PoolScene) -> Address:
    """A contract that says yes to everything: the next version."""
    stack = scene.node.stack
    key = stack.identity.accounts[OFFICE]
    fields = {
        "type": 2,
        "chainId": stack.ledger.chain_id,
        "nonce": stack.ledger.pending_nonce(key.address),
        "gas": 1_000_000,
        "value": 0,
        "data": bytes.fromhex("60005f5360015ff3"),
        "maxFeePerGas": 0,
        "maxPriorityFeePerGas": 0,
    }
    _, receipt = stack.ledger.wait_for(stack.ledger.submit(key.sign_transaction(fields)), 10)
    assert receipt.contract_address is not None
    return receipt.contract_address


def test_a_pool_lives_on_in_the_version_that_made_it(tmp_path: Path) -> None:
    with ExitStack() as exits:
        scene = PoolScene(exits, tmp_path, f"sqlite:///{tmp_path / 'tally.sqlite'}")
        pool = scene.active()
        accept = f"/pools/{scene.proposed()}/accept?prepare=true"
        for name in ("pool-book", "pools"):
            new = deployed(scene)
            voted = add_version(name, new, "voted")
            scene.node.stack.govern(Decision(DIRECTORY_ADDRESS, voted))
            operations = scene.node.services.operations
            assert operations is not None
            assert operations.place(name) == new
        told = scene.trustee.post(accept, {"office": "trustee"})
        assert told["transaction"]["to"].lower() == f"0x{POOL_BOOK_ADDRESS.hex()}"
        came = scene.collection(EVIDENCE)
        paid = scene.servicer.post(f"/pools/{pool}/collect?prepare=true", came)
        assert paid["transaction"]["to"].lower() == f"0x{POOLS_ADDRESS.hex()}"
        proposal = scene.arranger.post("/pools?prepare=true", scene.draft())
        assert bytes.fromhex(proposal["transaction"]["to"][2:]) not in (POOL_BOOK_ADDRESS, new)
