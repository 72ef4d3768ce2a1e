"""Events, proofs, items, log and node over HTTP."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import quote

import httpx
import pytest

from api import ApiSettings
from ledger.tlog import EMPTY_ROOT, Checkpoint, Note, leaf_hash, root_of, verify_consistency
from tests.api.conftest import Node
from tests.api.test_capture import problem
from tests.traceability.capture.stack import document, event
from traceability.bundle import Outcome, verify_bundle

LINK = "https://id.gs1.org/01/09506000134352/21/{}"
PATH = "/01/09506000134352/21/{}"


def events_of(answer: httpx.Response) -> list[dict[str, object]]:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["type"] == "EPCISQueryDocument"
    found: list[dict[str, object]] = body["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return found


@pytest.mark.feature("T1")
def test_events_are_queried_page_by_page(node: Node) -> None:
    ids = node.captured(document(*(event(n) for n in range(7))))["eventIDs"]
    answer = node.client.get("/events?EQ_bizStep=shipping&perPage=3&orderBy=eventTime")
    found = events_of(answer)
    while "next" in answer.links:
        answer = node.client.get(answer.links["next"]["url"])
        found += events_of(answer)
    assert sorted(str(one["eventID"]) for one in found) == sorted(ids)
    assert all(one["recordTime"] for one in found)
    assert events_of(node.client.get("/events?EQ_bizStep=receiving")) == []


@pytest.mark.feature("T1")
@pytest.mark.parametrize(
    "query", ["perPage=0", "EQ_nonsense=1", "GE_eventTime=yesterday", "nextPageToken=x", "a=1&a=2"]
)
def test_unclear_queries_are_refused(any_node: Node, query: str) -> None:
    problem(any_node.client.get(f"/events?{query}"), 400)


@pytest.mark.feature("T1")
def test_events_of_an_item_by_link_and_urn(node: Node) -> None:
    node.captured(document(event(1), event(2)))
    for epc in (LINK.format(1), "urn:epc:id:sgtin:9506000.013435.1"):
        answer = node.client.get(f"/epcs/{quote(epc, safe='')}/events")
        assert len(events_of(answer)) == 1
    assert events_of(node.client.get(f"/epcs/{quote(LINK.format(3), safe='')}/events")) == []
    for wrong in ("https://id.gs1.org/01/09506000134353/21/1", "foo", "two words", "urn:epc:id:x"):
        problem(node.client.get(f"/epcs/{quote(wrong, safe='')}/events"), 400)
    other = quote("https://example.com/things/7", safe="")
    assert events_of(node.client.get(f"/epcs/{other}/events")) == []


@pytest.mark.feature("T1")
def test_a_pattern_that_is_none_is_refused_and_says_what_to_write(node: Node) -> None:
    node.captured(document(event(1)))
    wrong = node.client.get("/events?MATCH_epc=urn:epc:id:sgtin:9506000.013435.*")
    assert "urn:epc:idpat:" in str(problem(wrong, 400)["detail"])
    right = node.client.get("/events?MATCH_epc=urn:epc:idpat:sgtin:9506000.013435.*")
    assert len(events_of(right)) == 1


@pytest.mark.feature("T2")
def test_an_event_is_found_by_its_hash_id_escaped_or_not(node: Node) -> None:
    (event_id,) = node.captured(document(event(1)))["eventIDs"]
    for path in (quote(event_id, safe=""), event_id):
        assert node.client.get(f"/events/{path}").json()["eventID"] == event_id
    problem(node.client.get(f"/events/{quote(event_id.replace('sha', 'sho'), safe='')}"), 404)


@pytest.mark.feature("L4")
def test_a_proof_is_the_very_file_that_verifies_offline(node: Node) -> None:
    (event_id,) = node.captured(document(event(1)))["eventIDs"]
    answer = node.client.get(f"/proofs/{quote(event_id, safe='')}")
    assert answer.headers["content-type"] == "application/json"
    verdict = verify_bundle(answer.content, node.services.trust)
    assert verdict.outcome is Outcome.VALID, verdict
    other = bytes(answer.content).replace(b"shipping", b"shippinG")
    assert verify_bundle(other, node.services.trust).outcome is Outcome.INVALID
    problem(node.client.get(f"/proofs/{quote(event_id[:-12] + '?ver=CBV2.1', safe='')}"), 404)
    problem(node.client.get("/proofs/x"), 404)
    problem(node.client.get(f"/proofs/{quote(event_id, safe='')}?digest=zz"), 400)


@pytest.mark.feature("T3")
def test_an_item_s_address_answers_machines_with_proofs(node: Node) -> None:
    node.captured(document(event(1), event(2)))
    answer = node.client.get(PATH.format(1), headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    assert "Accept" in answer.headers["vary"]
    body = answer.json()
    assert body["epc"] == LINK.format(1)
    assert body["truncated"] is False
    (step,) = body["journey"]
    assert step["relation"] == "self"
    assert step["organisation"]["id"] == "green-valley"
    assert step["organisation"]["role"] == "manufacturer"
    whole = node.client.get(f"/proofs/{quote(step['eventID'], safe='')}")
    assert step["bundle"] == whole.json()
    assert body["trust"] == node.client.get("/log/trust").json()


@pytest.mark.feature("T5")
def test_an_item_s_address_answers_people_with_the_page(node: Node) -> None:
    node.captured(document(event(1)))
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    page = node.client.get(PATH.format(1), headers=browser)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert node.client.get(PATH.format(99), headers=browser).status_code == 404
    forced = node.client.get(PATH.format(1) + "?format=html")
    assert forced.headers["content-type"].startswith("text/html")
    json = node.client.get(PATH.format(1) + "?format=json", headers=browser)
    assert json.headers["content-type"] == "application/json"
    problem(node.client.get(PATH.format(1), headers={"Accept": "application/pdf"}), 406)
    problem(node.client.get(PATH.format(1) + "?format=pdf"), 400)


@pytest.mark.feature("T3")
def test_addresses_with_lot_class_and_unit_are_known(node: Node) -> None:
    sscc = "https://id.gs1.org/00/095060001343520000"
    node.captured(document(event(1), event(1, epcList=[sscc])))
    assert node.client.get("/01/09506000134352/10/L1/21/1").status_code == 200
    assert node.client.get("/01/9506000134352/21/1").status_code == 200
    problem(node.client.get("/01/09506000134353/21/1"), 400)
    problem(node.client.get("/00/123"), 400)


@pytest.mark.feature("T3")
def test_a_class_of_which_only_items_are_known_is_said_to_be_one(node: Node) -> None:
    paths = ("/01/09506000134352", "/01/09506000134352/10/L1")
    for path in paths:
        assert "no event about" in str(problem(node.client.get(path), 404)["detail"])
    node.captured(document(event(1), event(2)))
    for path in paths:
        assert "a serial" in str(problem(node.client.get(path), 404)["detail"])
        page = node.client.get(path, headers={"Accept": "text/html"})
        assert (page.status_code, 'data-page="class"' in page.text) == (404, True)
    assert "no event about" in str(problem(node.client.get("/01/09506000134369"), 404)["detail"])
    lot = [{"epcClass": "https://id.gs1.org/01/09506000134352/10/L1", "quantity": 5}]
    node.captured(document(event(3, epcList=[], quantityList=lot)))
    assert len(node.client.get(paths[1]).json()["journey"]) == 1
    assert "a serial" in str(problem(node.client.get(paths[0]), 404)["detail"])


@pytest.mark.feature("T3")
def test_an_item_s_answer_is_given_as_json_ld_to_those_who_ask(node: Node) -> None:
    node.captured(document(event(1)))
    plain = node.client.get(PATH.format(1), headers={"Accept": "application/json"})
    linked = node.client.get(PATH.format(1), headers={"Accept": "application/ld+json"})
    assert linked.headers["content-type"] == "application/ld+json"
    assert linked.content == plain.content
    both = "application/ld+json;q=0.9, application/json"
    assert (
        node.client.get(PATH.format(1), headers={"Accept": both})
        .headers["content-type"]
        .startswith("application/json")
    )


@pytest.mark.feature("T3")
def test_a_serial_with_an_escaped_slash_is_one_serial(node: Node) -> None:
    node.captured(document(event("A%2FB")))
    assert node.client.get(PATH.format("A%2FB")).json()["epc"] == LINK.format("A%2FB")


@pytest.mark.feature("T5")
def test_new_events_show_at_once_in_an_item_s_answer(node: Node) -> None:
    node.captured(document(event(1)))
    assert len(node.client.get(PATH.format(1)).json()["journey"]) == 1
    node.captured(document(event(1, bizStep="receiving", eventTime="2026-01-02T00:00:00Z")))
    assert len(node.client.get(PATH.format(1)).json()["journey"]) == 2


@pytest.mark.feature("T4")
def test_labels_are_drawn(node: Node) -> None:
    for path in (f"/qr?uri={quote(LINK.format(1), safe='')}", PATH.format(1) + "/qr.svg"):
        answer = node.client.get(path)
        assert answer.headers["content-type"].startswith("image/svg+xml")
        assert answer.text.startswith("<?xml")
    png = node.client.get(PATH.format(1) + "/qr.png")
    assert png.content.startswith(b"\x89PNG")
    detail = str(problem(node.client.get("/qr?uri=hello"), 400)["detail"])
    assert detail.count("uri") == 1
    assert detail.startswith("uri: 'hello': a Digital Link begins with")
    problem(node.client.get("/qr"), 400)
    problem(node.client.get("/qr?uri=/01/09506000134353/21/1"), 400)


@pytest.mark.feature("T4")
def test_a_label_s_path_or_urn_leads_to_this_node(node: Node) -> None:
    whole = node.client.get(PATH.format(1) + "/qr.svg").text
    assert "/01/09506000134352/21/1" in whole
    for uri in (PATH.format(1), "urn:epc:id:sgtin:9506000.013435.1"):
        answer = node.client.get("/qr", params={"uri": uri})
        assert answer.status_code == 200, answer.text
        assert answer.text == whole


@pytest.mark.feature("L4")
def test_the_log_can_be_rebuilt_from_its_tiles(node: Node) -> None:
    for n in range(3):
        node.captured(document(event(n)))
    note = node.client.get("/log/checkpoint")
    assert note.headers["content-type"].startswith("text/plain")
    checkpoint = Checkpoint.parse(Note.decode(note.text).text)
    width = checkpoint.size
    tile = node.client.get(f"/log/tile/0/000.p/{width}").content
    hashes = [tile[at : at + 32] for at in range(0, len(tile), 32)]
    assert root_of(hashes) == checkpoint.root
    entries = node.client.get(f"/log/tile/entries/000.p/{width}").content
    found = []
    while entries:
        size = int.from_bytes(entries[:2], "big")
        found.append(leaf_hash(entries[2 : 2 + size]))
        entries = entries[2 + size :]
    assert found == hashes


@pytest.mark.feature("L4")
def test_a_full_tile_s_address_answers_only_once_the_tile_is_full(
    make_node: Callable[..., Node],
) -> None:
    node = make_node(ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0))
    log = node.stack.ledger.log
    number = 0
    while log.size < 256:
        if log.size == 255:
            assert node.client.get("/log/tile/0/000.p/255").status_code == 200
        for path in ("0/000", "entries/000"):
            answer = node.client.get(f"/log/tile/{path}")
            problem(answer, 404)
            assert answer.headers["cache-control"] == "no-store"
        number += 1
        node.captured(document(event(number)))
    size = log.size
    tile = node.client.get("/log/tile/0/000")
    assert len(tile.content) == 256 * 32
    assert "immutable" in tile.headers["cache-control"]
    part = node.client.get("/log/tile/0/000.p/17")
    assert part.content == tile.content[: 17 * 32]
    assert "immutable" not in part.headers["cache-control"]
    assert "immutable" in node.client.get("/log/tile/entries/000").headers["cache-control"]
    problem(node.client.get(f"/log/tile/0/001.p/{size - 256 + 1}"), 404)
    problem(node.client.get("/log/tile/0/001"), 404)


@pytest.mark.feature("L4")
def test_consistency_is_proved_between_any_two_sizes(node: Node) -> None:
    for n in range(3):
        node.captured(document(event(n)))
    log = node.stack.ledger.log
    size = log.size
    hashes = [leaf_hash(log.entry(index)) for index in range(size)]
    for earlier in range(1, size + 1):
        body = node.client.get(f"/log/consistency?from={earlier}&to={size}").json()
        path = [base64.b64decode(one) for one in body["proof"]]
        verify_consistency(earlier, size, path, root_of(hashes[:earlier]), root_of(hashes))
    assert node.client.get("/log/consistency?from=0&to=0").status_code == 200
    assert root_of([]) == EMPTY_ROOT
    for query in ("from=2&to=1", "from=0&to=999999", "from=x&to=1", "from=0", ""):
        problem(node.client.get(f"/log/consistency?{query}"), 400)


@pytest.mark.feature("L4")
def test_tiles_that_do_not_exist_or_are_misspelled(any_node: Node) -> None:
    problem(any_node.client.get("/log/tile/0/000"), 404)
    problem(any_node.client.get("/log/tile/0/x001/000"), 404)
    problem(any_node.client.get("/log/tile/0/999.p/7"), 404)
    for path in ("0/0", "64/000", "0/000.p/0", "0/000.p/256", "entries/0000", "../../x", "-1/000"):
        assert any_node.client.get(f"/log/tile/{path}").status_code in (400, 404), path


@pytest.mark.feature("N5")
def test_health_and_status_tell_how_the_node_is(node: Node) -> None:
    assert node.client.get("/health").json() == {"status": "ok", "reasons": []}
    node.captured(document(event(1)))
    status = node.client.get("/status").json()
    assert status["head"]["number"] == 1
    assert status["log"]["size"] == node.stack.ledger.log.size
    assert status["projection"] == {"state": "following", "blockNumber": 1, "behind": 0}
    node.stack.projector.stop()
    ill = node.client.get("/health")
    assert ill.status_code == 503
    assert ill.json()["reasons"]


@pytest.mark.feature("A1")
def test_whatever_is_not_there_is_a_problem(any_node: Node) -> None:
    problem(any_node.client.get("/nothing"), 404)
    answer = any_node.client.delete("/events")
    problem(answer, 405)
    assert "GET" in answer.headers["allow"]
    problem(any_node.client.request("PROPFIND", "/status"), 405)


@pytest.mark.feature("A1")
def test_options_and_head_are_answered_everywhere(any_node: Node) -> None:
    answer = any_node.client.options("/capture")
    assert answer.status_code == 204
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert answer.headers["gs1-epcis-version"] == "2.0.0"
    assert int(answer.headers["gs1-epcis-capture-limit"]) > 0
    problem(any_node.client.options("/nothing"), 404)
    head = any_node.client.head("/log/checkpoint")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 0


@pytest.mark.feature("A1")
def test_reading_is_open_to_other_origins_and_writing_is_not(any_node: Node) -> None:
    assert any_node.client.get("/status").headers["access-control-allow-origin"] == "*"
    preflight = any_node.client.options(
        "/capture",
        headers={"Origin": "https://x.example", "Access-Control-Request-Method": "POST"},
    )
    assert "POST" not in preflight.headers["access-control-allow-methods"]


@pytest.mark.feature("A1")
def test_answers_carry_the_headers_that_keep_browsers_safe(any_node: Node) -> None:
    for path in ("/status", "/nothing", "/qr?uri=x"):
        headers = any_node.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert "cross-origin-opener-policy" not in headers
    secure = any_node.client.get("https://testserver/status").headers
    assert secure["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.feature("A1")
def test_one_address_may_not_take_everything(make_node: Callable[..., Node]) -> None:
    node = make_node(ApiSettings(rate_per_address_per_s=0.01, rate_per_address_burst=3))
    answers = [node.client.get("/status") for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    problem(answers[-1], 429)
    assert int(answers[-1].headers["retry-after"]) >= 1


@pytest.mark.feature("A1")
def test_long_addresses_and_headers_are_refused(node: Node) -> None:
    problem(node.client.get("/events?" + "a" * 9000), 414)
    problem(node.client.get("/status", headers={"X-Long": "a" * 40_000}), 431)
    many = [(f"X-{n}", "1") for n in range(200)]
    problem(node.client.get("/status", headers=many), 431)


@pytest.mark.feature("A1")
def test_a_fault_of_the_server_tells_nothing_of_its_inside(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("secret path /etc/passwd")

    monkeypatch.setattr(type(node.stack.projector), "status", lambda _: broken())
    answer = node.client.get("/status")
    body = problem(answer, 500)
    assert "secret" not in answer.text
    assert str(body["instance"]).startswith("urn:uuid:")
