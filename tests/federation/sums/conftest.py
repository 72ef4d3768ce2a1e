"""Keys for the tests of sums: made once, they take a second."""

from __future__ import annotations

import pytest

from federation.sums import Sealer, ou, paillier
from federation.sums.sealing import GroupSealer


@pytest.fixture(scope="session")
def paillier_key() -> paillier.PaillierKey:
    return paillier.new_key(2048)


@pytest.fixture(scope="session")
def ou_key() -> ou.OuKey:
    return ou.new_key(2048)


@pytest.fixture(scope="session", params=["paillier", "ou"])
def key(request: pytest.FixtureRequest) -> paillier.PaillierKey | ou.OuKey:
    found: paillier.PaillierKey | ou.OuKey = request.getfixturevalue(f"{request.param}_key")
    return found


@pytest.fixture(scope="session")
def sealing(key: paillier.PaillierKey | ou.OuKey) -> Sealer:
    """One process."""
    return GroupSealer(key, workers=1)
