"""The tree of commands: names, places, and what each does in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command lies, and what it does in one sentence."""

    module: str
    name: str
    """A function, or a Typer app with commands of its own."""
    summary: str


@dataclass(frozen=True, slots=True)
class Branch:
    """A noun with commands of its own."""

    summary: str
    help: str
    commands: Mapping[str, Entry]


_NETWORK = Branch(
    "Found a consortium; try one out on this machine.",
    """Found a consortium; try one out on this machine.

    \b
    On one machine:   tally network new --members 4 ./net
                      tally network up ./net
    Among members:    each runs `tally node init`, all exchange descriptor.json, and each runs
                      tally network genesis */descriptor.json --origin NAME --time TIME""",
    {
        "new": Entry("nodes.cli.network", "new", "Write a ready consortium on this machine."),
        "up": Entry("nodes.cli.network", "up", "Run all nodes of such a consortium."),
        "genesis": Entry("nodes.cli.founding", "genesis", "Make the genesis that all agree on."),
        "trust": Entry(
            "nodes.cli.founding", "trust", "Write the trust file of a genesis, or of a node."
        ),
        "update": Entry(
            "nodes.cli.trust", "update", "Add proven contract versions to a trust file."
        ),
    },
)

_NODE = Branch(
    "Run, watch and maintain a node; join and leave.",
    """Run, watch and maintain a node; join and leave.

    \b
    A member's first day:
      tally node init ./node --organisation acme --name Acme --role manufacturer \\
                      --p2p acme.example:26656 --api https://ledger.acme.example
      tally node adopt ./node --genesis genesis.json     (a founder)
      tally node join URL ./node --trust trust.json      (everybody else)
      tally node start ./node""",
    {
        "init": Entry("nodes.cli.founding", "init", "Make a node's keys and its descriptor."),
        "adopt": Entry("nodes.cli.founding", "adopt", "Take the genesis that all agreed on."),
        "start": Entry("nodes.cli.start", "start", "Run a node."),
        "join": Entry("nodes.cli.joining", "join", "Enter a consortium that runs already."),
        "leave": Entry("nodes.cli.standing", "leave", "Ask to be removed, and stop."),
        "suspend": Entry("nodes.cli.standing", "suspend", "Propose to suspend a node."),
        "replace": Entry("nodes.cli.standing", "replace", "Propose a new node for an old one."),
        "promote": Entry("nodes.cli.promotion", "promote_", "Make a solo ledger a consortium's."),
        "status": Entry("nodes.cli.operations", "status", "Ask a running node how it is."),
        "peers": Entry("nodes.cli.operations", "peers", "List the nodes it is connected with."),
        "metrics": Entry("nodes.cli.operations", "metrics", "Print its Prometheus metrics."),
        "backup": Entry("nodes.cli.backup", "backup", "Back a node up, while it works."),
        "restore": Entry("nodes.cli.backup", "restore", "Make a node out of a backup."),
        "snapshot": Entry("nodes.cli.backup", "snapshot", "Make a snapshot for joining nodes."),
        "reindex": Entry(
            "nodes.cli.maintenance", "reindex", "Rebuild the SQL tables from the chain."
        ),
        "check": Entry("nodes.cli.maintenance", "check", "Check the whole ledger on disk."),
        "keys": Entry("nodes.cli.keys", "app", "Make, list, rotate and revoke keys."),
    },
)

COMMANDS: Mapping[str, Entry | Branch] = {
    "demo": Entry(
        "nodes.cli.demo", "demo", "Show a small consortium with its story and a code to scan."
    ),
    "dev": Entry("nodes.cli.dev", "dev", "Run a node of one's own to build against."),
    "capture": Entry("nodes.cli.records", "capture", "Put EPCIS documents on the ledger."),
    "trace": Entry("nodes.cli.records", "trace", "Show where an item has been; check every proof."),
    "qr": Entry("nodes.cli.labels", "qr", "Make the QR label of an item."),
    "proof": Entry("nodes.cli.records", "proof", "Fetch the proof of an event as a file."),
    "verify": Entry("nodes.cli.verification", "verify", "Check proof files offline."),
    "reconcile": Entry(
        "nodes.cli.reconcile", "reconcile", "Hold a bank's statement against the ledger."
    ),
    "key": Entry("nodes.cli.access", "app", "Make, list and revoke bearer keys, with scopes."),
    "pool": Entry("nodes.cli.pool_proofs", "app", "Keep a pool's asset book; prove its assets."),
    "network": _NETWORK,
    "node": _NODE,
    "proposal": Entry(
        "nodes.cli.proposals", "app", "Decide together: propose, vote, execute, list."
    ),
}
