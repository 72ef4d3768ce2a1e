"""A running consortium, load on it, eyes on it; and the question after every fault."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from eth_account import Account
from eth_account.signers.local import LocalAccount

from tests.acceptance.consortium.agreement import Seen, Watcher, check_logs, wait_same
from tests.acceptance.consortium.load import Load, new_senders
from tests.acceptance.consortium.network import Network
from tests.acceptance.consortium.stage import Stage, set_stage

SENDERS = 6
CATCH_UP_S = 60.0


class Scene:
    """Use as a context manager; `begin` starts the nodes and prepares the load."""

    def __init__(self, network: Network, *, seed: int = 20_261_121) -> None:
        self.network = network
        self.senders: list[LocalAccount] = new_senders(SENDERS)
        self.watcher = Watcher(network, len(network.members))
        self.loads: list[Load] = []
        self._seed = seed
        self._stage: Stage | None = None
        self._closing = ExitStack()

    def __enter__(self) -> Scene:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def begin(self) -> None:
        """Start all nodes, permit the senders, deploy the contract."""
        self.network.start()
        self._closing.enter_context(self.watcher)
        self.set_stage()

    def set_stage(self) -> None:
        """Permit the senders, deploy the contract, through member 0; then all nodes know them."""
        client = self.network.rpc(0)
        organisation = self.network.members[0].organisation
        self._stage = set_stage(client, organisation, self.account(0), self.senders)
        client.close()
        self.agree()

    @property
    def stage(self) -> Stage:
        """The contract that load calls."""
        assert self._stage is not None
        return self._stage

    def account(self, index: int) -> LocalAccount:
        """The account for apps that a member's node shows when it starts."""
        return Account.from_key(self.network.members[index].ready["account"]["privateKey"])

    def load(self, nodes: Sequence[int] | None = None) -> Load:
        """Load on these nodes, by default on all. One after the other, never two at once."""
        chosen = list(nodes) if nodes is not None else list(range(len(self.network.members)))
        made = Load(
            self.network.rpc,
            chosen,
            self.senders,
            self.stage.contract,
            self.stage.chain_id,
            seed=self._seed + len(self.loads),
        )
        self.loads.append(made)
        return made

    def agree(self, timeout_s: float = CATCH_UP_S) -> Seen:
        """Wait until all that run have one checkpoint."""
        return wait_same(self.network, list(self.network.indexes()), timeout_s)

    def check(self, *, timeout_s: float = CATCH_UP_S, on_disk: bool = True) -> Seen:
        """All nodes have one log with all that was acknowledged in it once; then on disk too."""
        acknowledged = [tx_hash for load in self.loads for tx_hash in load.acknowledged]
        sent = [tx_hash for load in self.loads for tx_hash in load.sent]
        assert acknowledged, "nothing was acknowledged: nothing was tested"
        nodes = list(self.network.indexes())
        assert len(nodes) == len(self.network.members), f"only {nodes} run"
        agreed = check_logs(
            self.network, nodes, self.watcher.seen, acknowledged, sent, timeout_s=timeout_s
        )
        if on_disk:
            with ThreadPoolExecutor(len(nodes)) as pool:
                list(pool.map(self.network.stop, nodes))
            found = self.network.check_on_disk(*nodes)
            assert {one["logSize"] for one in found} == {agreed.size}
        return agreed
