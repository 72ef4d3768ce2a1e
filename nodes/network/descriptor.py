"""`descriptor.json`: what the others need to know of a node before they admit it. Public.

The organisation's account signs it (EIP-191 over its canonical JSON), so that nobody alters it on
the way. Whose account that is, people compare by other means: `fingerprint` is short enough to read
out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final, Literal

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils.address import to_checksum_address
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from contracts.consortium import Profile, Role
from ledger.canonical import JsonError, canonical_json, parse_json
from ledger.crypto import AccountSigner
from ledger.tlog import NoteVerifier, SignatureType
from ledger.types import Address
from nodes.endpoints import PeerEndpoint, check_url, parse_endpoint
from nodes.network.errors import DescriptorInvalid

FORMAT: Final = "tallystick-node/1"
SIZE_BYTES_MAX: Final = 16 * 1024
ACCOUNTS_MAX: Final = 8
_ID = r"^[a-z0-9-]{1,32}$"

_Line = Annotated[str, Field(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Key = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Organisation(_Section):
    id: Annotated[str, Field(pattern=_ID)]
    name: Annotated[_Line, Field(min_length=1)]
    nameZh: _Line  # noqa: N815 - the format's own name
    role: Annotated[str, AfterValidator(lambda word: Role.of(word).word)]


class _Node(_Section):
    id: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
    label: Annotated[str, Field(pattern=_ID)]
    validatorKey: _Key  # noqa: N815
    witnessKey: _Key  # noqa: N815
    p2p: Annotated[str, AfterValidator(lambda text: str(parse_endpoint(text)))]
    api: Annotated[str, AfterValidator(check_url)]


class _File(_Section):
    """The JSON of a descriptor."""

    format: Literal["tallystick-node/1"]
    organisation: _Organisation
    node: _Node
    accounts: Annotated[
        list[Annotated[str, Field(pattern=r"^0x[0-9a-f]{40}$")]],
        Field(min_length=1, max_length=ACCOUNTS_MAX),
    ]
    signature: Annotated[str, Field(pattern=r"^0x[0-9a-f]{130}$")]


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A node and its organisation, as they present themselves."""

    organisation: str
    profile: Profile
    role: Role
    accounts: tuple[Address, ...]
    """Accounts of the organisation; the first one signs."""
    label: str
    """Name of the node among those of the consortium, in its witness's key."""
    node_id: bytes
    """20 bytes, by which the engine's peers know each other."""
    validator_key: bytes
    """Ed25519, 32 bytes."""
    witness_key: bytes
    """Ed25519, 32 bytes: signs the log's checkpoints."""
    p2p: PeerEndpoint
    api: str
    """URL of the HTTP interface."""
    signature: bytes = b""
    """65 bytes, by `accounts[0]`."""

    @classmethod
    def parse(cls, data: bytes) -> Descriptor:
        """Read and check a descriptor. Raises `DescriptorInvalid` with the place and the reason."""
        try:
            file = _File.model_validate(
                parse_json(data, size_bytes_max=SIZE_BYTES_MAX, depth_max=3)
            )
        except JsonError as bad:
            raise DescriptorInvalid(f"descriptor: {bad}") from None
        except ValidationError as bad:
            first = bad.errors(include_url=False, include_context=False)[0]
            place = "/".join(str(part) for part in first["loc"])
            raise DescriptorInvalid(f"descriptor: /{place}: {first['msg']}") from None
        found = cls(
            organisation=file.organisation.id,
            profile=Profile(file.organisation.name, file.organisation.nameZh),
            role=Role.of(file.organisation.role),
            accounts=tuple(Address(bytes.fromhex(one[2:])) for one in file.accounts),
            label=file.node.label,
            node_id=bytes.fromhex(file.node.id),
            validator_key=bytes.fromhex(file.node.validatorKey),
            witness_key=bytes.fromhex(file.node.witnessKey),
            p2p=parse_endpoint(file.node.p2p),
            api=file.node.api,
            signature=bytes.fromhex(file.signature[2:]),
        )
        found.check_signature()
        return found

    @classmethod
    def load(cls, path: Path) -> Descriptor:
        """Read a file. Raises `DescriptorInvalid`, also where it cannot be read."""
        try:
            with path.open("rb") as file:
                data = file.read(SIZE_BYTES_MAX + 1)
        except OSError as error:
            raise DescriptorInvalid(f"descriptor {path}: {error.strerror}") from error
        try:
            return cls.parse(data)
        except DescriptorInvalid as bad:
            raise DescriptorInvalid(f"{path}: {bad}") from None

    def signed(self, key: AccountSigner) -> Descriptor:
        """The same with the signature of its first account. Raises `DescriptorInvalid`."""
        if key.address != self.accounts[0]:
            raise DescriptorInvalid(f"descriptor: {key.checksum_address} is not its first account")
        signature = key.sign_message(encode_defunct(self._content()))
        values = {name: getattr(self, name) for name in self.__slots__}
        return Descriptor(**{**values, "signature": signature})

    def check_signature(self) -> None:
        """Raises `DescriptorInvalid` unless the first account has signed just this."""
        try:
            signer = Account.recover_message(
                encode_defunct(self._content()), signature=self.signature
            )
        except Exception as bad:  # eth-account raises what its parts raise
            raise DescriptorInvalid(f"descriptor: the signature is none: {bad}") from None
        if signer != to_checksum_address(self.accounts[0]):
            raise DescriptorInvalid(
                f"descriptor of {self.organisation}: it was changed after {self.accounts[0].hex()} "
                "signed it, or another account signed it; ask for it again"
            )

    @property
    def fingerprint(self) -> str:
        """Of all that is signed: 16 hex digits in groups of four, for reading out."""
        digits = sha256(self._content()).hexdigest()[:16]
        return " ".join(digits[at : at + 4] for at in range(0, 16, 4))

    def witness(self, origin: str) -> NoteVerifier:
        """The key as which the node cosigns checkpoints of the log (docs/consortium.md)."""
        return NoteVerifier(f"{origin}/{self.label}", SignatureType.COSIGNATURE, self.witness_key)

    def encode(self) -> bytes:
        """The bytes of the file; `parse` reads them. Indented, for people."""
        fields = {**self.fields(), "signature": "0x" + self.signature.hex()}
        return json.dumps(fields, ensure_ascii=False, indent=1).encode() + b"\n"

    def fields(self) -> Mapping[str, object]:
        """What is signed, as JSON."""
        return {
            "format": FORMAT,
            "organisation": {
                "id": self.organisation,
                "name": self.profile.name,
                "nameZh": self.profile.name_zh,
                "role": self.role.word,
            },
            "node": {
                "id": self.node_id.hex(),
                "label": self.label,
                "validatorKey": self.validator_key.hex(),
                "witnessKey": self.witness_key.hex(),
                "p2p": str(self.p2p),
                "api": self.api,
            },
            "accounts": ["0x" + account.hex() for account in self.accounts],
        }

    def _content(self) -> bytes:
        return canonical_json(self.fields())
