"""Genesis storage is what the contract's own functions would have written."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.consortium import (
    CONSORTIUM_ADDRESS,
    Founder,
    Profile,
    Role,
    add_account,
    add_device,
    add_organisation,
    founders_of,
    genesis_account,
    organisation_id_word,
    permission_layout,
)
from contracts.consortium.genesis import CONSORTIUM_ARTIFACT
from contracts.errors import GenesisError, OrganisationIdError
from contracts.storage import mapping_slot
from ledger.types import Address
from tests.contracts.scene import FARM, OPERATOR, MemoryChain, key

TEXTS = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x9FFF, exclude_characters="\x7f"),
    max_size=42,
)
PROFILES = st.builds(Profile, name=TEXTS.filter(bool), name_zh=TEXTS, uri=TEXTS)


AUTHORITY = key(99)


def words_of(*founders: Founder) -> dict[int, int]:
    storage = genesis_account(*founders)["storage"]
    return {int(slot, 16): int(word, 16) for slot, word in storage.items()}


def constructed(founders: tuple[Founder, ...]) -> tuple[MemoryChain, Address]:
    """Deploy by constructor, then add everything else by calls, in the founders' order.

    An account of nobody's stands for the authority.
    """
    chain = MemoryChain()
    first, *others = founders
    profile = (first.profile.name, first.profile.name_zh, first.profile.uri)
    arguments = encode(
        ["address", "bytes32", "(string,string,string)", "address"],
        [AUTHORITY.address, organisation_id_word(first.id), profile, first.accounts[0]],
    )
    deployed = chain.send(key(1), None, CONSORTIUM_ARTIFACT.bytecode + arguments)
    assert deployed.status == 1
    assert deployed.contract_address is not None
    contract = deployed.contract_address
    for other in others:
        call = add_organisation(other.id, other.role, other.profile, other.accounts[0])
        assert chain.send(AUTHORITY, contract, call).status == 1
    for founder in founders:
        for account in founder.accounts[1:]:
            assert chain.send(AUTHORITY, contract, add_account(founder.id, account)).status == 1
        if founder.devices:
            own = next(k for k in map(key, range(1, 50)) if k.address == founder.accounts[0])
            for device in founder.devices:
                assert chain.send(own, contract, add_device(device)).status == 1
    return chain, contract


@pytest.mark.feature("N1")
def test_genesis_storage_equals_what_the_contract_writes() -> None:
    founders = (
        Founder(
            "tally-operator",
            Role.OPERATOR,
            Profile("Operator", "运营方" * 12, "https://id.gs1.org/417/9521234000006"),
            (key(1).address, key(7).address),
            (key(8).address,),
        ),
        FARM,
        Founder("bank-" + "x" * 27, Role.BANK, Profile("b" * 128), (key(9).address,)),
        Founder("op2", Role.OPERATOR, Profile("b" * 31, "b" * 32, "u" * 512), (key(10).address,)),
    )
    chain, contract = constructed(founders)
    assert words_of(*founders) == chain.words(contract)


@pytest.mark.feature("N1")
@settings(max_examples=15, deadline=None)
@given(PROFILES, PROFILES)
def test_any_text_is_laid_out_as_the_contract_lays_it_out(one: Profile, two: Profile) -> None:
    founders = (
        Founder("a", Role.OPERATOR, one, (key(1).address,)),
        Founder("b", Role.CARRIER, two, (key(2).address,)),
    )
    chain, contract = constructed(founders)
    assert words_of(*founders) == chain.words(contract)


@pytest.mark.feature("N1")
def test_genesis_code_is_what_deployment_leaves() -> None:
    chain, contract = constructed((OPERATOR,))
    account = chain.state.account(contract)
    assert account is not None
    entry = genesis_account(OPERATOR, authority=AUTHORITY.address)
    assert entry["code"] == f"0x{chain.state.code(account.code_hash).hex()}"
    assert (entry["nonce"], entry["balance"]) == ("0x1", "0x0")


@pytest.mark.feature("N1")
@settings(max_examples=50)
@given(st.permutations([OPERATOR, FARM]), PROFILES)
def test_founders_are_read_back_from_the_entry(order: list[Founder], profile: Profile) -> None:
    founders = (*order, Founder("third", Role.BANK, profile, (key(30).address,)))
    assert founders_of(genesis_account(*founders)) == founders


def test_an_entry_that_says_more_than_its_founders_is_refused() -> None:
    entry = genesis_account(OPERATOR, FARM)
    hidden = mapping_slot(key(40).address.rjust(32, b"\0"), 0)
    for slot, word in (
        (hidden, int.from_bytes(organisation_id_word(FARM.id), "big")),
        (hidden + 1, 1),
        (6, 9),
        (2, 2**200),
    ):
        changed = copy.deepcopy(entry)
        changed["storage"][f"0x{slot:064x}"] = f"0x{word:064x}"
        with pytest.raises(GenesisError):
            founders_of(changed)


def test_an_entry_that_lost_a_word_is_refused_unless_it_is_an_optional_text() -> None:
    entry = genesis_account(OPERATOR, FARM)
    read = []
    for slot in entry["storage"]:
        changed = copy.deepcopy(entry)
        del changed["storage"][slot]
        try:
            read.append(founders_of(changed))
        except GenesisError:
            continue
    profile = OPERATOR.profile
    without_zh = replace(OPERATOR, profile=replace(profile, name_zh=""))
    farm_without_zh = replace(FARM, profile=replace(FARM.profile, name_zh=""))
    assert sorted(read, key=str) == sorted(
        [(without_zh, FARM), (OPERATOR, farm_without_zh)], key=str
    )


@pytest.mark.parametrize(
    "founders",
    [
        (),
        (OPERATOR, OPERATOR),
        (OPERATOR, Founder("other", Role.BANK, Profile("Other"), OPERATOR.accounts)),
        (OPERATOR, Founder("other", Role.BANK, Profile("Other"), ())),
        (OPERATOR, Founder("other", Role.BANK, Profile(""), (key(5).address,))),
        (OPERATOR, Founder("other", Role.BANK, Profile("a\nb"), (key(5).address,))),
        (OPERATOR, Founder("other", Role.BANK, Profile("谷" * 43), (key(5).address,))),
        (OPERATOR, Founder("other", Role.BANK, Profile("\ud800"), (key(5).address,))),
        (OPERATOR, Founder("other", Role.BANK, Profile("Other"), (Address(bytes(20)),))),
        (OPERATOR, Founder("other", Role.BANK, Profile("Other"), (Address(b"short"),))),
    ],
    ids=lambda founders: str(len(founders)),
)
def test_founders_that_the_contract_would_refuse_are_refused(founders: tuple[Founder, ...]) -> None:
    with pytest.raises(GenesisError):
        genesis_account(*founders)


@pytest.mark.parametrize("bad", ["", "UPPER", "a b", "ä", "x" * 33, "a\0b", "a\n"])
def test_bad_organisation_ids_are_refused(bad: str) -> None:
    with pytest.raises(OrganisationIdError):
        organisation_id_word(bad)
    with pytest.raises((GenesisError, OrganisationIdError)):
        genesis_account(Founder(bad, Role.OPERATOR, Profile("x"), (key(5).address,)))


@pytest.mark.feature("N1")
def test_permission_layout_is_what_the_architecture_says() -> None:
    """docs/architecture.md, "Permission": checked against the compiler's own storage layout."""
    assert permission_layout() == {
        "contract": f"0x{CONSORTIUM_ADDRESS.hex()}",
        "accountsSlot": 0,
        "organisationsSlot": 1,
    }
    layout = CONSORTIUM_ARTIFACT.storage_layout
    types = layout["types"]
    slots = {v["label"]: (v["slot"], v["offset"], types[v["type"]]) for v in layout["storage"]}
    accounts, organisations = slots["_accounts"], slots["_organisations"]
    assert (accounts[0], accounts[2]["key"]) == ("0", "t_address")
    assert (organisations[0], organisations[2]["key"]) == ("1", "t_bytes32")
    assert members(types, accounts[2])["organisation"] == ("0", 0, "t_bytes32", "32")
    assert members(types, accounts[2])["status"][:2] == ("1", 0)
    assert members(types, accounts[2])["status"][3] == "1"
    assert members(types, organisations[2])["status"][:2] == ("0", 0)
    assert members(types, organisations[2])["status"][3] == "1"


def members(types: Any, mapping: Any) -> dict[str, tuple[str, int, str, str]]:
    """Slot, offset, type and size of each member of a mapping's struct."""
    return {
        member["label"]: (
            member["slot"],
            member["offset"],
            member["type"],
            types[member["type"]]["numberOfBytes"],
        )
        for member in types[mapping["value"]]["members"]
    }
