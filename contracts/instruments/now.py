"""The time in conditions of a query: of what is over although nobody has ended it by an act."""

from __future__ import annotations

import time
from typing import Final

from sqlalchemy import BigInteger, BindParameter, bindparam


def _now() -> int:
    return int(time.time())


NOW: Final[BindParameter[int]] = bindparam(
    "now_seconds", callable_=lambda: _now(), type_=BigInteger()
)
"""Unix seconds when the statement runs, not when it was made."""
