# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may ask what over the control socket, and in which language."""

import json
import os
import shutil
import socket
import time

import pytest

import agent as ag
from trees import DAY, make_file, names

NOBODY = 65534
READS = ("status", "metrics", "dashboard", "alerts", "history", "du")
CHANGES = (("cleanup", "feeds"), ("reload",), ("reconcile",), ("panic",))


def as_stranger(agent, *arguments, groups="--clear-groups", gid=NOBODY):
    return ag.run("setpriv", f"--reuid={NOBODY}", f"--regid={gid}", groups,
                  ag.ULLAGECTL, "--socket", agent.host.socket, *arguments,
                  check=False)


@pytest.fixture
def reachable(host, root_only):
    """An agent, and an ullagectl that anyone can run."""
    probe = ag.run("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}",
                   "--clear-groups", ag.ULLAGECTL, "--version", check=False)
    copied = None
    if probe.returncode == 126 or "denied" in probe.stderr:
        copied = ag.ULLAGECTL
        ag.ULLAGECTL = shutil.copy(copied, host.dir / "ullagectl")
    host.config({"group": "daemon", "admins": ["games"]},
                ag.policy("feeds", owners=["*"], strategy="time"))
    make_file(host.place("temp", "feeds") / "old", 5000, 2 * DAY)
    yield host.start()
    if copied:
        ag.ULLAGECTL = copied


def test_strangers_learn_and_change_nothing(reachable):
    for command in [(r,) for r in READS] + list(CHANGES):
        done = as_stranger(reachable, *command)
        assert done.returncode == 1 and not done.stdout, (command, done)
    assert names(reachable.host.place("temp", "feeds")) == {"old"}


def test_the_group_reads_only(reachable):
    import grp
    gid = grp.getgrnam("daemon").gr_gid
    for command in READS:
        done = as_stranger(reachable, command, gid=gid)
        assert done.returncode == 0, (command, done)
        done = as_stranger(reachable, command, groups=f"--groups={gid}")
        assert done.returncode == 0, (command, done)
    for command in CHANGES:
        assert as_stranger(reachable, *command, gid=gid).returncode == 1
    assert names(reachable.host.place("temp", "feeds")) == {"old"}


def test_admins_change(reachable):
    import pwd
    uid = pwd.getpwnam("games").pw_uid
    done = ag.run("setpriv", f"--reuid={uid}", f"--regid={NOBODY}",
                  "--clear-groups", ag.ULLAGECTL, "--socket",
                  reachable.host.socket, "cleanup", "feeds", "--force")
    assert done.returncode == 0
    assert not names(reachable.host.place("temp", "feeds"))


class Line:
    """The socket as another program sees it."""

    def __init__(self, agent):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(5 * ag.SLOW)
        self.socket.connect(str(agent.host.socket))
        self.rest = b""

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes)
                            else json.dumps(data).encode() + b"\0")

    def receive(self):
        while b"\0" not in self.rest:
            got = self.socket.recv(65536)
            if not got:
                return None
            self.rest += got
        frame, self.rest = self.rest.split(b"\0", 1)
        return json.loads(frame)

    def call(self, method, **more):
        self.send(dict({"method": method}, **more))
        return self.receive()


@pytest.fixture
def line(host):
    host.config({}, ag.policy("feeds", owners=["*"]))
    return Line(host.start())


def test_introspection(line):
    info = line.call("org.varlink.service.GetInfo")["parameters"]
    assert "io.ullage.Agent" in info["interfaces"]
    assert info["version"] and info["vendor"] and info["product"]
    text = line.call("org.varlink.service.GetInterfaceDescription",
                     parameters={"interface": "io.ullage.Agent"})
    assert "method GetStatus(" in text["parameters"]["description"]


@pytest.mark.parametrize("call", [{}, {"parameters": None},
                                  {"parameters": {}}])
def test_parameters_may_be_missing(line, call):
    got = line.call("io.ullage.Agent.GetStatus", **call)
    assert got["parameters"]["components"]


