"""Which beginning the engine has: the one in its folder, one that was given, or one derived."""

from __future__ import annotations

from ledger.chain import Ledger
from ledger.consensus.cometbft.errors import EngineHomeInvalid
from ledger.consensus.cometbft.genesis import DOCUMENT_SIZE_BYTES_MAX, EngineStart
from ledger.consensus.cometbft.home import Home, write_private
from ledger.consensus.cometbft.mark import Mark


def find_start(ledger: Ledger, home: Home, given: bytes | None) -> EngineStart:
    """The engine's beginning; its genesis.json is written where there is none.

    Raises `EngineHomeInvalid` where folder, ledger and what was given do not fit, `MarkInvalid`,
    `EngineHalted` where the ledger names no validators.
    """
    mark_data = ledger.consensus_mark()
    mark = Mark.decode(mark_data) if mark_data is not None else None
    stored = _stored(home)
    if stored is not None and given is None and mark is None and _is_stale(stored, ledger):
        stored = None
    if stored is not None:
        start = EngineStart.parse(stored)
    elif given is not None:
        start = EngineStart.parse(given)
    elif mark is not None or ledger.head().header.number == 0:
        start = EngineStart.of_genesis(ledger.genesis)
    else:
        start = EngineStart.of_ledger(ledger)
    if start.genesis_hash != ledger.genesis.block.hash:
        raise EngineHomeInvalid(
            f"{home.path} belongs to the ledger with genesis 0x{start.genesis_hash.hex()}, not "
            f"to 0x{ledger.genesis.block.hash.hex()}"
        )
    if given is not None and given != start.document():
        raise EngineHomeInvalid(
            f"{home.path} holds another beginning than the one given: use another folder"
        )
    if mark is not None and mark.chain != start.chain_id:
        raise EngineHomeInvalid(
            f"the ledger was last written by the network {mark.chain!r}; {home.path} is of "
            f"{start.chain_id!r}. Of a promoted ledger the engine's genesis.json is needed"
        )
    if stored is None:
        write_private(home.genesis, start.document())
    return start


def _is_stale(stored: bytes, ledger: Ledger) -> bool:
    """Whether the stored beginning is of a promotion that did not take place.

    The node went on alone then, and the engine never began: it begins after the head of now.
    """
    head = ledger.head()
    return head.header.number > 0 and EngineStart.parse(stored).block_hash != head.hash


def _stored(home: Home) -> bytes | None:
    try:
        with home.genesis.open("rb") as file:
            return file.read(DOCUMENT_SIZE_BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EngineHomeInvalid(f"{home.genesis} cannot be read: {error.strerror}") from error
