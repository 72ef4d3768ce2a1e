"""The application: routes, problems, gate."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.routing import Route

from api.auth import Guard
from api.documentation import install_openapi
from api.front import Front
from api.gate import Gate
from api.problems import install_problem_handlers
from api.proving import Prover
from api.resources import Resources
from api.routes import (
    capture,
    claims,
    clearing,
    consortium,
    deposits,
    events,
    hooks,
    items,
    joining,
    loans,
    log,
    node,
    oauth,
    pledges,
    pools,
    prices,
    proofs,
    receipts,
    receivables,
    reconciliations,
    settlements,
    statements,
    stock,
    stream,
    transactions,
)
from api.services import Services
from api.standing import Standings
from api.stream import Tail
from api.tokens import TokenStore
from api.web import mount_assets


def create_app(services: Services) -> FastAPI:
    """The HTTP interface of a node, as an ASGI application.

    Starts and stops nothing: the services run before the first request and after the last.
    """
    app = FastAPI(
        title="Tallystick",
        version="1",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    prover = Prover(services)
    tokens = TokenStore(services.engine)
    standings = Standings(services.engine, services.projector)
    guard = Guard(services.keys, tokens, standings, services.settings)
    sent = services.webhooks
    tail = Tail(services.engine, services.ledger, services.projector) if sent is None else sent.tail
    routers = [
        node.router(services),
        capture.router(services, guard),
        events.router(services),
        log.router(services, guard),
        consortium.router(services),
        joining.router(services),
        proofs.router(services, prover),
        items.router(services, prover),
        stream.router(services, guard, tail),
        oauth.router(services, guard, tokens),
        transactions.router(services, guard),
        receipts.router(services, guard),
        stock.router(services, guard),
        claims.router(services, guard),
        pledges.router(services, guard),
        receivables.router(services, guard),
        loans.router(services, guard),
        prices.router(services, guard),
        deposits.router(services, guard),
        settlements.router(services, guard),
        pools.router(services, guard),
        clearing.router(services, guard),
        statements.router(services, guard),
        reconciliations.router(services, guard),
    ]
    if sent is not None:
        routers.append(hooks.router(services, guard, sent))
    own = [*app.routes]
    for router in routers:
        app.include_router(router)
    mount_assets(app)
    of_rooms = [route for router in routers for route in router.routes]
    resources = Resources([*app.routes, *of_rooms])
    install_problem_handlers(app, resources)
    install_openapi(app)
    routes = [*own, *of_rooms, app.routes[-1]]
    known = [route for route in routes if isinstance(route, Route)]
    # Inside of what turns errors into problems, which a middleware of the application is not.
    app.router.middleware_stack = Front(app.router.app, known)
    app.add_middleware(Gate, settings=services.settings, resources=resources)
    return app
