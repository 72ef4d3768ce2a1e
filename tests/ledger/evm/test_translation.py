"""Translated code against py-evm's own loop: everything is translated where it is first met."""

from __future__ import annotations

import gc
import random
import threading
from collections.abc import Iterator

import pytest

from ledger.evm import analysis, stretches
from ledger.evm import translation as translation_module
from ledger.evm.analysis import Analysis, analyse
from ledger.evm.stretches import Stretches
from ledger.evm.translation import INSTRUCTIONS_MAX, Translation
from tests.ledger.evm import test_reference_loop as loops
from tests.ledger.evm.test_reference_loop import (
    CONTRACTS,
    OURS,
    REFERENCE,
    SENDER,
    MemoryState,
    called,
    compare,
    outcome,
    push,
    transaction,
)

pytestmark = pytest.mark.feature("L1")
ENOUGH = 1 << 40


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(stretches, "VISITS_MIN", 1)
    monkeypatch.setattr(stretches._MEANS, "visits", ENOUGH)
    analysis._remembered.cache_clear()
    yield
    analysis._remembered.cache_clear()


def state_of(*codes: bytes) -> MemoryState:
    state = MemoryState()
    state.put(SENDER, b"", nonce=0)
    for address, code in zip(CONTRACTS, codes, strict=False):
        state.put(address, code)
    return state


def same(code: bytes, data: bytes = b"", gas: int = 200_000) -> None:
    state = state_of(code)
    results = [called(engine, state, data, gas) for engine in (OURS, REFERENCE)]
    assert results[0] == results[1], code.hex()
    batch = [transaction(n, CONTRACTS[0], data, gas) for n in range(2)]
    assert outcome(OURS, state, batch) == outcome(REFERENCE, state, batch), code.hex()


def test_what_runs_is_translated_code() -> None:
    """Without this, the other tests would hold the interpreter against py-evm."""
    code = push(7) + push(5) + b"\x01\x5f\x52\x60\x20\x5f\xf3"
    same(code)
    assert set(analyse(code).stretches.ready) == {0}


def test_random_programs_end_alike() -> None:
    for seed in range(200_000, 200_300):
        compare(seed)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("visits", [1, 2, 5])
