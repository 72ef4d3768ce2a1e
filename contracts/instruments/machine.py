"""Instruments' tables (`machine.toml`): read and checked.

One table says who may do what in which state. The contract's own checks are made of it
(`solidity.py`), the pages in `docs/instruments` are drawn from it (`drawing.py`), the Python model
and the tests read it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.instruments.errors import MachineError
from contracts.instruments.types import Act, Machine, WhilePledged

STATES_MAX: Final = 32
PARTIES_MAX: Final = 32
ACTS_MAX: Final = 200

COMMON_PARTIES: Final = (
    "anybody",
    "holder",
    "pledgee",
    "authority",
    "pledges",
    "settlement",
    "financing",
    "itself",
)
"""By bit, as in `libraries/Rules.sol`."""

Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=32)]
Title = Annotated[str, Field(pattern=r"^[^\x00-\x1f|]*$", max_length=64)]
Text = Annotated[str, Field(pattern=r"^[^\x00-\x1f|]*$", max_length=400)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Row(_Part):
    name: Word
    states: list[Word] = Field(alias="from", max_length=STATES_MAX)
    to: Word | None = None
    leads: dict[Word, Word] = Field(default={}, max_length=STATES_MAX)
    by: list[Word] = Field(min_length=1, max_length=PARTIES_MAX)
    pledged: Literal["no", "permit", "free"] = "no"
    frozen: bool = False
    locked: bool = False
    text: Text = ""
    text_zh: Text = ""


class _Table(_Part):
    name: str = Field(pattern=r"^[A-Z][A-Za-z]{0,31}$")
    title: Title = ""
    title_zh: Title = ""
    states: list[Word] = Field(min_length=1, max_length=STATES_MAX)
    parties: list[Word] = Field(max_length=PARTIES_MAX - len(COMMON_PARTIES))
    common: dict[Word, list[Word]]
    leads: dict[Word, dict[Word, Word]] = Field(default={}, max_length=ACTS_MAX)
    act: list[_Row] = Field(max_length=ACTS_MAX)


def _common(name: str, party: str, text: str, text_zh: str, **rest: object) -> dict[str, Any]:
    return {"name": name, "by": [party], "text": text, "text_zh": text_zh, **rest}


_COMMON: Final = (
    _common(
        "freeze",
        "authority",
        "Stop everything that the table does not allow while frozen, by a decision that is named.",
        "依据所载裁决冻结,除本表允许者外一切操作停止。",
        pledged="free",
        frozen=True,
        locked=True,
    ),
    _common(
        "unfreeze",
        "authority",
        "Take back one's own freeze, or that of who is active no longer, or no authority any more.",
        "解除本机构的冻结,或解除已停用或已不再担任监管、仲裁职责的机构的冻结。",
        pledged="free",
        frozen=True,
        locked=True,
    ),
    _common(
        "award",
        "authority",
        "Give it to the organisation that a decision names. The authority that has frozen it;"
        " a pledge stays.",
        "由冻结机构依裁决判归所载成员,质押不变。",
        pledged="free",
        frozen=True,
    ),
    _common(
        "permit",
        "pledgee",
        "Allow one very call, which the next act uses up.",
        "质权人许可一次特定操作,由下一次操作用尽。",
        pledged="free",
    ),
    _common(
        "encumber",
        "pledges",
        "A security right begins, with the consent of holder and pledgee.",
        "经持有人与质权人同意,设立质押。",
        pledged="no",
    ),
    _common(
        "disencumber",
        "pledges",
        "The security right ends: released by the pledgee, paid, or annulled by a decision.",
        "质押解除:质权人解押、清偿或依裁决撤销。",
        pledged="free",
        frozen=True,
    ),
    _common(
        "seize",
        "pledges",
        "Enforcement after default and notice: free of the pledge it goes to the pledgee"
        " or a buyer.",
        "违约并通知期满后执行质权,归质权人或买受人,质押随之消灭。",
        pledged="free",
    ),
    _common(
        "lock",
        "settlement",
        "Promised in a settlement that is under way.",
        "在进行中的结算内锁定。",
        pledged="no",
    ),
    _common(
        "unlock",
        "settlement",
        "The promise is taken back, by the settlement that has locked it.",
        "由锁定的结算解除锁定。",
        pledged="free",
        frozen=True,
        locked=True,
    ),
    _common(
        "settle",
        "settlement",
        "Handed over against payment, in one transaction with it.",
        "券款对付:与付款在同一交易内交付。",
        pledged="no",
        locked=True,
    ),
)
"""Acts of all instruments, by number."""

COMMON_ACTS: Final = tuple(str(row["name"]) for row in _COMMON)


def load_machine(package: str) -> Machine:
    """The table of the room `package` (as `contracts.receipts`). Raises `MachineError`."""
    try:
        text = files(package).joinpath("machine.toml").read_text("utf-8")
        return parse_machine(tomllib.loads(text))
    except (OSError, ValueError) as error:
        raise MachineError(f"{package}: its table cannot be read: {error}") from error


def parse_machine(table: Mapping[str, Any]) -> Machine:
    """Check a table and number its rows. Raises `MachineError`, which names the place."""
    try:
        read = _Table.model_validate(dict(table))
        rows = [*_common_rows(read.common, read.leads), *read.act]
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "all of it"
        raise MachineError(f"table: {place}: {first['msg']}") from error
    parties = (*COMMON_PARTIES, *read.parties)
    _check_once("state", read.states)
    _check_once("party", parties)
    _check_once("act", [row.name for row in rows])
    for row in rows:
        _check_known(row, read.states, parties)
    acts = tuple(_act(number, row) for number, row in enumerate(rows))
    machine = Machine(
        name=read.name,
        title=read.title or read.name,
        title_zh=read.title_zh,
        states=tuple(read.states),
        parties=parties,
        acts=acts,
    )
    _check_ways(machine)
    return machine


def _common_rows(
    states: Mapping[str, list[str]], leads: Mapping[str, Mapping[str, str]]
) -> list[_Row]:
    own = {"unfreeze": "freeze", "unlock": "lock"}
    if unknown := set(leads) - set(COMMON_ACTS):
        raise MachineError(f"table: leads: {', '.join(sorted(unknown))}: no act of all instruments")
    if unknown := set(states) - set(COMMON_ACTS) | {"unfreeze"} & set(states):
        raise MachineError(f"table: common: {', '.join(sorted(unknown))}: not to be said there")
    rows = []
    for row in _COMMON:
        name = str(row["name"])
        given = states.get(name, states.get(own.get(name, name), []))
        ways = dict(leads.get(name, {}))
        rows.append(_Row.model_validate({**row, "from": given, "leads": ways}))
    return rows


def _act(number: int, row: _Row) -> Act:
    return Act(
        number=number,
        name=row.name,
        states=frozenset(row.states),
        to=row.to,
        leads=tuple(sorted(row.leads.items())),
        by=tuple(row.by),
        while_pledged=WhilePledged[row.pledged.upper()],
        while_frozen=row.frozen,
        while_locked=row.locked,
        text=row.text,
        text_zh=row.text_zh,
    )


def _check_once(what: str, names: Sequence[str]) -> None:
    if twice := {name for name in names if names.count(name) > 1}:
        raise MachineError(f"table: {what} {', '.join(sorted(twice))}: stands there twice")


def _check_known(row: _Row, states: Sequence[str], parties: Sequence[str]) -> None:
    if not row.states and row.name not in COMMON_ACTS:
        raise MachineError(f"act {row.name}: possible in no state")
    for state in (*row.states, *([row.to] if row.to is not None else []), *row.leads.values()):
        if state not in states:
            raise MachineError(f"act {row.name}: {state!r} is no state")
    if elsewhere := set(row.leads) - set(row.states):
        raise MachineError(f"act {row.name}: not possible in {', '.join(sorted(elsewhere))}")
    if row.leads and row.name not in COMMON_ACTS:
        raise MachineError(f"act {row.name}: where it leads, its column to says")
    for party in row.by:
        if party not in parties:
            raise MachineError(f"act {row.name}: {party!r} is no party")


def _check_ways(machine: Machine) -> None:
    """What exists leaves `none` for ever, every state is reached, and nothing is stuck."""
    if machine.states[0] != "none":
        raise MachineError(f"{machine.name}: states begin with none")
    for act in machine.acts:
        ends = {act.to, *dict(act.leads).values()}
        if "none" in ends or ("none" in act.states and act.to is None):
            raise MachineError(f"act {act.name}: leaves an instrument that is none")
    reached = {"none"} | {act.to for act in machine.acts if act.to is not None}
    reached |= {end for act in machine.acts for _, end in act.leads}
    if lost := set(machine.states) - reached:
        raise MachineError(f"{machine.name}: no act leads to {', '.join(sorted(lost))}")
    _check_way_back(machine, "freeze", "unfreeze", [a for a in machine.acts if a.while_frozen])
    kept = [a for a in machine.acts if a.while_locked and a.name != "settle"]
    _check_way_back(machine, "lock", "unlock", kept)


def _check_way_back(machine: Machine, there: str, back: str, meanwhile: Iterable[Act]) -> None:
    """Wherever one gets `meanwhile`, what was done can be undone."""
    acts = list(meanwhile)
    reached = set(machine.act(there).states)
    while True:
        further = {machine.after(a, s) for a in acts for s in reached & a.states} - reached
        if not further:
            break
        reached |= further
    if stuck := reached - machine.act(back).states:
        raise MachineError(f"{machine.name}: no {back} in {', '.join(sorted(stuck))}")
