"""Static assets, under an address that changes with their contents: browsers may keep them."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import FastAPI, Response

__all__ = ["ASSETS_PREFIX", "asset_path", "mount_assets"]

ASSETS_PREFIX = "/assets"
_VERSION_LENGTH = 12
_FOREVER = "public, max-age=31536000, immutable"
_SHORT = "public, max-age=300"
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
}


@cache
def _assets() -> dict[str, bytes]:
    """Every asset by its path below `static/`. Small, and read once."""
    found: dict[str, bytes] = {}

    def gather(folder: Traversable, prefix: str) -> None:
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if entry.is_dir():
                gather(entry, f"{prefix}{entry.name}/")
            elif _suffix(entry.name) in _MEDIA_TYPES:
                found[prefix + entry.name] = entry.read_bytes()

    gather(files("api.web") / "static", "")
    return found


@cache
def _version() -> str:
    """One version for all: modules import each other by relative path."""
    digest = hashlib.sha256()
    for path, content in _assets().items():
        digest.update(f"{path}\n{len(content)}\n".encode() + content)
    return digest.hexdigest()[:_VERSION_LENGTH]


def asset_path(name: str) -> str:
    """Address of an asset, e.g. `page/item.js`. Raises KeyError where there is none."""
    if name not in _assets():
        raise KeyError(f"no asset {name!r} under api/web/static")
    return f"{ASSETS_PREFIX}/{_version()}/{name}"


def mount_assets(app: FastAPI) -> None:
    """Add the route of the assets. An outdated version still answers, but is not kept for long."""

    @app.get(ASSETS_PREFIX + "/{version}/{name:path}", include_in_schema=False)
    async def asset(version: str, name: str) -> Response:
        content = _assets().get(name)
        if content is None:
            return Response("Not found\n", status_code=404, media_type="text/plain")
        headers = {
            "Cache-Control": _FOREVER if version == _version() else _SHORT,
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        return Response(content, media_type=_MEDIA_TYPES[_suffix(name)], headers=headers)


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]
