"""Members with ledgers of their own that say the same, or on purpose do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ledger.chain import Genesis, Ledger
from ledger.evm import decode_transaction
from ledger.tlog import Checkpoint, Note, NoteSigner, NoteVerifier
from ledger.types import CommittedBlock
from ledger.witness import PeerWitness, Witness, cosigner_verifier
from tests.ledger.chain.support import make_genesis, sender

ORIGIN = "tallystick.example/test"
LABELS = ("amber", "birch", "cedar", "delta")
BLOCK_TIME = 0x6500_0000
SIGNED_AT = 1_700_000_000


def seed_of(label: str) -> bytes:
    return label.encode().ljust(32, b".")


def log_signer(label: str) -> NoteSigner:
    return NoteSigner(ORIGIN, seed_of(label))


def verifier_of(label: str) -> NoteVerifier:
    return cosigner_verifier(ORIGIN, label, log_signer(label).verifier.public_key)


def peer(label: str, url: str = "") -> PeerWitness:
    return PeerWitness(label, verifier_of(label), url)


@dataclass
class Member:
    """A ledger and its witness."""

    label: str
    directory: Path
    ledger: Ledger
    witness: Witness
    urls: dict[str, str]
    """Where the others are; they are asked for anew each time."""
    nonces: dict[int, int]

    def block(self, number: int, account: int = 1) -> CommittedBlock:
        """A block with one call; the same numbers in the same order give the same ledger."""
        one = sender(account)
        one.nonce = self.nonces.get(account, 0)
        raw = one.call(number)
        self.nonces[account] = one.nonce
        time = BLOCK_TIME + self.ledger.head().header.number + 1
        return self.ledger.append_block([decode_transaction(raw)], time)

    @property
    def size(self) -> int:
        return self.ledger.log.size

    def settle(self) -> None:
        """Until the witness has followed the ledger."""
        for _ in range(500):
            found = self.witness.cosignatures(self.size)
            if found:
                return
            _wait()
        raise AssertionError("the witness does not follow")


def _wait() -> None:
    import time

    time.sleep(0.01)


def open_member(
    directory: Path, label: str, labels: Sequence[str], genesis: Genesis, threshold: int
) -> Member:
    signer = log_signer(label)
    ledger = Ledger.open(
        directory / label / "chain", genesis=genesis, signer=signer, map_size_bytes=1 << 30
    )
    urls: dict[str, str] = {}
    others = [one for one in labels if one != label]
    witness = Witness.open(
        ledger,
        signer,
        label,
        directory / label / "witness",
        directory / label / "evidence",
        peers=lambda: [peer(one, urls.get(one, "")) for one in others],
        threshold=lambda: threshold,
    )
    return Member(label, directory / label, ledger, witness, urls, {})


@contextmanager
def members(
    directory: Path,
    *labels: str,
    genesis: Genesis | None = None,
    threshold: int = 2,
    start: bool = True,
) -> Iterator[list[Member]]:
    """Members of one consortium, each with a ledger in a folder of its own."""
    genesis = genesis or make_genesis()
    with ExitStack() as exits:
        made = []
        for label in labels:
            member = open_member(directory, label, labels, genesis, threshold)
            exits.callback(member.ledger.close)
            exits.callback(member.witness.close)
            if start:
                member.witness.start()
            made.append(member)
        yield made


def signed_checkpoint(label: str, size: int, root: bytes, *, cosigned: bool = True) -> str:
    """A checkpoint as a member would sign it, true or not."""
    text = Checkpoint(ORIGIN, size, root).text
    signer = log_signer(label)
    cosigner = signer.cosigner(f"{ORIGIN}/{label}")
    return Note(text, (cosigner.sign(text, SIGNED_AT) if cosigned else signer.sign(text),)).encode()
