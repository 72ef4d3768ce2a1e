"""Members and impostors that answer over HTTP, on free ports of this machine."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.ledger.witness.support import ORIGIN, Member

Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, dict[str, str]], Answer]


@dataclass
class Site:
    """A listening server and what was asked of it."""

    url: str
    asked: list[str] = field(default_factory=list)
    handler: Handler | None = None


def of_member(member: Member) -> Handler:
    """The routes that other nodes ask, as the API has them."""

    def answer(path: str, query: dict[str, str]) -> Answer:
        log = member.ledger.log
        if path == "/log/checkpoint":
            return 200, {}, log.checkpoint().encode()
        if path == "/log/cosignatures":
            text = member.witness.cosignature_text(int(query["from"]), int(query["limit"]))
            return 200, {}, text.encode()
        if path == "/log/consistency":
            earlier, later = int(query["from"]), int(query["to"])
            return (
                200,
                {},
                consistency(ORIGIN, earlier, later, log.consistency_proof(earlier, later)),
            )
        return 404, {}, b""

    return answer


def consistency(origin: str, earlier: int, later: int, path: tuple[bytes, ...]) -> bytes:
    proof = [base64.b64encode(one).decode() for one in path]
    return json.dumps({"origin": origin, "from": earlier, "to": later, "proof": proof}).encode()


@contextmanager
def serving(handler: Handler) -> Iterator[Site]:
    """A site that answers by `site.handler`, which may be changed meanwhile."""

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            site.asked.append(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            assert site.handler is not None
            status, headers, body = site.handler(parts.path, query)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Whoever asked has hung up: that is what is tested."""

    server = Server(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    site = Site(f"http://127.0.0.1:{server.server_address[1]}", handler=handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
