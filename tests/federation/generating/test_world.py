"""An invented world: the same for ever, believable, and worth federating over."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from time import process_time

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer

from federation.generating import (
    REGIONS,
    GeneratingError,
    SettingsInvalid,
    Source,
    World,
    WorldSettings,
    deal_banks,
    is_invented,
    make_world,
    require_credit_code,
    write_world,
)
from federation.measures import auc, psi
from federation.tables import FieldKind, Table, read_csv, split_label

pytestmark = pytest.mark.feature("D3")


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(WorldSettings(firms=20_000, seed=1))


def fingerprint(table: Table) -> str:
    digest = sha256("\n".join((*table.ids, *table.fields)).encode())
    digest.update(table.matrix().tobytes())
    return digest.hexdigest()[:16]


def test_these_settings_give_these_very_bits_on_every_machine() -> None:
    small = make_world(WorldSettings(firms=500, seed=7))
    assert [fingerprint(source.table) for source in small.sources] == [
        "452220e5e105aa2f",
        "eed535cb1cfd0de7",
        "c683388ee07631b4",
    ]
    assert sha256(small.bank.label.tobytes()).hexdigest()[:16] == "0934639683fa8f06"


def test_another_seed_gives_another_world(world: World) -> None:
    again = make_world(WorldSettings(firms=20_000, seed=1))
    assert [s.table for s in again.sources] == [s.table for s in world.sources]
    other = make_world(WorldSettings(firms=20_000, seed=2))
    assert other.bank.source.table != world.bank.source.table


def test_parties_know_overlapping_but_unequal_firms_in_orders_of_their_own(world: World) -> None:
    known = [source.table.ids for source in world.sources]
    assert [len(ids) for ids in known] == [15_000, 12_000, 16_000]
    common = world.common()
    assert 6_000 < len(common) < 9_000
    for one, other in ((0, 1), (1, 2), (2, 0)):
        both = set(known[one]) & set(known[other])
        assert len(common) < len(both) < min(len(known[one]), len(known[other]))
        in_one = [name for name in known[one] if name in both]
        in_other = [name for name in known[other] if name in both]
        assert in_one != in_other
        assert sorted(in_one) == sorted(in_other)
        assert in_one != sorted(in_one)


def test_firms_have_right_codes_of_divisions_that_do_not_exist(world: World) -> None:
    for source in world.sources:
        for code in source.table.ids[:200]:
            require_credit_code(code)
            assert is_invented(code)


def test_partners_data_is_worth_some_points_of_auc_and_each_partners_some(world: World) -> None:
    common = world.common()
    places = [_places(source, common) for source in world.sources]
    columns = [s.table.matrix()[rows] for s, rows in zip(world.sources, places, strict=True)]
    label = world.bank.label[places[0]]
    train = np.arange(len(common)) % 2 == 0

    def area(*parties: int) -> float:
        x = np.hstack([columns[party] for party in parties])
        model = make_pipeline(
            SimpleImputer(),
            QuantileTransformer(n_quantiles=20, output_distribution="normal"),
            LogisticRegression(C=0.1, max_iter=300),
        ).fit(x[train], label[train])
        return auc(label[~train], model.decision_function(x[~train]))

    alone, everything = area(0), area(0, 1, 2)
    assert 0.70 < alone < 0.80
    assert 0.03 < everything - alone < 0.10
    assert everything > area(0, 1) + 0.005
    assert everything > area(0, 2) + 0.005
    assert min(area(0, 1), area(0, 2)) > alone + 0.015


def _places(source: Source, ids: tuple[str, ...]) -> NDArray[np.int64]:
    at = {name: row for row, name in enumerate(source.table.ids)}
    return np.array([at[name] for name in ids], dtype=np.int64)


def test_there_are_gaps_spikes_and_fields_of_every_kind(world: World) -> None:
    bank, maker, platform = (source.table for source in world.sources)
    assert 0.05 < np.isnan(bank.column("bureau")).mean() < 0.3
    assert 0.02 < (bank.column("bureau") == -999).mean() < 0.04
    assert 0.01 < (maker.column("order_gap") == 999).mean() < 0.1
    assert 0.03 < (platform.column("power") == 0).mean() < 0.05
    kinds = {field.kind for source in world.sources for field in source.schema().fields}
    assert kinds == set(FieldKind)
    for source in world.sources:
        assert set(source.notes) == set(source.table.fields)
        assert all(field.meaning for field in source.schema().fields)
        assert all(len(np.unique(c)) > 1 for c in source.table.columns.values())


def test_times_get_harder_and_power_dearer_unless_drift_is_turned_off(world: World) -> None:
    def change(made: World) -> tuple[float, float]:
        bank = made.bank
        early, late = bank.quarter < 2, bank.quarter >= 6
        quarter = dict(zip(bank.source.table.ids, bank.quarter.tolist(), strict=True))
        power = made.platform.table.column("power")
        at = np.array([quarter.get(name, -1) for name in made.platform.table.ids])
        moved = psi(power[(at >= 0) & (at < 2)], power[at >= 6]).psi
        return float(bank.label[late].mean() - bank.label[early].mean()), moved

    worse, moved = change(world)
    assert worse > 0.015
    assert moved > 0.02
    still = make_world(WorldSettings(firms=20_000, seed=1, drift=0.0))
    worse, moved = change(still)
    assert abs(worse) < 0.015
    assert moved < 0.015


def test_regions_differ_and_stand_in_no_field(world: World) -> None:
    bank = world.bank
    region = np.array(bank.region)
    rates = [float(bank.label[region == name].mean()) for name in REGIONS]
    assert rates[0] < rates[2]
    assert "region" not in bank.source.table.fields


def test_bad_loans_are_as_many_as_asked_for() -> None:
    everybody = make_world(WorldSettings(firms=1_000, bad_rate=0.2, bank=1.0))
    assert everybody.bank.label.sum() == 200


def test_files_are_read_back_as_they_were(world: World, tmp_path: Path) -> None:
    small = make_world(WorldSettings(firms=300, seed=3))
    paths = write_world(small, tmp_path / "new")
    assert sorted(path.name for path in paths.values()) == [
        "bank.csv",
        "manufacturer.csv",
        "platform.csv",
    ]
    assert read_csv(paths["platform"]) == small.platform.table
    table, label = split_label(read_csv(paths["bank"]), "bad")
    assert table.without("quarter") == small.bank.source.table
    assert label.tolist() == small.bank.label.tolist()
    with pytest.raises(GeneratingError, match="cannot be made"):
        write_world(small, paths["bank"])
    assert table.column("quarter").tolist() == small.bank.quarter.tolist()


def test_a_book_is_dealt_to_banks_that_are_not_alike(world: World) -> None:
    banks = deal_banks(world.bank, 3, seed=1)
    ids = [name for bank in banks for name in bank.source.table.ids]
    assert sorted(ids) == sorted(world.bank.source.table.ids)
    sizes = [bank.source.table.rows for bank in banks]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 1.5 * sizes[2]
    amounts = [float(np.median(bank.source.table.column("amount"))) for bank in banks]
    assert amounts[0] < amounts[2]
    truth = dict(zip(world.bank.source.table.ids, world.bank.label.tolist(), strict=True))
    assert all(
        truth[name] == bad
        for bank in banks
        for name, bad in zip(bank.source.table.ids, bank.label.tolist(), strict=True)
    )
    assert deal_banks(world.bank, 1, seed=1)[0].source.table == world.bank.source.table


def test_a_hundred_thousand_firms_are_made_in_seconds() -> None:
    begun = process_time()
    made = make_world(WorldSettings(firms=100_000))
    assert process_time() - begun < 10
    assert made.platform.table.rows == 80_000


def test_settings_out_of_bounds_are_refused(world: World) -> None:
    for wrong in (
        {"firms": 99},
        {"firms": 5_000_001},
        {"seed": -1},
        {"quarters": 0},
        {"bad_rate": 0.6},
        {"bank": 0.05},
        {"drift": 4.0},
        {"drift": float("nan")},
    ):
        with pytest.raises(SettingsInvalid):
            WorldSettings(**wrong)  # type: ignore[arg-type]
    for banks in (0, 51, 400):
        with pytest.raises(SettingsInvalid):
            deal_banks(world.bank, banks, seed=1)
