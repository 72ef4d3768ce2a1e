"""Query parameters, page tokens and single events: what is refused, and how it is said."""

from __future__ import annotations

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.traceability.projection.support import World, item, lot, make, object_event
from traceability.query import (
    EventQuery,
    PageTokenInvalid,
    QueryError,
    QueryParameterUnknown,
    QueryParameterUnsupported,
    QueryTooLarge,
    QueryValueInvalid,
    anchorings,
    find_events,
    stored_event,
    stored_events,
)
from traceability.query.paging import decode_token

pytestmark = pytest.mark.feature("T1")


def minutes(world: World, *parameters: tuple[str, str]) -> list[int]:
    with world.read() as connection:
        page = find_events(connection, EventQuery.parse(parameters))
    return [one.event_time.minute for one in page.events]


@pytest.mark.parametrize(
    "name",
    [
        "EQ_bizstep",
        "eventtype",
        "MATCH_EPC",
        "GT_eventTime",
        "EQ_",
        "foo",
        "EQ_bizTransaction_",
        "",
    ],
)
def test_unknown_parameters_are_an_error(name: str) -> None:
    with pytest.raises(QueryParameterUnknown, match="is not a query parameter"):
        EventQuery.parse([(name, "x")])


@pytest.mark.parametrize(
    "name",
    [
        "HASATTR_bizLocation",
        "EQATTR_bizLocation_x",
        "EQ_INNER_example:a",
        "GT_example:amount",
        "EQ_type",
        "GE_value_CEL",
        "EQ_deviceID",
        "EXISTS_sensorElementList",
    ],
)
def test_parameters_of_the_standard_that_are_not_here_say_so(name: str) -> None:
    with pytest.raises(QueryParameterUnsupported, match=r"supported|only"):
        EventQuery.parse([(name, "1")], {"example": "https://ns.example.com/"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EQ_action", "UPDATE"),
        ("eventType", "QuantityEvent"),
        ("GE_eventTime", "yesterday"),
        ("GE_eventTime", "2026-01-01T00:00:00"),
        ("LT_recordTime", ""),
        ("EQ_bizStep", ""),
        ("EQ_bizStep", "shipping|"),
        ("EQ_bizStep", "|".join(str(i) for i in range(101))),
        ("EQ_readPoint", "x" * 2001),
        ("GT_quantity", "many"),
        ("GT_quantity", "nan"),
        ("perPage", "0"),
        ("perPage", "1001"),
        ("perPage", "-1"),
        ("perPage", "٣"),
        ("eventCountLimit", "1e3"),
        ("orderDirection", "ASC"),
        ("EXISTS_errorDeclaration", "maybe"),
        ("EQ_example:undeclared", "x"),
        ("MATCH_epc", "urn:epc:idpat:sgtin:*.1.2"),
        ("MATCH_epc", "urn:epc:idpat:sgtin:9521002.*.7"),
        ("MATCH_epc", "urn:epc:id:sgtin:9521002.000001.*"),
        ("MATCH_anyEPC", "https://id.gs1.org/01/09521002000016/21/*"),
        ("MATCH_parentID", "urn:epc:id:sscc:9521002.*"),
        ("MATCH_epcClass", "urn:epc:class:lgtin:9521002.000001.*"),
        ("MATCH_inputEPC", "https://id.gs1.org/01/09521002000016/21/1|urn:example:*"),
        ("EQ_bizStep", "\ud800"),
    ],
)
def test_bad_values_are_refused_naming_the_parameter(name: str, value: str) -> None:
    with pytest.raises(
        QueryValueInvalid, match=name.split("_")[0] if value.isprintable() else "lone"
    ):
        EventQuery.parse([(name, value)])


def test_a_star_outside_a_pattern_is_told_how_to_write_one() -> None:
    with pytest.raises(QueryValueInvalid, match=r"urn:epc:idpat:.*%2A"):
        EventQuery.parse([("MATCH_epc", "urn:epc:id:sgtin:9521002.000001.*")])


def test_contradictions_and_repetitions_are_refused() -> None:
    with pytest.raises(QueryValueInvalid, match="exclude"):
        EventQuery.parse([("eventCountLimit", "1"), ("maxEventCount", "1")])
    with pytest.raises(QueryValueInvalid, match="twice"):
        EventQuery.parse([("EQ_action", "ADD"), ("EQ_action", "DELETE")])
    with pytest.raises(QueryParameterUnsupported, match="orderBy"):
        EventQuery.parse([("orderBy", "quantity")])
    with pytest.raises(QueryValueInvalid, match="parameters"):
        EventQuery.parse([(f"EQ_source_{number}", "x") for number in range(41)])


