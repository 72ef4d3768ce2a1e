"""Server-sent events: nothing is lost, nothing comes twice, nobody sees what is not his."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.client.sse import ServerEvent, read_events
from api.settings import ApiSettings
from api.stream import StreamSettings
from contracts.instruments.viewer import Viewer
from contracts.notices import BEGINNING, NoticeFilter, Place, find_notices
from tests.api.feeds import Feed, Server, until

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("A2")]


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    made = Feed(tmp_path)
    yield made
    made.close()


@pytest.fixture
def server(feed: Feed) -> Iterator[Server]:
    with Server(feed).running() as running:
        yield running


def notices(lines: Iterator[str], count: int) -> list[ServerEvent]:
    found: list[ServerEvent] = []
    for event in read_events(lines):
        if event.data is not None:
            found.append(event)
        if len(found) == count:
            return found
    raise AssertionError(f"the stream ended after {len(found)} of {count} events")


def test_an_event_has_id_kind_and_the_notice(server: Server) -> None:
    with server.reading("ash") as lines:
        until(lambda: len(server.connections) == 1)
        told = server.feed.tell(["ash"], kind="receipt.issue")
        (event,) = notices(lines, 1)
    assert (event.id, event.kind) == (told, "receipt.issue")
    notice = json.loads(str(event.data))
    assert notice["id"] == told
    assert notice["kind"] == "receipt.issue"
    assert notice["proof"] == f"/log/proof/{notice['leaf']}"
    assert notice["block"] == 1
    assert event.retry_ms == 2000


def test_only_what_concerns_a_viewer_comes(server: Server) -> None:
    with server.reading("ash") as ash, server.reading("everybody") as everybody:
        until(lambda: len(server.connections) == 2)
        server.feed.tell(["birch"])
        server.feed.tell(["birch", "ash"])
        last = server.feed.tell(["ash"])
        assert [event.id for event in notices(ash, 2)] == ["2-0-0", last]
        assert [event.id for event in notices(everybody, 3)] == ["1-0-0", "2-0-0", last]


def test_kinds_are_filtered(server: Server) -> None:
    with server.reading("ash", None, "loan.*", "receipt.issue") as lines:
        until(lambda: len(server.connections) == 1)
        for kind in ("receipt.freeze", "loan.drawn", "receipt.issue", "loan.repaid"):
            server.feed.tell(["ash"], kind=kind)
        found = notices(lines, 3)
    assert [event.kind for event in found] == ["loan.drawn", "receipt.issue", "loan.repaid"]


def test_who_connects_without_an_id_gets_only_what_is_new(server: Server) -> None:
    server.feed.tell(["ash"])
    server.feed.projector.wait_for(1, 10)
    with server.reading("ash") as lines:
        until(lambda: len(server.connections) == 1)
        new = server.feed.tell(["ash"])
        assert [event.id for event in notices(lines, 1)] == [new]


def test_who_is_cut_off_before_his_first_notice_misses_none(server: Server) -> None:
    server.feed.tell(["ash"])
    server.feed.projector.wait_for(1, 10)
    with server.reading("ash") as lines:
        first = next(read_events(lines))
    assert first.data is None
    missed = server.feed.tell(["ash"])
    with server.reading("ash", first.id) as lines:
        assert [event.id for event in notices(lines, 1)] == [missed]


def test_everything_since_the_beginning_comes_from_the_database(server: Server) -> None:
    told = [server.feed.tell(["ash"]) for _ in range(450)]
    server.feed.projector.wait_for(450, 20)
    with server.reading("ash", "") as lines:
        assert [event.id for event in notices(lines, 450)] == told
        more = [server.feed.tell(["ash"]) for _ in range(5)]
        assert [event.id for event in notices(lines, 5)] == more


def test_heartbeats_move_the_id_and_keep_the_line(feed: Feed) -> None:
    with Server(feed, StreamSettings(heartbeat_s=0.05)).running() as server:
        feed.tell(["birch"])
        with server.reading("ash", "0-0-0") as lines:
            ids = []
            for line in lines:
                if line.startswith("id:"):
                    ids.append(line)
                if line == ":" and len(ids) > 2:
                    break
    assert ids[0] == "id: 0-0-0"
    assert ids[-1].startswith("id: 1-")


def test_a_stream_outlives_the_time_limit_of_requests(feed: Feed) -> None:
    brief = ApiSettings(request_timeout_s=0.3)
    with Server(feed).running(brief) as server, server.reading("ash") as lines:
        until(lambda: len(server.connections) == 1)
        time.sleep(0.8)
        told = feed.tell(["ash"])
        assert [event.id for event in notices(lines, 1)] == [told]


def test_revoking_the_key_ends_the_stream_before_anything_more_is_sent(server: Server) -> None:
    with server.reading("ash") as lines:
        until(lambda: len(server.connections) == 1)
        first = server.feed.tell(["ash"])
        assert [event.id for event in notices(lines, 1)] == [first]
        server.revoked.add("ash")
        server.feed.tell(["ash"])
        assert [event for event in read_events(lines) if event.data is not None] == []
    until(lambda: len(server.connections) == 0)


def test_a_revoked_key_is_noticed_by_a_quiet_stream(feed: Feed) -> None:
    with Server(feed, StreamSettings(heartbeat_s=0.1)).running() as server:
        with server.reading("ash") as lines:
            until(lambda: len(server.connections) == 1)
            server.revoked.add("ash")
            list(lines)
        until(lambda: len(server.connections) == 0)


def test_who_goes_is_forgotten_and_the_tail_rests(server: Server) -> None:
    for _ in range(3):
        with server.reading("ash"):
            until(lambda: len(server.connections) == 1)
            assert server.feed.chain.subscribers == 2
        until(lambda: len(server.connections) == 0)
    assert server.feed.chain.subscribers == 1


def test_connections_have_bounds(feed: Feed) -> None:
    bounds = StreamSettings(connections_max=3, connections_per_organisation_max=2)
    with Server(feed, bounds).running() as server, ExitStack() as open_streams:
        for count, name in enumerate(("ash", "ash", "birch"), 1):
            open_streams.enter_context(server.reading(name))
            until(lambda count=count: len(server.connections) == count)
        too_many = httpx.get(f"{server.url}/stream", params={"as": "ash"})
        assert too_many.status_code == 429
        full = httpx.get(f"{server.url}/stream", params={"as": "cedar"})
        assert full.status_code == 503


def test_head_ends_at_once(server: Server) -> None:
    answer = httpx.head(f"{server.url}/stream", params={"as": "ash"}, timeout=5)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_who_takes_nothing_is_cut_off_and_costs_the_others_nothing(feed: Feed) -> None:
    with Server(feed, StreamSettings(send_timeout_s=0.5)).running() as server:
        place = urlsplit(server.url)
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        slow.connect((str(place.hostname), int(place.port or 0)))
        slow.sendall(b"GET /stream?as=ash HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 0-0-0\r\n\r\n")
        with server.reading("ash", "0-0-0") as lines:
            until(lambda: len(server.connections) == 2)
            # More than the buffers of both ends hold; the other one reads all of it.
            told = [feed.tell(["ash"], size=60_000) for _ in range(250)]
            assert [event.id for event in notices(lines, len(told))] == told
            until(lambda: len(server.connections) == 1)
        slow.close()


def test_many_read_at_once(server: Server) -> None:
    def read(number: int) -> list[str]:
        with server.reading("ash" if number % 2 else "birch", "") as lines:
            return [event.id for event in notices(lines, 60)]

    def tell() -> None:
        until(lambda: len(server.connections) == 40)
        for _ in range(60):
            server.feed.tell(["ash", "birch"])

    writer = threading.Thread(target=tell)
    writer.start()
    with ThreadPoolExecutor(40) as readers:
        found = list(readers.map(read, range(40)))
    writer.join()
    assert all(ids == found[0] for ids in found)
    assert len(set(found[0])) == 60


steps = st.lists(
    st.one_of(
        st.tuples(st.just("tell"), st.sets(st.sampled_from(["ash", "birch"]), min_size=1)),
        st.tuples(st.just("read"), st.integers(1, 6)),
        st.tuples(st.just("cut"), st.none()),
        st.tuples(st.just("forget"), st.none()),
    ),
    min_size=4,
    max_size=30,
)


@settings(
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(steps, st.integers(1, 8), st.integers(1, 6))
def test_however_often_a_follower_is_cut_off_he_gets_each_notice_once(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, object]],
    memory: int,
    page: int,
) -> None:
    """The follower's place against the tail's memory and the database's pages, step by step."""
    feed = Feed(tmp_path_factory.mktemp("feed"), memory=memory)
    follower = Follower(feed, page)
    end = feed.tail.follow(lambda: None)
    try:
        for step, argument in steps:
            if step == "tell":
                assert isinstance(argument, set)
                feed.tell(sorted(argument))
            elif step == "read":
                for _ in range(int(str(argument))):
                    follower.take()
            elif step == "cut":
                end()
                end = feed.tail.follow(lambda: None)
            else:
                feed.projector.wait_for(len(feed.chain.blocks) - 1, 10)
        last = len(feed.chain.blocks) - 1
        feed.projector.wait_for(last, 10)
        until(lambda: follower.take() >= Place.end_of(last).position, 10)
        with feed.engine.connect() as connection:
            found = find_notices(connection, follower.viewer, count=1000)
        assert follower.got == [str(notice.place) for notice in found]
    finally:
        end()
        feed.close()


