"""The HTML pages: fixed templates, filled in with language, title and asset addresses only."""

from __future__ import annotations

import html
from functools import cache
from importlib.resources import files
from string import Template
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import HTMLResponse

from api.web.assets import asset_path
from api.web.languages import preferred_language

__all__ = [
    "class_response",
    "landing_response",
    "not_found_response",
    "page_response",
    "reference_response",
]

_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "Cache-Control": "no-cache",
    "Vary": "Accept, Accept-Language",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_PATH_SHOWN_CHARS_MAX = 120
_TITLES = {
    "item": {"en": "Where this item has been", "zh": "这件商品的来历"},
    "landing": {"en": "Tallystick node", "zh": "Tallystick 节点"},
    "missing": {"en": "No record for this code", "zh": "此码没有记录"},
    "class": {"en": "A kind of goods, not an item", "zh": "这是一类商品，而非单件商品"},
    "reference": {"en": "HTTP interface", "zh": "HTTP 接口"},
}
_DESCRIPTIONS = {
    "item": {
        "en": "Who recorded what about this item, and when, checked by your own browser.",
        "zh": "谁在何时为这件商品记录了什么，由您自己的浏览器核验。",
    },
    "landing": {
        "en": "A consortium's shared record of goods, open to anybody's check.",
        "zh": "联盟共同维护的商品记录，任何人都可以核验。",
    },
    "missing": {
        "en": "This node holds no record of the scanned code.",
        "zh": "本节点没有所扫码的记录。",
    },
    "class": {
        "en": "The scanned code names a kind of goods. The code on the item itself leads to it.",
        "zh": "所扫的码代表一类商品。请扫描商品本身的码。",
    },
    "reference": {
        "en": "Every operation of this node's HTTP interface, with examples.",
        "zh": "本节点 HTTP 接口的全部操作及示例。",
    },
}


def page_response(request: Request, services: object) -> HTMLResponse:
    """The consumer page of the item at the request's address. Knows nothing of the item itself."""
    del services  # The record comes by a second request, as JSON, to be checked by the browser.
    return _page(request, "item", script="page/item.js", status=200)


def not_found_response(request: Request, services: object) -> HTMLResponse:
    """The small page for a code that this node has no record of (status 404)."""
    del services
    return _page(request, "missing", script="page/missing.js", status=404)


def class_response(request: Request, services: object) -> HTMLResponse:
    """The small page for a GTIN or lot whose single items alone have records (status 404)."""
    del services
    return _page(request, "class", script="page/class.js", status=404)


def reference_response(request: Request, services: object) -> HTMLResponse:
    """The page at `/docs`: every operation of the OpenAPI document, which the browser fetches."""
    del services
    return _page(request, "reference", script="page/reference.js", status=200)


def landing_response(request: Request, services: object) -> HTMLResponse:
    """The page at `/`: what this node is, an item to try, the state of its log."""
    del services
    return _page(request, "landing", script="page/landing.js", status=200)


def _page(request: Request, kind: str, *, script: str, status: int) -> HTMLResponse:
    language = preferred_language(request.headers.get("accept-language", ""))
    # A path may hold anything; it is text here, escaped, and bounded.
    path = unquote(request.url.path)[:_PATH_SHOWN_CHARS_MAX]
    values = {
        "language": "zh-CN" if language == "zh" else "en",
        "title": _TITLES[kind][language],
        "description": _DESCRIPTIONS[kind][language],
        "path": path,
        "kind": kind,
        "style": asset_path("page/style.css"),
        "icon": asset_path("page/icon.svg"),
        "script": asset_path(script),
    }
    text = _template().substitute({name: html.escape(value) for name, value in values.items()})
    return HTMLResponse(text, status_code=status, headers=_HEADERS)


@cache
def _template() -> Template:
    source = files("api.web") / "templates" / "page.html"
    return Template(source.read_text("utf-8"))
