"""Everything that can happen to receipts, once, by several parties: rows for tests to compare."""

from __future__ import annotations

from contracts.genesis import RECEIPTS_ADDRESS
from contracts.pledges import (
    annul_calldata,
    declare_default_calldata,
    enforce_calldata,
    propose_calldata,
    release_calldata,
)
from contracts.receipts import (
    Purpose,
    deliver_calldata,
    endorse_calldata,
    extend_calldata,
    freeze_calldata,
    issue_calldata,
    merge_calldata,
    nominate_calldata,
    part_id,
    permit_calldata,
    reject_holding_calldata,
    replace_calldata,
    request_delivery_calldata,
    shred_calldata,
    split_calldata,
    surrender_calldata,
    to_electronic_calldata,
    to_paper_calldata,
    transfer_both_calldata,
    transfer_holding_calldata,
    unfreeze_calldata,
)
from contracts.stock import adjust_calldata
from ledger.types import Hash32
from tests.contracts.receipts.world import World, hash_of

DECISION = hash_of("decision 7 of 2027")


def tell(world: World) -> dict[str, Hash32]:
    """The story; ids of its receipts by what becomes of them."""
    ids = {
        name: world.issue(10_000 + number)
        for number, name in enumerate(
            ["kept", "split", "sold", "rejected", "paper", "wrong", "pledged", "lost", "freed"]
        )
    }
    ids["gone"] = world.issue(30_000, keys=(hash_of("a"), hash_of("b"), hash_of("c")))
    _title(world, ids)
    _goods(world, ids)
    _security(world, ids)
    world.stock("granary", adjust_calldata(world.lot, 960_000, "it dried"))
    return ids


def _title(world: World, ids: dict[str, Hash32]) -> None:
    world.receipts("farm", nominate_calldata(ids["sold"], 1, "trader", "to sell"))
    world.receipts("farm", endorse_calldata(ids["sold"], 2, "trader"))
    world.receipts("farm", transfer_holding_calldata(ids["sold"], 3, "trader"))
    world.receipts("farm", transfer_holding_calldata(ids["rejected"], 1, "mill", "for milling"))
    world.receipts("mill", reject_holding_calldata(ids["rejected"], 2, "not ours"))
    world.receipts("farm", surrender_calldata(ids["paper"], 1, Purpose.PAPER))
    world.receipts("granary", to_paper_calldata(ids["paper"], 2, hash_of("paper")))
    world.receipts("granary", to_electronic_calldata(ids["paper"], 3, "mill", "mill"))


def _goods(world: World, ids: dict[str, Hash32]) -> None:
    data = split_calldata(ids["split"], 1, [4_000, 3_000, 3_001])
    world.receipts("farm", data)
    parts = [part_id(ids["split"], number) for number in (1, 2, 3)]
    ids["part"] = parts[2]
    world.receipts("farm", merge_calldata(parts[:2], [1, 1], "one again"))
    world.receipts("farm", request_delivery_calldata(ids["gone"], 1, 10_000, [hash_of("b")]))
    world.receipts("granary", deliver_calldata(ids["gone"], 2, [hash_of("b")], "truck 4"))
    world.receipts("farm", surrender_calldata(ids["gone"], 3, Purpose.DELIVERY))
    world.receipts("granary", shred_calldata(ids["gone"], 4))
    world.receipts("farm", surrender_calldata(ids["wrong"], 1, Purpose.CORRECTION))
    draft = world.draft(10_005)
    world.receipts("granary", replace_calldata(ids["wrong"], 2, draft, "grade was wrong"))
    world.receipts("granary", extend_calldata(ids["kept"], 1, world.get(ids["kept"]).expires + 9))


def _security(world: World, ids: dict[str, Hash32]) -> None:
    first = world.pledged(ids["pledged"])
    call = transfer_both_calldata(ids["pledged"], 3, "trader", "trader")
    world.receipts("bank", permit_calldata(ids["pledged"], 2, call, "sold with our consent"))
    world.receipts("farm", call)
    world.pledges("bank", release_calldata(first, [ids["pledged"]], "paid"))
    soon = world.terms(due_days=0)
    due = type(soon)(soon.amount, soon.currency, world.chain.time + 4, 1, soon.terms)
    second = world.pledged(ids["lost"], "other-bank", due)
    for _ in range(4):
        world.issue(1_000)
    world.pledges("other-bank", declare_default_calldata(second))
    world.issue(1_000)
    world.pledges("other-bank", enforce_calldata(second, [ids["lost"]], "mill", "sold"))
    third = world.pledged(ids["freed"])
    world.receipts("court", freeze_calldata(ids["freed"], 2, DECISION, "in dispute"))
    world.pledges("court", annul_calldata(third, [ids["freed"]], DECISION, "void"))
    world.receipts("court", unfreeze_calldata(ids["freed"], 0, "court", DECISION))
    offer = propose_calldata(RECEIPTS_ADDRESS, ids["kept"], 2, "other-bank", world.terms())
    world.pledges("farm", offer)
    world.receipts("granary", issue_calldata(world.draft(500, payload=b"", holder="mill")))
