"""A bank that leads the training as well."""

from __future__ import annotations

import threading

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation.channel import (
    ChannelMisused,
    Message,
    MessageUnexpected,
    PartySilent,
    local_channels,
)
from federation.horizontal import (
    Cutting,
    ScorecardAlgorithm,
    ScorecardSettings,
    both_roles,
    fit_as_bank,
    fit_as_server,
)
from federation.masking import Group, GroupRefused

pytestmark = pytest.mark.feature("D3")


def test_one_of_the_banks_leads_and_all_get_the_model_of_an_outside_server(
    consortium, fields, rows, deal
):
    algorithm = ScorecardAlgorithm(ScorecardSettings(fields, Cutting(bins=4, cells=16, parts=4)))
    parts = deal(*rows(800), 4)
    outside = consortium(parts=parts, threshold=3).train(algorithm).training.model
    names = [f"bank-{number}" for number in range(4)]
    keys = {name: Ed25519PrivateKey.generate() for name in names}
    public = {name: key.public_key().public_bytes_raw() for name, key in keys.items()}
    with pytest.raises(GroupRefused):
        Group("bank-0", {name: public[name] for name in names[:2]}, 2)
    group = Group.of("bank-0", public)
    channels = local_channels("0x0b", names, timeout_s=10)
    lead, own = both_roles(channels["bank-0"], timeout_s=10)
    out = {}

    def bank(name, channel, part):
        out[name] = fit_as_bank(channel, group, keys[name], algorithm, *part)

    ways = [own, *(channels[name] for name in names[1:])]
    jobs = zip(names, ways, parts, strict=True)
    threads = [threading.Thread(target=bank, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    model = fit_as_server(lead, group, algorithm).model
    for thread in threads:
        thread.join(timeout=30)
    assert model == outside
    assert {part.model.to_json() for part in out.values()} == {model.to_json()}


def test_the_roles_speak_with_whom_they_may():
    channels = local_channels("0x0b", ("a", "b"), timeout_s=0.05)
    lead, own = both_roles(channels["a"], timeout_s=0.05)
    assert lead.others == {"a", "b"}
    assert own.others == {"a"}
    own.send("a", Message("x/one", {"n": 1}))
    assert lead.receive("a", "x/one") == Message("x/one", {"n": 1}, "a")
    own.send("a", Message("x/one"))
    with pytest.raises(MessageUnexpected):
        lead.receive("a", "x/two")
    with pytest.raises(PartySilent):
        own.receive("a", "x/one")
    for act in (lambda: own.send("b", Message("x/one")), lambda: own.receive("b", "x/one")):
        with pytest.raises(ChannelMisused, match="server only"):
            act()
    lead.send("b", Message("x/one"))
    assert channels["b"].receive("a", "x/one").party == "a"
    own.close()
    lead.send("b", Message("x/one"))
    lead.close()
