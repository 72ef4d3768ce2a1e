"""What the parties see of each other, by looking at the bytes."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from numpy.typing import NDArray

from federation.channel import decode
from federation.measures import auc
from federation.scorecard import ScorecardSettings
from tests.federation.scorecard.parties import GUEST, fit, invented, score

pytestmark = [pytest.mark.feature("D4")]
SEALED = ScorecardSettings(rows_min=20, bins=4)
Seen = list[tuple[str, str, bytes]]


def _forms(values: NDArray[np.float64]) -> list[bytes]:
    """Every way in which a value may stand in a message."""
    found: list[bytes] = []
    for value in values[np.isfinite(values)][:40].tolist():
        for dtype in ("<f8", ">f8", "<f4", ">f4"):
            data = np.array([value], dtype=dtype).tobytes()
            found += [data, base64.b64encode(data)[:-2], data.hex().encode()]
        found += [repr(value).encode(), f"{value:.6f}".encode()]
    return found


@pytest.mark.slow
def test_no_id_label_or_value_goes_over_the_wire_in_the_clear() -> None:
    world = invented(rows=200, hosts=2, missing=0.0)
    seen: Seen = []
    fitted = fit(world, SEALED, tap=lambda sender, to, data: seen.append((sender, to, data)))
    assert not fitted.errors
    score(world, fitted, tap=lambda sender, to, data: seen.append((sender, to, data)))
    wire = b"\0".join(data for _, _, data in seen)
    for name in world.guest.ids[:50]:
        for form in (name.encode(), name.encode("utf-16-le"), name.encode().hex().encode()):
            assert form not in wire
    labels = world.label[:16]
    for form in (
        labels.tobytes(),
        labels.astype("<i8").tobytes(),
        "".join(map(str, labels)).encode(),
    ):
        assert form not in wire
    for table in (world.guest, *world.hosts.values()):
        for column in table.columns.values():
            assert not [form for form in _forms(column) if len(form) > 3 and form in wire]


@pytest.mark.slow
def test_equal_labels_are_sealed_unlike_and_tell_the_host_nothing() -> None:
    world = invented(rows=400)
    seen: Seen = []
    fit(world, SEALED, tap=lambda sender, to, data: seen.append((sender, to, data)))
    sealed = [
        array
        for sender, _, data in seen
        if sender == GUEST
        for message in [decode(data, party=GUEST)]
        for array in message.body.values()
        if isinstance(array, np.ndarray) and array.ndim == 2
    ]
    assert len(sealed) == 2  # labels; weights of rows
    for array in sealed:
        assert len({row.tobytes() for row in array}) == world.guest.rows
        # A host that guesses from any byte of what it was sent is right half of the time.
        guesses = [
            max(found, 1 - found)
            for place in range(0, array.shape[1], 7)
            for found in [auc(world.label, array[:, place].astype(np.float64))]
        ]
        # Standard error of an AUC here is 0.03, of 73 guesses some are beyond two of them.
        assert np.mean(guesses) < 0.55
        assert max(guesses) < 0.65


def test_the_guest_sees_only_the_sum_of_several_hosts_parts() -> None:
    world = invented(rows=300, hosts=3)
    fitted = fit(world)
    seen: Seen = []
    margins = score(world, fitted, tap=lambda sender, to, data: seen.append((sender, to, data)))
    assert fitted.guest is not None
    told = {
        sender: np.asarray(decode(data, party=sender).body["margins"])
        for sender, to, data in seen
        if to == GUEST
    }
    parts = {name: fitted.hosts[name].margins(world.hosts[name]) for name in world.names}
    total = fitted.guest.margins(world.guest)
    for name, part in parts.items():
        assert not (told[name].astype(np.int64) == part).any()
        # Masked numbers fill all 64 bits evenly.
        assert 0.4 < np.mean(told[name] >> np.uint64(63)) < 0.6
        total = total + part
    assert np.array_equal(margins, total / 2.0**32)
