"""Where things lie: a node's folder, and the user's own folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from nodes.errors import NotANodeDirectory


@dataclass(frozen=True, slots=True)
class NodeDirectory:
    """The folder of one node. Back up all of it; `keys/` is secret."""

    root: Path

    @property
    def settings(self) -> Path:
        """What the operator may change (`node.toml`)."""
        return self.root / "node.toml"

    @property
    def genesis(self) -> Path:
        """The genesis all members agreed on."""
        return self.root / "genesis.json"

    @property
    def trust(self) -> Path:
        """The trust file that verifiers of this ledger need."""
        return self.root / "trust.json"

    @property
    def chain(self) -> Path:
        """Blocks, state and log (LMDB)."""
        return self.root / "chain"

    @property
    def keys(self) -> Path:
        """Encrypted or permission-protected keys."""
        return self.root / "keys"

    @property
    def database(self) -> Path:
        """SQLite file, unless node.toml names another database."""
        return self.root / "tally.sqlite"

    @property
    def descriptor(self) -> Path:
        """What others need to admit this node. Public."""
        return self.root / "descriptor.json"

    @property
    def joining(self) -> Path:
        """There while what the others sent is not checked yet: the node must not run."""
        return self.root / "joining"

    @property
    def engine(self) -> Path:
        """CometBFT's own folder."""
        return self.root / "engine"

    @property
    def node_key(self) -> Path:
        """Key by which the engine's peers know this node (CometBFT's format)."""
        return self.engine / "config" / "node_key.json"

    @property
    def snapshots(self) -> Path:
        """Snapshots that joining nodes fetch."""
        return self.root / "snapshots"

    @property
    def witness(self) -> Path:
        """Cosignatures: our own and those gathered."""
        return self.root / "witness"

    @property
    def evidence(self) -> Path:
        """Evidence of forks. Never overwritten."""
        return self.root / "evidence"

    @property
    def developer(self) -> Path:
        """Bearer key that a node for trying out gives away at each start."""
        return self.root / "developer.json"

    @property
    def run(self) -> Path:
        """Process id, addresses and token, while the node runs."""
        return self.root / "run.json"

    def check(self) -> None:
        """Raises NotANodeDirectory where genesis or settings are missing."""
        if self.settings.is_file() and self.descriptor.is_file() and not self.genesis.is_file():
            raise NotANodeDirectory(
                f"{self.root} has no genesis yet: `tally node adopt` takes the one that the "
                "founders agreed on, `tally node join` that of a network"
            )
        for path in (self.genesis, self.settings):
            if not path.is_file():
                raise NotANodeDirectory(
                    f"{self.root} is not a node's folder ({path.name} is missing): `tally node "
                    "init`, `tally node join`, `tally network new` or `tally dev` makes one"
                )


def user_directory() -> Path:
    """`$TALLY_HOME`, by default `~/.tallystick`: known logs and remembered nodes."""
    return Path(os.environ.get("TALLY_HOME") or Path.home() / ".tallystick")
