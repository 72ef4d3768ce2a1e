"""When the engine is made to dial its peers anew."""

from __future__ import annotations

import pytest

from ledger.chain import NodeEntry
from ledger.consensus.cometbft.reach import REDIAL_S, Reach

pytestmark = pytest.mark.feature("N1")

IDS = [bytes([index]) * 20 for index in range(5)]
NODES = [NodeEntry(one, "acme", True, 1, b"k" * 32) for one in IDS[:4]]


class Scene:
    def __init__(self, own: int = 0, nodes: list[NodeEntry] = NODES) -> None:
        self.now = 0.0
        self.reach = Reach(lambda: self.now)
        self.own = IDS[own]
        self.nodes = nodes

    def after(
        self, seconds: float, connected: list[int], height: int = 7, wanted: list[int] | None = None
    ) -> bool:
        self.now += seconds
        return self.reach.redial_due(
            self.own,
            {IDS[index] for index in connected},
            [IDS[index] for index in (wanted if wanted is not None else range(4))],
            self.nodes,
            height,
        )


def test_with_more_than_two_thirds_nothing_is_dialled_anew() -> None:
    scene = Scene()
    assert not any(scene.after(REDIAL_S, [1, 2]) for _ in range(5))


def test_with_too_few_it_is_due_after_a_while_and_again_after_that() -> None:
    scene = Scene()
    due = [scene.after(REDIAL_S / 3, [1]) for _ in range(12)]
    assert due == [False, False, False, False, True] + [False, False, False, True] + [False] * 3


def test_a_height_that_passes_begins_the_wait_anew() -> None:
    scene = Scene()
    assert not any(scene.after(REDIAL_S, [1], height) for height in range(5))


def test_who_was_reached_meanwhile_begins_the_wait_anew() -> None:
    scene = Scene()
    scene.after(0, [1])
    scene.after(REDIAL_S - 1, [1])
    assert not scene.after(0, [1, 2])
    assert not scene.after(REDIAL_S - 1, [1])


def test_where_all_that_are_dialled_are_connected_there_is_nothing_to_do() -> None:
    scene = Scene()
    assert not any(scene.after(REDIAL_S, [1], wanted=[0, 1]) for _ in range(5))


def test_a_node_without_a_vote_needs_one_peer() -> None:
    scene = Scene(own=4)
    assert not any(scene.after(REDIAL_S, [1]) for _ in range(5))
    scene.after(0, [])
    assert scene.after(REDIAL_S, [])


def test_inactive_nodes_are_not_missed() -> None:
    nodes = [*NODES[:1], *(NodeEntry(one, "acme", False, 0, None) for one in IDS[1:4])]
    scene = Scene(nodes=nodes)
    assert not any(scene.after(REDIAL_S, []) for _ in range(5))
