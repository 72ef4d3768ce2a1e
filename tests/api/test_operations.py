"""Acting over HTTP: once, durably, answered when it shows, refused in words."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update

from api.errors import Forbidden, StorageExhausted, Unavailable
from api.operations import Done, Idempotency, KeyReused, Limits, Operations, Refused, UnderWay
from api.tables import operation
from contracts.consortium.types import Status
from contracts.stock.tables import lot_table
from ledger.projection import StorageFull, read_transaction
from ledger.tlog import Checkpoint, Note, TlogProof, leaf_hash, verify_inclusion
from ledger.types import Hash32
from tests.api.acting import ALL, lot_id, prepare_node, principal, register, word
from tests.api.conftest import Node
from tests.traceability.capture.stack import BANK, CARRIER, FARM, OFFICE, document, event

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("S1")]


@pytest.fixture
def operations(node: Node) -> Operations:
    return prepare_node(node)


def lots(node: Node) -> int:
    with read_transaction(node.stack.engine) as connection:
        return int(connection.execute(select(func.count()).select_from(lot_table)).scalar_one())


def named(name: str, request: object = "") -> Idempotency:
    return Idempotency(name, bytes(word(request)))


def perform(operations: Operations, name: object, key: Idempotency | None = None) -> Done:
    return asyncio.run(operations.perform(principal(), register(operations, name), key))


def nonce(node: Node, organisation: str = FARM) -> int:
    return node.stack.ledger.pending_nonce(node.stack.identity.accounts[organisation].address)


def post(node: Node, name: str, organisation: str = FARM, **headers: str) -> httpx.Response:
    given = {**node.auth(organisation), **headers}
    return node.client.post("/lots", content=name.encode(), headers=given)


# ---- what is answered ---------------------------------------------------------------------------


def test_what_was_done_shows_when_the_answer_comes(node: Node, operations: Operations) -> None:
    for number in range(5):
        done = perform(operations, number)
        assert lots(node) == number + 1
        assert done.block == node.stack.head()
        assert done.events[0].name == "LotRegistered"
        assert done.events[0].contract == "stock"
        assert done.events[0].values["key"] == lot_id(number)
        assert done.events[0].values["warehouse"] == FARM
        assert done.events[0].values["agreement"]["shortfallBp"] == 50
        assert not done.replayed


def test_the_answer_over_http_leads_to_its_proof(node: Node, operations: Operations) -> None:
    answer = post(node, "wheat")
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body["lot"] == lot_id("wheat")
    assert answer.headers["location"] == f"/stock/lots/{body['lot']}"
    assert (body["leaf"], body["proof"]) == (
        body["events"][0]["leaf"],
        f"/log/proof/{body['leaf']}",
    )
    assert body["block"] == node.stack.head()
    found = node.client.get(body["proof"], headers=node.auth()).json()
    proof = TlogProof.decode(found["proof"])
    checkpoint = Checkpoint.parse(Note.decode(proof.checkpoint_note).text)
    entry = bytes.fromhex(found["entry"][2:])
    assert word("wheat").hex().encode() in entry
    verify_inclusion(leaf_hash(entry), proof.index, checkpoint.size, proof.path, checkpoint.root)
    assert node.client.get(f"/log/proof/{10**9}").status_code == 404


def test_a_transaction_is_told_to_its_organisation_and_to_who_supervises(
    node: Node, operations: Operations
) -> None:
    body = post(node, "wheat").json()
    place = f"/transactions/{body['transaction']}"
    found = node.client.get(place, headers=node.auth()).json()
    assert found["status"] == "done"
    assert {k: found[k] for k in ("block", "leaf", "events")} == {
        k: body[k] for k in ("block", "leaf", "events")
    }
    assert node.client.get(place).status_code == 401
    assert node.client.get(place, headers=node.auth(BANK)).status_code == 404
    unknown = f"/transactions/0x{'12' * 32}"
    assert node.client.get(unknown, headers=node.auth()).status_code == 404
    assert node.client.get("/transactions/0x12", headers=node.auth()).status_code == 400


# ---- what is refused ----------------------------------------------------------------------------


def test_a_refusal_is_in_words_and_uses_nothing(node: Node, operations: Operations) -> None:
    perform(operations, "wheat")
    before = (nonce(node), node.stack.head())
    answer = post(node, "wheat")
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["refusal"] == "LotExists"
    assert problem["type"] == "urn:tallystick:problem:refused"
    assert "transaction" not in problem
    stranger = post(node, "barley", CARRIER)
    assert (stranger.status_code, stranger.json()["refusal"]) == (403, "NotWarehouse")
    bad = register(operations, "rye")
    senseless = dataclasses.replace(
        bad, data=bad.data[:4] + bad.data[4:].replace(b"TNE", b"\xff\1e")
    )
    with pytest.raises(Refused) as refused:
        asyncio.run(operations.perform(principal(), senseless))
    assert (refused.value.status, refused.value.refusal) == (422, "InvalidAgreement")
    assert (nonce(node), node.stack.head()) == before
    assert nonce(node, CARRIER) == 0


def test_without_a_key_of_the_organisation_nothing_is_signed(operations: Operations) -> None:
    with pytest.raises(Forbidden, match="no signing key of office"):
        asyncio.run(operations.perform(principal(OFFICE), register(operations, 1)))


def test_a_suspended_organisation_is_told_so(node: Node, operations: Operations) -> None:
    node.stack.set_status(FARM, Status.SUSPENDED)
    answer = post(node, "wheat")
    assert answer.status_code == 403
    assert "not active" in answer.json()["detail"]
    with pytest.raises((Forbidden, Refused)) as refused:
        asyncio.run(operations.perform(principal(), register(operations, 1)))
    assert refused.value.status == 403
    node.stack.set_status(FARM, Status.ACTIVE)
    assert post(node, "wheat").status_code == 201, "its nonce was given back"


def test_who_is_late_learns_why_although_both_were_tried(
    node: Node, operations: Operations
) -> None:
    node.stack.driver.stop()
    futures = [operations.begin(FARM, register(operations, "wheat"), named(k)) for k in "ab"]
    wait_until(lambda: len(node.stack.ledger.pending()) == 2)
    node.stack.driver.start()
    ends = [future.exception(20) for future in futures]
    (late,) = [one for one in ends if one is not None]
    assert isinstance(late, Refused)
    assert (late.status, late.refusal) == (409, "LotExists")
    assert str(late.members["transaction"]).startswith("0x")
    again = named("ab"[ends.index(late)])
    wait_until(lambda: not unsettled(node))
    with pytest.raises(Refused) as refused:
        perform(operations, "wheat", again)
    assert refused.value.members == late.members
    assert refused.value.detail == late.detail
    place = f"/transactions/{late.members['transaction']}"
    told = node.client.get(place, headers=node.auth()).json()
    assert (told["status"], told["refusal"]) == ("refused", "LotExists")
    assert lots(node) == 1


# ---- Idempotency-Key ----------------------------------------------------------------------------


def test_the_same_request_under_a_key_happens_once(node: Node, operations: Operations) -> None:
    first = post(node, "wheat", **{"Idempotency-Key": "k1"})
    assert first.status_code == 201
    assert "idempotency-replayed" not in first.headers
    again = post(node, "wheat", **{"Idempotency-Key": "k1"})
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    other = post(node, "barley", **{"Idempotency-Key": "k1"})
    assert other.status_code == 422
    assert other.json()["type"] == "urn:tallystick:problem:idempotency-key-reused"
    assert lots(node) == 1
    assert post(node, "wheat", BANK, **{"Idempotency-Key": "k1"}).status_code == 403, "its own"
    assert post(node, "rye", **{"Idempotency-Key": "k k"}).status_code == 400


def test_requests_under_one_key_at_the_same_moment_happen_once(
    node: Node, operations: Operations
) -> None:
    def one(_: int) -> Done:
        return perform(operations, "wheat", named("same"))

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(one, range(20)))
    assert len({one.transaction for one in answers}) == 1
    assert sum(not one.replayed for one in answers) == 1
    assert (lots(node), nonce(node)) == (1, 1)
    node.stack.driver.stop()
    held = operations.begin(FARM, register(operations, "rye"), named("held"))
    with pytest.raises(KeyReused):
        operations.begin(FARM, register(operations, "rye"), named("held", "another"))
    node.stack.driver.start()
    held.result(20)


def test_a_refused_request_leaves_its_key_free(node: Node, operations: Operations) -> None:
    perform(operations, "wheat")
    with pytest.raises(Refused):
        perform(operations, "wheat", named("k"))
    assert perform(operations, "barley", named("k", "barley")).block == node.stack.head()


def test_a_key_is_forgotten_after_two_days(node: Node, operations: Operations) -> None:
    perform(operations, "wheat", named("k"))
    wait_until(lambda: not unsettled(node))
    old = int((time.time() - 49 * 3600) * 1000)
    with node.stack.engine.begin() as connection:
        connection.execute(update(operation).values(created_ms=old))
    assert perform(operations, "barley", named("k", "barley")).block == node.stack.head()


def test_a_full_disk_stops_it_before_it_is_sent(
    node: Node, operations: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> Future[None]:
        future: Future[None] = Future()
        future.set_exception(StorageFull("the disk is full"))
        return future

    with monkeypatch.context() as patch:
        patch.setattr(operations._committer, "submit", full)
        with pytest.raises(StorageExhausted):
            perform(operations, "wheat", named("k"))
    assert (lots(node), nonce(node)) == (0, 0)
    assert perform(operations, "wheat", named("k")).events
    assert nonce(node) == 1


# ---- many at once, and interruptions ------------------------------------------------------------


def test_fifty_at_once_from_one_account_beside_capture_leave_no_gap(
    node: Node, operations: Operations
) -> None:
    with ThreadPoolExecutor(50) as pool:
        documents = [
            node.stack.capture.accept(document(event(number)), FARM) for number in range(10)
        ]
        answers = list(pool.map(lambda n: post(node, f"lot {n}"), range(50)))
        jobs = [node.stack.capture.finished(one.result(20)).result(30) for one in documents]
    assert {one.status_code for one in answers} == {201}
    assert len({one.json()["transaction"] for one in answers}) == 50
    assert all(job.success for job in jobs)
    batches = {one.transaction_hash for job in jobs for one in job.anchorings}
    assert nonce(node) == 50 + len(batches)
    assert node.stack.nonces.held(node.stack.identity.accounts[FARM].address) == 0


def test_what_takes_too_long_is_told_to_ask_again(
    node: Node, make_operations: Callable[..., Operations]
) -> None:
    prepare_node(node)
    operations = make_operations(Limits(wait_s=0.5))
    node.stack.driver.stop()
    with pytest.raises(UnderWay) as late:
        perform(operations, "wheat")
    place = f"/transactions/0x{late.value.transaction.hex()}"
    assert late.value.body()["location"] == place
    assert node.client.get(place, headers=node.auth()).json()["status"] == "pending"
    node.stack.driver.start()
    wait_until(lambda: lots(node) == 1)
    assert node.client.get(place, headers=node.auth()).json()["status"] == "done"


def test_what_nobody_waits_for_any_more_is_not_begun(
    node: Node, make_operations: Callable[..., Operations]
) -> None:
    prepare_node(node)
    operations = make_operations(Limits(wait_s=0.05, threads=1))
    gate: Future[None] = Future()
    operations._pool.submit(gate.result)
    with pytest.raises(Unavailable, match="nothing was done"):
        perform(operations, "wheat")
    gate.set_result(None)
    operations._pool.submit(int).result(10)
    assert (lots(node), nonce(node)) == (0, 0)


def test_too_much_at_once_is_put_off(
    node: Node, make_operations: Callable[..., Operations]
) -> None:
    prepare_node(node)
    operations = make_operations(Limits(waiting_max=2))
    node.stack.driver.stop()
    under_way = [operations.begin(FARM, register(operations, n)) for n in range(2)]
    with pytest.raises(Unavailable, match="under way"):
        operations.begin(FARM, register(operations, 2))
    node.stack.driver.start()
    for future in under_way:
        future.result(20)
    assert operations.begin(FARM, register(operations, 2)).result(20).events


def test_what_is_not_tried_first_is_refused_by_its_block(
    node: Node, make_operations: Callable[..., Operations]
) -> None:
    prepare_node(node)
    operations = make_operations(Limits(untried_above=0))
    perform(operations, "wheat")
    with pytest.raises(Refused) as refused:
        perform(operations, "wheat")
    assert (refused.value.status, refused.value.refusal) == (409, "LotExists")
    assert "transaction" in refused.value.members
    assert perform(operations, "barley").block == node.stack.head()
    assert nonce(node) == 3


def test_after_a_restart_the_same_bytes_are_sent_and_happen_once(
    node: Node, make_operations: Callable[..., Operations]
) -> None:
    prepare_node(node)
    operations = make_operations(Limits(wait_s=0.3))
    node.stack.driver.stop()
    with pytest.raises(UnderWay) as late:
        perform(operations, "wheat", named("k"))
    forget_pending(node)
    operations.stop()
    after = make_operations(Limits(), started=False)
    after.adopt()
    account = node.stack.identity.accounts[FARM].address
    assert node.stack.nonces.next(account) == 1, "its nonce is kept before it is sent again"
    after.start()
    node.stack.driver.start()
    done = perform(after, "wheat", named("k"))
    assert done.transaction == late.value.transaction
    assert done.replayed
    assert (lots(node), nonce(node)) == (1, 1)
    assert perform(after, "wheat", named("k")).block == done.block


def test_a_nonce_that_another_took_is_replaced_and_the_request_still_happens_once(
    node: Node, make_operations: Callable[..., Operations]
) -> None:
    prepare_node(node)
    operations = make_operations(Limits(wait_s=0.3))
    node.stack.driver.stop()
    with pytest.raises(UnderWay) as late:
        perform(operations, "wheat", named("k"))
    forget_pending(node)
    operations.stop()
    node.stack.driver.start()
    # Against the rule that only the node signs: the same key is used elsewhere.
    node.stack.send(FARM, operations.place("stock"), register(operations, "rye").data)
    after = make_operations(Limits())
    done = perform(after, "wheat", named("k"))
    assert done.transaction != late.value.transaction
    assert (lots(node), nonce(node)) == (2, 2)


@pytest.fixture
def make_operations(node: Node) -> Any:
    """Another `Operations` on the same node; the node's own does nothing meanwhile."""
    made: list[Operations] = []

    def make(limits: Limits, *, started: bool = True) -> Operations:
        stack = node.stack
        one = Operations(
            stack.engine, stack.ledger, stack.projector, stack.signers, stack.nonces, limits=limits
        )
        made.append(one)
        if started:
            one.start()
        return one

    yield make
    for one in made:
        one.stop()