@pytest.mark.parametrize("call, error", [
    ({"method": "io.ullage.Agent.NoSuch"},
     "org.varlink.service.MethodNotFound"),
    ({"method": "no.such.Interface"},
     "org.varlink.service.InterfaceNotFound"),
    ({"method": "io.ullage.Agent.Cleanup", "parameters": {"component": 7}},
     "org.varlink.service.InvalidParameter"),
    ({"method": "io.ullage.Agent.Cleanup"},
     "org.varlink.service.InvalidParameter"),
    ({"method": "io.ullage.Agent.Why", "parameters": {"path": "/x",
                                                      "paht": 1}},
     "org.varlink.service.InvalidParameter"),
    ({"method": "io.ullage.Agent.Plan", "parameters": {"component": "nope"}},
     "io.ullage.Agent.NotFound"),
])
def test_errors(line, call, error):
    line.send(call)
    assert line.receive()["error"] == error


def test_pipelined_calls_and_oneway(line):
    for _ in range(3):
        line.send({"method": "io.ullage.Agent.GetStatus"})
    line.send({"method": "io.ullage.Agent.GetStatus", "oneway": True})
    line.send({"method": "io.ullage.Agent.GetMetrics"})
    got = [line.receive() for _ in range(4)]
    assert "counters" in got[3]["parameters"]


@pytest.mark.parametrize("data", [b"\0", b"{\0", b"[]\0", b"x" * 70000 + b"\0",
                                  b"[" * 50000 + b"\0", b'{"method":1}\0',
                                  b"\xff\xfe\0", b'{"method":"a"}x\0'])
def test_garbage_ends_only_its_own_line(line, host, data):
    other = Line(host.agents[0])
    line.send(data)
    try:
        got = line.receive()
        assert got is None or "error" in got
    except (ConnectionError, socket.timeout):
        pass
    assert other.call("io.ullage.Agent.GetStatus")["parameters"]


def test_slow_and_many_clients(host, line):
    """Slow, silent and too many clients cost nobody else his answer."""
    agent = host.agents[0]
    lines = []
    try:
        for _ in range(80):
            try:
                lines.append(Line(agent))
                lines[-1].send(b'{"meth')
            except OSError:
                break
        deadline = time.monotonic() + 15 * ag.SLOW
        while True:
            done = agent.ctl("status", check=False)
            if done.returncode == 0:
                break
            assert time.monotonic() < deadline, done
            time.sleep(0.5)
    finally:
        for one in lines:
            one.socket.close()
    assert agent.ctl("status").returncode == 0


def test_client_that_leaves_in_the_middle(host):
    host.config({}, ag.policy("feeds", owners=["*"]))
    agent = host.start()
    for _ in range(50):
        one = Line(agent)
        try:
            one.send({"method": "io.ullage.Agent.Subscribe", "more": True})
            one.send({"method": "io.ullage.Agent.Cleanup",
                      "parameters": {"component": "feeds"}})
        except OSError:
            pass  # too many at once is an answer as well
        one.socket.close()
    ag.wait_for("an answer", lambda: agent.status(check=False), 3)


def test_exit_codes(host):
    host.config({}, ag.policy("feeds", owners=["*"], minAge="10min"))
    agent = host.start()
    assert agent.ctl("no-such-verb", check=False).returncode == 2
    assert agent.ctl("status", "--no-such", check=False).returncode == 2
    assert agent.ctl("status", "no_such", check=False).returncode == 1
    assert agent.ctl("--help").stdout
    assert agent.ctl("--version").stdout.startswith("ullagectl")
    away = ag.run(ag.ULLAGECTL, "--socket", host.dir / "none", "status",
                  check=False)
    assert away.returncode == 1 and away.stderr and not away.stdout


def test_tables_are_plain_without_a_terminal(host):
    host.config({}, ag.policy("feeds", owners=["*"]))
    agent = host.start()
    for verb in ("status", "metrics", "dashboard", "du", "alerts", "history",
                 "largest", "oldest", "growth", "held"):
        done = agent.ctl(verb)
        assert "\x1b" not in done.stdout + done.stderr, verb
        assert os.linesep in done.stdout or verb in ("alerts", "history",
                                                     "largest", "oldest", "growth", "held")
    assert "feeds" in agent.ctl("status").stdout
