# SPDX-License-Identifier: GPL-2.0-or-later
"""What each process may do, as the kernel tells it while all are alive: the
table of processes in ARCHITECTURE.md, asserted from /proc/PID/status."""

import os
import pwd
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

import agent as ag
from trees import DAY, make_file

pytestmark = pytest.mark.usefixtures("root_only")

# Numbers of linux/capability.h.
CAPS = {"chown": 0, "dac_override": 1, "dac_read_search": 2, "fowner": 3,
        "kill": 5, "setgid": 6, "setuid": 7, "setpcap": 8, "sys_admin": 21,
        "lease": 28}
AGENT = {"dac_read_search"}
REAPER = {"dac_override", "fowner", "lease"}
WARDEN = AGENT | REAPER | {"chown", "setuid", "setgid", "kill", "setpcap"}
HOOKS = {"setuid", "setgid", "kill", "setpcap"}

# process: who, effective and permitted, bounding, no_new_privs, seccomp
TABLE = {
    "warden": ("root", WARDEN, WARDEN, 0, 0),
    "agent": ("daemon", AGENT, set(), 1, 0),
    "reaper": ("root", REAPER, REAPER, 1, 2),
    "supervisor": ("root", HOOKS, HOOKS, 1, 0),
    "hook": ("nobody", set(), set(), 1, 0),
}


def mask(names):
    return sum(1 << CAPS[name] for name in names)


