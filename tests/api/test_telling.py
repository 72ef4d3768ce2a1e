"""Values of events as JSON: text where it is text, and ids as hex whatever their bytes."""

from __future__ import annotations

import pytest

from api.operations.telling import told_value

pytestmark = pytest.mark.feature("A1")

PRINTABLE = b"A" * 32


@pytest.mark.parametrize(
    ("name", "kind", "value", "told"),
    [
        ("id", "bytes32", PRINTABLE, f"0x{PRINTABLE.hex()}"),
        ("assets", "bytes32[]", [PRINTABLE], [f"0x{PRINTABLE.hex()}"]),
        ("lot", "bytes32", bytes(32), None),
        ("holder", "bytes32", b"green-farm".ljust(32, b"\0"), "green-farm"),
        ("currency", "bytes3", b"CNY", "CNY"),
        ("holder", "bytes32", b"\xff" * 32, f"0x{'ff' * 32}"),
    ],
)
def test_an_id_is_never_told_as_text(name: str, kind: str, value: object, told: object) -> None:
    assert told_value({"name": name, "type": kind}, value) == told
