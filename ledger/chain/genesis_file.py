"""The genesis file at the boundary: strict models of geth's `genesis.json` and our section."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from ledger.evm import CURVE_WORK_MAX
from ledger.state import GenesisAccount
from ledger.types import Address

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}|[0-9]{1,78}")
_HEX = re.compile(r"(?:0x)?(?:[0-9a-fA-F]{2})*")
_WORD = re.compile(r"(?:0x)?[0-9a-fA-F]{1,64}")
_ADDRESS = re.compile(r"(?:0x)?[0-9a-fA-F]{40}")
ALLOC_ACCOUNTS_MAX = 1_000_000
CODE_SIZE_BYTES_MAX = 24_576
_UINT64_MAX = 2**64 - 1
_CHAIN_ID_MAX = 2**53 - 1
_GAS_LIMIT_MAX = 2**63 - 1


def _quantity(value: object) -> object:
    """geth's HexOrDecimal: a JSON number, a decimal string or 0x hex."""
    if isinstance(value, str):
        if not _QUANTITY.fullmatch(value):
            raise ValueError("no number: 0x hex or decimal digits expected")
        return int(value, 16) if value.startswith("0x") else int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("no number")
    return value


def _data(value: object) -> object:
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise ValueError("no hex data of whole bytes")
    return bytes.fromhex(value.removeprefix("0x"))


def _word(value: object) -> object:
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise ValueError("no hex word of at most 32 bytes")
    return int(value.removeprefix("0x"), 16)


def _address(value: object) -> object:
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise ValueError("no address: 40 hex digits expected")
    return bytes.fromhex(value.removeprefix("0x"))


Uint64 = Annotated[int, BeforeValidator(_quantity), Field(ge=0, le=_UINT64_MAX)]
Uint256 = Annotated[int, BeforeValidator(_quantity), Field(ge=0, lt=2**256)]
Data = Annotated[bytes, BeforeValidator(_data)]
Data32 = Annotated[bytes, BeforeValidator(_data), Field(min_length=32, max_length=32)]
AddressText = Annotated[Address, BeforeValidator(_address)]
Word = Annotated[int, BeforeValidator(_word)]


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=False
    )


class ChainConfig(BaseModel):
    """geth's `config`: a chain identifier, and forks that must all be active from the start."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    chain_id: Annotated[int, BeforeValidator(_quantity), Field(ge=1, le=_CHAIN_ID_MAX)] = Field(
        alias="chainId"
    )
    ethash: dict[str, Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def _forks(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        for name in _FORKS:
            if name in value and value[name] not in (0, "0x0", "0"):
                raise ValueError(
                    f"{name} is {value[name]!r}: all forks to Prague begin with 0 here"
                )
        later = [n for n in value if n.endswith(("Block", "Time")) and n not in _FORKS]
        if later:
            raise ValueError(f"{later[0]}: this ledger has the rules of Prague, no later fork")
        if value.get("terminalTotalDifficulty", 0) not in (0, "0x0", "0"):
            raise ValueError("terminalTotalDifficulty must be 0: there is no proof of work here")
        passed_over = _FORKS | _WITHOUT_MEANING
        return {name: entry for name, entry in value.items() if name not in passed_over}


_FORKS = frozenset(
    (
        "homesteadBlock",
        "daoForkBlock",
        "eip150Block",
        "eip155Block",
        "eip158Block",
        "byzantiumBlock",
        "constantinopleBlock",
        "petersburgBlock",
        "istanbulBlock",
        "muirGlacierBlock",
        "berlinBlock",
        "londonBlock",
        "arrowGlacierBlock",
        "grayGlacierBlock",
        "mergeNetsplitBlock",
        "shanghaiTime",
        "cancunTime",
        "pragueTime",
    )
)
_WITHOUT_MEANING = frozenset(
    (
        "daoForkSupport",
        "eip150Hash",
        "terminalTotalDifficulty",
        "terminalTotalDifficultyPassed",
        "depositContractAddress",
        "blobSchedule",
    )
)
"""Of geth's settings: no effect on a chain without blobs, deposits and proof of work."""


