"""The messages of a step, in order; the group's members, in order of name, number what they hold.

    member → server   mask/keys       keys of this step and a commitment to the self mask, signed
    server → member   mask/roster     whose keys came
    member → server   mask/shares     for each of the others its two shares, sealed
    server → member   mask/inbox      whose shares came, and those for this member
    member → server   mask/vector     the masked vector
    server → member   mask/survivors  whose vectors came
    member → server   mask/consent    that set, signed
    server → member   mask/consents   the signatures of the others
    member → server   mask/unmask     one share of each: of its self mask if it is in the set, else
                                      of its key

Every message names its step; one of the server with a text in `end` is the last of the step.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from federation.channel import Channel, Message, MessageInvalid, Value, get_bytes, get_text
from federation.masking.errors import MaskingEnded
from federation.masking.masks import TAG_BYTES, signed_by, statement
from federation.masking.shamir import SHARE_BYTES
from federation.masking.types import STEP_CHARACTERS_MAX

KEYS: Final = "mask/keys"
ROSTER: Final = "mask/roster"
SHARES: Final = "mask/shares"
INBOX: Final = "mask/inbox"
VECTOR: Final = "mask/vector"
SURVIVORS: Final = "mask/survivors"
CONSENT: Final = "mask/consent"
CONSENTS: Final = "mask/consents"
UNMASK: Final = "mask/unmask"

ADVERT_BYTES: Final = 32 + 32 + 32 + 64
SEALED_BYTES: Final = 2 * SHARE_BYTES + TAG_BYTES
SIGNATURE_BYTES: Final = 64
END_CHARACTERS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Advert:
    """A member's keys for one step."""

    sealing: bytes
    """X25519: shares for it are sealed with this."""
    masking: bytes
    """X25519: masks of pairs come from this."""
    commitment: bytes
    """Digest of the seed of its self mask, which shares of it are held against."""
    signature: bytes
    """Ed25519 by its long-term key, over all this, the run, the step and its name."""

    @staticmethod
    def said(run: str, step: str, party: str, body: bytes) -> bytes:
        """What the signature is over."""
        return statement("keys", run, step, party, body)

    @property
    def body(self) -> bytes:
        """All but the signature."""
        return self.sealing + self.masking + self.commitment

    def to_bytes(self) -> bytes:
        """160 bytes."""
        return self.body + self.signature

    @classmethod
    def from_bytes(cls, data: bytes) -> Advert:
        """Requires 160 bytes."""
        return cls(data[:32], data[32:64], data[64:96], data[96:])

    def is_of(self, key: bytes, run: str, step: str, party: str) -> bool:
        """Whether the member with that long-term key signed it."""
        return signed_by(key, self.signature, self.said(run, step, party, self.body))


def flags(present: Collection[str], members: Sequence[str]) -> bytes:
    """Which of the members: a byte each, 1 or 0."""
    return bytes(member in present for member in members)


def read_flags(message: Message, key: str, members: Sequence[str]) -> tuple[str, ...]:
    """The members whose byte is 1. Raises `MessageInvalid`."""
    data = get_bytes(message, key, size=len(members))
    if not set(data) <= {0, 1}:
        raise MessageInvalid(message.party, f"{message.kind} {key}", "a flag is neither 0 nor 1")
    return tuple(member for member, flag in zip(members, data, strict=True) if flag)


def pieces(data: bytes, size: int) -> list[bytes]:
    """The data in pieces of that size."""
    return [data[start : start + size] for start in range(0, len(data), size)]


def send(channel: Channel, to: str, kind: str, step: str, **body: Value) -> None:
    """Send a message of that step."""
    channel.send(to, Message(kind, {"step": step, **body}))


def receive(channel: Channel, sender: str, kind: str, step: str) -> Message:
    """The sender's next message. Raises `MessageInvalid` if it is of another step."""
    message = channel.receive(sender, kind)
    told = get_text(message, "step", size_max=STEP_CHARACTERS_MAX)
    if told != step:
        raise MessageInvalid(sender, f"{kind} step", f"of step {told!r}, expected {step!r}")
    return message


def receive_from_server(channel: Channel, server: str, kind: str, step: str) -> Message:
    """The server's next message. Raises `MaskingEnded` if it says that the step has ended."""
    message = receive(channel, server, kind, step)
    end = get_text(message, "end", size_max=END_CHARACTERS_MAX)
    if end:
        raise MaskingEnded(step, end)
    return message
