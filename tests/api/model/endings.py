"""What every organisation finds in every list when a story is over, and what must add up."""

from __future__ import annotations

from typing import Any

from tests.api.model.stage import LIMIT, Story, same
from tests.api.model.tables import BANKS, COURT, ORGANISATIONS, STRANGER


def check_all(story: Story) -> None:
    """Lists of everybody, then sums. HTTP alone is asked."""
    for who in ORGANISATIONS:
        check_lists(story, who)
        story.compare_accounts(who)
    check_histories(story)
    check_parts(story)
    check_pledges(story)
    check_deposits(story)


def check_lists(story: Story, who: str) -> None:
    """What one organisation sees of the story: no more, no less, each record as it is."""
    world = story.world
    seen = {one.id: one.shown() for one in world.receipts if world.sees(who, one)}
    compare(story, who, "/receipts", "receipts", seen, {one.id for one in world.receipts})
    seen = {one.id: one.shown() for one in world.receivables if world.sees(who, one)}
    compare(story, who, "/receivables", "receivables", seen, {one.id for one in world.receivables})
    seen = {one.key: one.shown() for one in world.pledges if one.sees(who)}
    compare(story, who, "/pledges", "pledges", seen, {one.key for one in world.pledges})
    seen = {one.id: one.shown() for one in world.deals if one.sees(who)}
    compare(story, who, "/settlements", "settlements", seen, {one.id for one in world.deals})
    compare(
        story,
        who,
        "/deposits/redemptions",
        "redemptions",
        {
            one.id: one.shown()
            for one in world.money.redemptions
            if who in (COURT, one.bank, one.owner)
        },
        {one.id for one in world.money.redemptions},
    )
    compare(
        story,
        who,
        "/stock/lots",
        "lots",
        {lot.key: lot.shown() for lot in world.lots if world.sees_lot(who, lot)},
        {lot.key for lot in world.lots},
    )


def compare(
    story: Story,
    who: str,
    path: str,
    name: str,
    expected: dict[str, dict[str, Any]],
    of_story: set[str],
) -> None:
    """One list; records of earlier stories in it are left out."""
    told = story.stage.members[who].get(f"{path}?limit={LIMIT}")[name]
    if who == STRANGER:
        assert told == [], f"a stranger sees {path}"
    found = {one.get("id") or one["key"]: one for one in told}
    found = {key: one for key, one in found.items() if key in of_story}
    assert found.keys() == expected.keys(), f"{path} of {who}"
    for key, one in expected.items():
        same(found[key], one, f"{path} {key} of {who}")


def check_histories(story: Story) -> None:
    """Every act that the model has played, by whom, in order, and what it left: nothing else."""
    world = story.world
    for room, records in (("receipts", world.receipts), ("receivables", world.receivables)):
        for one in records:
            told = history(story, f"/{room}/{one.id}", one.parties)
            assert len(told) == len(one.acts) == one.revision, f"history of {one.id}"
            for line, expected in zip(told, one.history(), strict=True):
                same(line, expected, f"line {expected['revision']} of {one.id}")
            in_order(told)
    for deal in world.deals:
        told = history(story, f"/settlements/{deal.id}", {deal.seller, deal.buyer, *deal.banks})
        assert [(one["act"], one["by"], one["revision"]) for one in told] == deal.acts
        in_order(told)
    for pledge in world.pledges:
        told = history(story, f"/pledges/{pledge.key}", {pledge.pledgor, pledge.pledgee})
        changed = [one for one in told if one["kind"] == "changed"]
        assert [(one["by"], one["state"]) for one in changed] == pledge.acts
        covered = [one["instrument"] for one in told if one["kind"] == "covered"]
        freed = [one["instrument"] for one in told if one["kind"] == "freed"]
        assert sorted(covered) == sorted([*freed, *(one.id for one in pledge.covers)])
        in_order(told)


def history(story: Story, path: str, parties: set[str]) -> list[dict[str, Any]]:
    """As the court is told it, page by page; a party is told the same, a stranger nothing."""
    told: list[dict[str, Any]] = []
    after = ""
    while True:
        page = story.stage.members[COURT].get(f"{path}/history?limit=7{after}")
        told += page["acts"]
        if page["after"] is None:
            break
        after = f"&after={page['after']}"
    story.turn += 1
    ordered = sorted(parties)
    party = ordered[story.turn % len(ordered)]
    seen = story.stage.members[party].get(f"{path}/history?limit={LIMIT}")
    assert (seen["acts"], seen["after"]) == (told, None), f"history of {path} for {party}"
    answer = story.stage.members[STRANGER].send("GET", f"{path}/history")
    assert answer.status_code == 404, f"a stranger is told the history of {path}"
    return told


def in_order(told: list[dict[str, Any]]) -> None:
    """As they stand on the chain, each with a proof of its own."""
    leaves = [one["leaf"] for one in told]
    assert leaves == sorted(set(leaves))
    assert [one["proof"] for one in told] == [f"/log/proof/{leaf}" for leaf in leaves]


def check_parts(story: Story) -> None:
    """What was split is all there in its parts."""
    court = story.stage.members[COURT]
    for path, name, amount in (
        ("/receipts", "receipts", "quantity"),
        ("/receivables", "receivables", "amount"),
    ):
        told = court.get(f"{path}?limit={LIMIT}")[name]
        split = {one["id"]: one for one in told if one["state"] == "split"}
        for id_, whole in split.items():
            parts = [one for one in told if one["origin"] == id_ and one["part"]]
            acts = court.get(f"{path}/{id_}/history")["acts"]
            assert acts[-1]["act"] == "split"
            original = int(whole[amount]) - int(whole.get("paid", 0))
            waived = any(act["act"] in ("concede", "uphold") for act in acts)
            assert sum(_first(court, path, one, amount) for one in parts) == original or waived


def _first(court: Any, path: str, one: dict[str, Any], amount: str) -> int:
    """What a part was when it arose."""
    first = court.get(f"{path}/{one['id']}/history?limit=1")["acts"][0]
    assert first["act"] == "arise"
    found = first.get(amount) or first.get("quantity") or first.get("outstanding") or one[amount]
    return int(found)


def check_pledges(story: Story) -> None:
    """Nothing is covered by two live pledges, and what says that it is pledged is covered."""
    court = story.stage.members[COURT]
    told = court.get(f"/pledges?state=active&limit={LIMIT}")["pledges"]
    keys = {one.key for one in story.world.pledges}
    covered: dict[str, str] = {}
    for one in told:
        if one["id"] not in keys:
            continue
        for id_ in court.get(f"/pledges/{one['id']}")["covers"]:
            assert id_ not in covered, f"{id_} is pledged twice"
            covered[id_] = one["pledgee"]
    pledged = {one.id: one.pledgee for one in story.world.instruments if one.pledgee}
    assert covered == pledged


def check_deposits(story: Story) -> None:
    """A bank owes its customers and other banks what was paid in, less what was paid out."""
    court, money = story.stage.members[COURT], story.world.money
    told = court.get(f"/deposits?currency={story.currency}&limit={LIMIT}")["accounts"]
    between = court.get(f"/deposits/interbank?currency={story.currency}")["positions"]
    claims = {(one["creditor"], one["debtor"]): int(one["claim"]) for one in between}
    for bank in BANKS:
        owed = sum(int(one["balance"]) for one in told if one["bank"] == bank)
        owed += sum(amount for (_, debtor), amount in claims.items() if debtor == bank)
        owed -= sum(amount for (creditor, _), amount in claims.items() if creditor == bank)
        assert owed == money.issued.get(bank, 0), f"deposits at {bank}"
