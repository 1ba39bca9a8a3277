# SPDX-License-Identifier: GPL-2.0-or-later
"""What lies where the agent reads its configuration, its state and its hooks,
put there by a typo or by somebody else: it is refused by name, soon, and
what was in force before stays in force."""

import json
import os
import random
import re
import socket
import time
from pathlib import Path

import pytest

import agent as ag
from trees import DAY, assert_equal, make_file

NOBODY = 65534
KEYS = dict(owners=["*"], strategy="time")
SOON = 10 * ag.SLOW  # nothing of all this takes longer
GOOD = json.dumps(ag.policy("bad", mode="observe")).encode()


def write(data):
    return lambda path: path.write_bytes(data)


def sparse(size):
    def make(path):
        with open(path, "wb") as file:
            file.truncate(size)
    return make


def link_to(target):
    return lambda path: path.symlink_to(target)


def link_to_pipe(path):
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


def device(number):
    return lambda path: os.mknod(path, 0o020644, number)


def with_mode(mode, owner=0):
    def make(path):
        path.write_bytes(GOOD)
        os.chown(path, owner, owner)
        path.chmod(mode)
    return make


def listen(path):
    socket.socket(socket.AF_UNIX).bind(str(path))


# what lies there as bad.json; a set: these are as good as no file
FILES = {
    "huge": sparse(1 << 30),
    "a megabyte of brackets": write(b"[" * (1 << 20)),
    "a megabyte of a string": write(b'{"component":"' + b"a" * 900000 + b'"}'),
    "deep": write(b'{"a":' * 5000 + b"1" + b"}" * 5000),
    "fifo": os.mkfifo,
    "socket": listen,
    "directory": Path.mkdir,
    "zeros": device(os.makedev(1, 5)),
    "random": device(os.makedev(1, 9)),
    "terminal": device(os.makedev(5, 0)),
    "dangling": link_to("/nonexistent/policy"),
    "loop": link_to("bad.json"),
    "link to zeros": link_to("/dev/zero"),
    "link to a secret": link_to("/etc/shadow"),
    "link to memory": link_to("/proc/self/mem"),
    "link to a pipe": link_to_pipe,
    "writable": with_mode(0o666),
    "writable by the group": with_mode(0o664),
    "somebody's": with_mode(0o644, NOBODY),
    "NUL": write(GOOD[:40] + b"\0" + GOOD[40:]),
    "NUL behind": write(GOOD + b"\0{}"),
    "NUL bytes": write(bytes(4096)),
    "UTF-16": write(GOOD.decode().encode("utf-16")),
    "invalid UTF-8": write(GOOD.replace(b"bad", b"b\xff\xfe")),
    "twice": write(GOOD[:-1] + b',"mode":"enforce"}'),
    "NaN": write(GOOD[:-1] + b',"allocation":NaN}'),
    "more behind": write(GOOD + b"{}"),
    "cut": write(GOOD[:len(GOOD) // 2]),
    "unclosed comment": write(b"/* " + GOOD),
    "name of another": write(GOOD.replace(b"bad", b"feeds")),
    "no name": write(GOOD.replace(b"bad", b"../../etc")),
    "escaping name": write(GOOD.replace(b"bad", b"a/../../b")),
}
# a byte order mark is what editors of another system put there
TOLERATED = {"BOM": write(b"\xef\xbb\xbf" + GOOD)}


@pytest.fixture
def agent(host):
    host.config({}, ag.policy("feeds", **KEYS))
    make_file(host.place("temp", "feeds") / "old", 5000, 2 * DAY)
    return host.start()


def put(host, what):
    where = host.dir / "etc/policies.d/bad.json"
    what(where)
    return where


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_policy(agent, root_only, name):
    """At a reload the old configuration stays; a start ends, soon."""
    host = agent.host
    where = put(host, FILES[name])
    began = time.monotonic()
    done = agent.ctl("reload", check=False, timeout=SOON)
    assert done.returncode == 1 and where.name in done.stderr, done.stderr
    assert len(done.stderr) < 4096
    for line in done.stderr.splitlines():
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", line), line
    assert [c["name"] for c in agent.status()["components"]] == ["feeds"]
    assert agent.json("cleanup", "feeds", "--force")["files"] == 1
    checked = ag.run(ag.ULLAGED, *host.arguments(), "--check", check=False,
                     timeout=SOON)
    assert checked.returncode == 1 and where.name in checked.stderr
    assert "root:" not in checked.stderr + done.stderr  # /etc/shadow
    assert time.monotonic() - began < SOON
    agent.stop()
    begun = ag.run(ag.ULLAGED, *host.arguments(), check=False, timeout=SOON)
    assert begun.returncode == 1 and where.name in begun.stderr


@pytest.mark.parametrize("name", TOLERATED)
def test_policy_that_may_be(agent, root_only, name):
    """Taken for what it says, or refused by name: never half."""
    put(agent.host, TOLERATED[name])
    done = agent.ctl("reload", check=False, timeout=SOON)
    n = len(agent.status()["components"])
    assert (done.returncode, n) in ((0, 2), (1, 1)), done.stderr


@pytest.mark.slow
def test_ten_thousand_policies(agent):
    etc = agent.host.dir / "etc/policies.d"
    for number in range(10000):
        (etc / f"p{number:05}.json").write_text(
            json.dumps({"component": f"c{number}", "allocation": "1MB",
                        "mode": "observe"}))
    done = agent.ctl("reload", check=False, timeout=60 * ag.SLOW)
    assert done.returncode == 1 and "policies.d" in done.stderr
    assert len(agent.status()["components"]) == 1
    assert agent.json("cleanup", "feeds", "--force")["files"] == 1


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_directory_of_policies_that_others_write_to(agent, root_only, mode):
    (agent.host.dir / "etc/policies.d").chmod(mode)
    done = agent.ctl("reload", check=False, timeout=SOON)
    assert done.returncode == 1 and "policies.d" in done.stderr
    assert len(agent.status()["components"]) == 1


# ---- the state file ----

def state(host):
    return host.dir / "state/state.json"


@pytest.fixture
def saved(host):
    """A state with something in it, and nobody who runs."""
    host.config({}, ag.policy("feeds", **KEYS))
    place = host.place("temp", "feeds")
    make_file(place / "old", 5000, 2 * DAY)
    agent = host.start()
    agent.json("cleanup", "feeds", "--force")
    assert agent.stop() == 0
    return host, state(host).read_bytes()


def resident(pid):
    line = next(line for line in Path(f"/proc/{pid}/status").read_text()
                .splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def start_over(host):
    """Starts soon, on whatever there is, is exact, and saves a good state."""
    path = make_file(host.place("temp", "feeds") / "old", 5000, 2 * DAY)
    began = time.monotonic()
    agent = host.start(trusted=False)
    ag.wait_for("an answer", lambda: agent.status(check=False), 20)
    assert time.monotonic() - began < SOON
    if "wall clock" in agent.log_text():
        # It may be a state that says a later time, which is a clock that was
        # set back: somebody has to accept it.
        agent.ctl("reload")
    agent.wait_trusted()
    # It may be a state by which one was due, and has begun.
    ag.wait_for("a cleanup", lambda: agent.ctl(
        "cleanup", "feeds", "--force", check=False).returncode == 0)
    assert not path.exists()
    agent.json("history")
    agent.json("dashboard")
    return agent


def end(agent):
    assert agent.stop() == 0
    where = state(agent.host)
    assert where.is_file() and not where.is_symlink()
    assert json.loads(where.read_text())["cleanups"]


def owned(owner, mode):
    def make(path):
        path.write_bytes(json.dumps({"version": 1, "cleanups": [], "samples": [
            {"component": "forged", "time": "2026-01-01T00:00:00Z"}
        ]}).encode())
        os.chown(path, owner, owner)
        path.chmod(mode)
    return make


STATES = {
    "somebody's": owned(NOBODY, 0o644), "writable": owned(0, 0o666),
    "huge": sparse(1 << 30),
    "a sparse string": sparse(60 << 20),
    "link": None, "link out": link_to("/etc/shadow"),
    "dangling": link_to("/nonexistent/state"), "loop": link_to("state.json"),
    "fifo": os.mkfifo, "directory": Path.mkdir, "socket": listen,
    "zeros": device(os.makedev(1, 5)),
    "twice": write(b'{"version":1,"version":1,"cleanups":[],"cleanups":7}'),
    "numbers": write(
        b'{"version":1,"cleanups":[{"component":"feeds","strategy":"time",'
        b'"mode":"enforce","reason":"manual","files":1e999,'
        b'"freedBytes":-9223372036854775809,"usedBefore":NaN,'
        b'"skipped":[{"reason":"busy","files":18446744073709551616}],'
        b'"startedAt":"99999-99-99T99:99:99Z","endedAt":"-1"}]}'),
    "names": write(json.dumps({
        "version": 1, "samples": [{"component": "../" * 5000, "time":
                                   "2026-01-01T00:00:00Z", "files": 1}],
        "schedules": {"feeds": "9999-12-31T23:59:59Z",
                      "a\u202e\n": "0001-01-01T00:00:00Z"},
        "openAlerts": [{"event": "raised", "kind": "usage", "level":
                        "critical", "scope": "component/\n<0>forged",
                        "message": "\x1b[2J\u202e\n<0>forged", "id": 7,
                        "time": "2026-01-01T00:00:00Z"}],
    }).encode()),
    "many": write(json.dumps({"version": 1, "alerts": [{
        "event": "raised", "kind": "usage", "level": "critical", "id": n,
        "scope": f"component/c{n}", "message": "m" * 100, "time":
        "2026-01-01T00:00:00Z"} for n in range(100000)]}).encode()),
}


@pytest.mark.parametrize("name", STATES)
def test_state(saved, root_only, name):
    host, before = saved
    where = state(host)
    where.unlink()
    if name == "link":
        elsewhere = host.dir / "elsewhere"
        elsewhere.write_bytes(before)
        where.symlink_to(elsewhere)
    else:
        STATES[name](where)
    agent = start_over(host)
    assert resident(agent.status()["agent"]["pid"]) < 300 * ag.MIB * ag.SLOW
    for line in agent.log_path.read_bytes().split(b"\n")[:-1]:
        assert re.fullmatch(rb"<[0-7]>[ -~\x80-\xff]+", line), line
        assert not line.startswith(b"<0>")
    assert "forged" not in [s["component"] for s in agent.json("dashboard")[
        "samples"]]
    end(agent)
    if name == "link":
        assert elsewhere.read_bytes() == before
    assert Path("/etc/shadow").is_file() and Path("/dev/zero").exists()


def damage_all(saved, wanted):
    """Cut, or one bit turned, at so many places."""
    host, before = saved
    places = range(len(before)) if wanted is None else sorted(
        random.Random(7).sample(range(len(before)), wanted))
    for at in places:
        turned = bytearray(before)
        turned[at] ^= 1 << at % 8
        for damaged in (before[:at], bytes(turned)):
            state(host).write_bytes(damaged)
            agent = start_over(host)
            agent.kill() if at % 2 else end(agent)
    print(f"{2 * len(places)} damaged states of {len(before)} bytes")


@pytest.mark.slow
def test_damaged_anywhere(saved):
    damage_all(saved, 8)


@pytest.mark.by_name
def test_damaged_everywhere(saved):
    damage_all(saved, None)


# ---- hooks ----

@pytest.fixture
def hooked(host, root_only):
    """hooked(): starts, and has a component cross its limit."""
    out = host.dir / "out"
    out.mkdir()
    out.chmod(0o777)
    host.hook("50-good", f"#!/bin/sh\necho $$ >>{out}/good\n")
    host.config({"alerts": {"hooks": str(host.dir / "etc/hooks.d"),
                            "hookDeadline": "1s",
                            "silences": ["target-missed"]}},
                ag.policy("feeds", owners=["*"], minAge="10min",
                          allocation="1MB"))

    def start():
        agent = host.start()
        make_file(host.place("data", "feeds") / "much", 900000, DAY)
        agent.wait_level("feeds", "warning")
        return agent
    start.host, start.out = host, out
    return start


def bad_hook(kind):
    def make(path, out):
        path.write_text(f"#!/bin/sh\ntouch {out}/ran\n")
        path.chmod(0o755)
        if kind == "writable":
            path.chmod(0o757)
        elif kind == "writable by the group":
            path.chmod(0o775)
        elif kind == "somebody's":
            os.chown(path, NOBODY, NOBODY)
        elif kind == "link":
            path.rename(path.parent.parent / "target")
            path.symlink_to(path.parent.parent / "target")
        elif kind == "dangling":
            path.unlink()
            path.symlink_to("/nonexistent")
        elif kind in ("fifo", "directory"):
            path.unlink()
            (os.mkfifo if kind == "fifo" else os.mkdir)(path)
            path.chmod(0o755)
        elif kind == "device":
            path.unlink()
            os.mknod(path, 0o020755, os.makedev(1, 5))
        elif kind == "no program":
            path.write_bytes(bytes(5000))
        elif kind == "no interpreter":
            path.write_text("#!/nonexistent/sh\n")
        elif kind == "huge":
            path.write_bytes(b"")
            os.truncate(path, 1 << 40)
    return make


@pytest.mark.parametrize("kind", [
    "writable", "writable by the group", "somebody's", "link", "dangling",
    "fifo", "directory", "device", "no program", "no interpreter", "huge"])
def test_hook(hooked, kind):
    """Not run, named in the log, and no trouble for the one behind it."""
    name = "10-bad\x1b\n<0>"
    bad_hook(kind)(hooked.host.dir / "etc/hooks.d" / name, hooked.out)
    agent = hooked()
    ag.wait_for("the good one", (hooked.out / "good").exists, SOON)
    ag.wait_for("the bad one is told",
                lambda: "10-bad\\x1b\\x0a<0>: " in agent.log_text())
    assert not (hooked.out / "ran").exists()
    for line in agent.log_path.read_bytes().split(b"\n")[:-1]:
        assert re.fullmatch(rb"<[1-7]>[ -~\x80-\xff]+", line), line


@pytest.mark.parametrize("mode, owner", [(0o777, 0), (0o775, 0),
                                         (0o755, NOBODY)])
def test_directory_of_hooks(hooked, mode, owner):
    where = hooked.host.dir / "etc/hooks.d"
    where.chmod(mode)
    os.chown(where, owner, owner)
    agent = hooked()
    ag.wait_for("it is refused", lambda: "hooks.d: refused" in
                agent.log_text())
    assert not (hooked.out / "good").exists()


MARK = "123456.{}"
MISBEHAVING = {
    "ignores TERM": "trap '' TERM HUP INT; while :; do sleep {m}; done",
    "stops itself": "sleep {m} & kill -STOP $$",
    "daemonises": "setsid sh -c '(trap \"\" TERM; setsid sleep {m} &) ; "
                  "exit 0' & sleep {m}",
    "daemonises and ends": "(setsid sh -c '(setsid sleep {m} &)' &); exit 0",
    "floods": "sleep {m} & while :; do echo xxxxxxxxxxxxxxxxxxxx; done",
    "floods both": "(yes >&2 &); (setsid yes &); sleep {m}",
    "bomb": "f() {{ f | f & sleep {m}; }}; f; sleep {m}",
    "closes all": "exec <&- >&- 2>&-; sleep {m}; sleep {m}",
    "own group": "for c in /sys/fs/cgroup/*/cgroup.procs "
                 "/sys/fs/cgroup/cgroup.procs; do echo $$ >$c; done; sleep {m}",
    "writes to the directory": "echo '#!/bin/sh' >{hooks}/99-mine; "
                               "chmod 755 {hooks}/99-mine; sleep {m}",
    "changes another": "echo 'touch {out}/ran' >>{hooks}/50-good; "
                       "rm -f {hooks}/50-good; sleep {m}",
    "signals those above": "kill -9 $PPID; kill -STOP $PPID; kill -9 -1; "
                           "sleep {m}",
    "writes to its input": "echo '{{}}' >&0; sleep {m}",
}


def marked(mark):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if mark.encode() in line and ag.is_alive(pid):
            found.append(int(pid))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", MISBEHAVING)
def test_misbehaving_hook(hooked, name):
    """All it started is gone a second after the deadline of one."""
    host, out = hooked.host, hooked.out
    mark = MARK.format(list(MISBEHAVING).index(name))
    hooks = host.dir / "etc/hooks.d"
    host.hook("20-bad", f"#!/bin/sh\necho $$ >{out}/began\n"
              + MISBEHAVING[name].format(m=mark, hooks=hooks, out=out) + "\n")
    good = (hooks / "50-good").read_text()
    agent = hooked()
    pid = agent.status()["agent"]["pid"]
    ag.wait_for("the hook", lambda: (out / "began").exists())
    began = time.monotonic()
    if name != "daemonises and ends":
        ag.wait_for("what it started", lambda: marked(mark), 3)
    # A try again comes after 5 s at the earliest.
    while marked(mark) and time.monotonic() - began < 4.5:
        time.sleep(0.02)
    took = time.monotonic() - began
    print(f"{name}: gone {took:.2f} s after its start, deadline 1 s")
    assert not marked(mark) and took < 2.0 * ag.SLOW
    ag.wait_for("the good hook", (out / "good").exists)
    assert sorted(os.listdir(hooks)) == ["20-bad", "50-good"]
    assert (hooks / "50-good").read_text() == good
    assert not (out / "ran").exists()
    assert agent.status()["agent"]["pid"] == pid
    make_file(host.place("temp", "feeds") / "meanwhile", 5000)
    assert_equal(agent)


@pytest.mark.slow
def test_more_alerts_than_the_queue_holds(host, root_only):
    """A hook that hangs, and a storm of alerts: 128 of them wait, the oldest
    make room and are counted, and the newest come when it goes on."""
    out = host.dir / "out"
    out.mkdir()
    out.chmod(0o777)
    host.hook("10-slow", f"#!/bin/sh\ntouch {out}/began\n"
              f"until [ -e {out}/go ]; do sleep 0.1; "
              f"done\necho $ULLAGE_ID >>{out}/told\n")
    n = 70  # two alerts each
    host.config({"alerts": {"hooks": str(host.dir / "etc/hooks.d"),
                            "hookDeadline": "60s"}},
                *(ag.policy(f"c{number}", owners=["*"], minAge="10min",
                            allocation="64KB") for number in range(n)))
    agent = host.start()
    # At one blow, so that no alert escalates: that would be one more.
    for number in range(n):
        make_file(host.outside / "f", 63000)
        os.rename(host.outside / "f",
                  host.place("data", f"c{number}") / "f")
        ag.wait_for("the hook", (out / "began").exists)

    def dropped():
        return agent.json("metrics")["counters"]["droppedAlerts"]
    ag.wait_for("every alert", lambda: len(agent.status()["alerts"]) >= 2 * n,
                30)
    raised = sorted(a["id"] for a in agent.status()["alerts"])
    ag.wait_for("drops", dropped)
    # One is with the hook, 128 wait.
    assert dropped() == len(raised) - 129
    (out / "go").touch()
    told = ag.wait_for("all that were left", lambda: (
        lambda got: len(got) >= 129 and got)(
            [int(line) for line in (out / "told").read_text().split()]
            if (out / "told").exists() else []), 60)
    assert set(told[1:]) <= set(raised) and raised[-1] in told
    assert agent.status()["agent"]["pid"]
