"""What all parties of an alignment agree on before the first point: who, how many, which salt.

The guest commits to its half of the salt, each host answers with its own, then the guest reveals
all: nobody chooses the salt. The session is the hash of everything agreed, the run's id included;
ids are hashed under it, and every later message carries it, so that nothing of another run or of
an earlier alignment is taken for this one's.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest

from federation.alignment.errors import AlignmentError
from federation.alignment.types import HOSTS_MAX, AlignmentSettings
from federation.channel import (
    Channel,
    Message,
    MessageInvalid,
    Value,
    check_keys,
    get_bytes,
    get_int,
    get_list,
    get_texts,
)

VERSION = 1
HALF_BYTES = 32
PARTY_CHARACTERS_MAX = 128


@dataclass(frozen=True, slots=True)
class Session:
    """One alignment; equal at all parties."""

    guest: str
    hosts: tuple[str, ...]
    """In the guest's order."""
    rows: tuple[int, ...]
    """Points of each host, then of the guest: the owners 0, 1, … of the sets."""
    id: bytes
    """32 bytes, which are the salt."""

    @property
    def guest_set(self) -> int:
        """The number of the guest's set; a host's is its place in `hosts`."""
        return len(self.hosts)

    def owner_at(self, host: int, turn: int) -> int:
        """Whose set `host` masks in this turn (1 to the number of hosts): never its own.

        In each turn every host has another set, and after all turns each set was at every host
        but its owner.
        """
        return (host + turn) % (len(self.hosts) + 1)


def start_as_guest(
    channel: Channel, hosts: Sequence[str], rows: int, settings: AlignmentSettings
) -> Session:
    """Agree on a session with the hosts. Raises `AlignmentError`, `ChannelError`."""
    hosts = tuple(hosts)
    if not 1 <= len(hosts) <= HOSTS_MAX or len(set(hosts)) != len(hosts):
        raise AlignmentError(f"1 to {HOSTS_MAX} different hosts are meant, not {len(hosts)}")
    if not set(hosts) <= channel.others:
        raise AlignmentError(f"not of this run: {sorted(set(hosts) - channel.others)}")
    half = secrets.token_bytes(HALF_BYTES)
    start: dict[str, Value] = {
        "version": VERSION,
        "hosts": hosts,
        "rows": rows,
        "commitment": _commitment(half),
    }
    for host in hosts:
        channel.send(host, Message("psi/start", start))
    joined = [channel.receive(host, "psi/join") for host in hosts]
    for message in joined:
        check_keys(message, ("rows", "half"))
    all_rows = (
        *(get_int(one, "rows", minimum=0, maximum=settings.rows_max) for one in joined),
        rows,
    )
    halves = (*(get_bytes(one, "half", size=HALF_BYTES) for one in joined), half)
    for host in hosts:
        channel.send(host, Message("psi/salt", {"rows": all_rows, "halves": halves}))
    return Session(
        channel.me, hosts, all_rows, _session_id(channel.run, channel.me, hosts, all_rows, halves)
    )


def start_as_host(channel: Channel, guest: str, rows: int, settings: AlignmentSettings) -> Session:
    """Agree on a session with the guest. Raises `ChannelError`."""
    start = channel.receive(guest, "psi/start")
    check_keys(start, ("version", "hosts", "rows", "commitment"))
    get_int(start, "version", minimum=VERSION, maximum=VERSION)
    hosts = get_texts(start, "hosts", length_max=HOSTS_MAX, size_max=PARTY_CHARACTERS_MAX)
    if channel.me not in hosts or guest in hosts or len(set(hosts)) != len(hosts):
        raise MessageInvalid(guest, "psi/start hosts", "the hosts are not us and others, each once")
    guest_rows = get_int(start, "rows", minimum=0, maximum=settings.rows_max)
    commitment = get_bytes(start, "commitment", size=HALF_BYTES)
    half = secrets.token_bytes(HALF_BYTES)
    channel.send(guest, Message("psi/join", {"rows": rows, "half": half}))

    salt = channel.receive(guest, "psi/salt")
    check_keys(salt, ("rows", "halves"))
    all_rows = _all_rows(salt, len(hosts), settings.rows_max)
    halves = _all_halves(salt, len(hosts))
    mine = hosts.index(channel.me)
    if (all_rows[mine], halves[mine], all_rows[-1]) != (rows, half, guest_rows):
        raise MessageInvalid(guest, "psi/salt", "it differs from what was agreed")
    if not compare_digest(_commitment(halves[-1]), commitment):
        raise MessageInvalid(guest, "psi/salt halves", "the guest's half is not as committed")
    return Session(guest, hosts, all_rows, _session_id(channel.run, guest, hosts, all_rows, halves))


def _all_rows(message: Message, hosts: int, rows_max: int) -> tuple[int, ...]:
    listed = get_list(message, "rows", length_max=hosts + 1)
    each = Message(message.kind, {str(n): one for n, one in enumerate(listed)}, message.party)
    return tuple(get_int(each, str(n), minimum=0, maximum=rows_max) for n in range(hosts + 1))


def _all_halves(message: Message, hosts: int) -> tuple[bytes, ...]:
    listed = get_list(message, "halves", length_max=hosts + 1)
    each = Message(message.kind, {str(n): one for n, one in enumerate(listed)}, message.party)
    return tuple(get_bytes(each, str(n), size=HALF_BYTES) for n in range(hosts + 1))


def _commitment(half: bytes) -> bytes:
    return sha256(b"tally/psi/commitment/1\0" + half).digest()


def _session_id(
    run: str, guest: str, hosts: Sequence[str], rows: Sequence[int], halves: Sequence[bytes]
) -> bytes:
    parts = [run.encode(), guest.encode(), *(host.encode() for host in hosts)]
    parts += [row.to_bytes(8, "big") for row in rows]
    parts += halves
    digest = sha256(b"tally/psi/session/1\0" + len(hosts).to_bytes(2, "big"))
    for part in parts:
        digest.update(len(part).to_bytes(4, "big") + part)
    return digest.digest()
