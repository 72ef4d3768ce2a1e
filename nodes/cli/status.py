"""`tally status`: what a running node says of itself."""

from __future__ import annotations

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
    for name, value in body.items():
        out.print(f"{name:14} {value}", markup=False)
