"""GS1 Digital Link: what an item's code leads to, for people and for machines."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from api.documentation import problems, query
from api.errors import NotFound, QueryInvalid, Unavailable
from api.formats import bytes_response
from api.negotiation import HTML, JSON, JSON_LD, choose
from api.proving import Prover
from api.schemas import ItemAnswer
from api.services import Services
from api.web import class_response, not_found_response, page_response
from traceability.bundle import NotProvableYet
from traceability.gs1 import Gs1Error, Identifier, parse_digital_link, parse_identifier
from traceability.labels import LabelError, qr_png, qr_svg

SVG: Final = "image/svg+xml"
PNG: Final = "image/png"
VARY: Final = {"Vary": "Accept, Accept-Language"}
LABEL_CACHE: Final = "public, max-age=86400"

_GTIN: Final = {"type": "string", "pattern": "^[0-9]{8,14}$", "example": "09506000134352"}
_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 20, "example": "1001"}
_SSCC: Final = {"type": "string", "pattern": "^[0-9]{18}$", "example": "095060001343520000"}
_SHAPES: Final = (
    ("/01/{gtin}/10/{lot}/21/{serial}", "getItemOfLot", "An item, with its lot"),
    ("/01/{gtin}/21/{serial}", "getItem", "An item"),
    ("/01/{gtin}/10/{lot}", "getLot", "A lot"),
    ("/01/{gtin}", "getClass", "A class of goods"),
    ("/00/{sscc}", "getLogisticUnit", "A logistic unit"),
)
_FORMAT: Final = query(
    "format", "instead of the Accept header", {"type": "string", "enum": ["html", "json"]}
)
_DESCRIPTION: Final = (
    "Events about the kind of goods or the lot as a whole. Where there are none, but items or lots "
    "of the GTIN are on the ledger, the answer is a 404 whose `detail` asks for a serial or lot; "
    "people get a page that asks them to scan the code on the item itself."
)
_NOTHING: Final = "no event about {} is on the ledger"
_CLASS_ONLY: Final = (
    "this names a class of goods or a lot, and no event is about it as a whole; items or lots of "
    "this GTIN are on the ledger: a serial (/01/…/21/…) or another lot (/01/…/10/…) is needed"
)
_LABELS: Final = {"/qr.svg": SVG, "/qr.png": PNG}


def router(services: Services, prover: Prover) -> APIRouter:
    """Routes under /01 and /00, and /qr."""
    routes = APIRouter(tags=["items"])

    async def item(request: Request) -> Response:
        raw = _raw_path(request)
        for suffix, media_type in _LABELS.items():
            if raw.endswith(suffix):
                return label(_link(services, request, raw.removesuffix(suffix)), media_type)
        identifier = _identifier(raw)
        media_type = choose(request, (JSON, HTML, JSON_LD))
        try:
            answer = await prover.item(identifier.digital_link(whole=True))
        except NotProvableYet as error:
            raise Unavailable(str(error), retry_after_s=1) from error
        if answer is not None and media_type != HTML:
            return bytes_response(answer, media_type=media_type, cache="no-cache", headers=VARY)
        of_class = (
            answer is None and _is_class(identifier) and prover.knows_items_of(identifier.value)
        )
        if media_type == HTML:
            if answer is not None:
                page = page_response(request, services)
            elif of_class:
                page = class_response(request, services)
            else:
                page = not_found_response(request, services)
            page.headers["Vary"] = VARY["Vary"]
            return page
        raise NotFound(_CLASS_ONLY if of_class else _NOTHING.format(identifier.digital_link()))

    def label(link: str, media_type: str) -> Response:
        try:
            body = qr_svg(link).encode() if media_type == SVG else qr_png(link)
        except Gs1Error as error:
            raise _uri_invalid(error) from error
        except LabelError as error:
            raise QueryInvalid(f"uri: {error}") from error
        return bytes_response(body, media_type=media_type, cache=LABEL_CACHE)

    for path, operation_id, summary in _SHAPES:
        routes.add_api_route(
            path,
            item,
            methods=["GET"],
            operation_id=operation_id,
            summary=f"{summary}: its journey with proofs, or the page that shows it",
            description=_DESCRIPTION if operation_id in ("getClass", "getLot") else None,
            response_class=Response,
            responses={
                200: {
                    "model": ItemAnswer,
                    "description": "docs/proof-format.md section 7, or the consumer page",
                    "content": {
                        JSON: {},
                        JSON_LD: {"schema": {"$ref": "#/components/schemas/ItemAnswer"}},
                        HTML: {"schema": {"type": "string"}},
                    },
                },
                **_with_page(problems(400, 404, 406)),
            },
            openapi_extra={"parameters": [*_path_parameters(path), _FORMAT]},
        )
    for prefix in ("/01/", "/00/"):
        # Labels below an item, further qualifiers, and serials with an escaped slash.
        routes.add_api_route(prefix + "{rest:path}", item, methods=["GET"], include_in_schema=False)

    @routes.get(
        "/qr",
        operation_id="getLabel",
        summary="QR code of a GS1 Digital Link; also at `{item}/qr.svg` and `{item}/qr.png`",
        response_class=Response,
        responses={
            200: {
                "description": "The label",
                "content": {
                    SVG: {"schema": {"type": "string"}},
                    PNG: {"schema": {"type": "string", "format": "binary"}},
                },
            },
            **problems(400),
        },
        openapi_extra={
            "parameters": [
                query(
                    "uri",
                    "a GS1 Digital Link, e.g. `https://id.gs1.org/01/…/21/…`; or a path such as "
                    "`/01/…/21/…` or an EPC URN: then the label leads to this node",
                    {"type": "string", "maxLength": 500},
                    required=True,
                    example="https://id.gs1.org/01/09506000134352/21/1001",
                ),
                query("format", "svg or png", {"type": "string", "enum": ["svg", "png"]}),
            ]
        },
    )
    async def get_label(request: Request) -> Response:
        wanted = request.query_params.get("format", "svg")
        if wanted not in ("svg", "png"):
            raise QueryInvalid(f"format: {wanted[:40]!r} is not offered here, only svg, png")
        link = _given_link(services, request, request.query_params.get("uri", ""))
        return label(link, SVG if wanted == "svg" else PNG)

    return routes


def _identifier(raw_path: str) -> Identifier:
    try:
        return parse_digital_link(f"https://id.gs1.org{raw_path}").identifier
    except Gs1Error as error:
        raise QueryInvalid(f"not a GS1 Digital Link: {error}") from error


def _is_class(identifier: Identifier) -> bool:
    """Whether it names a kind of goods, or a lot of them, and no single item."""
    return identifier.ai == "01" and identifier.serial is None


def _given_link(services: Services, request: Request, uri: str) -> str:
    """A link as it was given; a path or an EPC URN becomes one to this node."""
    if not uri:
        raise QueryInvalid("uri: is missing; write a Digital Link or a path such as /01/…/21/…")
    if not uri.startswith(("/", "urn:")):
        return uri
    try:
        identifier = parse_identifier(f"https://id.gs1.org{uri}" if uri[0] == "/" else uri)
    except Gs1Error as error:
        raise _uri_invalid(error) from error
    return identifier.digital_link(_base(services, request), whole=True)


def _uri_invalid(error: Gs1Error) -> QueryInvalid:
    place = "" if error.place == "uri" else f"{error.place}: "
    return QueryInvalid(f"uri: {error.text[:120]!r}: {place}{error.reason}")


def _link(services: Services, request: Request, raw_path: str) -> str:
    """Where the code on a label leads: to this node."""
    return _base(services, request) + raw_path


def _base(services: Services, request: Request) -> str:
    """The node's public address; the one it was asked at, where it is known under no other."""
    return services.public_url.rstrip("/") or f"{request.url.scheme}://{request.url.netloc}"


def _raw_path(request: Request) -> str:
    """The path as it was sent: a serial may hold an escaped slash."""
    raw: bytes | None = request.scope.get("raw_path")
    if raw is None:
        return request.url.path
    return raw.decode("ascii", "replace").partition("?")[0]


def _path_parameters(path: str) -> list[dict[str, object]]:
    schemas = {"gtin": _GTIN, "lot": _TEXT, "serial": _TEXT, "sscc": _SSCC}
    return [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name, schema in schemas.items()
        if f"{{{name}}}" in path
    ]


def _with_page(responses: dict[int | str, dict[str, object]]) -> dict[int | str, dict[str, object]]:
    content = responses[404]["content"]
    assert isinstance(content, dict)
    content[HTML] = {"schema": {"type": "string"}}
    return responses
