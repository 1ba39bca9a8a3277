# SPDX-License-Identifier: GPL-2.0-or-later
"""Whoever owns a component's directory chooses the names, the depth, the
numbers, the times and the sizes in it. Whatever he chooses, every file is
counted, every record is one line, every answer is JSON and leads back to the
file, and what may go goes."""

import json
import os
import re
import subprocess
import time

import pytest

import agent as ag
from trees import DAY, assert_equal, differences, make_file, names

KEYS = dict(owners=["*"], strategy="time")
FILESYSTEMS = ("tmpfs", *(pytest.param(fs, marks=pytest.mark.slow)
                          for fs in ("ext4", "xfs", "btrfs")))


def unescape(text):
    """The bytes that an escaped name stands for."""
    return re.sub(rb"\\x([0-9a-fA-F]{2})|\\(.)", lambda m: (
        bytes([int(m[1], 16)]) if m[1] else m[2]), text.encode())


def audit(host):
    """Every record of the audit; each line must be one."""
    data = (host.dir / "state/audit.log").read_bytes()
    assert not data or data.endswith(b"\n")
    return [json.loads(line) for line in data.split(b"\n")[:-1]]


def check_log(agent):
    lines = agent.log_path.read_bytes().split(b"\n")
    assert lines.pop() == b""
    for line in lines:
        assert re.fullmatch(rb"<[0-7]>[ -~\x80-\xff]+", line), line
        assert not re.search("[\x80-\x9f\u202a-\u202e\u2066-\u2069]",
                             line.decode("utf-8")), line


def old(path, seconds=2 * DAY):
    now = time.time()
    os.utime(path, (now - seconds, now - seconds))


def every_name():
    for byte in range(1, 256):
        if byte in b"/":
            continue
        one = bytes([byte])
        if one != b".":
            yield one
        yield one * 255
        yield b"a" + one + b"b"
    yield from (b"...", b"..a", b"-rf", b"--", b"$(reboot)", b"`reboot`",
                b"; rm -rf ~", b"| sh", b"&", b"%s%n%x", b"\\", b"\\x41",
                b'"', b'{"a":1}', b"\n<0>forged: line", b"\r\n", b"\x1b[2J",
                b"\x1b]0;title\x07", "\u202egpj.exe".encode(),
                "\u2028".encode(), "\ufeff".encode(), "\u0085".encode(),
                b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc0\xaf",
                b"\xf0\x9f\x98\x80" * 63, b"victim%svictim", b"0=a%sb",
                b"~room0", b".ullage-quarantine.new", b"nul\\0", b"con")


@pytest.mark.parametrize("fs", FILESYSTEMS)
def test_names_of_every_byte(hosts, root_only, fs):
    host = hosts(fs, 300 * ag.MIB)
    host.config({}, ag.policy("feeds", **KEYS))
    place = os.fsencode(host.place("temp", "feeds"))
    wanted = set(every_name())
    for where in (place, os.path.join(place, b"\n\x1b\xff\xe2\x80\xae")):
        os.makedirs(where, exist_ok=True)
        for name in wanted:
            path = os.path.join(where, name)
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
            os.truncate(path, 100)
            old(path)
    agent = host.start()
    assert_equal(agent)
    plan = agent.json("plan", "feeds")
    seen = [unescape(v["path"]) for v in plan["victims"]]
    assert len(seen) == len(set(seen)) == 2 * len(wanted)
    assert {os.path.basename(path) for path in seen} == wanted
    for victim in plan["victims"][::23]:
        why = agent.json("why", os.fsdecode(unescape(victim["path"])))
        assert why["verdict"] == "due" and why["path"] == victim["path"]
    for verb in (("oldest", "feeds"), ("largest", "feeds"), ("du",),
                 ("du", place.decode()), ("history",), ("dashboard",)):
        assert agent.json(*verb) is not None
        shown = agent.ctl(*verb).stdout
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]",
                             shown), verb
    done = agent.json("cleanup", "feeds", "--force")
    assert done["files"] == 2 * len(wanted), done["skipped"]
    assert not names(host.place("temp", "feeds"))
    records = audit(host)
    intents = [r for r in records if "result" not in r and "path" in r]
    told = {unescape(r["path"]) for r in records if "path" in r}
    assert {os.path.basename(p) for p in told} == wanted, intents[:2]
    assert agent.stop() == 0
    check_log(agent)
    json.loads((host.dir / "state/state.json").read_text())


