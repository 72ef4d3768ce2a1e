"""The Consortium contract in genesis: code and founders' storage, and the way back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from contracts.artifact import load_artifact
from contracts.consortium.ids import organisation_id_text, organisation_id_word
from contracts.consortium.types import Founder, Kind, Profile, Role, Status
from contracts.errors import GenesisError
from contracts.genesis import (
    CONSORTIUM_ADDRESS,
    GOVERNANCE_ADDRESS,
    AllocEntry,
    constructed,
    enumerable_set,
    listed,
    read_back,
)
from contracts.storage import Layout, Words
from ledger.types import Address

CONSORTIUM_ARTIFACT: Final = load_artifact("contracts.consortium", "Consortium")
_LAYOUT: Final = Layout.of(CONSORTIUM_ARTIFACT)

ORGANISATIONS_MAX: Final = 10_000
NAME_BYTES_MAX: Final = 128
URI_BYTES_MAX: Final = 512


def permission_layout(consortium: Address = CONSORTIUM_ADDRESS) -> dict[str, str | int]:
    """The `permission` part of a genesis file: where block validation finds who may transact."""
    return {
        "contract": f"0x{consortium.hex()}",
        "accountsSlot": _LAYOUT.place("_accounts").slot,
        "organisationsSlot": _LAYOUT.place("_organisations").slot,
    }


def genesis_account(*founders: Founder, authority: Address = GOVERNANCE_ADDRESS) -> AllocEntry:
    """The `alloc` entry of the contract: as if its constructor and functions had added `founders`.

    `authority` is the contract that may change organisations. There is at least one founder, each
    with an account. Raises `GenesisError`.
    """
    _check_founders(founders)
    return constructed(CONSORTIUM_ARTIFACT, authority, _values(founders))


def founders_of(account: AllocEntry) -> tuple[Founder, ...]:
    """The founders in an `alloc` entry, in their order. Raises `GenesisError`.

    Refuses anything that `genesis_account` would not have written, so that what is shown of the
    founders is all that the contract knows.
    """
    return read_back(
        "Consortium", "founders", account, _founders, lambda founders: genesis_account(*founders)
    )


# ---- writing ------------------------------------------------------------------------------------


def _values(founders: Iterable[Founder]) -> dict[str, object]:
    """Every state variable of the contract, named as in the source."""
    founders = tuple(founders)
    return {
        "_accounts": {
            address: {
                "organisation": organisation_id_word(founder.id),
                "status": int(Status.ACTIVE),
                "kind": int(kind),
            }
            for founder in founders
            for address, kind in _members(founder)
        },
        "_organisations": {organisation_id_word(f.id): _organisation(f) for f in founders},
        "_ids": enumerable_set([organisation_id_word(founder.id) for founder in founders]),
        "_members": {
            organisation_id_word(f.id): enumerable_set([a.rjust(32, b"\0") for a, _ in _members(f)])
            for f in founders
        },
    }


def _organisation(founder: Founder) -> dict[str, object]:
    profile = founder.profile
    return {
        "status": int(Status.ACTIVE),
        "role": int(founder.role),
        "activeAccounts": len(founder.accounts),
        "profile": {"name": profile.name, "nameZh": profile.name_zh, "uri": profile.uri},
    }


def _members(founder: Founder) -> list[tuple[Address, Kind]]:
    accounts = [(address, Kind.ACCOUNT) for address in founder.accounts]
    return accounts + [(address, Kind.DEVICE) for address in founder.devices]


def _check_founders(founders: tuple[Founder, ...]) -> None:
    if len(founders) > ORGANISATIONS_MAX:
        raise GenesisError(f"genesis: {len(founders)} founders, at most {ORGANISATIONS_MAX}")
    if len({founder.id for founder in founders}) != len(founders):
        raise GenesisError("genesis: two founders have the same id")
    if not founders:
        raise GenesisError("genesis: a consortium has at least one founder")
    addresses = [address for founder in founders for address, _ in _members(founder)]
    if len(set(addresses)) != len(addresses):
        raise GenesisError("genesis: an address stands twice among the founders' accounts")
    if any(len(address) != 20 or not any(address) for address in addresses):
        raise GenesisError("genesis: an account address is 20 bytes and not zero")
    for founder in founders:
        _check_founder(founder)


def _check_founder(founder: Founder) -> None:
    organisation_id_word(founder.id)
    if not founder.accounts:
        raise GenesisError(f"genesis: founder {founder.id} has no account")
    profile = founder.profile
    if not profile.name:
        raise GenesisError(f"genesis: founder {founder.id} has no name")
    for text, bytes_max in (
        (profile.name, NAME_BYTES_MAX),
        (profile.name_zh, NAME_BYTES_MAX),
        (profile.uri, URI_BYTES_MAX),
    ):
        if not _is_text(text, bytes_max):
            raise GenesisError(
                f"genesis: founder {founder.id}: {text[:40]!r} is not text without control "
                f"characters of at most {bytes_max} bytes of UTF-8"
            )


def _is_text(text: str, bytes_max: int) -> bool:
    """What the contract takes, and nothing that is not UTF-8."""
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        return False
    return len(raw) <= bytes_max and not any(byte < 0x20 or byte == 0x7F for byte in raw)


# ---- reading ------------------------------------------------------------------------------------


def _founders(words: Words) -> tuple[Founder, ...]:
    ids = listed(_LAYOUT, words, ORGANISATIONS_MAX, "_ids", "_inner", "_values")
    return tuple(_founder(words, organisation_id_text(word)) for word in ids)


def _founder(words: Mapping[int, int], organisation: str) -> Founder:
    key = organisation_id_word(organisation)
    count = _LAYOUT.number(words, "_members", key, "_inner", "_values")
    accounts: dict[Kind, list[Address]] = {Kind.ACCOUNT: [], Kind.DEVICE: []}
    for index in range(count):
        word = _LAYOUT.number(words, "_members", key, "_inner", "_values", index)
        address = Address((word & (2**160 - 1)).to_bytes(20, "big"))
        accounts[Kind(_LAYOUT.number(words, "_accounts", address, "kind"))].append(address)
    name, name_zh, uri = (
        _LAYOUT.text(words, "_organisations", key, "profile", part)
        for part in ("name", "nameZh", "uri")
    )
    return Founder(
        id=organisation,
        role=Role(_LAYOUT.number(words, "_organisations", key, "role")),
        profile=Profile(name, name_zh, uri),
        accounts=tuple(accounts[Kind.ACCOUNT]),
        devices=tuple(accounts[Kind.DEVICE]),
    )
