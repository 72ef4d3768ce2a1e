"""A bank's statement beside the ledger: what agrees, and each difference with its reason.

Deterministic, and symmetric: no line is used twice. Lines that name each other (the ledger's number
among the statement's references, or as a word of its text) belong together whatever else differs;
among the rest, lines of one amount pair off where nothing but one line fits on either side.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum
from typing import Final

from contracts.settlement.queries import InterbankMovement, StoredMovement
from contracts.settlement.statements import Entry, Statement
from contracts.settlement.types import PositionKind
from ledger.types import Hash32

DAYS_APART_MAX: Final = 3
"""Between the ledger's day and the bank's: weekends lie between."""
_WORDS_MAX: Final = 64
_ALIKE_MAX: Final = 64
"""Lines of one amount among which nobody could tell which is which."""


class Reason(StrEnum):
    """Why two sides differ."""

    MISSING_HERE = "missing-here"
    """The statement has it, the ledger has not."""
    MISSING_THERE = "missing-there"
    """The ledger has it, the statement has not."""
    AMOUNT = "amount"
    """They name each other, and the amounts differ."""
    DATE = "date"
    """They name each other, and the days are too far apart."""
    DUPLICATE_HERE = "duplicate-here"
    """The ledger has it once more than the statement."""
    DUPLICATE_THERE = "duplicate-there"
    """The statement has it once more than the ledger."""
    BALANCE = "balance"
    """Balances differ: from what the entries make, or from the ledger's."""


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One change of a balance, as the ledger has it."""

    number: str
    """The payer's own; empty where it has none."""
    day: date
    amount: int
    """In hundredths; below 0: went out."""
    currency: str
    counterparty: str
    id: Hash32 | None
    leaf: int | None = None
    """Index in the log, where it is known."""


@dataclass(frozen=True, slots=True)
class Match:
    """One line of each side that agree."""

    line: LedgerLine
    entry: Entry
    by_reference: bool
    """They name each other; otherwise amount and day alone agree."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What does not agree."""

    reason: Reason
    line: LedgerLine | None
    entry: Entry | None
    detail: str
    """For people."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The result, in the order of the ledger's lines, then of the statement's."""

    matches: tuple[Match, ...]
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        """Whether there is no difference."""
        return not self.differences


def lines_of(movements: Iterable[StoredMovement], zone: tzinfo = UTC) -> tuple[LedgerLine, ...]:
    """Movements that change a balance, by day in that time zone."""
    return tuple(
        LedgerLine(
            number=one.movement.number or "",
            day=datetime.fromtimestamp(one.place.block_time, zone).date(),
            amount=one.kind.sign * one.movement.amount,
            currency=one.currency,
            counterparty=one.movement.counterparty or "",
            id=one.id,
            leaf=one.place.leaf_index,
        )
        for one in movements
        if one.kind.sign
    )


def settlements_of(
    movements: Iterable[InterbankMovement], bank: str, zone: tzinfo = UTC
) -> tuple[LedgerLine, ...]:
    """Settled claims as the bank's account at the central bank should show them."""
    return tuple(
        LedgerLine(
            number=one.number or "",
            day=datetime.fromtimestamp(one.place.block_time, zone).date(),
            amount=one.amount if one.creditor == bank else -one.amount,
            currency=one.currency,
            counterparty=one.debtor if one.creditor == bank else one.creditor,
            id=one.id,
            leaf=one.place.leaf_index,
        )
        for one in movements
        if one.kind is PositionKind.SETTLED and bank in (one.creditor, one.debtor)
    )