def nest(top, name, depth):
    """So many directories, one in the other; a descriptor of the last."""
    here = os.open(top, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    return here


@pytest.mark.parametrize("fs", FILESYSTEMS)
def test_paths_beyond_path_max_are_deleted(hosts, root_only, fs):
    host = hosts(fs, 300 * ag.MIB)
    host.config({}, ag.policy("feeds", **KEYS))
    agent = host.start()
    here = nest(host.place("temp", "feeds"), "d" * 250, 60)
    for number in range(20):
        name = str(number) * 100
        file = os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=here)
        os.write(file, b"x" * 5000)
        os.utime(file, (1, 1))
        os.close(file)
    os.close(here)
    assert_equal(agent)
    victim = agent.json("plan", "feeds")["victims"][0]["path"]
    assert len(victim) > 3 * 4096
    assert agent.json("cleanup", "feeds", "--force")["files"] == 20
    assert_equal(agent)
    assert agent.component("feeds")["files"] == 0
    assert all(r["pathBytes"] > 3 * 4096 for r in audit(host) if "ino" in r)


def deep_tree(hosts, depth):
    """Counted, watched or polled, and cleaned at the bottom; as a tree in one
    move, since nobody can be quicker than that. Neither stack nor
    descriptors grow with it; the time does, by the square: each directory is
    opened from the root."""
    host = hosts("tmpfs", 500 * ag.MIB)
    host.config({}, ag.policy("feeds", **KEYS))
    agent = host.start()
    pid = agent.status()["agent"]["pid"]
    top = host.outside / "deep"
    top.mkdir()
    here = nest(top, "d", depth)
    file = os.open("bottom", os.O_CREAT | os.O_WRONLY, dir_fd=here)
    os.write(file, b"x" * 12345)
    os.utime(file, (1, 1))
    os.close(file)
    os.close(here)
    os.rename(top, host.place("temp", "feeds") / "deep")
    ag.wait_for("the bottom is seen", lambda: (
        lambda c: c["trusted"] and c["sizeBytes"] == 12345)(
            agent.component("feeds")), 20 + depth / 80)
    assert agent.status()["agent"]["directories"] >= depth
    assert len(os.listdir(f"/proc/{pid}/fd")) < 64
    victims = agent.json("plan", "feeds")["victims"]
    assert len(victims) == 1 and victims[0]["path"].endswith("/d/d/bottom")
    assert agent.json("cleanup", "feeds", "--force")["files"] == 1
    assert agent.component("feeds")["files"] == 0
    assert agent.status()["agent"]["pid"] == pid


@pytest.mark.slow
def test_depth_of_4000(hosts, root_only):
    deep_tree(hosts, 4000)


@pytest.mark.by_name
def test_depth_of_20000(hosts, root_only):
    deep_tree(hosts, 20000)


def many_in_one_directory(hosts, n):
    host = hosts("tmpfs", 2 * ag.GIB)
    host.config({}, ag.policy("feeds", **KEYS))
    place = host.place("temp", "feeds") / "flat"
    place.mkdir(parents=True)
    here = os.open(place, os.O_RDONLY)
    for number in range(n):
        name = f"{number:x}"
        os.mknod(name, dir_fd=here)
        os.utime(name, (1, 1), dir_fd=here)
    agent = host.start(trusted=False)
    agent.wait_trusted(timeout=20 + n / 5000)
    assert agent.component("feeds")["files"] == n
    os.mknod("one-more", dir_fd=here)
    ag.wait_for("one more", lambda: agent.component("feeds")["files"] == n + 1)
    began = time.monotonic()
    done = agent.json("cleanup", "feeds", "--force",
                      timeout=60 + n / 1000 * ag.SLOW)
    print(f"{n} in one directory: cleaned in "
          f"{time.monotonic() - began:.1f} s")
    assert done["files"] == n, done["skipped"]
    assert os.listdir(here) == ["one-more"]
    os.close(here)
    assert_equal(agent)


@pytest.mark.slow
def test_100000_in_one_directory(hosts, root_only):
    many_in_one_directory(hosts, 100000)


@pytest.mark.by_name
def test_1000000_in_one_directory(hosts, root_only):
    many_in_one_directory(hosts, 1000000)


STAMPS = [-2**63, -2**63 + 1, -2**62, -2**40, -2**33, -2**31 - 1, -2**31, -1,
          0, 1, 2**31 - 1, 2**31, 2**32, 2**33, 2**34 - 1, 2**34, 2**40,
          253402300800, 2**62, 2**63 - 1]


