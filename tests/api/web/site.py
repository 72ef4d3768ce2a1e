"""A small site around the pages: real answers of a story log, served over 127.0.0.1."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI, Request, Response

from api.web import landing_response, mount_assets, not_found_response, page_response
from ledger.canonical import canonical_json
from nodes.demo.story import ITEMS
from tests.api.web.story_answers import StoryLog
from traceability.query import EventQuery

START_TIMEOUT_S = 10.0


def site_app(log: StoryLog) -> FastAPI:
    app = FastAPI()
    mount_assets(app)
    known = {item.path for item in ITEMS}

    @app.get("/")
    async def landing(request: Request) -> Response:
        return landing_response(request, None)

    @app.get("/log/checkpoint")
    async def checkpoint() -> Response:
        return Response(log.note, media_type="text/plain; charset=utf-8")

    @app.get("/events")
    async def events(request: Request) -> Response:
        EventQuery.parse(request.query_params.multi_items(), {})  # as the API would refuse it
        body = {"queryResults": {"resultsBody": {"eventList": [e.body for e in log.entries]}}}
        return Response(canonical_json({"epcisBody": body}), media_type="application/json")

    @app.get("/01/{rest:path}")
    async def item(request: Request, rest: str) -> Response:
        path = f"/01/{rest}"
        wants_page = "text/html" in request.headers.get("accept", "")
        if path not in known:
            return not_found_response(request, None) if wants_page else Response(status_code=404)
        if wants_page:
            return page_response(request, None)
        answer = log.answer(f"https://id.gs1.org{path}")
        return Response(canonical_json(answer), media_type="application/json")

    return app


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The address of `app` while it is served, on a port that was free."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not server.started:
            assert time.monotonic() < deadline, "the test site did not start"
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(START_TIMEOUT_S)
