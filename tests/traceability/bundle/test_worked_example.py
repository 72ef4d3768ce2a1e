"""The example in docs/proof-format.md, section 8, is true to the last digit."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from traceability.bundle import Outcome, Trust, verify_bundle

pytestmark = pytest.mark.feature("L4")


@pytest.fixture(scope="module")
def blocks(project_root: Path) -> dict[int, tuple[str, str]]:
    """Code blocks of the section, in order: (language, text)."""
    text = (project_root / "docs" / "proof-format.md").read_text()
    section = text[text.index("\n## 8. ") : text.index("\n## 9. ")]
    found = re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert [language for language, _ in found] == ["json", "json", "sh", "text"]
    return dict(enumerate(found))


def test_the_bundle_is_valid_under_the_trust_file(blocks: dict[int, tuple[str, str]]) -> None:
    bundle, trust = blocks[0][1].encode(), Trust.parse(blocks[1][1].encode())
    assert verify_bundle(bundle, trust).outcome is Outcome.VALID
    changed = bundle.replace(b"shipping", b"stocking")
    assert verify_bundle(changed, trust).outcome is Outcome.INVALID


def test_the_commands_print_what_stands_below_them(
    blocks: dict[int, tuple[str, str]], require: Callable[[str], str]
) -> None:
    for program in ("sha256sum", "sed", "od", "base64"):
        require(program)
    printed = subprocess.run(
        [require("bash"), "-euo", "pipefail", "-c", blocks[2][1]],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert printed.stderr == ""
    assert printed.stdout == blocks[3][1]


def test_the_printed_hashes_are_those_of_the_bundle(blocks: dict[int, tuple[str, str]]) -> None:
    bundle, trust = blocks[0][1], blocks[1][1]
    lines = blocks[3][1].split()
    assert f"ni:///sha-256;{lines[0]}?ver=CBV2.0" in bundle
    assert f'"0x{lines[3]}"' in bundle
    assert lines[6] == lines[7]
    assert f"+{lines[8]}+" in trust
    assert bundle.rstrip("\n").split('"event":')[1].split(',"eventID"')[0] in blocks[2][1]
    assert bundle.split('"leaf":')[1].split(',"proof"')[0] in blocks[2][1]
