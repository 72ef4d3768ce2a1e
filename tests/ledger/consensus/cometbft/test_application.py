"""Consensus methods on a real ledger: what is begun, proposed, final and kept."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ledger.chain import Executed, NotPermitted
from ledger.consensus.cometbft import EngineHalted, EngineStart, Mark, ProposalRules
from ledger.consensus.cometbft import abci_pb2 as pb
from ledger.consensus.cometbft import application as application_module
from ledger.consensus.cometbft.execution import encoded_size
from ledger.evm import decode_transaction
from ledger.store import StoreFull
from ledger.types import CommittedBlock
from tests.ledger.chain.support import EMPTY_INIT, sender
from tests.ledger.consensus.cometbft.rig import KEYS, NODES, Rig
from tests.ledger.consensus.cometbft.support import (
    ACTIVE,
    account_slot,
    node_slots,
    organisation_slot,
    parameter_slot,
    store,
)

pytestmark = pytest.mark.feature("L2")


# ---- beginning ------------------------------------------------------------------------------


def test_a_new_ledger_is_at_height_0(rig: Rig) -> None:
    info = rig.info()
    assert (info.last_block_height, info.last_block_app_hash) == (0, b"")
    assert info.app_version == 1


def test_init_chain_answers_the_ledgers_validators_and_log_root(rig: Rig) -> None:
    answer = rig.init_chain()
    assert {one.pub_key.ed25519: one.power for one in answer.validators} == dict.fromkeys(KEYS, 1)
    assert answer.app_hash == rig.ledger.log.root


@pytest.mark.parametrize(
    "changes", [{"chain_id": "another"}, {"app_state_bytes": b"{}"}, {"app_state_bytes": b""}]
)
def test_an_engine_of_another_network_is_not_begun(rig: Rig, changes: dict[str, object]) -> None:
    with pytest.raises(EngineHalted):
        rig.init_chain(**changes)


def test_an_engine_does_not_begin_on_a_ledger_that_is_further(rig: Rig) -> None:
    rig.ledger.append_block(
        [decode_transaction(sender(1).call(1))], rig.ledger.head().header.timestamp
    )
    with pytest.raises(EngineHalted, match="join by state sync"):
        rig.init_chain()


def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    with Rig(tmp_path / "l") as rig:
        rig.init_chain()
        rig.block([sender(1).call(1)])
        rig.block([])
        root, genesis = rig.ledger.log.root, rig.genesis
    with Rig(tmp_path / "l", genesis) as rig:
        info = rig.info()
        assert (info.last_block_height, info.last_block_app_hash) == (2, root)


def test_a_mark_of_another_network_stops_the_engine(rig: Rig) -> None:
    rig.ledger.keep(None, Mark("elsewhere", 7, 0).encode())
    with pytest.raises(EngineHalted, match="elsewhere"):
        rig.info()


# ---- proposals ------------------------------------------------------------------------------


def test_a_proposal_has_just_what_is_included_and_the_others_accept_it(
    rig: Rig, tmp_path: Path
) -> None:
    alice, bob = sender(1), sender(2)
    for number in range(3):
        rig.ledger.submit(alice.call(number))
    rig.ledger.submit(bob.call(9))
    proposed = rig.prepare()
    assert len(proposed) == 4
    with Rig(tmp_path / "other", rig.genesis) as other:
        other.now = rig.now
        assert other.process(proposed)
        final = other.block(proposed)
    assert rig.block(proposed).app_hash == final.app_hash == rig.ledger.log.root
    assert rig.ledger.head().header.number == 1
    assert not rig.ledger.pending()


def test_a_proposal_is_executed_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    executions = []
    whole = rig.ledger.execute

    def counted(*arguments: object, **options: object) -> Executed:
        executions.append(1)
        return whole(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(rig.ledger, "execute", counted)
    alice = sender(1)
    for number in range(3):
        rig.ledger.submit(alice.call(number))
    proposed = rig.prepare()
    assert rig.process(proposed)
    assert rig.process(proposed[:2]), "another proposal is another execution"
    assert not rig.process([*proposed, sender(9).sign()])
    assert rig.process(proposed)
    assert len(executions) == 3
    rig.block(proposed)
    assert len(executions) == 3
    assert rig.process([alice.sign(nonce=3)])
    assert len(executions) == 4


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 1 << 20])
def test_a_transactions_bytes_count_as_the_engine_counts_them(size: int) -> None:
    raw = bytes(size)
    block = pb.ResponsePrepareProposal(txs=[raw])  # a repeated field of bytes, as in its blocks
    assert encoded_size(raw) == len(block.SerializeToString())


def test_an_empty_proposal_is_accepted_and_makes_no_block(rig: Rig) -> None:
    assert rig.prepare() == []
    assert rig.process([])
    root = rig.ledger.log.root
    final = rig.block([])
    assert final.app_hash == root
    assert rig.ledger.head().header.number == 0
    assert rig.info().last_block_height == 1


def test_a_proposal_keeps_within_the_engines_bytes(rig: Rig) -> None:
    alice = sender(1)
    raws = [alice.call(number) for number in range(5)]
    for raw in raws:
        rig.ledger.submit(raw)
    room = sum(map(encoded_size, raws[:3]))
    assert rig.prepare(max_tx_bytes=room) == raws[:3]
    assert rig.prepare(max_tx_bytes=room - 1) == raws[:2]
    assert rig.prepare(max_tx_bytes=10) == []


def test_a_proposal_keeps_within_our_own_bound(tmp_path: Path) -> None:
    with Rig(tmp_path / "l", rules=ProposalRules(transactions_max=2)) as rig:
        alice = sender(1)
        for number in range(5):
            rig.ledger.submit(alice.call(number))
        assert len(rig.prepare()) == 2


def test_a_proposal_begins_no_transaction_too_late(tmp_path: Path) -> None:
    with Rig(tmp_path / "l", rules=ProposalRules(execution_s_max=0)) as rig:
        alice = sender(1)
        for number in range(5):
            rig.ledger.submit(alice.call(number))
        assert len(rig.prepare()) == 1


def test_who_can_never_be_included_leaves_the_mempool_and_the_rest_is_proposed(rig: Rig) -> None:
    bob = sender(2)
    late = [rig.ledger.submit(bob.call(number)) for number in range(3)]
    rig.block([store(sender(1), {account_slot(bob.address): 2})])
    good = sender(3).call(1)
    rig.ledger.submit(good)
    assert rig.prepare() == [good]
    rig.block([good])
    with pytest.raises(NotPermitted):
        rig.ledger.wait_for(late[0], 5)


def test_if_nothing_can_be_included_the_proposal_is_empty(rig: Rig) -> None:
    bob = sender(2)
    late = rig.ledger.submit(bob.call(1))
    rig.block([store(sender(1), {account_slot(bob.address): 2})])
    assert rig.prepare() == []
    assert rig.ledger.pending_transaction(late) is None


def _refused_proposals() -> dict[str, list[bytes]]:
    alice = sender(1)
    good = alice.sign(nonce=0)
    return {
        "no transaction": [b"nonsense"],
        "no bytes": [b""],
        "broken signature": [good[:-1] + bytes([good[-1] ^ 1]), good],
        "cut short": [good[:-1]],
        "unpermitted": [sender(9).sign()],
        "one unpermitted among good ones": [good, sender(9).sign(), sender(2).sign()],
        "nonce too high": [alice.sign(nonce=1)],
        "nonce used twice": [good, alice.sign(nonce=0, gas=100_000)],
        "the same twice": [good, good],
        "another chain": [alice.sign(nonce=0, chainId=1)],
        "more gas than a block has": [alice.sign(nonce=0, gas=31_000_000)],
        "more gas than the block has left": [
            alice.sign(nonce=0, gas=29_000_000, data=b"\1" * 32),
            sender(2).sign(gas=30_000_000),
        ],
        "too little gas": [alice.sign(nonce=0, gas=21_000)],
        "no funds": [alice.sign(nonce=0, value=1)],
        "too large": [alice.sign(nonce=0, data=b"\1" * (1 << 20), gas=30_000_000)],
        "init code too large": [
            alice.sign(nonce=0, to=None, data=EMPTY_INIT + bytes(49_152), gas=5_000_000)
        ],
    }


@pytest.mark.parametrize("kind", sorted(_refused_proposals()))
def test_a_proposal_with_one_bad_transaction_is_refused(
    rig: Rig, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert not rig.process(_refused_proposals()[kind])
    assert "is refused" in caplog.text
    assert rig.process([sender(1).sign(nonce=0)])


def test_a_proposal_from_the_future_is_refused(rig: Rig) -> None:
    good = [sender(1).call(1)]
    assert not rig.process(good, at=rig.now + 61)
    assert not rig.process([], at=rig.now + 61)
    assert not rig.process(good, at=-5)
    assert rig.process(good, at=rig.now + 30)


def test_a_time_before_the_parents_counts_as_the_parents(rig: Rig) -> None:
    alice = sender(1)
    rig.block([alice.call(1)], at=rig.now + 20)
    second = [alice.call(2)]
    assert rig.process(second, at=rig.now)
    rig.block(second, at=rig.now)
    assert rig.ledger.head().header.timestamp == int(rig.now + 20)


# ---- final blocks ---------------------------------------------------------------------------


def test_in_a_final_block_what_cannot_be_included_is_left_out_with_the_reason(rig: Rig) -> None:
    alice = sender(1)
    reverts = alice.sign(nonce=1, data=b"")
    txs = [b"nonsense", alice.sign(nonce=0), sender(9).sign(), reverts, alice.sign(nonce=1)]
    final = rig.block(txs)
    assert [one.code for one in final.tx_results] == [1, 0, 1, 0, 1]
    assert "not an account" in final.tx_results[2].log
    included = [final.tx_results[place] for place in (1, 3)]
    receipts = rig.ledger.receipts(1)
    assert [one.gas_used for one in included] == [one.gas_used for one in receipts]
    assert [one.status for one in receipts] == [1, 0]
    assert [one.raw for one in rig.ledger.head().transactions] == [txs[1], txs[3]]


def test_a_final_block_without_anything_to_include_makes_none(rig: Rig) -> None:
    root = rig.ledger.log.root
    final = rig.block([b"nonsense", sender(9).sign()])
    assert [one.code for one in final.tx_results] == [1, 1]
    assert final.app_hash == root == rig.ledger.log.root
    assert rig.ledger.head().header.number == 0
    assert rig.info().last_block_height == 1


def test_only_the_height_that_is_due_is_finalised(rig: Rig) -> None:
    rig.block([])
    for height in (1, 3):
        rig.height = height - 1
        with pytest.raises(EngineHalted, match="2 was due"):
            rig.finalize([])


def test_nothing_is_committed_that_was_not_finalised(rig: Rig) -> None:
    with pytest.raises(EngineHalted):
        rig.commit()


def test_a_crash_between_finalize_and_commit_loses_nothing(tmp_path: Path) -> None:
    txs = [sender(1).call(1), sender(2).call(2)]
    with Rig(tmp_path / "l") as rig:
        rig.init_chain()
        rig.block([sender(1).sign(nonce=0)])
        sender_raw = [sender(1).sign(nonce=1, data=b"\5" * 32), *txs[1:]]
        first = rig.finalize(sender_raw)
        genesis, now = rig.genesis, rig.now
    with Rig(tmp_path / "l", genesis) as rig:
        rig.now = now
        assert rig.info().last_block_height == 1
        assert rig.finalize(sender_raw).SerializeToString() == first.SerializeToString()
        # The engine may ask twice before it commits.
        assert rig.finalize(sender_raw).app_hash == first.app_hash
        rig.commit()
        assert rig.ledger.log.root == first.app_hash
        assert rig.info().last_block_height == 2


def test_validators_come_go_and_change(rig: Rig) -> None:
    alice, key, new_key = sender(1), KEYS[1], b"\xcc" * 32

    def after(**changes: object) -> dict[bytes, int]:
        fields = {"id": NODES[1].id, "validator_key": key, "power": 1, "status": ACTIVE}
        node = type(NODES[1])(**{**fields, **changes})  # type: ignore[arg-type]
        final = rig.block([store(alice, node_slots(node))])
        assert final.tx_results[0].code == 0
        return {one.pub_key.ed25519: one.power for one in final.validator_updates}

    assert after(power=7) == {key: 7}
    assert after(power=7) == {}
    assert after(validator_key=new_key, power=7) == {key: 0, new_key: 7}
    assert after(validator_key=new_key, power=7, status=2) == {new_key: 0}
    assert after(validator_key=new_key, power=2) == {new_key: 2}
    assert after(validator_key=None) == {new_key: 0}
    assert after(power=0) == {}
    assert len(rig.told.changes) == 6


def test_without_any_validator_the_node_halts_instead_of_answering(rig: Rig) -> None:
    closing = store(sender(1), {organisation_slot(): 2})
    with pytest.raises(EngineHalted, match="no validator"):
        rig.finalize([closing])


def test_changed_bounds_reach_the_engine_and_the_next_block(rig: Rig) -> None:
    alice = sender(1)
    final = rig.block([store(alice, {parameter_slot("blockSizeBytesMax"): 1 << 17})])
    size = final.consensus_param_updates.block.max_bytes
    assert 1 << 17 < size < 1 << 21
    assert final.consensus_param_updates.block.max_gas == -1
    assert not rig.block([alice.call(1)]).HasField("consensus_param_updates")
    large = [alice.sign(nonce=alice.nonce, data=b"\1" * 60_000, gas=5_000_000)]
    large.append(sender(2).sign(data=b"\1" * 60_000, gas=5_000_000))
    assert rig.process(large)
    assert not rig.process([*large, sender(3).sign(data=b"\1" * 60_000, gas=5_000_000)])


# ---- commit ---------------------------------------------------------------------------------


def test_a_full_disk_makes_the_engine_wait_and_loses_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application_module, "FULL_RETRY_S", 0.01)
    whole, failures = rig.ledger.keep, 3

    def keep(executed: Executed | None, mark: bytes) -> CommittedBlock | None:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise StoreFull("no room")
        return whole(executed, mark)

    monkeypatch.setattr(rig.ledger, "keep", keep)
    rig.block([sender(1).call(1)])
    assert rig.told.full_reasons == ["no room", None]
    assert rig.ledger.head().header.number == 1


def test_a_stop_ends_the_wait_for_room(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def keep(_executed: Executed | None, _mark: bytes) -> CommittedBlock | None:
        raise StoreFull("no room")

    monkeypatch.setattr(rig.ledger, "keep", keep)
    rig.finalize([sender(1).call(1)])
    threading.Timer(0.1, rig.stopping.set).start()
    with pytest.raises(StoreFull):
        rig.commit()


def test_old_heights_are_given_up_if_so_set(tmp_path: Path) -> None:
    with Rig(tmp_path / "l", retain=lambda mark: mark.height - 1) as rig:
        rig.init_chain()
        retained = []
        for _ in range(4):
            rig.finalize([])
            retained.append(rig.commit().retain_height)
        assert retained == [0, 1, 2, 3]


def test_all_heights_are_kept_by_default(rig: Rig) -> None:
    rig.finalize([])
    assert rig.commit().retain_height == 0


# ---- the rest -------------------------------------------------------------------------------


def test_votes_carry_nothing(rig: Rig) -> None:
    assert rig.ask(extend_vote=pb.RequestExtendVote(height=1)).vote_extension == b""
    status = pb.ResponseVerifyVoteExtension
    empty = rig.ask(verify_vote_extension=pb.RequestVerifyVoteExtension(height=1))
    full = rig.ask(
        verify_vote_extension=pb.RequestVerifyVoteExtension(height=1, vote_extension=b"x")
    )
    assert (empty.status, full.status) == (status.ACCEPT, status.REJECT)


def test_a_promoted_ledger_begins_where_it_is(tmp_path: Path) -> None:
    with Rig(tmp_path / "l") as rig:
        rig.ledger.append_block(
            [decode_transaction(sender(1).call(1))], rig.genesis.block.header.timestamp
        )
        start = EngineStart.of_ledger(rig.ledger)
        assert start.chain_id != rig.start.chain_id
        rig.start = start
        rig.application._start = start
        answer = rig.init_chain()
        assert answer.app_hash == rig.ledger.log.root
        rig.block([sender(1).sign(nonce=1)])
        assert rig.ledger.head().header.number == 2
        assert rig.info().last_block_height == 1