def test_thousands_of_random_programs_end_alike(
    visits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later translation knows more of which way branches go."""
    monkeypatch.setattr(stretches, "VISITS_MIN", visits)
    for seed in range(300_000 * visits, 300_000 * visits + 2_000):
        compare(seed)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("op", range(256), ids=lambda op: f"{op:#04x}")
def test_each_instruction_at_the_edges(op: int) -> None:
    loops.test_each_instruction_at_the_edges(op)


def test_every_amount_of_gas_ends_alike() -> None:
    loops.test_every_amount_of_gas_ends_alike()


def test_a_store_needs_more_than_the_stipend_whatever_gas_later_instructions_take() -> None:
    code = push(1) + push(4) + b"\x55" + b"\x5f\x50" * 40
    state = state_of(code)
    for gas in range(23_000, 23_800, 3):
        assert called(OURS, state, b"", gas) == called(REFERENCE, state, b"", gas), gas


def test_gas_left_is_told_exactly_between_instructions_that_cost() -> None:
    same(b"\x5a\x5f\x52" + b"\x5a\x60\x20\x52" * 3 + b"\x60\x60\x51\x5a\x5f\x52\x60\x60\x5f\xf3")


@pytest.mark.parametrize("flag", [0, 1, 2, 1 << 255])
def test_both_ways_of_a_branch_whichever_was_taken_before(flag: int) -> None:
    # JUMPI on the calldata; what was moved on the stack stands right on either side.
    tail = b"\x5f\x55\x60\x01\x55\x60\x02\x55\x00"
    head = push(11) + push(12) + push(13) + b"\x5f\x35\x15\x15"
    code = head + push(len(head) + 3 + len(tail), 1) + b"\x57\x90" + tail + b"\x5b\x91" + tail
    state = state_of(code)
    other = (0).to_bytes(32, "big") if flag else (1).to_bytes(32, "big")
    for _ in range(40):
        assert called(OURS, state, other, 200_000) == called(REFERENCE, state, other, 200_000)
    data = flag.to_bytes(32, "big")
    assert called(OURS, state, data, 200_000) == called(REFERENCE, state, data, 200_000)


def answers(code: bytes) -> bytes:
    """The code, and then the uppermost stack item as its answer."""
    return code + b"\x5f\x52\x60\x20\x5f\xf3"


@pytest.mark.parametrize("items", range(4))
@pytest.mark.parametrize(
    "instructions",
    [
        b"\x01\x5b",
        b"\x82\x01",
        b"\x92\x01",
        b"\x50\x50\x5f",
        b"\x5f\x01\x01",
        b"\x55\x5f",
        b"\x08\x5f",
    ],
    ids=bytes.hex,
)
def test_too_few_stack_items_are_an_error(items: int, instructions: bytes) -> None:
    same(answers(b"".join(push(n + 1) for n in range(items)) + instructions))
    # The same on items that were there when the stretch began.
    head = b"".join(push(n + 1) for n in range(items)) + b"\x5f\x35"
    target = len(head) + 1
    same(answers(head + b"\x56\x5b" + instructions), target.to_bytes(32, "big"))


@pytest.mark.parametrize("more", range(4))
def test_the_stack_holds_1024_items(more: int) -> None:
    same(b"\x5f" * (1020 + more) + answers(b"\x5f\x60\x09"))
    loop = b"\x61\x01\x55\x5b\x5f\x5f\x5f\x92\x60\x01\x90\x03\x80\x60\x03\x57"
    same(loop + b"\x5f" * more + answers(push(9)))


def shuffled(seed: int) -> bytes:
    """Items of a stretch moved about in the next ones; its answer is all that is left of them."""
    chance = random.Random(seed)
    items = chance.randrange(2, 18)
    code = b"".join(push(0x100 + n) for n in range(items))
    for _ in range(chance.randrange(1, 4)):
        # The next stretch begins where a jump lands that calldata (zeros here) has a part in.
        code += b"\x5f\x35" + push(len(code) + 7, 2) + b"\x01\x56\x5b"
        for _ in range(chance.randrange(12)):
            kind = chance.randrange(4)
            if kind == 0:
                code, items = code + push(chance.randrange(1 << 16)), items + 1
            elif kind == 1 and items > 1:
                code, items = code + b"\x50", items - 1
            elif kind == 2:
                code, items = code + bytes([0x80 + chance.randrange(min(items, 16))]), items + 1
            elif items > 1:
                code += bytes([0x90 + chance.randrange(min(items - 1, 16))])
    for place in range(items):
        code += push(32 * place, 2) + b"\x52"
    return code + push(32 * items, 2) + b"\x5f\xf3"


def test_what_was_moved_about_on_the_stack_stands_right_where_a_stretch_ends() -> None:
    for seed in range(400):
        code = shuffled(seed)
        found = called(OURS, state_of(code), bytes(32), 200_000)
        assert found == called(REFERENCE, state_of(code), bytes(32), 200_000), seed
        assert found[0], "it comes to its end"


@pytest.mark.parametrize("value", [0, 1, 2, 1 << 255])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_no_and_no_again(value: int, times: int) -> None:
    same(answers(b"\x5f\x35" + b"\x15" * times), value.to_bytes(32, "big"))
    known = b"\x60\x03\x5f\x35\x10" + b"\x15" * times
    same(answers(known), value.to_bytes(32, "big"))


@pytest.mark.parametrize("shift", [0, 1, 8, 255, 256, 257, 1 << 64, (1 << 256) - 1])
@pytest.mark.parametrize("op", [0x1A, 0x1B, 0x1C, 0x1D], ids=hex)
def test_shifts_by_what_is_known(op: int, shift: int) -> None:
    for value in (0, 1, 0x80, 1 << 255, (1 << 256) - 1, 0x1234567890ABCDEF << 100):
        code = answers(b"\x5f\x35" + push(shift) + bytes([op]))
        same(code, value.to_bytes(32, "big"))


@pytest.mark.parametrize("target", [0, 2, 3, 4, 5, 6, 7, 100, 1 << 200])
def test_a_jump_goes_to_a_jumpdest_or_nowhere(target: int) -> None:
    code = b"\x5f\x35\x56\x5b\x60\x5b" + answers(push(7))
    same(code, target.to_bytes(32, "big"))


@pytest.mark.parametrize("copying", [0x37, 0x39, 0x3E, 0x5E], ids=hex)
def test_memory_that_was_shown_to_a_call_may_grow_by_copying(copying: int) -> None:
    """It is another piece of memory then, which what comes after must write to and read."""
    inner = b"\x60\x20\x5f\x5f\x37\x60\x20\x5f\xf3"
    outer = push(77) + b"\x5f\x52" + b"\x5f\x5f\x60\x40\x5f\x5f\x73" + CONTRACTS[1]
    outer += b"\x61\xff\xff\xf1\x50"  # its answer is not copied: the view may stand
    outer += b"\x60\x05\x5f" + push(0x400, 2) + bytes([copying])
    outer += push(5) + push(0x3E0, 2) + b"\x52" + push(0x3E0, 2) + b"\x51"
    state = state_of(answers(outer), inner)
    data = b"\x33" * 64
    for _ in range(3):
        assert called(OURS, state, data, 200_000) == called(REFERENCE, state, data, 200_000)


@pytest.mark.parametrize("seldom", [0, 1])
def test_the_seldom_side_of_a_branch_leaves_the_stack_as_it_is(
    seldom: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one side was never taken, the stretch goes on along the other."""
    monkeypatch.setattr(stretches, "VISITS_MIN", 8)
    after = b"\x90\x91\x01\x60\x20\x52\x5f\x52\x60\x40\x5f\xf3"
    head = b"\x5b" + push(11) + push(12) + push(13) + push(14) + b"\x50\x80" + b"\x5f\x35"
    code = head + push(len(head) + 3 + len(after), 1) + b"\x57" + after + b"\x5b\x92" + after
    state = state_of(code)
    often, other = ((1 - seldom).to_bytes(32, "big"), seldom.to_bytes(32, "big"))
    for data in (often,) * 40 + (other,) * 3 + (often,):
        assert called(OURS, state, data, 200_000) == called(REFERENCE, state, data, 200_000)
    assert 0 in analyse(code).stretches.ready


@pytest.mark.parametrize("pushed", [0x40, 0x22, 0x27, 0x5C, 0x7B7D, 0xC2A7, int("a7" * 32, 16)])
def test_constants_that_are_signs_of_a_language_are_numbers(pushed: int) -> None:
    same(push(pushed) + b"\x5f\x52\x5a\x60\x20\x52\x60\x40\x5f\xf3")


def test_hundreds_of_conditions_inside_each_other() -> None:
    same(b"\x5f\x35" + b"\x15" * 290 + b"\x5f\x52\x60\x20\x5f\xf3")
    same(b"\x5f\x35" + b"\x15\x80\x10" * 99 + b"\x5f\x52\x60\x20\x5f\xf3")


def test_memory_that_a_caller_shows_to_a_call_may_grow_in_translated_code() -> None:
    """Calldata is a view of the caller's memory, which cannot grow in place while it stands."""
    inner = b"\x60\x20\x60\x40\x5f\x37\x5f\x51\x60\x80\x52\x60\xa0\x5f\xf3"
    outer = push(77) + b"\x5f\x52" + b"\x60\x40\x60\x60\x60\x80\x5f\x5f\x73" + CONTRACTS[1]
    outer += b"\x61\xff\xff\xf1\x50\x60\x60\x51\x61\x01\x00\x52\x61\x01\x20\x5f\xf3"
    state = state_of(outer, inner)
    for _ in range(3):
        assert called(OURS, state, b"", 200_000) == called(REFERENCE, state, b"", 200_000)


def test_a_stretch_is_short_and_the_next_one_goes_on() -> None:
    code = b"\x5f\x5f\x01\x50" * 400 + push(9) + b"\x5f\x55"
    same(code)
    ready = analyse(code).stretches.ready
    assert len(ready) > len(code) // INSTRUCTIONS_MAX
    found = Translation(code, *analyse(code)[:2]).stretch(0, {})
    assert found is not None
    assert found.instructions <= INSTRUCTIONS_MAX


def test_threads_that_translate_the_same_code_get_each_their_own_stretch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A call and the block at hand may meet the same contract at once."""
    piece = b"\x5b\x60\x01\x80\x50\x5f\x52\x60\x20\x5f\xf3"
    code = piece * 20
    translation = Translation(code, *analyse(code)[:2])
    both = threading.Barrier(2, timeout=10)

    def slow(made: object, *names: dict[str, object]) -> None:
        exec(made, *names)  # type: ignore[arg-type]
        both.wait()  # the other one has made its own as well

    monkeypatch.setattr(translation_module, "exec", slow, raising=False)
    found: dict[int, str] = {}

    def translate(start: int) -> None:
        made = translation.stretch(start, {})
        found[start] = "" if made is None else made.run.__code__.co_filename

    threads = [threading.Thread(target=translate, args=(n * len(piece),)) for n in (3, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {start: f"<EVM code from {start:#x}>" for start in (3 * 11, 7 * 11)}


# ---- what translating may cost ------------------------------------------------------------------


def executed(code: bytes, times: int) -> Analysis:
    state = state_of(code)
    for _ in range(times):
        OURS.call(
            state, loops.environment(), loops.CallRequest(SENDER, CONTRACTS[0], 1, b"", 90_000)
        )
    return analyse(code)


LOOP = b"\x60\x20\x5b\x60\x01\x90\x03\x80\x60\x02\x57"


def test_translating_is_earned_by_interpreting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches._MEANS, "visits", -1_000)
    assert executed(LOOP, 3).stretches.ready == {}
    assert -910 < stretches._MEANS.visits < -890
    monkeypatch.setattr(stretches._MEANS, "visits", ENOUGH)
    assert executed(LOOP, 1).stretches.ready
    assert stretches._MEANS.visits < ENOUGH


def test_no_more_is_kept_for_later_than_half_a_second_s_worth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stretches, "VISITS_MIN", ENOUGH)
    monkeypatch.setattr(stretches._MEANS, "visits", stretches._VISITS_MAX - 5)
    executed(LOOP, 3)
    assert stretches._MEANS.visits == stretches._VISITS_MAX


def test_what_is_translated_of_all_code_is_bounded_and_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gc.collect()
    monkeypatch.setattr(stretches._MEANS, "instructions", 10 * INSTRUCTIONS_MAX)
    assert executed(LOOP, 1).stretches.ready
    assert stretches._MEANS.instructions < 10 * INSTRUCTIONS_MAX
    analysis._remembered.cache_clear()
    gc.collect()
    assert stretches._MEANS.instructions == 10 * INSTRUCTIONS_MAX
    monkeypatch.setattr(stretches._MEANS, "instructions", 0)
    assert executed(LOOP, 3).stretches.ready == {}


def test_stretches_of_one_code_do_not_overlap_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "_OVERLAP", 1)
    code = b"\x5b" * 40 + b"\x5f\x35\x56"
    for start in range(40):
        called(OURS, state_of(code), start.to_bytes(32, "big"), 90_000)
    found = analyse(code).stretches
    assert 0 < len(found.ready) < 10
    assert found._translated <= len(code) + INSTRUCTIONS_MAX


def test_code_that_is_not_worth_it_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    found = Stretches(b"\x00", {}, frozenset())

    def refuse(self: Translation, start: int, visits: object) -> None:
        del self, visits
        tried.append(start)

    monkeypatch.setattr(Translation, "stretch", refuse)
    found._left = ENOUGH
    assert not any(found.visit(0) for _ in range(100))
    assert tried == [0]


def test_creation_code_is_not_translated() -> None:
    assert analyse(b"\x5b" * 30_000).stretches is stretches.NONE
