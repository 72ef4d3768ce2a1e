"""What a chain begins with: geth's `genesis.json` plus a "tallystick" section.

Prague rules hold from block 0 on. The genesis block and its hash are those that geth makes of the
same file (go-ethereum, core/genesis.go `ToBlock`); only where the file names no `baseFeePerGas` is
it zero in a chain with a "tallystick" section, for gas is not priced here (decision D1).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from ledger.canonical import CanonicalError, JsonError, canonical_json, parse_json
from ledger.chain.encoding import sized_block
from ledger.chain.errors import GenesisInvalid
from ledger.chain.genesis_file import GenesisFile
from ledger.chain.types import Limits, NodesLayout, ParametersLayout, PermissionLayout
from ledger.evm import EMPTY_REQUESTS_HASH, EMPTY_ROOT, EMPTY_UNCLES_HASH
from ledger.state import AllocationInvalid, GenesisAccount, StateChanges, build_genesis_state
from ledger.types import Address, Block, Hash32, Header

FILE_SIZE_BYTES_MAX = 512 << 20
_DEPTH_MAX = 16
_BASE_FEE_OF_GETH = 1_000_000_000
_DIFFICULTY_OF_GETH = 131_072
_ZERO_HASH = Hash32(bytes(32))


@dataclass(frozen=True, eq=False)
class Genesis:
    """A checked genesis file. Two are equal where their blocks have the same hash."""

    document: bytes = field(repr=False)
    """The file as RFC 8785 canonical JSON."""
    chain_id: int
    origin: str
    """Name of the transparency log."""
    contracts: Mapping[str, Address]
    """Contracts that genesis places, by name."""
    permission: PermissionLayout | None
    """None: everybody may transact."""
    nodes: NodesLayout | None
    """None: no consortium; a single node orders by itself."""
    parameters: ParametersLayout | None
    """None: the bounds never change."""
    limits: Limits
    """What bounds the first block."""
    alloc: Mapping[Address, GenesisAccount] = field(repr=False)
    _header: Header = field(repr=False)

    @classmethod
    def load(cls, path: Path | str) -> Genesis:
        """Read a genesis file. Raises `GenesisInvalid`."""
        file = Path(path)
        try:
            if file.stat().st_size > FILE_SIZE_BYTES_MAX:
                raise GenesisInvalid(f"{file}: larger than {FILE_SIZE_BYTES_MAX} bytes")
            data = file.read_bytes()
        except OSError as error:
            raise GenesisInvalid(f"{file} cannot be read: {error.strerror}") from error
        try:
            return cls.decode(data)
        except GenesisInvalid as error:
            raise GenesisInvalid(f"{file}: {error}") from error

    @classmethod
    def decode(cls, document: bytes) -> Genesis:
        """Read `document` back. Raises `GenesisInvalid`."""
        try:
            return cls.parse(
                parse_json(document, size_bytes_max=FILE_SIZE_BYTES_MAX, depth_max=_DEPTH_MAX)
            )
        except JsonError as error:
            raise GenesisInvalid(f"genesis: {error}") from error

    @classmethod
    def parse(cls, obj: object) -> Genesis:
        """Check a parsed genesis file. Raises `GenesisInvalid`, naming the place."""
        try:
            document = canonical_json(obj)
            file = GenesisFile.model_validate(obj)
        except CanonicalError as error:
            raise GenesisInvalid(f"genesis: {error}") from error
        except ValidationError as error:
            raise GenesisInvalid(_words(error)) from error
        section = file.tallystick
        permission, nodes, parameters, contracts = None, None, None, dict[str, Address]()
        limits = Limits(block_gas_limit=file.gas_limit)
        if section is not None:
            contracts = dict(section.contracts)
            limits = Limits(
                section.limits.transaction_size_bytes_max,
                section.limits.block_size_bytes_max,
                section.limits.curve_work_max,
                file.gas_limit,
            )
            if section.permission is not None:
                permission = PermissionLayout(
                    section.permission.contract,
                    section.permission.accounts_slot,
                    section.permission.organisations_slot,
                )
            if section.nodes is not None:
                nodes = NodesLayout(
                    section.nodes.contract, section.nodes.ids_slot, section.nodes.nodes_slot
                )
            if section.parameters is not None:
                parameters = ParametersLayout(
                    section.parameters.contract, section.parameters.values_slot
                )
        genesis = cls(
            document=document,
            chain_id=file.config.chain_id,
            origin=section.origin if section else f"ethereum/{file.config.chain_id}",
            contracts=MappingProxyType(contracts),
            permission=permission,
            nodes=nodes,
            parameters=parameters,
            limits=limits,
            alloc=MappingProxyType(file.accounts()),
            _header=_header_of(file),
        )
        genesis._check_contracts()
        return genesis

    def _check_contracts(self) -> None:
        named = dict(self.contracts)
        for section, layout in (
            ("permission", self.permission),
            ("nodes", self.nodes),
            ("parameters", self.parameters),
        ):
            if layout is not None:
                named[f"{section}.contract"] = layout.contract
        for name, address in named.items():
            account = self.alloc.get(address)
            if account is None or not account.code:
                raise GenesisInvalid(
                    f"genesis: tallystick names 0x{address.hex()} as {name}, "
                    "but alloc places no code there"
                )

    @cached_property
    def state(self) -> StateChanges:
        """The state that `alloc` makes. Raises `GenesisInvalid`."""
        try:
            return build_genesis_state(self.alloc)
        except AllocationInvalid as error:
            raise GenesisInvalid(str(error)) from error

    @cached_property
    def block(self) -> Block:
        """Block 0."""
        values = {name: getattr(self._header, name) for name in self._header.__slots__}
        return sized_block(Header(**{**values, "state_root": self.state.root}), ())

    @property
    def gas_limit(self) -> int:
        """Gas limit of every block."""
        return self._header.gas_limit

    @property
    def rules(self) -> tuple[object, ...]:
        """What governs the chain beside block 0, and does not show in its hash."""
        return (
            self.chain_id,
            self.origin,
            dict(self.contracts),
            self.permission,
            self.nodes,
            self.parameters,
            self.limits,
        )

    @property
    def fields(self) -> dict[str, Any]:
        """The file as parsed JSON, a fresh copy."""
        parsed: dict[str, Any] = json.loads(self.document)
        return parsed

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Genesis):
            return NotImplemented
        return self.document == other.document

    def __hash__(self) -> int:
        return hash(self.document)


def _header_of(file: GenesisFile) -> Header:
    difficulty = file.difficulty
    if difficulty is None:
        difficulty = 0 if file.config.ethash is None else _DIFFICULTY_OF_GETH
    base_fee = file.base_fee_per_gas
    if base_fee is None:
        base_fee = 0 if file.tallystick is not None else _BASE_FEE_OF_GETH
    return Header(
        parent_hash=Hash32(file.parent_hash),
        uncles_hash=EMPTY_UNCLES_HASH,
        coinbase=file.coinbase,
        state_root=_ZERO_HASH,
        transactions_root=EMPTY_ROOT,
        receipts_root=EMPTY_ROOT,
        bloom=0,
        difficulty=difficulty,
        number=0,
        gas_limit=file.gas_limit,
        gas_used=file.gas_used,
        timestamp=file.timestamp,
        extra_data=file.extra_data,
        mix_hash=Hash32(file.mix_hash),
        nonce=file.nonce.to_bytes(8, "big"),
        base_fee_per_gas=base_fee,
        withdrawals_root=EMPTY_ROOT,
        blob_gas_used=file.blob_gas_used,
        excess_blob_gas=file.excess_blob_gas,
        parent_beacon_block_root=_ZERO_HASH,
        requests_hash=EMPTY_REQUESTS_HASH,
    )


def _words(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "file"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"genesis: {place}: {first['msg']}{more}"