def reconcile(
    statement: Statement,
    lines: Sequence[LedgerLine],
    days_apart_max: int = DAYS_APART_MAX,
    *,
    lines_around: Sequence[LedgerLine] = (),
    entries_around: Sequence[Entry] = (),
) -> Reconciliation:
    """Compare a statement with the ledger's lines of the same account and time.

    `lines_around` and `entries_around` are of the days before and after: what is missing, and is
    there by its name and amount, differs by its day. They have to agree with nothing themselves.
    """
    work = _Work(statement.entries, lines, days_apart_max)
    work.by_reference()
    work.by_amount()
    work.elsewhere(lines_around, entries_around)
    work.rest()
    differences = work.differences()
    if statement.adds_up is False:
        sum_ = sum(entry.amount for entry in statement.entries)
        detail = f"opening {statement.opening} and entries {sum_} do not make {statement.closing}"
        differences = (*differences, Difference(Reason.BALANCE, None, None, detail))
    return Reconciliation(work.matches(), differences)


def compare_balances(statement: Statement, opening: int, closing: int) -> tuple[Difference, ...]:
    """Where the statement's balances are not the ledger's, in hundredths."""
    sides = (("opening", opening, statement.opening), ("closing", closing, statement.closing))
    return tuple(
        Difference(Reason.BALANCE, None, None, f"{name} balance: {here} here, {there} there")
        for name, here, there in sides
        if there is not None and there != here
    )


