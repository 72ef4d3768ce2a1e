"""A table as a page: what each act is, and the states drawn (Mermaid)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from contracts.instruments.machine import COMMON_ACTS, COMMON_PARTIES
from contracts.instruments.types import Act, Machine, WhilePledged

_PARTIES: Final = (
    ("anybody", "every active organisation"),
    ("holder", "who controls the instrument"),
    ("pledgee", "who has a security right in it"),
    ("authority", "an organisation with the role Arbitrator or Regulator"),
    ("pledges, settlement, financing", "the contracts of these names, for the parties' agreement"),
    ("itself", "the instrument's contract, as a part of another act"),
)
_PLEDGED: Final = {
    WhilePledged.NO: "no",
    WhilePledged.PERMIT: "by permit",
    WhilePledged.FREE: "yes",
}
_COLUMNS: Final = ("#", "act", "who", "from", "to", "pledged", "frozen", "locked", "what it is")


def page(machine: Machine) -> str:
    """The Markdown page of a table."""
    title = f"{machine.title} · {machine.title_zh}" if machine.title_zh else machine.title
    lines = [
        f"# {title}",
        "",
        "Made of the table `machine.toml` by `python -m contracts.instruments`; do not edit. The"
        " contract checks by the same table, and so do the Python model and the tests.",
        "",
        "## States",
        "",
        *_diagram(machine),
        "",
        "Acts after which the state is what it was are not drawn.",
        "",
        "## Its own acts",
        "",
        *_rows(machine, machine.acts[len(COMMON_ACTS) :]),
        "",
        *_common(machine),
        "## Who",
        "",
        *_who(machine),
        "",
        "*pledged*, *frozen*, *locked*: whether the act goes on while the instrument is so. *By"
        " permit*: the pledgee has allowed this very call. A dash: it cannot be.",
    ]
    return "\n".join(lines) + "\n"


def _common(machine: Machine) -> list[str]:
    """Nothing where the table is of what is no instrument (a loan, a settlement)."""
    common = [act for act in machine.acts[: len(COMMON_ACTS)] if act.states]
    return ["## Acts of all instruments", "", *_rows(machine, common), ""] if common else []


def _diagram(machine: Machine) -> list[str]:
    ways: dict[tuple[str, str], list[str]] = {}
    for act in machine.acts:
        for state in sorted(act.states, key=machine.states.index):
            if machine.after(act, state) != state:
                ways.setdefault((state, machine.after(act, state)), []).append(act.name)
    leaving = {start for start, _ in ways}
    arrows = [
        f"    {_node(start)} --> {_node(end)}: {', '.join(names)}"
        for (start, end), names in ways.items()
    ]
    ends = [f"    {_node(s)} --> [*]" for s in machine.states if s not in leaving]
    return ["```mermaid", "stateDiagram-v2", *arrows, *ends, "```"]


def _node(state: str) -> str:
    return "[*]" if state == "none" else state.replace("-", "_")


def _rows(machine: Machine, acts: Iterable[Act]) -> list[str]:
    return [
        _row(_COLUMNS),
        _row("---" for _ in _COLUMNS),
        *(_row(_cells(machine, act)) for act in acts),
    ]


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cells(machine: Machine, act: Act) -> tuple[str, ...]:
    states = ", ".join(sorted(act.states, key=machine.states.index))
    made = act.states == {"none"}
    return (
        str(act.number),
        f"`{act.name}`",
        " or ".join(act.by),
        states,
        _leads(act),
        "–" if made else _PLEDGED[act.while_pledged],
        "–" if made else _yes(act.while_frozen),
        "–" if made else _yes(act.while_locked),
        f"{act.text}<br>{act.text_zh}" if act.text_zh else act.text,
    )


def _leads(act: Act) -> str:
    ways = [f"{end} from {start}" for start, end in act.leads]
    return act.to or ", ".join([*ways, "otherwise the same" if ways else "the same"])


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


def _who(machine: Machine) -> list[str]:
    own = ", ".join(f"*{party}*" for party in machine.parties[len(COMMON_PARTIES) :])
    lines = [f"- *{party}*: {meaning}" for party, meaning in _PARTIES]
    return [*lines, f"- its own: {own}"] if own else lines
