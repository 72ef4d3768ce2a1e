"""The asset book: its tree against the plain one, its proofs, its days."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.pools.book import AssetBook
from contracts.pools.eligibility import Rules
from contracts.pools.errors import (
    AssetProofError,
    AssetRefused,
    BookError,
    DateRefused,
    UnknownAsset,
)
from contracts.pools.leaf import Asset, change_hashes, outside_id
from contracts.pools.loading import LoadReport, Refusal, load_book
from contracts.pools.proof import AssetProof, differences
from contracts.pools.rows import AssetRow, csv_rows, json_rows, read_rows
from contracts.pools.tree import RootHasher, TileBuilder, root_of_tile
from contracts.pools.types import AssetState
from ledger.tlog import leaf_hash, root_of
from ledger.types import Hash32
from tests.contracts.pools.scene import FIRST

pytestmark = pytest.mark.feature("F7")
POOL = Hash32(b"\x07" * 32)
SALT = b"the salt of this pool"
NEXT = FIRST + timedelta(days=1)


def row(number: int, balance: int = 100, days: int = 0, **attributes: str) -> AssetRow:
    return AssetRow(number + 2, f"LOAN-{number}", None, balance, None, days, attributes)


def load(path: Path, rows: list[AssetRow], **options: object) -> LoadReport:
    return load_book(path, rows, pool=POOL, day=FIRST, salt=SALT, **options)  # type: ignore[arg-type]


def all_assets(book: AssetBook, day: date, revision: int = 0) -> list[Asset]:
    found: list[Asset] = []
    while page := book.assets(day, revision, first=len(found)):
        found += [asset for _, asset in page]
    return found


def plain_root(assets: list[Asset]) -> bytes:
    return root_of([leaf_hash(asset.leaf()) for asset in assets])


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, 511, 512, 513, 700])
def test_tiles_make_the_tree_of_rfc_6962(size: int) -> None:
    leaves = [leaf_hash(number.to_bytes(4, "big")) for number in range(size)]
    builder, hasher, last = TileBuilder(), RootHasher(), b""
    for leaf in leaves:
        hasher.add(leaf)
        for _, _, tile in builder.add(leaf):
            last = tile
    for _, _, tile in builder.finish():
        last = tile
    assert root_of_tile(last) == hasher.root() == root_of(leaves)


def test_three_levels_of_tiles_make_the_tree_of_rfc_6962() -> None:
    size = 65_536 + 300
    leaves = [number.to_bytes(32, "big") for number in range(size)]
    builder, tiles = TileBuilder(), {}
    for leaf in leaves:
        tiles.update({(level, place): tile for level, place, tile in builder.add(leaf)})
    tiles.update({(level, place): tile for level, place, tile in builder.finish()})
    assert root_of_tile(tiles[2, 0]) == root_of(leaves)
    assert max(tiles) == (2, 0)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_day_stays_provable_whatever_changes(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    size = data.draw(st.sampled_from([1, 2, 100, 255, 256, 257, 600]))
    seed = data.draw(st.integers(0, 2**32))
    rng = random.Random(seed)
    path = tmp_path_factory.mktemp("book") / "pool.book"
    load(path, [row(number, rng.randrange(1, 10**6)) for number in range(size)])
    with AssetBook(path) as book:
        history = [(FIRST, 1, all_assets(book, FIRST))]
        for _ in range(data.draw(st.integers(1, 3))):
            last = history[-1][0]
            added = rng.choice([0, 0, 1, 2, 300])
            changed = rng.sample(range(size), rng.randrange(0, min(size, 20) + 1))
            rows = [row(n, rng.randrange(1, 10**6), rng.choice([0, 5])) for n in changed]
            rows += [row(size + n) for n in range(added)]
            if rng.random() < 0.3:
                report = book.correct(last, rows)
            else:
                report = book.update(last + timedelta(days=1), rows)
            size += added
            state = report.state
            assets = all_assets(book, state.date)
            assert len(assets) == state.day.count == size
            assert state.day.root == plain_root(assets)
            before = history[-1][2]
            _check_delta(before, assets, state.day.delta, state.day.changed)
            assert book.delta_of(state.date, state.revision) == state.day.delta
            for name in AssetState:
                if name <= AssetState.DEFAULTED:
                    total = sum(asset.balance for asset in assets if asset.state is name)
                    assert getattr(state.day, name.name.lower()) == total
            history.append((state.date, state.revision, assets))
        for day, revision, assets in history:
            assert all_assets(book, day, revision) == assets
            root = plain_root(assets)
            for number in {0, len(assets) - 1, rng.randrange(len(assets))}:
                proof = book.prove(f"LOAN-{number}", day, revision)
                assert proof.asset == assets[number]
                proof.verify(root, len(assets))


def _check_delta(
    before: list[Asset], after: list[Asset], delta: Hash32 | None, changed: int
) -> None:
    changes = []
    for index, asset in enumerate(after):
        former = leaf_hash(before[index].leaf()) if index < len(before) else None
        if former != leaf_hash(asset.leaf()):
            changes.append((index, former, leaf_hash(asset.leaf())))
    assert len(changes) == changed
    assert delta == (Hash32(root_of(change_hashes(changes))) if changes else None)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[AssetBook]:
    path = tmp_path / "pool.book"
    load(path, [row(number, 100 + number, region="JS") for number in range(300)])
    with AssetBook(path) as opened:
        yield opened


def test_two_proofs_show_what_has_changed(book: AssetBook) -> None:
    book.update(NEXT, [row(7, 50, 31)])
    before = book.prove("LOAN-7", FIRST, show_attributes=True)
    after = book.prove("LOAN-7", NEXT)
    assert {(d.field, d.before, d.after) for d in differences(before, after)} == {
        ("balance", "107", "50"),
        ("state", "performing", "overdue"),
        ("days_past_due", "0", "31"),
    }
    assert before.attributes == {"region": "JS"}
    other = book.prove("LOAN-8", NEXT)
    with pytest.raises(AssetProofError, match="different assets"):
        differences(before, other)


def test_a_proof_travels_as_json_and_any_change_of_it_is_noticed(book: AssetBook) -> None:
    state = book.newest()
    proof = book.prove("LOAN-42", FIRST, show_attributes=True)
    again = AssetProof.decode(proof.encode())
    assert again == proof
    again.verify(state.day.root, state.day.count)
    for wrong in (
        replace(proof, index=41),
        replace(proof, size=299),
        replace(proof, asset=replace(proof.asset, balance=1)),
        replace(proof, path=proof.path[:-1]),
        replace(proof, attributes={"region": "ZJ"}),
    ):
        with pytest.raises(AssetProofError):
            wrong.verify(state.day.root, state.day.count)


@given(st.binary(max_size=400))
def test_bytes_that_are_no_proof_are_refused(data: bytes) -> None:
    with pytest.raises(AssetProofError):
        AssetProof.decode(data)


def test_references_are_found_by_name_and_by_id_and_never_shown(book: AssetBook) -> None:
    id_ = outside_id("LOAN-5", SALT)
    assert book.index_of("LOAN-5") == book.index_of(f"0x{id_.hex()}") == 5
    assert book.reference_of(5) == "LOAN-5"
    assert b"LOAN-5" not in book.prove("LOAN-5", FIRST).encode()
    for unknown in ("LOAN-300", "0x" + "0" * 64, "x"):
        with pytest.raises(UnknownAsset):
            book.index_of(unknown)
    book.update(NEXT, [row(300)])
    with pytest.raises(UnknownAsset):
        book.prove("LOAN-300", FIRST)


@pytest.mark.parametrize(
    "rows",
    [
        [row(1, 5), row(1, 6)],
        [replace(row(1), balance=-1)],
        [replace(row(1), balance=5, state=AssetState.REPAID)],
        [replace(row(1), state=AssetState.OVERDUE, days_past_due=0)],
        [row(2, 7), replace(row(900), balance=None)],
    ],
)
def test_an_update_with_a_wrong_line_leaves_the_book_as_it_was(
    book: AssetBook, rows: list[AssetRow]
) -> None:
    before = book.newest(), all_assets(book, FIRST)
    with pytest.raises(AssetRefused):
        book.update(NEXT, rows)
    assert (book.newest(), all_assets(book, FIRST)) == before
    assert book.update(NEXT, []).state.day.delta is None


def test_dates_follow_each_other(book: AssetBook) -> None:
    for wrong in (FIRST, NEXT + timedelta(days=1)):
        with pytest.raises(DateRefused):
            book.update(wrong, [])
    with pytest.raises(DateRefused):
        book.correct(NEXT, [])
    with pytest.raises(BookError, match="no state"):
        book.prove("LOAN-1", NEXT)


def test_what_has_defaulted_is_not_cured_by_days_alone(book: AssetBook) -> None:
    book.update(NEXT, [replace(row(3), state=AssetState.DEFAULTED, days_past_due=120)])
    later = NEXT + timedelta(days=1)
    book.update(later, [replace(row(3), balance=None, days_past_due=121)])
    assert book.prove("LOAN-3", later).asset.state is AssetState.DEFAULTED
    book.update(later + timedelta(days=1), [row(3, 100, 0)])
    cured = book.prove("LOAN-3", later + timedelta(days=1)).asset
    assert (cured.state, cured.days_past_due) == (AssetState.PERFORMING, 0)


def test_rules_say_why_an_asset_is_not_taken_and_limits_who_has_too_much(tmp_path: Path) -> None:
    rules = Rules.parse(
        b'{"version":1,"rules":[{"field":"balance","atMost":1000},'
        b'{"field":"region","in":["JS","ZJ"]},{"field":"maturity","atMost":"2029-12-31"}],'
        b'"limits":[{"by":"region","shareBpMax":6000}]}'
    )
    rows = [row(n, 100, region="JS", maturity="2028-01-31") for n in range(7)]
    rows += [row(n, 100, region="ZJ", maturity="2029-12-31") for n in range(7, 10)]
    rows += [row(10, 2_000, region="BJ", maturity="2030-01-01"), row(11, 1)]
    refused: list[Refusal] = []
    path = tmp_path / "pool.book"
    report = load(path, rows, rules=rules, refuse=refused.append, admit_until=NEXT)
    assert report.day.count == 10
    assert [(one.reference, len(one.reasons)) for one in refused] == [
        ("LOAN-10", 3),
        ("LOAN-11", 2),
    ]
    assert refused[0].reasons[0] == "balance 2000 is above 1000"
    assert refused[1].reasons[0] == "region is missing"
    (excess,) = report.excesses
    assert (excess.value, excess.share_bp) == ("JS", 7_000)
    with AssetBook(path) as book:
        assert book.excesses() == report.excesses
        new = [row(12, 1_001, region="ZJ", maturity="2028-01-01"), row(13, 9, region="ZJ")]
        update = book.update(NEXT, new, refused.append)
        assert update.refused == 2
        assert update.state.day.count == 10
        with pytest.raises(AssetRefused, match="no asset may come in"):
            book.update(NEXT + timedelta(days=1), [row(14, 1)])


def test_a_load_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "pool.book"
    for rows, words in (
        ([row(1), row(2), row(1)], "stands there twice"),
        ([], "no asset"),
        ([row(1), replace(row(2), balance=None)], "line 4: balance is missing"),
    ):
        with pytest.raises(AssetRefused, match=words):
            load(path, rows)
        assert list(tmp_path.iterdir()) == []
    load(path, [row(1)])
    with pytest.raises(BookError, match="already"):
        load(path, [row(1)])
    assert path.stat().st_mode & 0o077 == 0


def test_files_of_both_kinds_say_the_same(tmp_path: Path) -> None:
    csv, lines = tmp_path / "a.csv", tmp_path / "a.jsonl"
    csv.write_text(
        "reference,balance,daysPastDue,region,note\r\n"
        'A-1,120000,0,JS,"two, ""quoted"""\r\nA-2,5,3,ZJ,\r\n',
        encoding="utf-8",
    )
    lines.write_text(
        '{"reference":"A-1","balance":120000,"daysPastDue":0,"region":"JS",'
        '"note":"two, \\"quoted\\""}\n\n{"reference":"A-2","balance":5,"daysPastDue":3,'
        '"region":"ZJ"}\n'
    )
    first, second = (
        load(tmp_path / f"{path.name}.book", list(read_rows(path))) for path in (csv, lines)
    )
    assert first.day == second.day
    assert (first.day.performing, first.day.overdue) == (120_000, 5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "balance\n1\n",
        "reference,reference\na,b\n",
        "reference,balance\nA\n",
        "reference,balance\nA,1.50\n",
        "reference,balance\nA,-1\n",
        "reference,balance\nA,１\n",
        "reference,balance,state\nA,1,fine\n",
        "reference,balance,kind\nA,1,receivable\n",
        "reference,balance,a b\nA,1,2\n",
        "reference,balance\n" + "A" * 300 + ",1\n",
        'reference,balance\n"A,1\n',
    ],
)
def test_lines_that_are_no_assets_are_refused(text: str) -> None:
    with pytest.raises(AssetRefused, match=r"line \d+|header"):
        list(csv_rows(text.splitlines(keepends=True)))


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_whatever_stands_in_a_json_file_is_rows_or_refused(lines: list[bytes]) -> None:
    try:
        found = list(json_rows(lines))
    except AssetRefused:
        return
    assert all(isinstance(one, AssetRow) for one in found)


@given(st.text(max_size=200))
def test_whatever_stands_in_a_csv_file_is_rows_or_refused(text: str) -> None:
    try:
        found = list(csv_rows(text.splitlines(keepends=True)))
    except AssetRefused:
        return
    assert all(isinstance(one, AssetRow) for one in found)
