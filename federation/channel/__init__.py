"""Messages between the parties of one run: in one process, over mutual TLS, recorded."""

from federation.channel.authority import (
    Authority,
    create_authority,
    issue_certificate,
    issue_identity,
)
from federation.channel.codec import SIZE_BYTES_MAX, decode, encode
from federation.channel.connecting import Address, Listener, Place, ViaRelay
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
    RecordingInvalid,
    RelayFailed,
)
from federation.channel.identity import (
    Identity,
    load_identity,
    make_identity,
    new_request,
    save_identity,
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
from federation.channel.recording import Recorded, Recorder, read_recording
from federation.channel.relay import Relay
from federation.channel.tls import TlsChannel, open_tls_channel
from federation.channel.types import Array, Count, Message, Traffic, Value

__all__ = [
    "SIZE_BYTES_MAX",
    "Address",
    "Array",
    "Authority",
    "Channel",
    "ChannelError",
    "ChannelMisused",
    "Count",
    "Identity",
    "IdentityInvalid",
    "Listener",
    "LocalChannel",
    "Message",
    "MessageInvalid",
    "MessageUnexpected",
    "MessageUnsendable",
    "PartyGone",
    "PartyRefused",
    "PartySilent",
    "Place",
    "Recorded",
    "Recorder",
    "RecordingInvalid",
    "Relay",
    "RelayFailed",
    "Tap",
    "TlsChannel",
    "Traffic",
    "Value",
    "ViaRelay",
    "check_keys",
    "create_authority",
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
    "issue_certificate",
    "issue_identity",
    "load_identity",
    "local_channels",
    "make_identity",
    "new_request",
    "open_tls_channel",
    "read_recording",
    "save_identity",
]
