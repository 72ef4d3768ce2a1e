"""Organisations that a network for trying out begins with, unless others are named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contracts.consortium import Profile, Role, organisation_id_word
from nodes.founding import MemberSpec
from nodes.network.errors import FoundingRefused

MEMBERS_MAX: Final = 32

CAST: Final = (
    MemberSpec("hailin-foods", "Hailin Foods", "海林食品", Role.MANUFACTURER),
    MemberSpec("harbour-store", "Harbour Cold Store", "港湾冷库", Role.WAREHOUSE),
    MemberSpec("northway", "Northway Logistics", "北路物流", Role.CARRIER),
    MemberSpec("willow-bank", "Willow Bank", "柳岸银行", Role.BANK),
    MemberSpec("corner-market", "Corner Market", "街角商超", Role.RETAILER),
    MemberSpec("food-inspection", "Food Inspection Office", "食品检验所", Role.REGULATOR),
    MemberSpec("river-arbitration", "Riverside Arbitration", "江畔仲裁委员会", Role.ARBITRATOR),
    MemberSpec("port-services", "Port Data Services", "港口数据服务", Role.OPERATOR),
)


def default_cast(count: int) -> tuple[MemberSpec, ...]:
    """So many members; above eight the names begin again with a number.

    Raises `FoundingRefused` unless it is 1 to 32.
    """
    if not 1 <= count <= MEMBERS_MAX:
        raise FoundingRefused(f"--members {count}: 1 to {MEMBERS_MAX} go on one machine")
    return tuple(_numbered(CAST[index % len(CAST)], index // len(CAST)) for index in range(count))


def read_cast(texts: Sequence[str]) -> tuple[MemberSpec, ...]:
    """Members written as `ID:ROLE`, `ID:ROLE:NAME` or `ID:ROLE:NAME:中文名`.

    Raises `FoundingRefused` with what is wrong.
    """
    members = tuple(_read(text) for text in texts)
    if not 1 <= len(members) <= MEMBERS_MAX:
        raise FoundingRefused(f"{len(members)} organisations: 1 to {MEMBERS_MAX} are meant")
    if len({member.id for member in members}) != len(members):
        raise FoundingRefused("--organisation: an id stands twice")
    return members


def _read(text: str) -> MemberSpec:
    organisation, _, rest = text.partition(":")
    role, _, names = rest.partition(":")
    name, _, name_zh = names.partition(":")
    try:
        organisation_id_word(organisation)
        return MemberSpec(organisation, name or organisation, name_zh, Role.of(role))
    except ValueError as bad:
        raise FoundingRefused(
            f"--organisation {text[:80]}: {bad}; write ID:ROLE:NAME such as acme:warehouse:Acme"
        ) from bad


def _numbered(member: MemberSpec, again: int) -> MemberSpec:
    if not again:
        return member
    return MemberSpec(
        f"{member.id}-{again + 1}",
        f"{member.name} {again + 1}",
        f"{member.name_zh}{again + 1}",
        member.role,
    )


def profile_of(member: MemberSpec) -> Profile:
    """Names as the Consortium contract has them."""
    return Profile(member.name, member.name_zh)
