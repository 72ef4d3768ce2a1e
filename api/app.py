"""The application: routes, problems, gate."""

from __future__ import annotations

from fastapi import FastAPI

from api.auth import Guard
from api.documentation import install_openapi
from api.gate import Gate
from api.problems import install_problem_handlers
from api.proving import Prover
from api.routes import capture, events, items, log, node, proofs
from api.services import Services
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
    guard = Guard(services.keys, services.settings)
    app.include_router(node.router(services))
    app.include_router(capture.router(services, guard))
    app.include_router(events.router(services))
    app.include_router(log.router(services))
    app.include_router(proofs.router(services, prover))
    app.include_router(items.router(services, prover))
    mount_assets(app)
    install_problem_handlers(app)
    install_openapi(app)
    app.add_middleware(Gate, settings=services.settings, routes=app.routes)
    return app
