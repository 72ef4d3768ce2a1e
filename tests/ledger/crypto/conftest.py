"""A hardware token for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.crypto.pkcs11 import close_tokens, module_reset
from tests.conftest import skip_or_fail
from tests.ledger.crypto.softhsm import PIN, SoftHsm, find_module


@pytest.fixture
def hsm(
    tmp_path: Path, require: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[SoftHsm]:
    """SoftHSM with a token "tally", whose PIN stands in the environment."""
    program = require("softhsm2-util")
    module = find_module()
    if module is None:
        skip_or_fail("the library of SoftHSM is not installed")
    found = SoftHsm(str(module), program, tmp_path / "softhsm")
    found.prepare()
    monkeypatch.setenv("SOFTHSM2_CONF", str(found.configuration))
    monkeypatch.setenv("TALLY_PKCS11_PIN", PIN)
    found.make_token("tally")
    module_reset(found.module)
    yield found
    close_tokens()