class AllocAccount(BaseModel):
    """One entry of `alloc`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    balance: Uint256 = 0
    nonce: Uint64 = 0
    code: Annotated[Data, Field(max_length=CODE_SIZE_BYTES_MAX)] = b""
    storage: dict[Word, Word] = {}


class PermissionSection(_Strict):
    """`tallystick.permission`."""

    contract: AddressText
    accounts_slot: Uint64
    organisations_slot: Uint64


class NodesSection(_Strict):
    """`tallystick.nodes`."""

    contract: AddressText
    ids_slot: Uint64
    nodes_slot: Uint64


class ParametersSection(_Strict):
    """`tallystick.parameters`."""

    contract: AddressText
    values_slot: Uint64


class LimitsSection(_Strict):
    """`tallystick.limits`."""

    transaction_size_bytes_max: int = Field(1 << 20, ge=1_024, le=16 << 20, strict=True)
    block_size_bytes_max: int = Field(8 << 20, ge=1_024, le=64 << 20, strict=True)
    curve_work_max: int = Field(CURVE_WORK_MAX, ge=0, le=1 << 40, strict=True)

    @model_validator(mode="after")
    def _fits(self) -> LimitsSection:
        if self.transaction_size_bytes_max > self.block_size_bytes_max:
            raise ValueError("transactionSizeBytesMax is above blockSizeBytesMax")
        return self


class TallystickSection(_Strict):
    """What makes an Ethereum genesis one of this ledger."""

    origin: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$", strict=True)
    contracts: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")], AddressText] = {}
    permission: PermissionSection | None = None
    nodes: NodesSection | None = None
    parameters: ParametersSection | None = None
    limits: LimitsSection = Field(default_factory=lambda: LimitsSection.model_validate({}))

    @model_validator(mode="after")
    def _nodes_belong_to_members(self) -> TallystickSection:
        if self.nodes is not None and self.permission is None:
            raise ValueError("nodes belong to organisations: `nodes` needs `permission`")
        return self


def _alloc(value: object) -> object:
    """geth takes addresses with and without 0x, of any case: none may stand twice."""
    if isinstance(value, dict):
        names = [str(name).lower().removeprefix("0x") for name in value]
        if len(set(names)) != len(names):
            raise ValueError("an address stands twice")
    return value


class GenesisFile(_Strict):
    """The whole file."""

    config: ChainConfig
    alloc: Annotated[dict[AddressText, AllocAccount], BeforeValidator(_alloc)] = Field(
        {}, max_length=ALLOC_ACCOUNTS_MAX
    )
    gas_limit: Annotated[int, BeforeValidator(_quantity), Field(ge=5_000, le=_GAS_LIMIT_MAX)]
    gas_used: Uint64 = 0
    difficulty: Uint256 | None = None
    nonce: Uint64 = 0
    timestamp: Annotated[int, BeforeValidator(_quantity), Field(ge=0, le=_CHAIN_ID_MAX)] = 0
    extra_data: Annotated[Data, Field(max_length=32)] = b""
    mix_hash: Data32 = Field(bytes(32), alias="mixHash")
    coinbase: AddressText = Address(bytes(20))
    parent_hash: Data32 = bytes(32)
    number: Annotated[int, BeforeValidator(_quantity), Field(ge=0, le=0)] = 0
    base_fee_per_gas: Uint256 | None = None
    blob_gas_used: Uint64 = 0
    excess_blob_gas: Uint64 = 0
    tallystick: TallystickSection | None = None

    @model_validator(mode="before")
    @classmethod
    def _spelling_of_geth(cls, value: Any) -> Any:
        """geth writes `mixHash`, and reads `mixhash` as well, as old files have it."""
        if isinstance(value, dict) and "mixhash" in value and "mixHash" not in value:
            return {("mixHash" if name == "mixhash" else name): v for name, v in value.items()}
        return value

    def accounts(self) -> dict[Address, GenesisAccount]:
        """`alloc` as the state room takes it."""
        return {
            address: GenesisAccount(entry.balance, entry.nonce, entry.code, entry.storage)
            for address, entry in self.alloc.items()
        }
