"""A party's own ids: checked, shuffled, padded, hashed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from federation.alignment.curve import Hasher, Points, secret_order
from federation.alignment.errors import IdsInvalid
from federation.alignment.types import CHUNK_ROWS, ID_BYTES_MAX, AlignmentSettings

ID_TAG = b"TALLYSTICK-PSI-V01-CS01-with-curve25519_XMD:SHA-512_ELL2_NU_"
DUMMY_TAG = b"TALLYSTICK-PSI-DUMMY-V01-CS01-with-curve25519_XMD:SHA-512_ELL2_NU_"


def check_ids(ids: Sequence[str], settings: AlignmentSettings) -> list[bytes]:
    """The ids as UTF-8. Raises `IdsInvalid`, which names rows and no id."""
    if settings.padded(len(ids)) > settings.rows_max:
        raise IdsInvalid(
            f"{len(ids)} rows, padded to {settings.padded(len(ids))}: "
            f"at most {settings.rows_max} are agreed"
        )
    first: dict[bytes, int] = {}
    for row, one in enumerate(ids):
        try:
            encoded = one.encode()
        except UnicodeEncodeError as error:
            raise IdsInvalid(f"row {row}: the id is no Unicode text") from error
        if not 1 <= len(encoded) <= ID_BYTES_MAX:
            raise IdsInvalid(
                f"row {row}: an id of {len(encoded)} bytes; 1 to {ID_BYTES_MAX} are meant"
            )
        if first.setdefault(encoded, row) != row:
            raise IdsInvalid(f"row {row}: the same id as in row {first[encoded]}")
    return list(first)


class OwnSet:
    """Our ids in a secret order, with dummies among them."""

    def __init__(self, ids: Sequence[bytes], settings: AlignmentSettings, session: bytes) -> None:
        self._ids = ids
        self._session = session
        self._order = secret_order(settings.padded(len(ids)))
        self._hasher = Hasher(ID_TAG)
        self._dummy_hasher = Hasher(DUMMY_TAG)

    def chunks(self) -> Iterator[Points]:
        """The points in the secret order, `CHUNK_ROWS` at a time."""
        for start in range(0, len(self._order), CHUNK_ROWS):
            chosen = self._order[start : start + CHUNK_ROWS].tolist()
            yield np.frombuffer(b"".join(map(self._point, chosen)), np.uint8).reshape(-1, 32)

    def rows(self, positions: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Our rows at these positions of the secret order; None where one is a dummy."""
        rows = self._order[positions]
        return None if (rows >= len(self._ids)).any() else rows

    def _point(self, row: int) -> bytes:
        if row < len(self._ids):
            return self._hasher.point(self._session + self._ids[row])
        # 32 random bytes under a tag of their own: the id of no row of anybody
        return self._dummy_hasher.point(self._session + secrets.token_bytes(32))