def forget_pending(node: Node) -> None:
    """As a crash does with what is only in the mempool."""
    for one in node.stack.ledger.pending():
        node.stack.ledger.mempool.drop(one, RuntimeError("crashed"))
    account = node.stack.identity.accounts[FARM].address
    for number in range(10):
        node.stack.nonces.release(account, number)


def unsettled(node: Node) -> int:
    with read_transaction(node.stack.engine) as connection:
        query = select(func.count()).select_from(operation).where(operation.c.raw.is_not(None))
        return int(connection.execute(query).scalar_one())


def wait_until(holds: Callable[[], object], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_scopes_bound_what_a_key_may_do(node: Node, operations: Operations) -> None:
    assert "stock:*" in ALL
    keys = node.services.keys
    for scopes, status in (
        (["capture"], 403),
        (["stock:read"], 403),
        (["receipts:*"], 403),
        (["stock:write"], 201),
    ):
        secret, made = keys.create(FARM, scopes)
        headers = {"Authorization": f"Bearer {secret}"}
        answer = node.client.post("/lots", content=made.key_id.encode(), headers=headers)
        assert answer.status_code == status, scopes
    bound, _ = keys.create(FARM, ["stock:*"], [f"0x{Hash32(bytes(32)).hex()}"])
    answer = node.client.post("/lots", content=b"x", headers={"Authorization": f"Bearer {bound}"})
    assert answer.status_code == 403
    assert "bound" in answer.json()["detail"]