def status_of(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return {key: value.strip() for key, _, value in
            (line.partition(":") for line in text.splitlines())}


def title(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    except OSError:
        return b""


def children(pid):
    found = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    except OSError:
        pass
    return found


def child(pid, name):
    return next((p for p in children(pid) if name in title(p)), None)


def hold_reaper(agent, seconds=20):
    """Catches one at work, confined, and stops it there."""
    end = time.monotonic() + seconds * ag.SLOW
    while time.monotonic() < end:
        pid = child(agent.process.pid, b"reaper")
        if not pid:
            continue
        agent.signal(pid, signal.SIGSTOP)
        try:
            if status_of(pid)["Seccomp"] == "2":
                return pid
        except OSError:
            pass
        agent.signal(pid, signal.SIGCONT)
    raise AssertionError("no reaper was caught at work\n" + agent.log_text())


@pytest.fixture(params=["inotify", "auto"])
def crowd(request, hosts):
    """An agent with a reaper held in mid-run and a hook that goes on."""
    host = hosts("tmpfs")
    host.config({"user": "daemon", "watch": request.param, "alerts": {
        "hooks": str(host.dir / "etc/hooks.d")}},
        ag.policy("feeds", allocation="200MB", owners=["*"]),
        ag.policy("noisy", allocation="1MB", mode="observe"))
    host.hook("slow", "#!/bin/sh\nexec sleep 60\n")
    make_file(host.place("data", "noisy") / "too-much", ag.MIB)
    for i in range(8000):
        make_file(host.place("temp", "feeds") / f"old-{i}", 1, 2 * DAY)
    agent = host.start()
    hooks = ag.wait_for("hooks", lambda: child(agent.process.pid, b"hooks"))
    hook = ag.wait_for("the hook", lambda: child(hooks, b"sleep"))
    with subprocess.Popen(
            [ag.ULLAGECTL, "--socket", host.socket, "cleanup", "feeds",
             "--force"], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL):
        reaper = hold_reaper(agent)
        yield agent, {
            "warden": agent.process.pid,
            "agent": child(agent.process.pid, b"ullaged: agent"),
            "reaper": reaper, "supervisor": hooks, "hook": hook}
        agent.signal(reaper, signal.SIGCONT)
    agent.signal(hook, signal.SIGKILL)


def tell(name, s):
    print(f"{name:10} uid {s['Uid'].split()[0]:>5} "
          + " ".join(f"{key} {s[key].lstrip('0') or '0'}" for key in (
              "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
              "NoNewPrivs", "Seccomp")))


def test_authority_is_split_by_process(request, crowd):
    _, pids = crowd
    table = dict(TABLE)
    if "auto" in request.node.name:  # it may mark filesystems
        table["warden"] = ("root", *[WARDEN | {"sys_admin"}] * 2, 0, 0)
    for name, (user, caps, bound, nnp, seccomp) in table.items():
        s = status_of(pids[name])
        tell(name, s)
        entry = pwd.getpwnam(user)
        assert s["Uid"].split() == [str(entry.pw_uid)] * 4, name
        assert s["Gid"].split() == [str(entry.pw_gid)] * 4, name
        assert int(s["CapEff"], 16) == mask(caps), name
        assert int(s["CapPrm"], 16) == mask(caps), name
        assert int(s["CapBnd"], 16) == mask(bound), name
        assert int(s["CapInh"], 16) == int(s["CapAmb"], 16) == 0, name
        assert int(s["NoNewPrivs"]) == nnp, name
        assert int(s["Seccomp"]) == seccomp, name


def test_nobody_holds_what_is_not_theirs(crowd):
    """Descriptors: the reaper holds its plan, its answer, its audit, the
    directory of these, and below the roots; agent and hook hold nothing of a component open for writing."""
    agent, pids = crowd
    root = str(agent.host.root)
    for name in ("warden", "agent", "hook", "supervisor"):
        for fd in Path(f"/proc/{pids[name]}/fd").iterdir():
            try:
                target = os.readlink(fd)
            except OSError:
                continue
            if not target.startswith(root):
                continue
            flags = Path(f"/proc/{pids[name]}/fdinfo/{fd.name}").read_text()
            flags = int(re.search(r"flags:\s+(\d+)", flags)[1], 8)
            assert name == "agent", (name, target)
            assert flags & os.O_ACCMODE == os.O_RDONLY, target
    own = Path(f"/proc/{pids['reaper']}/fd")
    for fd in own.iterdir():
        target = os.readlink(fd)
        assert target == str(own) or target.startswith((
            root, "socket:", "pipe:", "/dev/null", "/memfd:",
            str(agent.host.dir))), target


def test_the_agent_cannot_delete_but_by_a_reaper(crowd):
    """By hand, with what the agent has: same user, same capabilities."""
    agent, _ = crowd
    place = agent.host.place("temp", "feeds")
    # A component's directory is its owner's; the agent made this one.
    os.chown(place, 0, 0)
    os.chmod(place, 0o750)
    victim = place / "stays"
    make_file(victim, 5000)
    done = ag.run("setpriv", "--reuid=daemon", "--regid=daemon",
                  "--clear-groups", "--no-new-privs",
                  "--inh-caps=+dac_read_search",
                  "--ambient-caps=+dac_read_search",
                  "sh", "-c", f"cat {victim} >/dev/null && rm -f {victim}",
                  check=False)
    assert done.returncode == 1 and "ermission denied" in done.stderr, done
    assert victim.exists()


def race(*arguments):
    done = subprocess.run(
        [str(ag.BUILD / "tests/hostile/race"), *arguments], text=True,
        capture_output=True, check=False)
    print(done.stdout, end="")
    if done.returncode == 77:
        pytest.skip(done.stdout.strip())
    found = re.search(r"(\d+) rounds, (\d+) deleted, (\d+) refused, "
                      r"(\d+) wrong", done.stdout)
    return dict(zip(("rounds", "deleted", "refused", "wrong"),
                    map(int, found.groups())))


def test_landlock_refuses_what_has_left_the_root():
    """The directory of each victim is moved out of the root when everything
    has been checked. Counted: every one is refused by the kernel, and every
    one goes where Landlock is left out."""
    if not (ag.BUILD / "tests/hostile/race").exists():
        ag.run("make", "-s", "-C", ag.BUILD, "tests/hostile/race")
    rounds = "2000"
    with_it = race("--kind", "tmpfs", "--rounds", rounds, "move-out")
    without = race("--kind", "tmpfs", "--rounds", rounds,
                   "--without", "landlock", "move-out")
    assert with_it == {"rounds": 2000, "deleted": 0, "refused": 2000,
                       "wrong": 0}
    assert without["deleted"] == without["wrong"] == 2000
