"""`tally qr`: the label of an item. Asks no node."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nodes.cli.options import AsJson
from nodes.cli.output import out, print_json
from nodes.errors import NodeError
from traceability.gs1 import parse_digital_link, parse_identifier
from traceability.gs1.keys import DOMAIN
from traceability.labels import X_DIMENSION_MM_DEFAULT, qr_png, qr_svg, qr_terminal


def qr(
    uri: Annotated[str, typer.Argument(help="Digital Link, EPC URN, or a path such as /01/…/21/…")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="PNG or SVG file, by its ending.")
    ] = None,
    base: Annotated[
        str | None,
        typer.Option("--base", help="Resolver to point to. Default: the URI's own host, or GS1's."),
    ] = None,
    module_mm: Annotated[
        float, typer.Option("--module-mm", help="Width of one module (X-dimension) in mm.")
    ] = X_DIMENSION_MM_DEFAULT,
    dpi: Annotated[int, typer.Option("--dpi", help="Resolution of the printer, for PNG.")] = 300,
    text: Annotated[bool, typer.Option("--text/--no-text", help="Print it below the code.")] = True,
    as_json: AsJson = False,
) -> None:
    """Make the QR label of an item; without -o show it here."""
    link = _label_link(uri, base)
    if output is None:
        if as_json:
            print_json({"uri": link})
        else:
            sys.stdout.write(qr_terminal(link) + "\n")
            out.print(link, markup=False)
        return
    suffix = output.suffix.lower()
    lines = None if text else ()
    if suffix == ".svg":
        output.write_text(qr_svg(link, x_dimension_mm=module_mm, text=lines), "utf-8")
    elif suffix == ".png":
        output.write_bytes(qr_png(link, x_dimension_mm=module_mm, dpi=dpi, text=lines))
    else:
        raise NodeError(f"{output}: the ending must be .png or .svg")
    if as_json:
        print_json({"uri": link, "file": str(output)})
    else:
        out.print(f"{output}: {link}", markup=False)


def _label_link(uri: str, base: str | None) -> str:
    """The URI to print: the given one checked and kept, or moved to another resolver."""
    if base is not None and not base.startswith(("http://", "https://")):
        raise NodeError(f"--base {base}: an address such as https://id.example.org is needed")
    if uri.startswith(("http://", "https://")) and base is None:
        parse_digital_link(uri)
        return uri
    whole = DOMAIN + uri if uri.startswith("/") else uri
    identifier = parse_identifier(whole)
    return identifier.digital_link((base or DOMAIN).rstrip("/"), whole=True)
