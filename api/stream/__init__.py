"""The feed of notices over HTTP: pages, and a stream of server-sent events."""

from api.stream.bodies import notice_body, notice_json
from api.stream.connections import Connections
from api.stream.events import EventStream
from api.stream.settings import StreamSettings
from api.stream.tail import Entry, Tail, Window

__all__ = [
    "Connections",
    "Entry",
    "EventStream",
    "StreamSettings",
    "Tail",
    "Window",
    "notice_body",
    "notice_json",
]
