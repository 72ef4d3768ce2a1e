"""What a ledger begins with is what the trust file pins, and no member's word."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from contracts.consortium import Founder
from contracts.founding import consortium_alloc
from ledger.chain import Genesis
from ledger.consensus.cometbft import EngineStart, engine_genesis
from nodes.founding import Contracts, genesis_document
from nodes.layout import NodeDirectory
from nodes.network.beginning import adopt_beginning, demand_pin, fetch_beginning
from nodes.network.errors import JoinRefused
from nodes.network.founding import consortium_genesis, consortium_trust, genesis_hash
from nodes.network.source import MemberSource
from nodes.pinning import document_hash, pin_of, pinned
from tests.nodes.network.members import FOUNDERS, GENESIS, TRUST, Member
from tests.nodes.network.support import ORIGIN, TIME
from traceability.bundle import GenesisPin, Trust

pytestmark = pytest.mark.feature("N1")

Members = Callable[[], Member]


def changed_genesis(**section: object) -> Genesis:
    """Another "tallystick" section over the same state: block 0 is the same."""
    fields = json.loads(GENESIS.document)
    fields["tallystick"].update(section)
    changed = Genesis.parse(fields)
    assert changed.block.hash == GENESIS.block.hash
    return changed


def _section(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(GENESIS.document)["tallystick"][name]
    return found


def begun_alone() -> Genesis:
    """A genesis whose Network contract registers nobody."""
    one = FOUNDERS[0]
    founder = Founder(one.organisation, one.role, one.profile, one.accounts)
    contracts = Contracts(*consortium_alloc([founder]))
    return Genesis.parse(genesis_document(contracts, ORIGIN, 1_000_000_007, TIME))


def handed_over(genesis: Genesis) -> bytes:
    """An engine's beginning that does not follow from genesis: that of a promoted ledger."""
    start = EngineStart.parse(engine_genesis(GENESIS))
    after = replace(start, genesis_hash=genesis.block.hash, block_number=7, log_size=9)
    return after.document()


# ---- what is pinned -----------------------------------------------------------------------------


def test_the_pin_is_of_the_whole_document() -> None:
    assert TRUST.genesis == GenesisPin(sha256(GENESIS.document).digest())
    assert document_hash(GENESIS).hex() == genesis_hash(GENESIS).replace(" ", "")
    for other in (
        changed_genesis(limits={"transactionSizeBytesMax": 1 << 19}),
        changed_genesis(permission={**_section("permission"), "accountsSlot": 9}),
        changed_genesis(nodes={**_section("nodes"), "nodesSlot": 9}),
    ):
        assert document_hash(other) != document_hash(GENESIS)


def test_the_engine_is_pinned_where_its_beginning_does_not_follow() -> None:
    assert pin_of(GENESIS, engine_genesis(GENESIS)).engine is None
    alone = begun_alone()
    engine = handed_over(alone)
    assert pin_of(alone, engine).engine == sha256(engine).digest()
    assert pin_of(alone).engine is None


# ---- what a joiner demands ----------------------------------------------------------------------


def test_a_trust_file_without_a_pin_is_refused_saying_where_to_get_one() -> None:
    with pytest.raises(JoinRefused, match=r"newer one.*`tally network trust`.*--genesis-hash"):
        demand_pin(replace(TRUST, genesis=None))
    assert demand_pin(TRUST) == TRUST


def test_an_operator_can_give_the_hash_that_was_read_out() -> None:
    bare = replace(TRUST, genesis=None)
    assert demand_pin(bare, genesis_hash(GENESIS)) == TRUST
    assert demand_pin(bare, genesis_hash(GENESIS).replace(" ", "").upper()) == TRUST
    assert demand_pin(TRUST, genesis_hash(GENESIS)) == TRUST
    for wrong in ("", "ab", "zz" * 32, "ab" * 33):
        with pytest.raises(JoinRefused, match="64 hexadecimal digits"):
            demand_pin(bare, wrong)
    with pytest.raises(JoinRefused, match="not that of the trust file"):
        demand_pin(TRUST, "ab" * 32)


# ---- what members show --------------------------------------------------------------------------


def test_the_beginning_is_that_of_the_trust_file(members: Members, tmp_path: Path) -> None:
    sources = [MemberSource(members().url), MemberSource(members().url)]
    place = NodeDirectory(tmp_path)
    beginning = fetch_beginning(sources, TRUST)
    assert (beginning.genesis, beginning.engine) == (GENESIS, None)
    assert beginning.chain_id == EngineStart.of_genesis(GENESIS).chain_id
    assert not list(tmp_path.iterdir())
    adopt_beginning(place, beginning, TRUST)
    assert Genesis.load(place.genesis) == GENESIS
    assert place.trust.read_bytes() == TRUST.encode()
    adopt_beginning(place, beginning, TRUST)


