"""Where the engine begins: CometBFT's `genesis.json`, derived from ours or from a promoted ledger.

Every member derives the same bytes. CometBFT's JSON has 64-bit numbers as strings.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ledger.canonical import JsonError, canonical_json, parse_json
from ledger.chain import Genesis, Ledger, Limits
from ledger.chain.membership import ChangedStorage, read_limits, read_nodes
from ledger.consensus.cometbft import abci_pb2 as pb
from ledger.consensus.cometbft.errors import EngineHomeInvalid
from ledger.consensus.cometbft.membership import validators_of
from ledger.tlog import EMPTY_ROOT
from ledger.types import Address

DOCUMENT_SIZE_BYTES_MAX: Final = 4 << 20
BLOCK_SIZE_BYTES_MAX: Final = 100 << 20
"""CometBFT, types.MaxBlockSizeBytes."""
EVIDENCE_AGE_S: Final = 21 * 24 * 3600
"""How long a double vote can be shown; a light client must not trust for longer than that."""
EVIDENCE_AGE_BLOCKS: Final = 100_000
"""It expires where it is older than both: a network that rests loses none by time alone."""
_EVIDENCE_SIZE_BYTES_MAX: Final = 1 << 18
_AROUND_BYTES: Final = 1 << 20
"""Header, commit and evidence of an engine's block, beside its transactions."""
_ENVELOPE_PART: Final = 16
"""Of the transactions' bytes: what the engine's encoding of them takes at most."""


@dataclass(frozen=True, slots=True)
class EngineStart:
    """The state that the engine's first block is built on."""

    genesis_hash: bytes
    block_number: int
    """0, or the last block of the ledger that was promoted."""
    block_hash: bytes
    time: int
    """Of that block, seconds since 1970."""
    log_size: int
    log_root: bytes
    validators: tuple[tuple[bytes, int], ...]
    """Keys and powers, in the order of the keys."""
    limits: Limits

    @classmethod
    def of_genesis(cls, genesis: Genesis) -> EngineStart:
        """Of a new consortium. Raises `EngineHalted` where genesis names no validator."""
        storage = ChangedStorage(_Nothing(), genesis.state)
        return cls(
            genesis_hash=genesis.block.hash,
            block_number=0,
            block_hash=genesis.block.hash,
            time=genesis.block.header.timestamp,
            log_size=0,
            log_root=EMPTY_ROOT,
            validators=tuple(validators_of(read_nodes(genesis, storage)).items()),
            limits=read_limits(genesis, storage),
        )

    @classmethod
    def of_ledger(cls, ledger: Ledger) -> EngineStart:
        """Of a ledger that was written alone so far (promotion). Raises `EngineHalted`."""
        head, log = ledger.head(), ledger.log.head()
        return cls(
            genesis_hash=ledger.genesis.block.hash,
            block_number=head.header.number,
            block_hash=head.hash,
            time=head.header.timestamp,
            log_size=log.size,
            log_root=log.root,
            validators=tuple(validators_of(ledger.nodes()).items()),
            limits=ledger.limits(),
        )

    @classmethod
    def parse(cls, document: bytes) -> EngineStart:
        """Read `document` back. Raises `EngineHomeInvalid`."""
        try:
            fields = parse_json(document, size_bytes_max=DOCUMENT_SIZE_BYTES_MAX, depth_max=8)
            start = _read(fields)
        except (JsonError, KeyError, TypeError, ValueError) as error:
            raise EngineHomeInvalid(f"the engine's genesis.json cannot be read: {error}") from error
        if start.document() != document:
            raise EngineHomeInvalid(
                "the engine's genesis.json was changed: what it says does not give these bytes"
            )
        return start

    @property
    def chain_id(self) -> str:
        """Of the engine; another for each beginning, so that votes of one mean nothing in another.

        40 characters; CometBFT takes 50.
        """
        return f"tally-{hashlib.sha256(self._identity()).hexdigest()[:34]}"

    @property
    def app_state(self) -> bytes:
        """What the engine hands back in InitChain: canonical JSON."""
        return canonical_json(self._app_state())

    def _app_state(self) -> dict[str, object]:
        return {
            "blockHash": f"0x{self.block_hash.hex()}",
            "blockNumber": self.block_number,
            "genesisHash": f"0x{self.genesis_hash.hex()}",
            "limits": {
                "blockGasLimit": self.limits.block_gas_limit,
                "blockSizeBytesMax": self.limits.block_size_bytes_max,
                "curveWorkMax": self.limits.curve_work_max,
                "transactionSizeBytesMax": self.limits.transaction_size_bytes_max,
            },
            "logRoot": f"0x{self.log_root.hex()}",
            "logSize": self.log_size,
            "time": self.time,
        }

    def _identity(self) -> bytes:
        keys = [[key.hex(), power] for key, power in self.validators]
        return canonical_json({"state": self._app_state(), "validators": keys})

    def document(self) -> bytes:
        """CometBFT's genesis.json, canonical."""
        params = block_params(self.limits)
        return canonical_json(
            {
                "app_hash": self.log_root.hex().upper(),
                "app_state": self._app_state(),
                "chain_id": self.chain_id,
                "consensus_params": {
                    "abci": {"vote_extensions_enable_height": "0"},
                    "block": {"max_bytes": str(params.max_bytes), "max_gas": str(params.max_gas)},
                    "evidence": {
                        "max_age_duration": str(EVIDENCE_AGE_S * 10**9),
                        "max_age_num_blocks": str(EVIDENCE_AGE_BLOCKS),
                        "max_bytes": str(_EVIDENCE_SIZE_BYTES_MAX),
                    },
                    "validator": {"pub_key_types": ["ed25519"]},
                    "version": {"app": "1"},
                },
                "genesis_time": _rfc3339(self.time),
                "initial_height": "1",
                "validators": [
                    {
                        "address": hashlib.sha256(key).hexdigest()[:40].upper(),
                        "name": "",
                        "power": str(power),
                        "pub_key": {
                            "type": "tendermint/PubKeyEd25519",
                            "value": base64.b64encode(key).decode(),
                        },
                    }
                    for key, power in self.validators
                ],
            }
        )


