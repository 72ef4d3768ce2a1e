"""Calls and logs of the Directory contract."""

from __future__ import annotations

import re
from typing import Final

from contracts.abi import Function
from contracts.directory.genesis import DIRECTORY_ARTIFACT, contract_name_text, contract_name_word
from contracts.directory.types import VersionAdded
from contracts.errors import CalldataValueError
from contracts.events import LogDecoder, Values, address_of
from ledger.types import Address, Hash32, Log

NOTE_BYTES_MAX: Final = 512
_NOTE: Final = re.compile(r"[!-~]*")

_ADD_VERSION: Final = Function.of(DIRECTORY_ARTIFACT, "addVersion")
_CURRENT: Final = Function.of(DIRECTORY_ARTIFACT, "current")
_COUNT: Final = Function.of(DIRECTORY_ARTIFACT, "count")


def add_version(name: str, address: Address, note: str = "") -> bytes:
    """Make the contract at `address` the current version of the name. For a proposal.

    Raises `CalldataValueError` for what does not fit.
    """
    if len(note) > NOTE_BYTES_MAX or not _NOTE.fullmatch(note):
        raise CalldataValueError(
            f"the note {note[:60]!r} is not an address of up to {NOTE_BYTES_MAX} printable ASCII "
            "characters"
        )
    return _ADD_VERSION.calldata(contract_name_word(name), address, note)


def current_calldata(name: str) -> bytes:
    """Calldata of `current`, to be called, not sent; reverts where the name is unknown."""
    return _CURRENT.calldata(contract_name_word(name))


def decode_current(output: bytes) -> Address:
    """Where the current version is. Raises `CalldataError`."""
    ((address, *_),) = _CURRENT.result(output)
    return address_of(address)


def count_calldata(name: str) -> bytes:
    """Calldata of `count`, to be called, not sent."""
    return _COUNT.calldata(contract_name_word(name))


def decode_count(output: bytes) -> int:
    """How many versions the name has. Raises `CalldataError`."""
    return int(_COUNT.result(output)[0])


def decode_log(log: Log) -> VersionAdded:
    """The event in a log of the contract. Raises `LogError` where it is none of its events."""
    return _EVENTS.decode(log)


def _version_added(values: Values) -> VersionAdded:
    return VersionAdded(
        name=contract_name_text(values["name"]),
        address=address_of(values["place"]),
        by=address_of(values["by"]),
        index=values["index"],
        code_hash=Hash32(values["codeHash"]),
        note=values["note"],
    )


_EVENTS: Final = LogDecoder[VersionAdded](DIRECTORY_ARTIFACT, VersionAdded=_version_added)
