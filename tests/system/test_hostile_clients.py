# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of the control socket that mean no good, all at once, against the
whole agent: it answers others meanwhile, keeps few descriptors and little
memory for them, and has lost nothing of its index when they are gone."""

import array
import errno
import json
import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

import agent as ag
from trees import DAY, assert_equal, make_file

NOBODY = 65534
STATUS = b'{"method":"io.ullage.Agent.GetStatus"}\0'
LONG = 5.0 * ag.SLOW  # no answer to a well-behaved client takes longer

FRAMES = {
    "empty": b"\0",
    "no JSON": b"hello\0",
    "no object": b"[1,2,3]\0",
    "deep": b"[" * 30000 + b"\0",
    "deep objects": b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"\0",
    "deep parameters": b'{"method":"io.ullage.Agent.Why","parameters":'
                       b'{"path":' + b"[" * 5000 + b"]" * 5000 + b"}}\0",
    "twice": b'{"method":"io.ullage.Agent.Why",'
             b'"method":"io.ullage.Agent.SetPanic"}\0',
    "twice inside": b'{"method":"io.ullage.Agent.SetPanic",'
                    b'"parameters":{"on":false,"on":true}}\0',
    "NaN": b'{"method":"io.ullage.Agent.Largest","parameters":{"limit":NaN}}\0',
    "infinite": b'{"method":"io.ullage.Agent.Largest",'
                b'"parameters":{"limit":1e999}}\0',
    "no number": b'{"method":"io.ullage.Agent.Largest",'
                 b'"parameters":{"limit":-9223372036854775809}}\0',
    "invalid UTF-8": b'{"method":"io.ullage.Agent.Why",'
                     b'"parameters":{"path":"/\xff\xc0\x80\xed\xa0\x80"}}\0',
    "surrogate": b'{"method":"io.ullage.Agent.Why",'
                 b'"parameters":{"path":"/\\ud800"}}\0',
    "NUL in a string": b'{"method":"io.ullage.Agent.Why",'
                       b'"parameters":{"path":"/a\\u0000b"}}\0',
    "long": b'{"method":"io.ullage.Agent.Why","parameters":{"path":"/'
            + b"a" * 60000 + b'"}}\0',
    "long method": b'{"method":"' + b"a." * 20000 + b'b"}\0',
    "comments": b'/* */{"method":"io.ullage.Agent.SetPanic",'
                b'"parameters":{"on":true}}\0',
    "garbage behind": b'{"method":"io.ullage.Agent.SetPanic",'
                      b'"parameters":{"on":true}} x\0',
    "wrong types": b'{"method":"io.ullage.Agent.SetPanic",'
                   b'"parameters":{"on":"true"}}\0',
    "array of parameters": b'{"method":"io.ullage.Agent.SetPanic",'
                           b'"parameters":[true]}\0',
    "upgrade": b'{"method":"io.ullage.Agent.GetStatus","upgrade":true}\0',
}


def connect(agent, timeout=LONG):
    one = socket.socket(socket.AF_UNIX)
    one.settimeout(timeout)
    one.connect(str(agent.host.socket))
    return one


def answer(one):
    """All frames until it is silent or gone."""
    got = b""
    try:
        while not got.endswith(b"\0"):
            piece = one.recv(65536)
            if not piece:
                break
            got += piece
    except ConnectionResetError:
        pass
    return [json.loads(frame) for frame in got.split(b"\0") if frame]


@pytest.fixture
def agent(host):
    host.config({"group": "daemon"},
                ag.policy("feeds", owners=["*"], strategy="time"))
    for number in range(20):
        make_file(host.place("temp", "feeds") / f"f{number}", 5000, 2 * DAY)
    return host.start()


def pid_of(agent):
    return agent.status()["agent"]["pid"]


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory(pid):
    line = next(line for line in Path(f"/proc/{pid}/status").read_text()
                .splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def assert_unharmed(agent, pid):
    began = time.monotonic()
    assert pid_of(agent) == pid, "the agent was replaced"
    assert time.monotonic() - began < LONG
    assert not agent.status()["agent"]["panic"]


@pytest.mark.parametrize("name", FRAMES)
def test_frame(agent, name):
    """Refused or hung up on, never obeyed, and not the last of its client's
    if it was a call at all."""
    pid = pid_of(agent)
    one = connect(agent)
    try:
        one.sendall(FRAMES[name])
    except (BrokenPipeError, ConnectionResetError):
        pass
    for reply in answer(one):
        assert reply.get("error") or name in ("long", "surrogate",
                                              "NUL in a string"), reply
    assert_unharmed(agent, pid)


def test_every_prefix_of_a_call(agent):
    """A client that goes away in the middle of a call, anywhere in it."""
    pid = pid_of(agent)
    call = (b'{"method":"io.ullage.Agent.SetPanic",'
            b'"parameters":{"on":true}}\0')
    for length in range(len(call)):
        one = connect(agent)
        one.sendall(call[:length])
        one.close()
    assert_unharmed(agent, pid)


class Crowd:
    """Clients of every kind that gives no peace."""

    def __init__(self, agent):
        self.agent = agent
        self.open = []

    def join(self):
        one = connect(self.agent)
        one.setblocking(False)
        self.open.append(one)
        return one

    def send(self, one, data):
        try:
            return one.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            assert error.errno in (errno.EPIPE, errno.ECONNRESET)
            return 0

    def come(self):
        self.silent = [self.join() for _ in range(10)]
        self.slow = [self.join() for _ in range(5)]
        self.deaf = [self.join() for _ in range(5)]
        self.huge = [self.join() for _ in range(3)]
        for one in self.deaf:
            self.send(one, STATUS * 500)
        subscriber = self.join()
        self.send(subscriber, b'{"method":"io.ullage.Agent.Subscribe",'
                              b'"more":true}\0')
        half = self.join()
        self.send(half, STATUS)
        half.shutdown(socket.SHUT_WR)
        oneway = self.join()
        self.send(oneway, b'{"method":"io.ullage.Agent.GetDashboard",'
                          b'"oneway":true}\0' * 500)
        self.pass_descriptors()

    def pass_descriptors(self):
        pipe = os.pipe()
        fds = array.array("i", pipe * 100)
        for data in (STATUS, b"{", b"\0"):
            one = self.join()
            one.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        for fd in pipe:
            os.close(fd)

    def annoy(self, turn):
        for one in self.slow:
            self.send(one, STATUS[turn % len(STATUS):][:1])
        for one in self.huge:
            self.send(one, b"x" * 65536)
        for one in self.deaf:
            self.send(one, STATUS)

    def leave(self):
        for one in self.open:
            one.close()


def test_a_crowd(agent):
    pid = pid_of(agent)
    before, used = descriptors(pid), memory(pid)
    crowd = Crowd(agent)
    longest = 0.0
    crowd.come()
    for turn in range(40):
        crowd.annoy(turn)
        began = time.monotonic()
        assert pid_of(agent) == pid
        longest = max(longest, time.monotonic() - began)
        time.sleep(0.02)
    assert descriptors(pid) < before + 80
    assert memory(pid) < used + 64 * ag.MIB * ag.SLOW
    print(f"crowd: longest answer {longest:.3f} s, "
          f"{(memory(pid) - used) / ag.MIB:.1f} MiB more")
    assert longest < LONG
    make_file(agent.host.place("temp", "feeds") / "meanwhile", 5000)
    assert_equal(agent)
    crowd.leave()
    ag.wait_for("their places are free", lambda: descriptors(pid)
                <= before + 2)
    assert agent.json("cleanup", "feeds", "--force")["files"] == 20
    assert_unharmed(agent, pid)


# Run by a user who may not even read: opens as many connections as he can,
# says things on them, and tells when he has.
STRANGER = r"""
import os, socket, sys, time
path, say = sys.argv[1], sys.argv[2].encode()
if say.endswith(b"}"):
    say += b"\0"