def engine_genesis(genesis: Genesis, ledger: Ledger | None = None) -> bytes:
    """CometBFT's genesis.json: from ours alone, or from the present state of a ledger to promote.

    Raises `EngineHalted` where there is no validator with voting power.
    """
    if ledger is None:
        return EngineStart.of_genesis(genesis).document()
    return EngineStart.of_ledger(ledger).document()


def block_params(limits: Limits) -> pb.BlockParams:
    """The engine's bounds of a block: room for one that our own bounds allow. Gas is ours."""
    size = limits.block_size_bytes_max
    whole = size + size // _ENVELOPE_PART + _AROUND_BYTES
    return pb.BlockParams(max_bytes=min(whole, BLOCK_SIZE_BYTES_MAX), max_gas=-1)


class _Nothing:
    def storage(self, _address: Address, _slot: int) -> int:
        return 0


def _rfc3339(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError) as error:
        raise EngineHomeInvalid(
            f"the ledger begins at {seconds} s: not a date before 10000"
        ) from error


def _read(fields: object) -> EngineStart:
    if not isinstance(fields, dict):
        raise TypeError("it is no object")
    # What does not come out as it stands is found by the comparison of the whole.
    state = json.loads(json.dumps(fields["app_state"]))
    limits = state["limits"]
    return EngineStart(
        genesis_hash=_hash(state["genesisHash"]),
        block_number=int(state["blockNumber"]),
        block_hash=_hash(state["blockHash"]),
        time=int(state["time"]),
        log_size=int(state["logSize"]),
        log_root=_hash(state["logRoot"]),
        validators=tuple(
            (base64.b64decode(one["pub_key"]["value"]), int(one["power"]))
            for one in fields["validators"]
        ),
        limits=Limits(
            transaction_size_bytes_max=int(limits["transactionSizeBytesMax"]),
            block_size_bytes_max=int(limits["blockSizeBytesMax"]),
            curve_work_max=int(limits["curveWorkMax"]),
            block_gas_limit=int(limits["blockGasLimit"]),
        ),
    )


def _hash(text: str) -> bytes:
    value = bytes.fromhex(text.removeprefix("0x"))
    if len(value) != 32:
        raise ValueError(f"{text[:80]!r} is no hash")
    return value