@given(st.text(max_size=30), st.text(max_size=60))
def test_any_text_is_a_query_or_a_query_error(name: str, value: str) -> None:
    for start in ("", "EQ_", "MATCH_", "GE_", "EXISTS_"):
        with suppress(QueryError):
            EventQuery.parse([(start + name, value)])
    for name in ("MATCH_epc", "MATCH_anyEPCClass", "EQ_eventID", "WD_readPoint"):
        for lead in ("", "urn:epc:idpat:sgtin:", "https://id.gs1.org/01/"):
            with suppress(QueryError):
                EventQuery.parse([(name, lead + value)])


def test_limits_and_counts(world: World) -> None:
    world.anchor(*[object_event(minute, item(1)) for minute in range(10)])
    assert minutes(world, ("eventCountLimit", "3")) == [0, 1, 2]
    newest = (("orderBy", "eventTime"), ("eventCountLimit", "3"))
    assert minutes(world, *newest) == [9, 8, 7]
    assert len(minutes(world, ("maxEventCount", "10"))) == 10
    with pytest.raises(QueryTooLarge, match="maxEventCount=9"):
        minutes(world, ("maxEventCount", "9"))
    with world.read() as connection:
        first = find_events(connection, EventQuery.parse([*newest, ("perPage", "2")]))
        assert first.next_token is not None
        token = ("nextPageToken", first.next_token)
        second = find_events(connection, EventQuery.parse([*newest, ("perPage", "2"), token]))
    assert [one.event_time.minute for one in second.events] == [7]
    assert second.next_token is None


def test_record_time_is_the_block_time(world: World) -> None:
    world.anchor(object_event(1, item(1)))
    world.anchor(object_event(2, item(1)))
    second = world.chain.blocks[2].logs[0].block_time
    assert second == 1_767_225_602
    moment = "2026-01-01T00:00:02Z"
    assert minutes(world, ("GE_recordTime", moment)) == [2]
    assert minutes(world, ("LT_recordTime", moment)) == [1]


def test_pages_show_what_was_there_when_the_first_was_read(world: World) -> None:
    world.anchor(*[object_event(minute, item(1)) for minute in range(6)])
    asked = [("perPage", "4"), ("orderBy", "eventTime"), ("orderDirection", "ASC")]
    with world.read() as connection:
        first = find_events(connection, EventQuery.parse(asked))
    world.anchor(*[object_event(minute, item(2)) for minute in range(6)])
    token = ("nextPageToken", str(first.next_token))
    with world.read() as connection:
        second = find_events(connection, EventQuery.parse([*asked, token]))
    assert [one.event_time.minute for one in second.events] == [4, 5]
    assert second.next_token is None
    world.projector.rebuild()
    with world.read() as connection:
        assert find_events(connection, EventQuery.parse([*asked, token])) == second


def test_a_token_belongs_to_its_query(world: World) -> None:
    world.anchor(*[object_event(minute, item(1)) for minute in range(6)])
    with world.read() as connection:
        page = find_events(connection, EventQuery.parse([("perPage", "2")]))
        token = ("nextPageToken", str(page.next_token))
        more = find_events(connection, EventQuery.parse([("perPage", "3"), token]))
        assert [one.event_time.minute for one in more.events] == [2, 3, 4]
        with pytest.raises(PageTokenInvalid, match="other parameters"):
            find_events(connection, EventQuery.parse([("EQ_action", "ADD"), token]))


@given(
    st.one_of(
        st.text(max_size=60),
        st.binary(max_size=60).map(lambda data: base64.urlsafe_b64encode(data).decode()),
        st.sampled_from(["W10", "WzEsIjAiXQ", "x" * 500, "WzEsMSwxLDEsMSwxXQ"]),
    )
)
def test_a_made_up_token_is_refused(token: str) -> None:
    with pytest.raises(PageTokenInvalid):
        decode_token(token, "0" * 32)


def test_patterns_match_all_serials_of_a_class_and_all_of_a_company(world: World) -> None:
    world.anchor(
        object_event(1, item(1)),
        object_event(2, item(1, "09521002000092")),
        object_event(3, item(1, "09521001000017")),
        object_event(4, "https://id.gs1.org/00/195210020000000419"),
        object_event(5, "https://id.gs1.org/8004/9521002ABC"),
    )
    assert minutes(world, ("MATCH_epc", "urn:epc:idpat:sgtin:9521002.000001.*")) == [1]
    assert minutes(world, ("MATCH_epc", "urn:epc:idpat:sgtin:9521002.*.*")) == [1, 2]
    assert minutes(world, ("MATCH_epc", "urn:epc:idpat:sscc:9521002.*")) == [4]
    assert minutes(world, ("MATCH_epc", "urn:epc:idpat:giai:9521002.*")) == [5]
    assert minutes(world, ("MATCH_epc", "urn:epc:idpat:sgtin:9521002.000001.1")) == [1]
    both = "urn:epc:idpat:sscc:9521002.*|" + item(1, "09521001000017")
    assert minutes(world, ("MATCH_epc", both)) == [3, 4]


