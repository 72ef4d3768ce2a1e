"""What can go wrong between the parties of a run, and whose fault it is."""

from __future__ import annotations

from federation.errors import FederationError


class ChannelError(FederationError):
    """Base class of everything a channel refuses; `party` is the organisation whose fault it is."""

    def __init__(self, party: str, text: str) -> None:
        super().__init__(f"{party}: {text}" if party else text)
        self.party = party


class PartyGone(ChannelError):
    """The party closed its channel, its connection broke, or it cannot be connected to."""


class PartySilent(ChannelError):
    """The party neither sent nor took anything within the time allowed."""


class PartyRefused(ChannelError):
    """Who answered is not whom we expect, or takes part in another run or with other code."""


class MessageUnexpected(ChannelError):
    """The party sent a message of another kind than the protocol has at this place."""

    def __init__(self, party: str, expected: str, got: str) -> None:
        super().__init__(party, f"sent {got[:64]!r} where {expected!r} comes next")
        self.expected = expected
        self.got = got


class MessageInvalid(ChannelError):
    """The party sent a message that is malformed, too big, or has a wrong value in some place."""

    def __init__(self, party: str, place: str, reason: str) -> None:
        super().__init__(party, f"its message is not valid at {place}: {reason}")
        self.place = place
        self.reason = reason


class MessageUnsendable(ChannelError):
    """Our own message holds what no message may hold; `party` is empty, the fault is here."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__("", f"a message cannot be sent, at {place}: {reason}")
        self.place = place
        self.reason = reason


class ChannelMisused(ChannelError):
    """A channel was asked for what it cannot do: a party that is no other, a closed channel."""


class IdentityInvalid(ChannelError):
    """A certificate, key or request is no proper identity of an organisation."""


class RelayFailed(ChannelError):
    """The relay did not pair us with the party, or is no relay."""


class RecordingInvalid(ChannelError):
    """A file is no transcript, or cannot be one; `party` is empty, `path` is its name."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__("", f"transcript {path}: {reason}")
        self.path = path
        self.reason = reason