class _Work:
    """Lines and entries that are still open, by their index."""

    def __init__(self, entries: Sequence[Entry], lines: Sequence[LedgerLine], days: int) -> None:
        self._entries = entries
        self._lines = lines
        self._days = days
        self._open_lines = dict.fromkeys(range(len(lines)))
        self._open_entries = dict.fromkeys(range(len(entries)))
        self._matched: dict[int, tuple[int, bool]] = {}
        self._found: list[tuple[int, int, Difference]] = []

    def matches(self) -> tuple[Match, ...]:
        return tuple(
            Match(self._lines[line], self._entries[entry], by_reference)
            for line, (entry, by_reference) in sorted(self._matched.items())
        )

    def differences(self) -> tuple[Difference, ...]:
        return tuple(difference for *_, difference in sorted(self._found, key=lambda f: f[:2]))

    # ---- lines that name each other -------------------------------------------------------------

    def by_reference(self) -> None:
        ours: dict[tuple[str, str], list[int]] = defaultdict(list)
        for index, line in enumerate(self._lines):
            if line.number:
                ours[line.number, line.currency].append(index)
        theirs: dict[tuple[str, str], list[int]] = defaultdict(list)
        for index, entry in enumerate(self._entries):
            for name in names_of(entry):
                if (name, entry.currency) in ours:
                    theirs[name, entry.currency].append(index)
                    break
        for key, entries in theirs.items():
            self._pair(ours[key], entries)

    def _pair(self, lines: list[int], entries: list[int]) -> None:
        """Equal amounts first, nearest days first; then what is left over, in order."""
        by_amount: dict[int, list[int]] = defaultdict(list)
        for entry in entries:
            by_amount[self._entries[entry].amount].append(entry)
        for line in lines:
            equal = by_amount[self._lines[line].amount]
            if equal:
                entry = min(equal, key=lambda e: (self._apart(line, e), e))
                equal.remove(entry)
                self._agree(line, entry)
        left = [line for line in lines if line in self._open_lines]
        over = [entry for entry in entries if entry in self._open_entries]
        for line, entry in zip(left, over, strict=False):
            ours, theirs = self._lines[line].amount, self._entries[entry].amount
            self._close(Reason.AMOUNT, line, entry, f"{ours} here, {theirs} there")
        told = {self._lines[line].amount for line in lines if line not in self._open_lines}
        for line in left[len(over) :]:
            if self._lines[line].amount in told:
                self._close(Reason.DUPLICATE_HERE, line, None, "once more than there")
        told = {self._entries[entry].amount for entry in entries if entry not in self._open_entries}
        for entry in over[len(left) :]:
            if self._entries[entry].amount in told:
                self._close(Reason.DUPLICATE_THERE, None, entry, "once more than here")

    def _agree(self, line: int, entry: int) -> None:
        apart = self._apart(line, entry)
        if apart > self._days:
            self._close(Reason.DATE, line, entry, f"{apart} days apart")
            return
        self._match(line, entry, by_reference=True)

    # ---- lines of which one at least has no name ------------------------------------------------

    def by_amount(self) -> None:
        """Pair off where exactly one line fits on either side."""
        entries: dict[tuple[int, str], list[int]] = defaultdict(list)
        for index in self._open_entries:
            entries[self._entries[index].amount, self._entries[index].currency].append(index)
        lines: dict[tuple[int, str], list[int]] = defaultdict(list)
        for index in self._open_lines:
            lines[self._lines[index].amount, self._lines[index].currency].append(index)
        for key in list(lines):
            self._only_fits(lines[key], entries.get(key, []))

    def _only_fits(self, lines: list[int], entries: list[int]) -> None:
        if max(len(lines), len(entries)) > _ALIKE_MAX:
            return
        fits = {line: [entry for entry in entries if self._fit(line, entry)] for line in lines}
        wanted: dict[int, int] = defaultdict(int)
        for found in fits.values():
            for entry in found:
                wanted[entry] += 1
        for line, found in fits.items():
            if len(found) == 1 and wanted[found[0]] == 1:
                self._match(line, found[0], by_reference=False)

    def _fit(self, line: int, entry: int) -> bool:
        """Names that differ tell apart; a side without any says nothing."""
        if self._apart(line, entry) > self._days:
            return False
        return not (self._lines[line].number and self._entries[entry].references)

    # ---- other days -----------------------------------------------------------------------------

    def elsewhere(self, lines: Sequence[LedgerLine], entries: Sequence[Entry]) -> None:
        """What is missing, and was on another day; each of those once."""
        ours: dict[tuple[str, str, int], list[LedgerLine]] = defaultdict(list)
        for line in lines:
            if line.number:
                ours[line.number, line.currency, line.amount].append(line)
        for index in list(self._open_entries):
            entry = self._entries[index]
            for name in names_of(entry):
                if found := ours.get((name, entry.currency, entry.amount)):
                    self._on_another_day(None, index, found.pop(0), entry)
                    break
        missing: dict[tuple[str, str, int], list[int]] = defaultdict(list)
        for index in self._open_lines:
            line = self._lines[index]
            if line.number:
                missing[line.number, line.currency, line.amount].append(index)
        for entry in entries:
            for name in names_of(entry):
                if there := missing.get((name, entry.currency, entry.amount)):
                    index = there.pop(0)
                    self._on_another_day(index, None, self._lines[index], entry)
                    break

    def _on_another_day(
        self, line: int | None, entry: int | None, here: LedgerLine, there: Entry
    ) -> None:
        detail = f"{here.day} here, {there.booked} there"
        self._close(Reason.DATE, line, entry, detail, here=here, there=there)

    # ---- what is left ---------------------------------------------------------------------------

    def rest(self) -> None:
        for line in list(self._open_lines):
            self._close(Reason.MISSING_THERE, line, None, "not in the statement")
        for entry in list(self._open_entries):
            self._close(Reason.MISSING_HERE, None, entry, "not on the ledger")

    def _apart(self, line: int, entry: int) -> int:
        return abs((self._lines[line].day - self._entries[entry].booked).days)

    def _match(self, line: int, entry: int, *, by_reference: bool) -> None:
        del self._open_lines[line], self._open_entries[entry]
        self._matched[line] = (entry, by_reference)

    def _close(
        self,
        reason: Reason,
        line: int | None,
        entry: int | None,
        detail: str,
        *,
        here: LedgerLine | None = None,
        there: Entry | None = None,
    ) -> None:
        """`here` and `there` stand for what is none of the open ones."""
        if line is not None:
            del self._open_lines[line]
        if entry is not None:
            del self._open_entries[entry]
        difference = Difference(
            reason,
            here if line is None else self._lines[line],
            there if entry is None else self._entries[entry],
            detail,
        )
        last = len(self._lines)
        order = (last if line is None else line, -1 if entry is None else entry)
        self._found.append((*order, difference))


def names_of(entry: Entry) -> list[str]:
    """What may be the payer's number: references, then the words of the text."""
    return [*entry.references, *entry.bank_references, *entry.text.split()[:_WORDS_MAX]]
