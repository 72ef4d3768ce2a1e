"""Webhooks over real connections: in order, until taken, after any crash, and never further."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update

from api.hooks import (
    Hook,
    HookDraft,
    HookService,
    HookSettings,
    HookState,
    HookUnknown,
    TooManyHooks,
    verify_message,
)
from api.stream import Window
from contracts.consortium import Role, Status, organisation_table
from contracts.notices import BEGINNING, NoticeFilter, Place
from ledger.crypto import SealingKey
from ledger.projection import write_transaction
from tests.api.feeds import Feed, until
from tests.api.receiver import Receiver

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("A2")]

QUICK = HookSettings(
    allow_private_addresses=True,
    attempt_timeout_s=1.0,
    backoff_first_s=0.05,
    backoff_max_s=0.2,
    poll_s=0.2,
)
SEALER = SealingKey.generate()
ORGANISATIONS = {"ash": Role.MANUFACTURER, "birch": Role.BANK, "court": Role.ARBITRATOR}


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    made = new_feed(tmp_path)
    yield made
    made.close()


def new_feed(folder: Path) -> Feed:
    made = Feed(folder)
    with write_transaction(made.engine) as connection:
        for name, role in ORGANISATIONS.items():
            connection.execute(
                insert(organisation_table).values(
                    id=name, role=role, status=Status.ACTIVE, name=name, name_zh="", uri=""
                )
            )
    return made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().listening() as listening:
        yield listening


Begin = Callable[..., HookService]


@pytest.fixture
def begin(feed: Feed) -> Iterator[Begin]:
    with ExitStack() as exits:

        def make(**changes: object) -> HookService:
            changed = replace(QUICK, **changes)  # type: ignore[arg-type]
            service = HookService(feed.engine, feed.tail, changed, sealer=SEALER)
            service.start()
            exits.callback(service.stop)
            return service

        yield make


def hook_of(
    service: HookService,
    receiver: Receiver,
    organisation: str = "ash",
    *kinds: str,
    position: int = BEGINNING,
    supervise: bool = False,
) -> Hook:
    draft = HookDraft(organisation, receiver.url, NoticeFilter(kinds), supervise, position)
    hook = service.store.create(draft)
    service.changed()
    return hook


def test_a_notice_comes_signed_and_is_the_feeds_own(
    feed: Feed, receiver: Receiver, begin: Begin
) -> None:
    service = begin()
    hook = hook_of(service, receiver)
    told = feed.tell(["ash"], kind="receipt.issue")
    until(lambda: receiver.messages)
    (message,) = receiver.messages
    assert verify_message(hook.secret, message.headers, message.body) == told
    notice = json.loads(message.body)
    assert (notice["id"], notice["kind"]) == (told, "receipt.issue")
    assert message.headers["content-type"] == "application/json"
    assert message.path == "/hook"
    assert "authorization" not in message.headers
    until(lambda: service.store.find("ash", hook.id).position == Place.parse(told).position)
    (attempt,) = service.store.log(hook, None, 10)
    assert (attempt.status, attempt.error, attempt.notice) == (204, "", told)


def test_only_what_concerns_the_organisation_and_is_wanted_is_sent(
    feed: Feed, receiver: Receiver, begin: Begin
) -> None:
    service = begin()
    hook_of(service, receiver, "ash", "loan.*")
    feed.tell(["birch"], kind="loan.drawn")
    feed.tell(["ash"], kind="receipt.issue")
    mine = feed.tell(["ash", "birch"], kind="loan.drawn")
    until(lambda: receiver.messages)
    time.sleep(0.3)
    assert receiver.ids == [mine]


def test_a_supervisor_is_sent_all_while_he_is_one(
    feed: Feed, receiver: Receiver, begin: Begin
) -> None:
    service = begin()
    hook_of(service, receiver, "court", supervise=True)
    first = feed.tell(["ash"])
    until(lambda: receiver.ids == [first])
    with write_transaction(feed.engine) as connection:
        is_court = organisation_table.c.id == "court"
        connection.execute(update(organisation_table).where(is_court).values(role=Role.BANK))
    feed.tell(["ash"])
    own = feed.tell(["court"])
    until(lambda: len(receiver.ids) > 1)
    assert receiver.ids == [first, own]


def test_order_holds_while_one_fails_and_all_come(
    feed: Feed, receiver: Receiver, begin: Begin
) -> None:
    receiver.script = [204, 500, 503, 429, 204]
    service = begin()
    hook = hook_of(service, receiver)
    told = [feed.tell(["ash"]) for _ in range(4)]
    until(lambda: service.store.find("ash", hook.id).position == Place.parse(told[3]).position)
    assert receiver.ids == [told[0], told[1], told[1], told[1], told[1], told[2], told[3]]
    log = list(reversed(service.store.log(hook, None, 50)))
    assert [one.status for one in log] == [204, 500, 503, 429, 204, 204, 204]
    assert [one.attempt for one in log] == [1, 1, 2, 3, 4, 1, 1]
    assert log[1].error == "answered with 500"
    assert service.store.find("ash", hook.id).failures == 0


def test_waits_grow_with_jitter_and_a_receiver_may_ask_for_more(
    feed: Feed, receiver: Receiver, begin: Begin
) -> None:
    receiver.script = [500, 500, (503, {"Retry-After": "1"})]
    service = begin(backoff_first_s=0.2, backoff_max_s=5.0, poll_s=10.0)
    hook_of(service, receiver)
    feed.tell(["ash"])
    until(lambda: len(receiver.messages) == 4)
    at = [one.at for one in receiver.messages]
    waits = [later - earlier for earlier, later in itertools.pairwise(at)]
    assert 0.1 <= waits[0] < 0.9
    assert 0.2 <= waits[1] < 1.2
    assert 1.0 <= waits[2] < 2.0


def test_redirects_are_not_followed(feed: Feed, receiver: Receiver, begin: Begin) -> None:
    with Receiver().listening() as other:
        receiver.script = [(307, {"Location": other.url})]
        service = begin()
        hook = hook_of(service, receiver)
        feed.tell(["ash"])
        until(lambda: len(receiver.messages) == 2)
        assert other.messages == []
    log = service.store.log(hook, None, 10)
    assert "redirects are not followed" in log[-1].error


def test_a_receiver_that_hangs_or_drips_is_left(
    feed: Feed, receiver: Receiver, begin: Begin
) -> None:
    def hang(_: BaseHTTPRequestHandler) -> None:
        time.sleep(3)

    def drip(request: BaseHTTPRequestHandler) -> None:
        for _ in range(30):
            request.wfile.write(b"H")
            time.sleep(0.1)

    receiver.script = [hang, drip]
    service = begin(attempt_timeout_s=0.4)
    hook = hook_of(service, receiver)
    told = feed.tell(["ash"])
    until(lambda: service.store.find("ash", hook.id).position == Place.parse(told).position)
    errors = [one.error for one in reversed(service.store.log(hook, None, 10))]
    assert errors[0] == "no answer within 0.4 s"
    assert errors[1] != ""
    assert errors[2] == ""


def test_a_long_answer_is_not_read_to_its_end(feed: Feed, receiver: Receiver, begin: Begin) -> None:
    sent = [0]

    def flood(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(1 << 40))
        request.end_headers()
        try:
            while True:
                sent[0] += request.wfile.write(b"x" * 65_536)
        except OSError:
            request.close_connection = True

    receiver.script = [flood]
    service = begin(attempt_timeout_s=5.0)
    hook = hook_of(service, receiver)
    told = [feed.tell(["ash"]) for _ in range(2)]
    until(lambda: receiver.ids == told)
    assert service.store.log(hook, None, 10)[-1].status == 200
    assert sent[0] < 1 << 26


def test_nobody_there_is_an_error_in_the_log(feed: Feed, begin: Begin) -> None:
    with Receiver().listening() as gone:
        pass
    service = begin()
    hook = hook_of(service, gone)
    feed.tell(["ash"])
    until(lambda: service.store.find("ash", hook.id).failures > 1)
    attempt = service.store.log(hook, None, 1)[0]
    assert attempt.status is None
    assert attempt.error.startswith("no connection")


def test_after_days_of_failing_it_is_disabled_with_a_reason_and_goes_on_where_it_stopped(
    feed: Feed, receiver: Receiver, begin: Begin
) -> None:
    receiver.script = [500] * 100
    service = begin(give_up_s=0.5)
    hook = hook_of(service, receiver)
    told = [feed.tell(["ash"]) for _ in range(3)]
    until(lambda: service.store.find("ash", hook.id).state is HookState.DISABLED)
    assert "has failed" in service.store.find("ash", hook.id).reason
    count = len(receiver.messages)
    time.sleep(0.4)
    assert len(receiver.messages) == count
    receiver.script.clear()
    receiver.messages.clear()
    assert service.store.resume("ash", hook.id).state is HookState.ACTIVE
    service.changed()
    until(lambda: len(receiver.messages) == 3)
    assert receiver.ids == told


def test_410_disables_at_once(feed: Feed, receiver: Receiver, begin: Begin) -> None:
    receiver.script = [410]
    service = begin()
    hook = hook_of(service, receiver)
    feed.tell(["ash"])
    until(lambda: service.store.find("ash", hook.id).state is HookState.DISABLED)
    assert "410" in service.store.find("ash", hook.id).reason
    assert len(receiver.messages) == 1


def test_the_organisations_other_webhooks_are_told_that_one_is_disabled(
    feed: Feed, receiver: Receiver, begin: Begin
) -> None:
    with Receiver(script=[410]).listening() as gone:
        service = begin()
        other = hook_of(service, receiver, "ash", "webhook.*")
        hook_of(service, receiver, "ash", "receipt.issue")
        hook_of(service, receiver, "birch", "webhook.*")
        hook = hook_of(service, gone)
        feed.tell(["ash"])
        until(lambda: receiver.messages)
        time.sleep(0.2)
        (message,) = receiver.messages
    verify_message(other.secret, message.headers, message.body)
    told = json.loads(message.body)
    assert (told["kind"], told["body"]["webhook"]) == ("webhook.disabled", hook.id)
    assert "410" in told["body"]["reason"]


def test_a_replay_sends_again_with_the_same_ids(
    feed: Feed, receiver: Receiver, begin: Begin
) -> None:
    service = begin()
    hook = hook_of(service, receiver)
    told = [feed.tell(["ash"]) for _ in range(5)]
    until(lambda: receiver.ids == told)
    service.store.resume("ash", hook.id, Place.parse(told[1]).position)
    service.changed()
    until(lambda: len(receiver.ids) == 8)
    assert receiver.ids == [*told, *told[2:]]
    assert receiver.messages[2].body == receiver.messages[5].body


def test_a_suspended_organisation_is_sent_nothing_and_loses_nothing(
    feed: Feed, receiver: Receiver, begin: Begin
) -> None:
    def stand(status: Status) -> None:
        with write_transaction(feed.engine) as connection:
            is_ash = organisation_table.c.id == "ash"
            connection.execute(update(organisation_table).where(is_ash).values(status=int(status)))

    service = begin()
    hook_of(service, receiver)
    stand(Status.SUSPENDED)
    told = feed.tell(["ash"])
    time.sleep(0.5)
    assert receiver.messages == []
    stand(Status.ACTIVE)
    until(lambda: receiver.ids == [told])


def test_a_deleted_webhook_is_silent(feed: Feed, receiver: Receiver, begin: Begin) -> None:
    service = begin()
    hook = hook_of(service, receiver)
    service.store.delete("ash", hook.id)
    service.changed()
    feed.tell(["ash"])
    time.sleep(0.4)
    assert receiver.messages == []
    with pytest.raises(HookUnknown):
        service.store.find("ash", hook.id)


def test_what_is_told_after_the_deletion_of_a_webhook_under_way_does_not_go_out(
    feed: Feed, receiver: Receiver, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = begin()
    read = service.tail.read
    hooks: list[Hook] = []
    reads: list[str] = []

    def read_late(*arguments: Any) -> Window:
        service.store.delete("ash", hooks[0].id)
        reads.append(feed.tell(["ash"]))
        return read(*arguments)

    monkeypatch.setattr(service.tail, "read", read_late)
    hooks.append(hook_of(service, receiver))
    feed.tell(["ash"])
    until(lambda: reads)
    time.sleep(0.2)
    assert receiver.messages == []


def test_one_that_fails_holds_up_no_other(feed: Feed, receiver: Receiver, begin: Begin) -> None:
    def hang(_: BaseHTTPRequestHandler) -> None:
        time.sleep(2)

    with Receiver(script=[hang] * 50).listening() as bad:
        service = begin(attempt_timeout_s=2.0)
        for _ in range(8):
            hook_of(service, bad, "birch")
        hook_of(service, receiver, "ash")
        begun = time.monotonic()
        told = [feed.tell(["ash", "birch"]) for _ in range(5)]
        until(lambda: receiver.ids == told)
        assert time.monotonic() - begun < 1.9


def test_bounds_of_webhooks(feed: Feed, receiver: Receiver, begin: Begin) -> None:
    service = begin(per_organisation_max=2, total_max=3, log_length_max=3)
    hook = hook_of(service, receiver)
    hook_of(service, receiver)
    with pytest.raises(TooManyHooks, match="ash has 2"):
        hook_of(service, receiver)
    hook_of(service, receiver, "birch")
    with pytest.raises(TooManyHooks, match="node"):
        hook_of(service, receiver, "birch")
    for _ in range(6):
        feed.tell(["ash"])
    until(lambda: service.store.find("ash", hook.id).attempts == 6)
    assert [one.number for one in service.store.log(hook, None, 50)] == [6, 5, 4]
    assert [one.number for one in service.store.log(hook, 6, 1)] == [5]


def test_a_probe_tells_what_the_receiver_did(feed: Feed, receiver: Receiver, begin: Begin) -> None:
    receiver.script = [418]
    service = begin()
    hook = hook_of(service, receiver)
    outcome = service.probe(hook)
    assert (outcome.status, outcome.taken) == (418, False)
    assert service.probe(hook).taken
    assert verify_message(hook.secret, receiver.messages[0].headers, receiver.messages[0].body)
    assert service.store.find("ash", hook.id).attempts == 0


def test_a_private_address_gets_nothing_unless_the_operator_allows_it(
    feed: Feed, receiver: Receiver, begin: Begin
) -> None:
    service = begin(allow_private_addresses=False)
    plain = hook_of(service, receiver)
    secure = service.store.create(
        HookDraft("ash", "https://localhost:9/x", NoticeFilter(), False, BEGINNING)
    )
    service.changed()
    feed.tell(["ash"])
    until(lambda: service.store.find("ash", plain.id).failures > 0)
    until(lambda: service.store.find("ash", secure.id).failures > 0)
    assert receiver.messages == []
    assert "https is needed" in service.store.log(plain, None, 1)[0].error
    assert "leads to no address" in service.store.log(secure, None, 1)[0].error


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.sampled_from(["tell", "crash", "fail", "wait"]), min_size=3, max_size=14),
)
def test_whatever_crashes_nothing_is_lost_and_order_holds(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    """The service is stopped at any moment and begun anew: what comes twice comes in its place."""
    feed = new_feed(tmp_path_factory.mktemp("hooks"))
    told: list[str] = []
    with Receiver().listening() as receiver:
        service = HookService(feed.engine, feed.tail, QUICK, sealer=SEALER)
        service.start()
        hook = hook_of(service, receiver)
        try:
            for step in steps:
                if step == "tell":
                    told.append(feed.tell(["ash"]))
                elif step == "fail":
                    receiver.script.append(500)
                elif step == "wait":
                    time.sleep(0.02)
                else:
                    service.stop()
                    service = HookService(feed.engine, feed.tail, QUICK, sealer=SEALER)
                    service.start()
            last = Place.parse(told[-1]).position if told else BEGINNING
            until(lambda: service.store.find("ash", hook.id).position == last)
        finally:
            service.stop()
            feed.close()
    # Repetitions stand next to each other; without them it is the feed.
    order = [one for n, one in enumerate(receiver.ids) if n == 0 or receiver.ids[n - 1] != one]
    assert order == told


def test_whose_key_is_lost_is_disabled_and_says_so(feed: Feed, receiver: Receiver) -> None:
    before = HookService(feed.engine, feed.tail, QUICK, sealer=SealingKey.generate())
    hook = hook_of(before, receiver)
    service = HookService(feed.engine, feed.tail, QUICK, sealer=SEALER)
    service.start()
    try:
        assert "sealed with a key" in service.probe(service.store.find("ash", hook.id)).error
        feed.tell(["ash"])
        until(lambda: service.store.find("ash", hook.id).state is HookState.DISABLED)
        assert "make a new one" in service.store.find("ash", hook.id).reason
        assert receiver.messages == []
    finally:
        service.stop()
