"""Trying a proposal's calls as the ledger stands now: all of them, in order, and what follows.

Governance makes the calls one after the other and then has the Network contract settle (judge the
change of validators). To try that before anybody has voted, a node is asked to run, for one
`eth_call` only, a small program at Governance's address that does the same; Governance's own code
stands elsewhere meanwhile, for the calls that Governance makes to itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from contracts import governance
from contracts.abi import Function
from contracts.genesis import GOVERNANCE_ADDRESS, NETWORK_ADDRESS
from contracts.governance import Call
from contracts.network.genesis import NETWORK_ARTIFACT
from ledger.types import Address
from nodes.proposals.errors import CallRefused
from nodes.proposals.rpc import RpcClient

QUORUM_LOST: Final = "QuorumLost"
_ASIDE: Final = Address(bytes.fromhex("7a11" * 10))
"""Where Governance's own code stands during the call; nobody has the key of that address."""
_SETTLE: Final = Function.of(NETWORK_ARTIFACT, "settle").calldata()
_POWER_AT: Final = {
    Function.of(NETWORK_ARTIFACT, "addNode").selector: 4 + 2 * 32,
    Function.of(NETWORK_ARTIFACT, "setPower").selector: 4 + 32,
}
"""Where the power stands in calldata, by selector."""


def would_fail(rpc: RpcClient, calls: Sequence[Call]) -> str | None:
    """Why executing the calls would be refused now; None where it would not be.

    Where one node is given too much power at once, the most that is possible now is named.
    """
    own_code = str(rpc.ask("eth_getCode", f"0x{GOVERNANCE_ADDRESS.hex()}", "latest"))
    refused = _refusal(rpc, calls, own_code)
    if refused is None:
        return None
    if refused.name == QUORUM_LOST:
        return f"{refused}{_possible(rpc, calls, own_code)}"
    return str(refused)


def _refusal(rpc: RpcClient, calls: Sequence[Call], own_code: str) -> CallRefused | None:
    program = program_of(calls)
    request = {"from": f"0x{GOVERNANCE_ADDRESS.hex()}", "to": f"0x{GOVERNANCE_ADDRESS.hex()}"}
    code = {
        f"0x{GOVERNANCE_ADDRESS.hex()}": {"code": f"0x{program.hex()}"},
        f"0x{_ASIDE.hex()}": {"code": own_code},
    }
    try:
        # In the next block: validators may have changed in the last one, and may once a block.
        output = str(rpc.ask("eth_call", request, "pending", code))
    except CallRefused as refused:
        return refused
    if int(output, 16) == 0:
        return CallRefused("no active organisation with a vote would be left")
    return None


def _possible(rpc: RpcClient, calls: Sequence[Call], own_code: str) -> str:
    """For the one call that gives power: the most that would be accepted, by halving."""
    given = [i for i, call in enumerate(calls) if _power(call)]
    if len(given) != 1:
        return ""
    (index,) = given
    low, high = 0, _power(calls[index])
    while high - low > 1:
        middle = (low + high) // 2
        tried = [*calls]
        tried[index] = _with_power(calls[index], middle)
        refused = _refusal(rpc, tried, own_code)
        lost = refused is not None and refused.name == QUORUM_LOST
        low, high = (low, middle) if lost else (middle, high)
    return f"; the largest power possible now is {low}"


def _power(call: Call) -> int:
    """What a call gives a node; 0 for all other calls."""
    place = _POWER_AT.get(call.data[:4]) if call.target == NETWORK_ADDRESS else None
    return 0 if place is None else int.from_bytes(call.data[place : place + 32], "big")


def _with_power(call: Call, power: int) -> Call:
    place = _POWER_AT[call.data[:4]]
    data = call.data[:place] + power.to_bytes(32, "big") + call.data[place + 32 :]
    return replace(call, data=data)


# ---- the program --------------------------------------------------------------------------------


def program_of(calls: Sequence[Call]) -> bytes:
    """EVM code that makes the calls, settles, and returns the sum of all votes.

    It reverts with the reason of the first call that does.
    """
    total = Call(GOVERNANCE_ADDRESS, governance.total_votes_calldata())
    made = (*calls, Call(NETWORK_ADDRESS, _SETTLE), total)
    sizes = [len(_piece(call, 0, 0)) for call in made]
    data_at = sum(sizes) + len(_RETURN_WORD)
    code, begin = b"", 0
    for call, size in zip(made, sizes, strict=True):
        code += _piece(call, data_at, begin + size - 1)
        data_at += len(call.data)
        begin += size
    return code + _RETURN_WORD + b"".join(call.data for call in made)


def _piece(call: Call, data_at: int, after: int) -> bytes:
    """One call, whose data lies at `data_at` of the code; goes on at `after`, its own last byte."""
    return b"".join(_instructions(call, data_at, after))


def _instructions(call: Call, data_at: int, after: int) -> Iterator[bytes]:
    size = len(call.data)
    own = call.target == GOVERNANCE_ADDRESS
    yield from (_push4(size), _push4(data_at), _push4(0), b"\x39")  # CODECOPY
    # Return area, arguments, value (not of DELEGATECALL), address, gas.
    yield from (_push4(32), _push4(0), _push4(size), _push4(0))
    if not own:
        yield _push4(0)
    yield b"\x73" + (_ASIDE if own else call.target)  # PUSH20
    yield b"\x5a" + (b"\xf4" if own else b"\xf1")  # GAS; DELEGATECALL or CALL
    yield from (_push4(after), b"\x57")  # JUMPI
    # RETURNDATACOPY of all of it, and REVERT with it.
    yield from (b"\x3d", _push4(0), _push4(0), b"\x3e", b"\x3d", _push4(0), b"\xfd")
    yield b"\x5b"  # JUMPDEST


def _push4(value: int) -> bytes:
    return b"\x63" + value.to_bytes(4, "big")


_RETURN_WORD: Final = _push4(32) + _push4(0) + b"\xf3"
