"""Code analysis against py-evm's own rule for valid jump targets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from eth.vm.code_stream import CodeStream
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.evm.analysis import Analysis, _analyse, _analyse_large, analyse

pytestmark = pytest.mark.feature("L1")

# Mostly JUMPDEST and pushes, so that one stands inside the other.
codes = st.lists(
    st.one_of(
        st.sampled_from([0x5B, 0x5B, 0x5F, 0x60, 0x61, 0x63, 0x7F, 0x00]), st.integers(0, 255)
    ),
    max_size=80,
).map(bytes)


@pytest.mark.parametrize("form", [_analyse, _analyse_large])
@settings(max_examples=200, deadline=None)
@given(code=codes)
def test_jump_targets_and_constants_are_those_of_py_evm(
    form: Callable[[bytes], Analysis], code: bytes
) -> None:
    constants, targets, _ = form(code)
    stream = CodeStream(code)
    valid = {at for at in range(len(code)) if stream.is_valid_opcode(at)}
    assert targets == {at for at in valid if code[at] == 0x5B}
    assert [at in targets for at in range(len(code))] == [
        at in set(targets) for at in range(len(code))
    ]
    assert not any(at in targets for at in (-1, len(code), 1 << 255))
    assert set(constants) == {at for at in valid if 0x60 <= code[at] <= 0x7F}
    for at, number in constants.items():
        size = code[at] - 0x5F
        assert number == int.from_bytes(code[at + 1 : at + 1 + size].ljust(size, b"\0"), "big")


def test_jumpdest_inside_a_constant_is_no_target() -> None:
    assert analyse(bytes.fromhex("605b5b")).jump_targets == {2}
