"""Networks for fault tests. Everything that is started ends with its test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.acceptance.consortium.hosts import LoopbackHosts, NamespaceHosts, namespaces_permitted
from tests.acceptance.consortium.network import Network, found_network, join_by_relays
from tests.acceptance.consortium.scene import Scene
from tests.conftest import skip_or_fail
from tests.databases import place_migrated

MEMBERS = 4
MakeHosts = Callable[[int], NamespaceHosts | LoopbackHosts]


@pytest.fixture(scope="session")
def cometbft() -> Path:
    """The engine, or a loud skip."""
    from ledger.consensus.cometbft import EngineMissing, EngineVersionWrong, find_engine

    try:
        return find_engine()
    except (EngineMissing, EngineVersionWrong) as missing:
        skip_or_fail(str(missing))
        raise


@pytest.fixture(scope="session")
def separated() -> bool:
    """Whether each node has a network namespace; else all are on one host, with relays between."""
    chosen = os.environ.get("TALLY_TEST_HOSTS", "")
    assert chosen in ("", "namespaces", "loopback")
    return chosen != "loopback" and namespaces_permitted() is None


@pytest.fixture(scope="session")
def make_hosts(separated: bool) -> MakeHosts:
    """`make_hosts(4)` gives a context manager."""
    return NamespaceHosts if separated else LoopbackHosts


@pytest.fixture(scope="session")
def founded(
    cometbft: Path, make_hosts: MakeHosts, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[int], Path]:
    """`founded(4)` is the folder of a consortium of four that has never run; made once."""
    made: dict[int, Path] = {}

    def found(members: int) -> Path:
        if members not in made:
            made[members] = tmp_path_factory.mktemp(f"consortium-{members}") / "network"
            with make_hosts(members) as hosts:
                found_network(made[members], hosts)
            for settings in made[members].glob("*/node.toml"):
                place_migrated(settings.with_name("tally.sqlite"))
        return made[members]

    return found


@pytest.fixture
def make_network(
    founded: Callable[[int], Path],
    make_hosts: MakeHosts,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[..., Network]]:
    """`make_network(members=4)` is a network of its own, not yet started."""
    with ExitStack() as closing:
        made: list[Network] = []

        def make(members: int = MEMBERS) -> Network:
            base = tmp_path / f"network-{len(made)}"
            shutil.copytree(founded(members), base)
            hosts = closing.enter_context(make_hosts(members))
            made.append(closing.enter_context(Network(base, hosts)))
            if isinstance(hosts, LoopbackHosts):
                join_by_relays(made[-1], hosts)
            return made[-1]

        yield make
        if any(report.failed for report in getattr(request.node, "reports", ())):
            for network in made:
                for member in network.members:
                    print(f"---- {member.organisation}\n{network.told(member.index)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Let fixtures know whether the test has failed, so that they show what the nodes said."""
    report = yield
    item.__dict__.setdefault("reports", []).append(report)
    return report


@pytest.fixture
def scene(make_network: Callable[..., Network]) -> Iterator[Scene]:
    """Four nodes that run, with load ready to begin."""
    with Scene(make_network()) as made:
        made.begin()
        yield made