def set_stamp(path, seconds):
    """By utimensat, which takes what a time_t can be; the filesystem may
    clamp it."""
    ag.run("python3", "-c", """
import ctypes, sys
class Spec(ctypes.Structure):
    _fields_ = [("s", ctypes.c_int64), ("ns", ctypes.c_int64)]
libc = ctypes.CDLL(None, use_errno=True)
for path, seconds in zip(sys.argv[1::2], sys.argv[2::2]):
    both = (Spec * 2)(Spec(int(seconds), 0), Spec(int(seconds), 999999999))
    assert libc.utimensat(-100, path.encode(), both, 0) == 0, path
""", *path) if isinstance(path, list) else set_stamp(
        [str(path), str(seconds)], None)


@pytest.mark.parametrize("fs", FILESYSTEMS)
def test_every_time_there_is(hosts, root_only, fs):
    """What is past its retention by such a time goes, what lies in the future
    counts as now, and no answer chokes on any of them."""
    host = hosts(fs, 300 * ag.MIB)
    host.config({}, ag.policy("feeds", **KEYS))
    place = host.place("temp", "feeds")
    arguments = []
    for number, stamp in enumerate(STAMPS):
        arguments += [str(make_file(place / f"f{number}", 5000)), str(stamp)]
    set_stamp(arguments, None)
    now = time.time()
    is_old = {path: os.stat(path).st_mtime_ns / 1e9 < now - DAY
              for path in arguments[::2]}
    assert 5 < sum(is_old.values()) < len(STAMPS)
    agent = host.start()
    assert_equal(agent)
    for path, gone in is_old.items():
        why = agent.json("why", path)
        assert why["age"] >= 0
        assert why["verdict"] == ("due" if gone else "kept"), (why, gone)
    for verb in ("oldest", "largest"):
        assert len(agent.json(verb, "feeds", "--limit", "100")["files"]
                   if verb else []) == len(STAMPS)
    agent.ctl("oldest", "feeds")
    done = agent.json("cleanup", "feeds", "--force")
    assert names(place) == {os.path.basename(p) for p, gone in is_old.items()
                            if not gone}
    assert done["files"] == sum(is_old.values())
    audit(host)
    check_log(agent)


@pytest.mark.parametrize("fs", ["tmpfs", "xfs", "btrfs"])
def test_sizes_up_to_the_largest(hosts, root_only, fs):
    """Eight files of 2^63-1 bytes have no sum; what they use counts."""
    host = hosts(fs, 300 * ag.MIB)
    host.config({}, ag.policy("feeds", strategy="size", owners=["*"]))
    place = host.place("temp", "feeds")
    largest = 2**63 - 1 if fs != "tmpfs" else 2**63 - 4096
    for number in range(8):
        path = make_file(place / f"f{number}", 5000)
        os.truncate(path, largest - number)
        old(path)
    agent = host.start()
    time.sleep(ag.QUIET_S)
    component = agent.component("feeds")
    assert component["usedBytes"] < ag.MIB
    assert 0 < component["sizeBytes"] < 2**64
    for verb in (("status",), ("metrics",), ("du",), ("largest",),
                 ("plan", "feeds"), ("dashboard",)):
        agent.json(*verb)
        agent.ctl(*verb)
    done = agent.json("cleanup", "feeds", "--force")
    assert done["files"] == 8 and done["freedBytes"] < ag.MIB
    assert agent.component("feeds")["sizeBytes"] == 0
    assert_equal(agent)


def test_a_storm_of_every_kind(host, root_only):
    """Renames, exchanges, moves in and out, unnamed files, links, mkdir
    chains and a flood of writes at once: exact afterwards."""
    host.config({}, ag.policy("feeds", **KEYS))
    agent = host.start()
    place = host.place("data", "feeds")
    script = """
import ctypes, os, random, sys, time
libc = ctypes.CDLL(None)
top, out, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.chdir(top); random.seed(seed); end = time.time() + 2.5
def any_name(): return f"{random.choice('abcd')}{random.randrange(20)}"
while time.time() < end:
    a, b, do = any_name(), any_name(), random.randrange(10)
    try:
        if do < 3:
            open(a, "a").write("x" * random.randrange(9000))
        elif do == 3: os.rename(a, b)
        elif do == 4: libc.renameat2(-100, a.encode(), -100, b.encode(), 2)
        elif do == 5: os.rename(a, f"{out}/{a}{seed}")
        elif do == 6: os.rename(f"{out}/{a}{seed}", b)
        elif do == 7:
            fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600)
            os.write(fd, b"y" * random.randrange(9000))
            os.link(f"/proc/self/fd/{fd}", b, follow_symlinks=True)
            os.write(fd, b"z" * 5000); os.close(fd)
        elif do == 8: os.makedirs(f"{a}.d/{b}/{a}/{b}"); \\
            open(f"{a}.d/{b}/{a}/{b}/f", "w").write("d" * 100)
        else: os.link(a, b)
    except OSError: pass
"""
    rivals = [subprocess.Popen(["/usr/bin/python3", "-c", script, str(place),
                                str(host.outside), str(n)]) for n in range(3)]
    while any(r.poll() is None for r in rivals):
        agent.status()
        time.sleep(0.05)
    assert_equal(agent)
    assert agent.json("reconcile") is not None
    assert not agent.json("metrics")["counters"]["drift"]