def test_members_that_show_two_geneses_are_not_believed(members: Members) -> None:
    honest, other = members(), members()
    other.genesis = Genesis.decode(consortium_genesis(FOUNDERS, ORIGIN, TIME + 1)).document
    sources = [MemberSource(honest.url), MemberSource(other.url)]
    with pytest.raises(JoinRefused, match="another genesis"):
        fetch_beginning(sources, TRUST)


@pytest.mark.parametrize(
    ("founders", "origin", "timestamp", "what"),
    [
        (FOUNDERS, f"{ORIGIN}-2", TIME, "origin"),
        (FOUNDERS, ORIGIN, TIME + 1, "chain id"),
        (FOUNDERS[:3], ORIGIN, TIME, "chain id"),
    ],
)
def test_a_genesis_of_another_ledger_is_refused(
    members: Members, founders: Any, origin: str, timestamp: int, what: str
) -> None:
    member = members()
    member.genesis = Genesis.decode(consortium_genesis(founders, origin, timestamp)).document
    with pytest.raises(JoinRefused, match=what):
        fetch_beginning([MemberSource(member.url)], TRUST)


@pytest.mark.parametrize(
    "changed",
    [
        changed_genesis(limits={"transactionSizeBytesMax": 1 << 19}),
        changed_genesis(permission={**_section("permission"), "accountsSlot": 9}),
        changed_genesis(nodes={**_section("nodes"), "nodesSlot": 9}),
        changed_genesis(parameters={**_section("parameters"), "valuesSlot": 9}),
    ],
    ids=["limits", "permission", "nodes", "parameters"],
)
def test_another_reading_of_the_same_state_is_refused(members: Members, changed: Genesis) -> None:
    """Block 0 and all roots are the same: only the pin tells."""
    member = members()
    member.genesis = changed.document
    member.engine_genesis = handed_over(changed)
    with pytest.raises(JoinRefused, match="another genesis than the trust file pins"):
        fetch_beginning([MemberSource(member.url)], TRUST)


def test_an_engine_that_begins_otherwise_than_genesis_says_is_refused(members: Members) -> None:
    member = members()
    member.engine_genesis = handed_over(GENESIS)
    with pytest.raises(JoinRefused, match="does not follow from the genesis"):
        fetch_beginning([MemberSource(member.url)], TRUST)


def test_a_promoted_ledgers_engine_is_that_which_the_trust_file_pins(members: Members) -> None:
    alone = begun_alone()
    engine = handed_over(alone)
    trust = pinned(_trust_of(alone), alone, engine)
    member = members()
    member.genesis, member.engine_genesis = alone.document, engine
    source = MemberSource(member.url)
    beginning = fetch_beginning([source], trust)
    assert beginning.engine == engine
    assert beginning.chain_id == EngineStart.parse(engine).chain_id
    member.engine_genesis = replace(EngineStart.parse(engine), block_number=8).document()
    with pytest.raises(JoinRefused, match="another beginning of the engine"):
        fetch_beginning([source], trust)
    with pytest.raises(JoinRefused, match="where the consortium took over"):
        fetch_beginning([source], pinned(trust, alone))


def _trust_of(genesis: Genesis) -> Trust:
    return replace(TRUST, chain_id=genesis.chain_id)


@pytest.mark.parametrize("engine", [b"", b"{}", b"[1", b'{"app_state": 1}'])
def test_what_is_no_beginning_of_an_engine_is_refused(members: Members, engine: bytes) -> None:
    alone, member = begun_alone(), members()
    member.genesis, member.engine_genesis = alone.document, engine
    trust = replace(
        _trust_of(alone), genesis=GenesisPin(document_hash(alone), sha256(engine).digest())
    )
    with pytest.raises(JoinRefused, match=r"genesis\.json"):
        fetch_beginning([MemberSource(member.url)], trust)


def test_an_engine_of_another_ledger_is_refused_though_it_is_pinned(members: Members) -> None:
    alone, member = begun_alone(), members()
    member.genesis, member.engine_genesis = alone.document, handed_over(GENESIS)
    with pytest.raises(JoinRefused, match="of another ledger than its genesis"):
        fetch_beginning(
            [MemberSource(member.url)],
            pinned(_trust_of(alone), alone, member.engine_genesis),
        )


def test_a_genesis_that_is_there_is_never_replaced(members: Members, tmp_path: Path) -> None:
    place = NodeDirectory(tmp_path)
    beginning = fetch_beginning([MemberSource(members().url)], TRUST)
    other = changed_genesis(limits={"transactionSizeBytesMax": 1 << 19})
    place.genesis.write_bytes(other.document)
    with pytest.raises(JoinRefused, match="another genesis"):
        adopt_beginning(place, beginning, TRUST)
    assert Genesis.load(place.genesis) == other


def test_every_trust_file_of_a_consortium_bears_the_pin() -> None:
    assert consortium_trust(GENESIS).genesis == pin_of(GENESIS)
