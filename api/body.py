"""Reading a request body within bounds of type, size and time."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import ClientDisconnect, Request

from api.errors import BodyTimeout, BodyTooLarge, UnsupportedMediaType, ValidationFailed

JSON_TYPES: Final = ("application/json", "application/ld+json")


def check_media_type(request: Request) -> None:
    """Only JSON is read. Raises `UnsupportedMediaType`."""
    value = request.headers.get("content-type", "")
    media_type, _, parameters = value.partition(";")
    if media_type.strip().lower() not in JSON_TYPES:
        shown = value[:100] or "no Content-Type"
        raise UnsupportedMediaType(
            f"{shown} is not read here; send {' or '.join(JSON_TYPES)}",
            headers={"Accept-Post": ", ".join(JSON_TYPES)},
        )
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if parameters.strip().lower().startswith("charset=") and charset not in ("utf-8", "utf8"):
        raise UnsupportedMediaType(f"charset {charset[:40]!r} is not read; JSON is UTF-8")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise UnsupportedMediaType(f"Content-Encoding {encoding[:40]!r} is not read; send it plain")


async def read_body(
    request: Request,
    *,
    size_bytes_max: int,
    timeout_s: float,
    advice: str = "send less at once",
) -> bytes:
    """The whole body. A declared or real excess is refused before the rest is read.

    `advice` tells whoever sends too much what to do.
    Raises `BodyTooLarge`, `BodyTimeout`, or `ValidationFailed` for an empty or broken-off body.
    """
    declared = request.headers.get("content-length")
    if declared is not None and (not declared.isascii() or not declared.isdigit()):
        raise ValidationFailed(f"Content-Length {declared[:40]!r} is not a number")
    if declared is not None and int(declared[:20]) > size_bytes_max:
        raise _too_large(size_bytes_max, advice)
    try:
        async with asyncio.timeout(timeout_s):
            data = await _collect(request, size_bytes_max, advice)
    except TimeoutError as error:
        raise BodyTimeout(
            f"the body did not arrive within {timeout_s:g} s", headers={"Connection": "close"}
        ) from error
    except ClientDisconnect as error:
        raise ValidationFailed("the body broke off before its end") from error
    if not data:
        raise ValidationFailed("the body is empty")
    return data


async def _collect(request: Request, size_bytes_max: int, advice: str) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > size_bytes_max:
            raise _too_large(size_bytes_max, advice)
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _too_large(size_bytes_max: int, advice: str) -> BodyTooLarge:
    # The unread rest would otherwise be taken for the next request of the connection.
    return BodyTooLarge(
        f"the body is larger than {size_bytes_max} bytes; {advice}",
        headers={"Connection": "close"},
    )