def test_a_star_in_a_serial_is_asked_for_as_escaped(world: World) -> None:
    world.anchor(object_event(1, item("A%2AB")), object_event(2, item("AB")))
    for spelled in (item("A%2AB"), "urn:epc:id:sgtin:9521002.000001.A%2AB"):
        assert minutes(world, ("MATCH_epc", spelled)) == [1]


def test_class_parameters_match_classes_by_either_name(world: World) -> None:
    gtin = "https://id.gs1.org/01/09521002000016"
    of_class = [{"epcClass": "urn:epc:idpat:sgtin:9521002.000001.*", "quantity": 1}]
    world.anchor(
        make("ObjectEvent", 1, action="OBSERVE", epcList=[], quantityList=of_class),
        make("ObjectEvent", 2, action="OBSERVE", epcList=[], quantityList=[{"epcClass": lot("A")}]),
    )
    for name in (gtin, "urn:epc:idpat:sgtin:9521002.000001.*"):
        assert minutes(world, ("MATCH_epcClass", name)) == [1]
    assert minutes(world, ("MATCH_anyEPCClass", f"{gtin}/10/A")) == [2]


def test_extension_fields_are_found_by_their_full_name_whatever_the_prefix(world: World) -> None:
    world.anchor(
        object_event(1, item(1), **{"example:grade": "A"}),
        object_event(2, item(1), **{"example:grade": ["B", "A"]}),
        object_event(3, item(1), **{"example:grade": {"deep": "A"}}),
        object_event(4, item(1), action="ADD", ilmd={"cbvmda:lotNumber": "B7"}),
    )
    namespaces = {"mine": "https://ns.example.com/epcis/"}

    def ask(name: str, value: str = "") -> list[int]:
        with world.read() as connection:
            page = find_events(connection, EventQuery.parse([(name, value)], namespaces))
        return [one.event_time.minute for one in page.events]

    assert ask("EQ_mine:grade", "A") == [1, 2]
    assert ask("EQ_https://ns.example.com/epcis/grade", "B") == [2]
    assert ask("EXISTS_mine:grade") == [1, 2, 3]
    assert ask("EQ_ILMD_cbvmda:lotNumber", "B7") == [4]
    assert ask("EXISTS_ILMD_mine:grade") == []


def test_single_events_and_their_anchorings(world: World) -> None:
    (event,) = world.anchor(object_event(1, item(1)))
    world.anchor(object_event(2, item(1)), object_event(1, item(1)), organisation="carrier")
    error = {"declarationTime": "2026-03-02T00:00:00Z", "reason": "incorrect_data"}
    (taken_back,) = world.anchor(object_event(1, item(1), errorDeclaration=error))
    assert event.event_id == taken_back.event_id
    with world.read() as connection:
        found = stored_event(connection, event.event_id)
        assert found is not None
        assert (found.digest, found.body) == (event.digest, event.canonical_bytes)
        assert (found.organisation, found.batch_index, found.batch_count) == ("farm", 0, 1)
        both = stored_events(connection, event.event_id)
        assert [one.digest for one in both] == [event.digest, taken_back.digest]
        assert stored_event(connection, event.event_id, taken_back.digest) == both[1]
        assert stored_event(connection, event.event_id, "0" * 64) is None
        for wrong in ("", "urn:uuid:1", event.event_id + "0", event.event_id.replace("2.0", "2.1")):
            assert stored_event(connection, wrong) is None
        times = anchorings(connection, event.event_id, event.digest)
        assert [(one.organisation, one.batch_index) for one in times] == [
            ("farm", 0),
            ("carrier", 1),
        ]
        assert anchorings(connection, event.event_id, "0" * 64) == ()
        by_id = find_events(connection, EventQuery.parse([("EQ_eventID", event.event_id)]))
        assert [one.digest for one in by_id.events] == [event.digest, taken_back.digest]
        erroneous = find_events(connection, EventQuery.parse([("EXISTS_errorDeclaration", "")]))
        assert [one.digest for one in erroneous.events] == [taken_back.digest]
