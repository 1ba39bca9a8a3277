# SPDX-License-Identifier: GPL-2.0-or-later
"""The control socket says what its description says, to any client."""

import subprocess
from pathlib import Path

import pytest

import agent as ag
from idl import Interface
from trees import DAY, make_file
from varlink import Client, VarlinkError

DESCRIPTION = (ag.TOP / "agent/proto/io.ullage.Agent.varlink").read_text()
INTERFACE = Interface(DESCRIPTION)


@pytest.fixture
def agent(host):
    host.config({}, ag.policy("feeds", owners=["*"], strategy="adaptive",
                              compression=True, trash="1h"),
                ag.policy("other", owners=["*"], strategy="time"))
    for kind in ("temp", "data"):
        for number in range(5):
            make_file(host.place(kind, "feeds") / f"f{number}", 5000,
                      (2 + 100 * number) * DAY)
    make_file(host.place("logs", "feeds") / "odd\n\u202e\x1bname", 5000, 1)
    return host.start()


def calls(agent):
    """Every method of the interface, once at least."""
    odd = str(agent.host.place("logs", "feeds")) + "/odd\\x0a"
    data = str(agent.host.place("data", "feeds"))
    trashed = data + "/f4"
    return [
        ("GetStatus", {}), ("GetStatus", {"component": "feeds"}),
        ("GetMetrics", {}), ("GetDashboard", {}),
        ("Plan", {"component": "feeds"}),
        ("Plan", {"component": "feeds", "strategy": "size", "target": "0%"}),
        ("Cleanup", {"component": "feeds", "dryRun": True}),
        ("Cleanup", {"component": "feeds"}),
        ("Cleanup", {"component": "feeds", "force": True, "target": "1kB",
                     "strategy": "lru"}),
        ("Why", {"path": data + "/f0"}), ("Why", {"path": data + "/none"}),
        ("Why", {"path": "/etc/passwd"}), ("Why", {"path": odd}),
        ("Du", {}), ("Du", {"path": data}),
        ("Largest", {}), ("Largest", {"component": "feeds", "limit": 2}),
        ("Oldest", {}), ("Oldest", {"component": None, "limit": None}),
        ("GetHeld", {}), ("GetGrowth", {}), ("GetGrowth", {"component": "feeds"}),
        ("GetAlerts", {}), ("GetHistory", {}),
        ("GetHistory", {"component": "feeds", "limit": 1}),
        ("CheckConfig", {}), ("ShowConfig", {}),
        ("ShowConfig", {"component": "feeds"}),
        ("GetSchema", {"kind": "config"}), ("GetSchema", {"kind": "policy"}),
        ("Reload", {}), ("Reconcile", {}),
        ("Reconcile", {"component": "feeds"}),
        ("SetPanic", {"on": True}), ("GetStatus", {}),
        ("SetPanic", {"on": False}), ("CheckIndex", {}),
        ("CheckIndex", {"component": "feeds"}),
        ("ListTrash", {}), ("ListTrash", {"component": "feeds", "limit": 1}),
        ("Why", {"path": trashed}), ("RestoreTrash", {"target": trashed}),
        ("EmptyTrash", {"component": "feeds", "dryRun": True}),
        ("EmptyTrash", {"force": True}),
    ]


def test_description_is_the_file(agent):
    with Client(agent.host.socket) as client:
        got = client.call("org.varlink.service.GetInterfaceDescription",
                          interface="io.ullage.Agent")
        assert got["description"] == DESCRIPTION
        info = client.call("org.varlink.service.GetInfo")
        assert "io.ullage.Agent" in info["interfaces"]


def test_every_method_answers_as_described(agent):
    asked = set()
    faults = []
    with Client(agent.host.socket) as client:
        for method, parameters in calls(agent):
            asked.add(method)
            try:
                INTERFACE.check_reply(method,
                                      client.call(method, **parameters))
            except (AssertionError, VarlinkError) as error:
                faults.append(f"{method}({parameters}): {error}")
    assert not faults, "\n".join(faults)
    assert asked == set(INTERFACE.methods) - {"Subscribe"}


def test_events_are_as_described(agent):
    """An alert and a cleanup while somebody listens."""
    host = agent.host
    kinds = {}
    with Client(host.socket) as client:
        client.send("Subscribe", more=True)
        make_file(host.place("temp", "feeds") / "big", 98 * ag.MIB, 2 * DAY)
        while not {"alert", "cleanup"} <= set(kinds):
            got, goes_on = client.receive()
            assert goes_on
            INTERFACE.check_reply("Subscribe", got)
            kinds[got["event"]["kind"]] = got["event"]
    assert kinds["alert"]["alert"]["component"] == "feeds"
    with Client(host.socket) as client:
        client.send("Subscribe")
        with pytest.raises(VarlinkError, match="ExpectedMore"):
            client.receive()


def test_progress_comes_before_the_result(agent):
    with Client(agent.host.socket) as client:
        client.send("Cleanup", {"component": "feeds"}, more=True)
        goes_on = True
        while goes_on:
            got, goes_on = client.receive()
            INTERFACE.check_reply("Cleanup", got)
            assert ("progress" in got) == goes_on
        assert got["component"] == "feeds"


REFUSED = [
    ("GetStatus", {"component": "none"}, "NotFound"),
    ("Cleanup", {"component": "none"}, "NotFound"),
    ("Cleanup", {}, "InvalidParameter"),
    ("Cleanup", {"component": 3}, "InvalidParameter"),
    ("Cleanup", {"component": "feeds", "force": "yes"}, "InvalidParameter"),
    ("Cleanup", {"component": "feeds", "dryRun": "true"}, "InvalidParameter"),
    ("Cleanup", {"component": "feeds", "dryrun": True}, "InvalidParameter"),
    ("Cleanup", {"component": "feeds", "strategy": "magic"}, "InvalidValue"),
    ("Cleanup", {"component": "feeds", "target": "lots"}, "InvalidValue"),
    ("Cleanup", {"component": "feeds", "target": "-1"}, "InvalidValue"),
    ("Plan", {"component": "none"}, "NotFound"),
    ("Why", {}, "InvalidParameter"),
    ("Du", {"path": "/nowhere"}, "NotFound"),
    ("Largest", {"component": "none"}, "NotFound"),
    ("GetHistory", {"component": "none"}, "NotFound"),
    ("ShowConfig", {"component": "none"}, "NotFound"),
    ("GetSchema", {"kind": "x"}, "InvalidParameter"),
    ("Reconcile", {"component": "none"}, "NotFound"),
    ("SetPanic", {}, "InvalidParameter"),
    ("CheckIndex", {"component": "none"}, "NotFound"),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_is_wrong_is_refused(agent, number):
    method, parameters, wanted = REFUSED[number]
    with Client(agent.host.socket) as client:
        with pytest.raises(VarlinkError) as error:
            client.call(method, **parameters)
        interface, name = error.value.name.rsplit(".", 1)
        assert name == wanted, error.value
        if interface == INTERFACE.name:
            INTERFACE.check_error(name, error.value.parameters)
        # The connection goes on.
        client.call("GetAlerts")


def test_varlinkctl(agent, tmp_path_factory):
    """systemd's own client introspects and calls."""
    cache = Path("/var/tmp/ullage-varlinkctl")
    script = Path(__file__).with_name("varlinkctl.sh")
    done = subprocess.run([script, "check", cache, agent.host.socket],
                          capture_output=True, text=True, timeout=300)
    if done.returncode == 77:
        pytest.skip("varlinkctl cannot be fetched: " + done.stderr[-200:])
    assert done.returncode == 0, done.stdout + done.stderr