keep = []
end = time.monotonic() + float(sys.argv[3])
turned = 0
while time.monotonic() < end:
    one = socket.socket(socket.AF_UNIX)
    one.setblocking(False)
    try:
        one.connect(path)
        one.send(say)
    except BlockingIOError:
        turned += 1
        time.sleep(0.001)
    except OSError:
        turned += 1
    keep.append(one)
    if len(keep) > 900:
        for old in keep[:500]:
            old.close()
        del keep[:500]
print(len(keep), turned)
"""


@pytest.mark.parametrize("said", ["", "{", '{"method":"io.ullage.Agent.'
                                           'SetPanic","parameters":'
                                           '{"on":true}}'],
                         ids=["silent", "half", "call"])
def test_thousands_of_strangers(agent, root_only, said):
    pid = pid_of(agent)
    before = descriptors(pid)
    stranger = subprocess.Popen(
        ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}",
         "--clear-groups", "/usr/bin/python3", "-c", STRANGER,
         str(agent.host.socket), said, "1.5"], stdout=subprocess.PIPE)
    longest, answers = 0.0, 0
    while stranger.poll() is None:
        began = time.monotonic()
        assert pid_of(agent) == pid
        longest = max(longest, time.monotonic() - began)
        answers += 1
        assert descriptors(pid) < before + 80
    print(f"strangers: {stranger.stdout.read().split()[0].decode()} open, "
          f"{answers} answers to root meanwhile, longest {longest:.3f} s")
    assert longest < LONG and answers >= 3
    stranger.wait()
    assert_unharmed(agent, pid)


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_without_descriptors(host):
    """A limit that its clients can reach: no turn is spent on it for nothing,
    and all is well when they have gone."""
    host.config({}, ag.policy("feeds", owners=["*"], strategy="time"))
    make_file(host.place("temp", "feeds") / "old", 5000, 2 * DAY)
    agent = host.start(wrap=["prlimit", "--nofile=48:48"])
    pid = pid_of(agent)
    clients = []
    for _ in range(60):
        one = socket.socket(socket.AF_UNIX)
        one.setblocking(False)
        try:
            one.connect(str(host.socket))
        except BlockingIOError:
            break
        clients.append(one)
    began = cpu_seconds(pid), time.monotonic()
    time.sleep(1.5)
    spent = cpu_seconds(pid) - began[0]
    assert spent / (time.monotonic() - began[1]) < 0.25, spent
    for one in clients:
        one.close()
    ag.wait_for("an answer", lambda: agent.status(check=False), 20)
    assert pid_of(agent) == pid
    make_file(host.place("temp", "feeds") / "new", 5000)
    assert_equal(agent)
    assert agent.json("cleanup", "feeds", "--force")["files"] == 1


def test_a_reader_that_reads_a_byte_a_second(agent):
    """Its answer has a total deadline; others are not held up by it."""
    pid = pid_of(agent)
    one = connect(agent)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    for _ in range(200):
        try:
            one.send(STATUS, socket.MSG_DONTWAIT)
        except BlockingIOError:
            break
    for _ in range(3):
        one.recv(1)
        began = time.monotonic()
        assert pid_of(agent) == pid
        assert time.monotonic() - began < LONG
        time.sleep(0.3)
    one.close()
    assert_unharmed(agent, pid)


@pytest.mark.parametrize("made_by", ["the agent", "tmpfiles"])
def test_readers_cannot_write_to_the_state(host, root_only, made_by):
    """The directory of the state lets the agent's user in, but not everybody
    who is in its group, as those are who may read over the socket: a file
    called panic would stop every deletion, and one called state.json would
    keep the agent from ever saving it."""
    import grp
    daemon = grp.getgrnam("daemon").gr_gid
    where = host.dir / "state"
    where.rmdir()
    if made_by == "tmpfiles":  # as packaging/systemd/ullage.tmpfiles says
        where.mkdir()
        os.chown(where, 0, daemon)
        where.chmod(0o1770)
    host.config({"user": "daemon", "group": "daemon"},
                ag.policy("feeds", owners=["*"], strategy="time"))
    make_file(host.place("temp", "feeds") / "old", 5000, 2 * DAY)
    agent = host.start()

    def as_member(*command):
        return ag.run("setpriv", f"--reuid={NOBODY}", f"--regid={daemon}",
                      "--clear-groups", *command, check=False).returncode
    assert as_member("test", "-x", where) == 0, "cannot even try"
    for name in ("panic", "state.json", "state.json.new", "audit.log.new"):
        assert as_member("touch", where / name) != 0, name
        assert as_member("mkdir", where / name) != 0, name
    assert as_member("mv", where / "audit.log", where / "gone") != 0
    assert as_member("rm", "-f", where / "ullaged.lock") != 0
    assert agent.json("cleanup", "feeds", "--force")["files"] == 1
    agent.ctl("panic")
    assert (where / "panic").exists()
    agent.ctl("panic", "--release")
    before = agent.history()
    assert agent.stop() == 0
    assert os.stat(where / "state.json").st_uid == 1  # daemon's own
    assert host.start().history() == before
