"""Reading the body of a message: each value with its type and its bounds, the sender named."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from federation.channel import (
    Message,
    MessageInvalid,
    check_keys,
    get_array,
    get_bool,
    get_bytes,
    get_float,
    get_int,
    get_list,
    get_map,
    get_text,
    get_texts,
)

pytestmark = pytest.mark.feature("D3")

MESSAGE = Message(
    "psi/points",
    {
        "count": 5,
        "big": 1 << 2000,
        "share": 0.25,
        "nan": float("nan"),
        "yes": True,
        "key": b"12345678",
        "name": "paillier",
        "names": ["a", "bb"],
        "mixed": ["a", 1],
        "map": {"count": 7},
        "none": None,
        "bins": np.zeros((10, 3), dtype=np.uint8),
    },
    "mill",
)


def test_values_within_their_bounds_are_given() -> None:
    assert get_int(MESSAGE, "count", minimum=5, maximum=5) == 5
    assert get_int(MESSAGE, "big", minimum=0, maximum=1 << 2000) == 1 << 2000
    assert get_float(MESSAGE, "share", minimum=0.25, maximum=0.25) == 0.25
    assert get_float(MESSAGE, "count") == 5.0
    assert get_bool(MESSAGE, "yes") is True
    assert get_bytes(MESSAGE, "key", size=8) == b"12345678"
    assert get_bytes(MESSAGE, "key", size_max=8) == b"12345678"
    assert get_text(MESSAGE, "name", choices=("ou", "paillier")) == "paillier"
    assert get_text(MESSAGE, "name", size_max=8) == "paillier"
    assert get_texts(MESSAGE, "names", length_max=2, size_max=2) == ("a", "bb")
    assert get_list(MESSAGE, "mixed", length_max=2) == ["a", 1]
    assert get_int(get_map(MESSAGE, "map"), "count", minimum=0, maximum=9) == 7
    assert get_array(MESSAGE, "bins", dtype="<u1", shape=(10, None)).shape == (10, 3)


Reader = Callable[[], object]


@pytest.mark.parametrize(
    "read",
    [
        lambda: get_int(MESSAGE, "absent", minimum=0, maximum=9),
        lambda: get_int(MESSAGE, "count", minimum=6, maximum=9),
        lambda: get_int(MESSAGE, "count", minimum=0, maximum=4),
        lambda: get_int(MESSAGE, "yes", minimum=0, maximum=9),
        lambda: get_int(MESSAGE, "share", minimum=0, maximum=9),
        lambda: get_int(MESSAGE, "big", minimum=0, maximum=9),
        lambda: get_float(MESSAGE, "nan"),
        lambda: get_float(MESSAGE, "big"),
        lambda: get_float(MESSAGE, "yes"),
        lambda: get_float(MESSAGE, "share", minimum=0.5),
        lambda: get_bool(MESSAGE, "count"),
        lambda: get_bytes(MESSAGE, "key", size=7),
        lambda: get_bytes(MESSAGE, "key", size_max=7),
        lambda: get_bytes(MESSAGE, "name", size_max=100),
        lambda: get_text(MESSAGE, "name", size_max=7),
        lambda: get_text(MESSAGE, "name", size=7),
        lambda: get_text(MESSAGE, "name", choices=("ou",)),
        lambda: get_text(MESSAGE, "key", size_max=9),
        lambda: get_text(MESSAGE, "none", size_max=9),
        lambda: get_texts(MESSAGE, "mixed", length_max=2, size_max=2),
        lambda: get_texts(MESSAGE, "names", length_max=1, size_max=2),
        lambda: get_texts(MESSAGE, "names", length_max=2, size_max=1),
        lambda: get_list(MESSAGE, "name", length_max=99),
        lambda: get_map(MESSAGE, "names"),
        lambda: get_int(get_map(MESSAGE, "map"), "count", minimum=8, maximum=9),
        lambda: get_array(MESSAGE, "bins", dtype="<u2", shape=(10, None)),
        lambda: get_array(MESSAGE, "bins", dtype="<u1", shape=(11, None)),
        lambda: get_array(MESSAGE, "bins", dtype="<u1", shape=(10,)),
        lambda: get_array(MESSAGE, "bins", dtype="<u1", shape=(10, 3, None)),
        lambda: get_array(MESSAGE, "bins", dtype="<u1", shape=(None, None), size_max=29),
        lambda: get_array(MESSAGE, "key", dtype="<u1", shape=(None,)),
        lambda: check_keys(MESSAGE, ["count"]),
        lambda: check_keys(MESSAGE, [*MESSAGE.body, "more"]),
    ],
)
def test_any_other_value_is_refused_and_the_sender_named(read: Reader) -> None:
    with pytest.raises(MessageInvalid) as refused:
        read()
    assert refused.value.party == "mill"
    assert "psi/points" in refused.value.place


def test_a_body_of_exactly_the_keys_passes() -> None:
    check_keys(MESSAGE, MESSAGE.body)
