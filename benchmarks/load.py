"""A light HTTP/1.1 load generator: the client shares the cores with what it measures.

Keep-alive connections, one request in flight on each, answers read by Content-Length. Only for our
own servers on this machine.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """One exchange."""

    status: int
    body: bytes
    started: float
    """time.perf_counter() when the request was written."""
    ended: float


def post(path: str, host: str, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """The bytes of a POST request with a JSON body."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def get(path: str, host: str, headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """The bytes of a GET request."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join([*lines, "", ""])).encode()


class Connection:
    """One keep-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, host: str, port: int) -> Connection:
        """Connect to a server on this machine."""
        return cls(*await asyncio.open_connection(host, port, limit=1 << 24))

    async def exchange(self, request: bytes) -> Answer:
        """Send a request, read its whole answer."""
        started = time.perf_counter()
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        length = 0
        for line in head.split(b"\r\n")[1:]:
            if line[:15].lower() == b"content-length:":
                length = int(line[15:])
                break
        body = await self._reader.readexactly(length) if length else b""
        return Answer(status, body, started, time.perf_counter())

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


async def run_lanes(
    host: str,
    port: int,
    lanes: Sequence[Sequence[bytes]],
    keep_bodies: bool = True,
    pace_per_s: float | None = None,
) -> list[list[Answer]]:
    """One connection a lane; the requests of a lane go one after the other.

    With `pace_per_s`, all lanes together send so many a second and no more.
    """
    begin = time.perf_counter()

    async def lane(requests: Sequence[bytes]) -> list[Answer]:
        connection = await Connection.open(host, port)
        try:
            answers = []
            for index, request in enumerate(requests):
                if pace_per_s is not None:
                    due = begin + index * len(lanes) / pace_per_s
                    await asyncio.sleep(max(0.0, due - time.perf_counter()))
                answer = await connection.exchange(request)
                if not keep_bodies and answer.status < 400:
                    answer = Answer(answer.status, b"", answer.started, answer.ended)
                answers.append(answer)
            return answers
        finally:
            connection.close()

    return list(await asyncio.gather(*(lane(requests) for requests in lanes)))
