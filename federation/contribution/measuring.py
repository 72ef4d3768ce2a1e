"""Measuring what each party adds, and recomputing it from evidence."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from pydantic import TypeAdapter

from federation.contribution.errors import EvidenceInvalid, GameInvalid
from federation.contribution.shapley import (
    all_coalitions,
    coalitions_of_orders,
    exact_values,
    sampled_values,
)
from federation.contribution.sharing import shares_bp
from federation.contribution.types import (
    COALITIONS_MAX,
    PAIRS_MAX,
    PARTIES_MAX,
    VALUE_MAX,
    Coalition,
    CoalitionValue,
    Contribution,
    Method,
    PartyContribution,
    Value,
)
from federation.documents import decode, encode

EXACT_PARTIES_MAX = 4
"""Up to this many parties every coalition is valued (16 values); each may be a training run."""
PAIRS_DEFAULT = 50

_EVIDENCE = TypeAdapter(Contribution)


def measure_contribution(
    parties: Iterable[str],
    value: Value,
    *,
    seed: int,
    measure: str = "auc",
    pairs: int = PAIRS_DEFAULT,
) -> Contribution:
    """What each party adds to the value of all together: Shapley values, exact for up to four
    parties, from `pairs` sampled orders and their reverses above.

    `value` is asked once for each coalition that is needed, smaller ones first; `seed` matters
    only where orders are sampled. Raises `GameInvalid` for no or too many parties, ids that are
    repeated or too long, settings out of bounds, and values that are no finite numbers.
    """
    names = _parties(parties)
    if not 0 < len(measure) <= 64:
        raise GameInvalid("the name of the measure has 1 to 64 characters")
    if len(names) <= EXACT_PARTIES_MAX:
        needed, sampled = set(all_coalitions(names)), None
    else:
        if not (1 <= pairs <= PAIRS_MAX and 0 <= seed < 2**53):
            raise GameInvalid(f"1 to {PAIRS_MAX} pairs and a seed from 0 to 2**53 - 1 are needed")
        needed, sampled = _sampled_coalitions(names, seed, pairs), (seed, pairs)
    values = {coalition: _asked(value, coalition) for coalition in sorted(needed, key=_place)}
    return _measured(names, values, measure, sampled)


def evidence_of(found: Contribution) -> bytes:
    """Canonical JSON of all that the shares follow from; its SHA-256 is what the ledger holds."""
    return encode(_EVIDENCE, found)


def recompute(evidence: bytes) -> Contribution:
    """The contribution that the coalition values in the evidence give.

    Nothing else in it is believed: Raises `EvidenceInvalid` where it is malformed, lacks a value
    that is needed or has one that is not, or says anything else than what its values give.
    """
    said = decode(_EVIDENCE, evidence, "evidence", EvidenceInvalid)
    values: dict[Coalition, float] = {}
    for one in said.coalitions:
        coalition = frozenset(one.members)
        if coalition in values:
            raise EvidenceInvalid("evidence: a coalition has two values")
        values[coalition] = one.value
    try:
        names = _parties(one.party for one in said.parties)
    except GameInvalid as error:
        raise EvidenceInvalid(f"evidence: {error}") from error
    sampled = _sampling_said(said, len(names))
    needed = set(all_coalitions(names)) if sampled is None else _sampled_coalitions(names, *sampled)
    if needed != values.keys():
        raise EvidenceInvalid(
            f"evidence: {len(needed - values.keys())} values are lacking and "
            f"{len(values.keys() - needed)} are of coalitions that do not matter"
        )
    found = _measured(names, values, said.measure, sampled)
    if evidence_of(found) != evidence:
        raise EvidenceInvalid("evidence: its values give other contributions than it says")
    return found


def _parties(parties: Iterable[str]) -> tuple[str, ...]:
    names = tuple(sorted(parties))
    if not 1 <= len(names) <= PARTIES_MAX or len(set(names)) != len(names):
        raise GameInvalid(f"1 to {PARTIES_MAX} parties are needed, each named once")
    if not all(0 < len(name) <= 64 and name.isprintable() for name in names):
        raise GameInvalid("the id of a party has 1 to 64 printable characters")
    return names


def _sampled_coalitions(names: tuple[str, ...], seed: int, pairs: int) -> set[Coalition]:
    needed = {frozenset[str](), frozenset(names)}
    for name in names:  # for `first` and `last`
        needed |= {frozenset((name,)), frozenset(names) - {name}}
    for coalition in coalitions_of_orders(names, seed=seed, pairs=pairs):
        needed.add(coalition)
        if len(needed) > COALITIONS_MAX:
            raise GameInvalid(f"more than {COALITIONS_MAX} coalitions to value; take fewer pairs")
    return needed


def _sampling_said(said: Contribution, parties: int) -> tuple[int, int] | None:
    if (said.method is Method.EXACT) != (parties <= EXACT_PARTIES_MAX):
        raise EvidenceInvalid(
            f"evidence: up to {EXACT_PARTIES_MAX} parties are measured exactly, more are sampled"
        )
    if said.method is Method.EXACT:
        return None
    if said.seed is None or said.pairs is None:
        raise EvidenceInvalid("evidence: sampled orders need a seed and their number")
    return said.seed, said.pairs


def _asked(value: Value, coalition: Coalition) -> float:
    found = float(value(coalition))
    if not abs(found) <= VALUE_MAX:
        raise GameInvalid(
            f"the value of the coalition {sorted(coalition)} is {found}; "
            f"values lie within {VALUE_MAX:.0e}"
        )
    return found


def _measured(
    names: tuple[str, ...],
    values: dict[Coalition, float],
    measure: str,
    sampled: tuple[int, int] | None,
) -> Contribution:
    exact = {coalition: Fraction(value) for coalition, value in values.items()}
    if sampled is None:
        shapley, errors = exact_values(names, exact), dict.fromkeys(names, 0.0)
    else:
        shapley, errors = sampled_values(names, exact, seed=sampled[0], pairs=sampled[1])
    nobody, everybody = frozenset[str](), frozenset(names)
    shares = shares_bp(shapley)
    return Contribution(
        measure=measure,
        method=Method.EXACT if sampled is None else Method.SAMPLED,
        seed=None if sampled is None else sampled[0],
        pairs=None if sampled is None else sampled[1],
        coalitions=tuple(
            CoalitionValue(tuple(sorted(coalition)), values[coalition])
            for coalition in sorted(values, key=_place)
        ),
        parties=tuple(
            PartyContribution(
                party=name,
                shapley=float(shapley[name]),
                error=errors[name],
                first=float(exact[frozenset((name,))] - exact[nobody]),
                last=float(exact[everybody] - exact[everybody - {name}]),
                share_bp=shares[name],
            )
            for name in names
        ),
    )


def _place(coalition: Coalition) -> tuple[int, list[str]]:
    return len(coalition), sorted(coalition)
