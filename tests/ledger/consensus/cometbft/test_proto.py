"""The committed code is that of abci.proto, and its numbers are those of CometBFT."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto

from ledger.consensus.cometbft import VERSION
from ledger.consensus.cometbft import abci_pb2 as pb
from tests.conftest import PROJECT, skip_or_fail

pytestmark = pytest.mark.feature("L2")

OURS = PROJECT / "ledger" / "consensus" / "cometbft" / "abci.proto"
_WORDS = re.compile(r'"[^"]*"|[\w.]+|[{}=;,\[\]()]')


@dataclass(frozen=True)
class Field:
    number: int
    type: str
    repeated: bool
    oneof: str | None


Facts = dict[str, dict[str, Field]]


def parsed(text: str) -> Facts:
    """Messages and enums of a .proto file by full name; options and services are passed over."""
    text = re.sub(r"//[^\n]*", "", text)
    text = re.sub(r"service\s+\w+\s*\{[^}]*\}", "", text)
    words = iter(_WORDS.findall(text))
    facts: Facts = {}
    _scope(words, (), None, facts)
    return facts


def _scope(words: Iterator[str], name: tuple[str, ...], oneof: str | None, facts: Facts) -> None:
    statement: list[str] = []
    for word in words:
        if word == "}":
            return
        if word == "{":
            kind, title = statement[0], statement[1]
            if kind in ("message", "enum"):
                inner = (*name, title)
                facts[".".join(inner)] = {}
                _scope(words, inner, None, facts)
            else:
                assert kind == "oneof"
                _scope(words, name, title, facts)
            statement = []
        elif word == ";":
            _field(statement, name, oneof, facts)
            statement = []
        else:
            statement.append(word)


def _field(statement: list[str], name: tuple[str, ...], oneof: str | None, facts: Facts) -> None:
    if not statement or statement[0] in ("syntax", "package", "import", "option", "reserved"):
        return
    repeated = statement[0] == "repeated"
    left = statement[repeated:]
    place = left.index("=")
    kind = left[0].rpartition(".")[2] if place == 2 else ""
    number = int(left[place + 1])
    facts[".".join(name)][left[place - 1]] = Field(number, kind, repeated, oneof)


def described() -> Facts:
    facts: Facts = {}

    def message(one: Descriptor, prefix: str) -> None:
        name = f"{prefix}{one.name}"
        proto = DescriptorProto()
        one.CopyToProto(proto)
        repeated = {
            field.name: field.label == FieldDescriptorProto.LABEL_REPEATED for field in proto.field
        }
        facts[name] = {
            field.name: Field(
                field.number,
                _type(field),
                repeated[field.name],
                field.containing_oneof.name if field.containing_oneof else None,
            )
            for field in one.fields
        }
        for nested in one.nested_types:
            message(nested, f"{name}.")
        for kind in one.enum_types:
            enum(kind, f"{name}.")

    def enum(one: EnumDescriptor, prefix: str) -> None:
        facts[f"{prefix}{one.name}"] = {
            value.name: Field(value.number, "", False, None) for value in one.values
        }

    for one in pb.DESCRIPTOR.message_types_by_name.values():
        message(one, "")
    for kind in pb.DESCRIPTOR.enum_types_by_name.values():
        enum(kind, "")
    return facts


def _type(field: FieldDescriptor) -> str:
    if field.message_type is not None:
        return str(field.message_type.name)
    if field.enum_type is not None:
        return str(field.enum_type.name)
    names = {
        getattr(FieldDescriptor, name): name.removeprefix("TYPE_").lower()
        for name in dir(FieldDescriptor)
        if name.startswith("TYPE_")
    }
    return names[field.type]


def test_the_committed_code_is_made_from_the_file() -> None:
    assert described() == parsed(OURS.read_text())


def test_the_stub_names_what_the_code_has() -> None:
    stub = OURS.with_name("abci_pb2.pyi").read_text()
    classes = set(re.findall(r"^class (\w+)", stub, re.MULTILINE))
    top = {name for name in described() if "." not in name}
    assert top <= classes


@pytest.fixture(scope="module")
def theirs() -> Facts:
    """CometBFT's own files, where Go has left its source on the machine."""
    cache = subprocess.run(
        ["go", "env", "GOMODCACHE"], capture_output=True, text=True, check=False
    ).stdout.strip()
    source = Path(cache) / f"github.com/cometbft/cometbft@v{VERSION}" / "proto" / "tendermint"
    if not cache or not source.is_dir():
        skip_or_fail("CometBFT's source is not on this machine")
    facts: Facts = {}
    for place in ("types/params.proto", "crypto/keys.proto", "abci/types.proto"):
        facts |= parsed((source / place).read_text())
    return facts


RENAMED = {
    "ResponseProcessProposal.Status": "ResponseProcessProposal.ProposalStatus",
    "ResponseVerifyVoteExtension.Status": "ResponseVerifyVoteExtension.VerifyStatus",
}
OF_GOOGLE = {
    "Timestamp": (("seconds", 1), ("nanos", 2)),
    "Duration": (("seconds", 1), ("nanos", 2)),
}
ENUMS_AS_NUMBERS = {("Misbehavior", "type")}


def test_the_numbers_and_types_are_cometbfts(theirs: Facts) -> None:
    for name, fields in described().items():
        if name in OF_GOOGLE:
            assert tuple((key, one.number) for key, one in fields.items()) == OF_GOOGLE[name]
            continue
        original = theirs[RENAMED.get(name, name)]
        for key, ours in fields.items():
            other = original[key]
            assert (ours.number, ours.repeated, ours.oneof) == (
                other.number,
                other.repeated,
                other.oneof,
            ), f"{name}.{key}"
            if (name, key) not in ENUMS_AS_NUMBERS:
                named = RENAMED.get(f"{name}.{ours.type}", ours.type).rpartition(".")[2]
                assert named == other.type, f"{name}.{key}"


def test_no_request_and_no_response_of_cometbft_is_missing(theirs: Facts) -> None:
    ours = described()
    for name in ("Request", "Response"):
        assert ours[name] == theirs[name]
