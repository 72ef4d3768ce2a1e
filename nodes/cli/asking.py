"""The Python client for commands: what it cannot do is said as all commands say it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from api.client import ClientError, Denied, Tallystick, Unreachable
from nodes.client import NO_KEY, find_address, no_answer
from nodes.errors import NodeUnreachable, RequestRefused

_UNKNOWN_KEY = 401


@contextmanager
def asking(url: str | None, key: str | None) -> Iterator[Tallystick]:
    """A client of the node that options, environment or memory name. Raises `NodeError`."""
    address = find_address(url, key)
    if not address.url.startswith(("http://", "https://")):
        raise NodeUnreachable(f"{address.url!r} is no address of a node: it begins with http://")
    try:
        with Tallystick(address.url, key=address.key) as tally:
            yield tally
    except (httpx.InvalidURL, UnicodeError) as bad:
        raise NodeUnreachable(f"{address.url!r} cannot be asked: {bad}") from bad
    except Unreachable as error:
        raise no_answer(address.url, error.__cause__ or error) from error
    except Denied as error:
        more = f" ({NO_KEY})" if error.status == _UNKNOWN_KEY else ""
        raise RequestRefused(f"{error}{more}") from error
    except ClientError as error:
        raise RequestRefused(str(error)) from error