FLOODS = {
    # one byte, over and over: what an eager logger does
    "writes": """
while time.time() < end:
    for _ in range(1000): os.pwrite(a, b"x", 0); os.pwrite(b, b"x", 0)
    n += 2000
""",
    # names: nothing can be merged
    "names": """
while time.time() < end:
    for i in range(500):
        name = f"n{n + i}"
        os.mknod(name); os.rename(name, name + "r"); os.unlink(name + "r")
    n += 1500
""",
    # directories, each to be watched and listed
    "directories": """
while time.time() < end:
    name = f"d{n}"
    os.makedirs(name + "/a/b/c"); open(name + "/a/b/c/f", "w").write("f")
    n += 5
""",
}


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
@pytest.mark.parametrize("kind", FLOODS)
def test_flood(host, root_only, kind):
    """Of one component: another one is exact all the time, and both are when
    it is over; overflow is a state, and stays where it belongs."""
    host.config({}, ag.policy("loud", **KEYS), ag.policy("quiet", **KEYS))
    agent = host.start()
    pid = agent.status()["agent"]["pid"]
    loud, quiet = host.place("data", "loud"), host.place("data", "quiet")
    script = f"""
import os, sys, time
os.chdir({str(loud)!r}); end = time.time() + 2; n = 0
a = os.open("a", os.O_CREAT | os.O_WRONLY); b = os.open("b", os.O_CREAT | 1)
{FLOODS[kind]}
print(n)
"""
    began, spent = time.monotonic(), cpu_seconds(pid)
    flood = subprocess.Popen(["/usr/bin/python3", "-c", script],
                             stdout=subprocess.PIPE)
    for number in range(5):
        make_file(quiet / f"f{number}", 5000 + number)
        made = time.monotonic()
        ag.wait_for("the quiet one sees it", lambda: agent.component(
            "quiet")["files"] == number + 1, 1)
        seen = time.monotonic() - made
        assert agent.component("quiet")["trusted"]
    n = int(flood.communicate()[0])
    spent, took = cpu_seconds(pid) - spent, time.monotonic() - began
    print(f"flood of {kind}: {n / took:,.0f} operations/s, agent "
          f"{100 * spent / took:.0f} % of a processor, last file of the other "
          f"component seen after {seen:.3f} s")
    if kind == "writes" and ag.SLOW == 1:  # 10 % promised at 500,000
        assert spent / took < 0.2 * max(1, n / took / 500000)
    ag.wait_for("trusted again", lambda: agent.component("loud")["trusted"],
                30)
    if kind == "directories":  # 100,000 of them may wait to be listed
        ag.wait_for("all are listed", lambda: not differences(agent), 20)
    assert_equal(agent)
    assert agent.json("metrics")["counters"]["drift"] == 0


def test_long_names_do_not_flood_the_audit(hosts, root_only):
    """Paths far beyond PATH_MAX, of bytes that are escaped: cut in the record,
    which is rotated on the way."""
    host = hosts("tmpfs")
    host.config({}, ag.policy("feeds", strategy="time", owners=["*"]))
    place = host.place("temp", "feeds")
    place.mkdir(parents=True)
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(place)
        for _ in range(40):
            os.mkdir(b"\xff" * 255)
            os.chdir(b"\xff" * 255)
        for number in range(600):
            make_file(f"f{number}", 1)
            os.utime(f"f{number}", (1, 1))
    finally:
        os.chdir(here)
        os.close(here)
    agent = host.start()
    done = agent.json("cleanup", "feeds", "--force")
    assert done["files"] == 600
    files = list((host.dir / "state").glob("audit.log*"))
    assert len(files) > 1
    assert max(f.stat().st_size for f in files) < 28 * ag.MIB
    records = [json.loads(line) for f in files for line in f.open()]
    ended = [r for r in records if r["event"] == "result"]
    assert len(ended) == 600
    assert {r["pathBytes"] for r in ended} == {
        40 * 256 + len(f"f{n}") for n in range(600)}
    assert all(" ... " in r["path"] for r in ended)
