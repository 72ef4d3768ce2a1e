"""Messages between the parties of one run: in one process, over mutual TLS, recorded."""

from federation.channel.codec import SIZE_BYTES_MAX, decode, encode
from federation.channel.errors import (
    ChannelError,
    ChannelMisused,
    IdentityInvalid,
    MessageInvalid,
    MessageUnexpected,
    MessageUnsendable,
    PartyGone,
    PartyRefused,
    PartySilent,
    RelayFailed,
)
from federation.channel.local import LocalChannel, local_channels
from federation.channel.protocol import Channel, Tap
from federation.channel.reading import (
    check_keys,
    get_array,
    get_bool,
    get_bytes,
    get_float,
    get_int,
    get_list,
    get_map,
    get_text,
    get_texts,
)
from federation.channel.types import Array, Count, Message, Traffic, Value

__all__ = [
    "SIZE_BYTES_MAX",
    "Array",
    "Channel",
    "ChannelError",
    "ChannelMisused",
    "Count",
    "IdentityInvalid",
    "LocalChannel",
    "Message",
    "MessageInvalid",
    "MessageUnexpected",
    "MessageUnsendable",
    "PartyGone",
    "PartyRefused",
    "PartySilent",
    "RelayFailed",
    "Tap",
    "Traffic",
    "Value",
    "check_keys",
    "decode",
    "encode",
    "get_array",
    "get_bool",
    "get_bytes",
    "get_float",
    "get_int",
    "get_list",
    "get_map",
    "get_text",
    "get_texts",
    "local_channels",
]
