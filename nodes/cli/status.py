"""`tally node status`: what a running node says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nodes.cli.options import AsJson, Url
from nodes.cli.output import out, print_json
from nodes.client import NodeClient, find_address


def status(url: Url = None, as_json: AsJson = False) -> None:
    """Head, log and projection of a running node."""
    with NodeClient(find_address(url, None)) as node:
        body = node.status()
    if as_json:
        print_json(body)
        return
    for name, value in _lines(body):
        out.print(f"{name:26} {value}", markup=False)


def _lines(body: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, object]]:
    """Name and value of every leaf: `head.number  12`."""
    for name, value in body.items():
        if isinstance(value, dict):
            yield from _lines(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", str(value).lower() if isinstance(value, bool) else value