class Follower:
    """What a connection does, without the connection."""

    def __init__(self, feed: Feed, page: int) -> None:
        self.feed, self.page = feed, page
        self.viewer, self.wanted = Viewer.of("ash"), NoticeFilter()
        self.position, self.got = BEGINNING, list[str]()

    def take(self) -> int:
        """One look; where it stands then."""
        window = self.feed.tail.after(self.position)
        if window is None:
            window = self.feed.tail.read(self.viewer, self.wanted, self.position, self.page)
            mine = window.entries
        else:
            mine = tuple(one for one in window.entries if one.concerns(self.viewer, self.wanted))
        self.got += [str(entry.notice.place) for entry in mine]
        self.position = window.upto
        return self.position


def test_memory_says_where_it_begins(tmp_path: Path) -> None:
    feed = Feed(tmp_path, memory=3)
    end = feed.tail.follow(lambda: None)
    try:
        told = [Place.parse(feed.tell(["ash"])).position for _ in range(8)]
        feed.projector.wait_for(8, 10)
        until(lambda: (window := feed.tail.after(told[7])) is not None and window.upto > told[7])
        assert feed.tail.after(told[3]) is None
        window = feed.tail.after(told[4])
        assert window is not None
        assert [entry.position for entry in window.entries] == told[5:]
    finally:
        end()
        feed.close()
