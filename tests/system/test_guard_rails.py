# SPDX-License-Identifier: GPL-2.0-or-later
"""Each guard rail stops a cleanup under a word of its own: in the result, in
the counters, and in why. And what no rail can judge is refused: a target that
makes no sense, a df that lies, a second agent over the same directories."""

import mmap
import os
import re
import struct
import threading
import time

import pytest

import agent as ag
from trees import DAY, make_file, names

MANY = {f"f{n:03}": 2 * DAY + (200 - n) * 60 for n in range(200)}


def set_immutable(place):
    """A directory nothing can be moved out of: each file is an error."""
    ag.run("chattr", "+i", place)
    return lambda: ag.run("chattr", "-i", place)


# word: policy keys, files (name: age), what is done to the directory
RAILS = {
    "limit-files": (dict(limits={**ag.NO_LIMITS, "files": 15}), MANY, None),
    "limit-share": (dict(limits={**ag.NO_LIMITS, "share": "10%"}), MANY,
                    None),
    "limit-bytes": (dict(limits={**ag.NO_LIMITS, "bytes": "25%"}), MANY,
                    None),
    "limit-filesystem": (dict(limits={**ag.NO_LIMITS, "filesystem": "0.1%"}),
                         MANY, None),
    "canary": (dict(mode="canary"), MANY, None),
    "young": (dict(minAge="10min"), MANY, None),
    "retained": ({}, {"fresh": 60}, None),
    "keep-newest": (dict(keepNewest={"temp": 3}), MANY, None),
    "protected": (dict(protect=["f1*"]), MANY, None),
    "owner": (dict(owners=["games"]), MANY, None),
    "errors": (dict(limits={**ag.NO_LIMITS, "errors": 5,
                            "errorShare": "1%"}), MANY, set_immutable),
}
# What why says of a file that this rail leaves: the youngest of them, or one
# that a rail has its eye on.
ASKED = {"retained": "fresh", "protected": "f100", "keep-newest": "f199",
         "young": "f000", "owner": "f000"}
# What why cannot see from a single file.
OF_A_RUN = ("errors", "canary")


@pytest.mark.parametrize("word", RAILS)
def test_rail(hosts, root_only, word):
    keys, files, prepare = RAILS[word]
    host = hosts("ext4", 100 * ag.MIB)
    host.config({}, ag.policy("feeds", **{"owners": ["*"],
                                          "strategy": "time", **keys}))
    place = host.place("temp", "feeds")
    for name, age in files.items():
        make_file(place / name, 4096, age)
    agent = host.start()
    undo = prepare(place) if prepare else None
    asked = agent.json("why", place / ASKED.get(word, "f199"))
    done = agent.json("cleanup", "feeds", check=False)
    if undo:
        undo()
    left = {s["reason"]: s for s in done["skipped"]}
    assert left.get(word, {}).get("files", 0) > 0, done
    assert left[word]["sentence"]
    assert done["files"] + sum(s["files"] for s in left.values()) == len(files)
    assert len(names(place)) == len(files) - done["files"]
    if word not in OF_A_RUN:
        assert asked["rule"] == word, asked
    counted = agent.json("metrics")["components"][0]["skipped"]
    assert counted[word] == left[word]["files"], counted
    assert not any(n for w, n in counted.items() if w not in left)
    assert agent.history()[-1]["skipped"] == done["skipped"]


@pytest.mark.parametrize("how", [(), ("--dry-run",)], ids=["real", "dry"])
def test_a_limit_holds_for_what_replaces_others(host, root_only, how):
    """What is in use is replaced by the next in order, again and again: not
    beyond the limit of the run."""
    host.config({}, ag.policy("feeds", owners=["*"], strategy="size",
                              retention={},
                              limits={**ag.NO_LIMITS, "files": 10}))
    place = host.place("temp", "feeds")
    for number in range(40):
        make_file(place / f"f{number:02}", 4096 * (50 - number), DAY)
    agent = host.start()
    held = [open(place / f"f{number:02}", "rb") for number in range(3)]
    done = agent.json("cleanup", "feeds", "--target", "1B", *how, check=False)
    for file in held:
        file.close()
    left = {s["reason"]: s["files"] for s in done["skipped"]}
    assert left == {"busy": 3, "limit-files": 27}, done
    assert done["files"] == 10
    assert done["estimatedBytes"] == sum(
        4096 * (50 - number) for number in range(3, 13)), done
    gone = {f"f{number:02}" for number in range(3, 13)} if not how else set()
    assert names(place) == {f"f{number:02}" for number in range(40)} - gone


@pytest.mark.parametrize("limits", [{"bytes": "25%"}, {"share": "10%"}])
def test_a_share_holds_for_what_replaces_others(host, root_only, limits):
    host.config({}, ag.policy("feeds", owners=["*"], strategy="size",
                              retention={},
                              limits={**ag.NO_LIMITS, **limits}))
    place = host.place("temp", "feeds")
    for number in range(40):
        make_file(place / f"f{number:02}", 65536, DAY)
    agent = host.start()
    held = [open(place / f"f{number:02}", "rb") for number in range(40)
            if number % 3 == 0]
    done = agent.json("cleanup", "feeds", "--target", "1B", check=False)
    for file in held:
        file.close()
    if "bytes" in limits:
        assert 0 < done["freedBytes"] <= done["usedBefore"] / 4
    else:
        assert 0 < done["files"] <= 4
    assert len(names(place)) == 40 - done["files"]


def skipped(agent, word):
    return agent.json("metrics")["components"][0]["skipped"][word]


def test_observe(host):
    """Not a rail of a run, but of the policy: all is told, nothing goes."""
    host.config({}, ag.policy("feeds", owners=["*"], mode="observe"))
    place = host.place("temp", "feeds")
    make_file(place / "old", 4096, 2 * DAY)
    agent = host.start()
    done = agent.json("cleanup", "feeds", "--force")
    assert (done["mode"], done["dryRun"], done["files"]) == ("observe", True, 1)
    why = agent.json("why", place / "old")
    assert any("observes" in r for r in why["reasons"])
    assert names(place) == {"old"}


def test_untrusted(host):
    host.config({}, ag.policy("feeds", owners=["*"], strategy="time"))
    place = host.place("temp", "feeds")
    agent = host.start()
    os.rename(place, host.outside / "was")
    make_file(place / "old", 4096, 2 * DAY)
    ag.wait_for("not trusted", lambda: not agent.component("feeds")["trusted"])
    done = agent.ctl("cleanup", "feeds", "--force", check=False)
    assert done.returncode == 1
    assert skipped(agent, "untrusted") == 1
    assert names(place) == {"old"}


def test_panic_stops_a_running_reaper_within_a_second(host):
    """The latch, set by hand beside the state file as an operator would whose
    agent does not answer."""
    host.config({}, ag.policy("feeds", owners=["*"], strategy="time"))
    place = host.place("temp", "feeds")
    n = 60000
    for folder in range(60):
        (place / str(folder)).mkdir(parents=True)
        for number in range(n // 60):
            path = place / str(folder) / str(number)
            os.mknod(path)
            os.utime(path, (1, 1))
    agent = host.start()
    done = {}

    def clean():
        done.update(agent.json("cleanup", "feeds", "--force", check=False))

    def count():
        return sum(len(os.listdir(place / str(f))) for f in range(60))
    thread = threading.Thread(target=clean)
    thread.start()
    try:
        ag.wait_for("deletions", lambda: count() < n)
        (host.dir / "state/panic").touch()
        latched = last = time.monotonic()
        left = count()
        while time.monotonic() - last < 0.5:
            now = count()
            if now != left:
                left, last = now, time.monotonic()
        assert left, "all was deleted before the latch could be set"
        assert last - latched < 1.0 * ag.SLOW
        print(f"panic: {last - latched:.3f} s, {left} of {n} left")
    finally:
        thread.join(30)
    assert done["stopped"] == "panic"
    assert skipped(agent, "panic") > 0
    assert len(names(place)) == left
    assert_why = agent.json("why", place / "59/999")
    assert assert_why["rule"] in ("panic", "retention")


NONSENSE = [
    ("allocation", value) for value in (
        "0", "0MB", 0, "-5MB", -1, "0%", "101%", "-10%",
        "9223372036854775808", 9223372036854775808,
        "99999999999999999999", "8388608TB", "1e3", "", "MB", "NaN", None,
        True, [], {})
] + [
    ("target", value) for value in (
        "0", 0, "0%", "81%", "101%", "-1%", "101MB",
        "9223372036854775807", 9223372036854775807, "9223372036854775808")
] + [
    ("warning", "0%"), ("warning", "96%"), ("warning", "-1"),
    ("warning", "101%"), ("critical", "79%"), ("critical", "101%"),
    ("critical", "200MB"), ("minAge", "-1s"), ("minAge", "1e9d"),
    ("interval", "-6h"),
    ("retention", {"temp": "-1d"}), ("retention", {"temp": "1"}),
    ("keepNewest", {"temp": -1}), ("keepNewest", {"temp": 4294967296}),
    ("limits", {"files": 0}), ("limits", {"files": -1}),
    ("limits", {"files": 9223372036854775808}), ("limits", {"share": "0%"}),
    ("limits", {"share": "101%"}), ("limits", {"bytes": "-5%"}),
    ("limits", {"filesystem": "200%"}), ("limits", {"errors": 0}),
    ("limits", {"errorShare": "101%"}),
]


def test_nonsense_is_refused_with_its_place(host):
    """By the start and by a check, with file, line and column."""
    host.config({}, ag.policy("feeds"))
    agent = host.start()
    for key, value in NONSENSE:
        where = host.put_policy({**ag.policy("feeds"), key: value})
        if value is None:
            where.write_text(where.read_text().replace("null", "NaN"))
        checked = ag.run(ag.ULLAGED, *host.arguments(), "--check", check=False)
        said = checked.stderr
        line = 1 + next(number for number, text in enumerate(
            where.read_text().splitlines()) if f'"{key}"' in text)
        at = re.match(rf"{re.escape(str(where))}:(\d+):(\d+): (.+)", said)
        assert checked.returncode == 1 and at, (key, value, said)
        assert line <= int(at[1]) <= line + 1, (key, value, said)
        reloaded = agent.ctl("reload", check=False)
        assert reloaded.returncode == 1 and at[0] in reloaded.stderr
    assert agent.component("feeds")["allocationBytes"] == 100 * ag.MIB


def test_nonsense_targets_by_hand(host):
    host.config({}, ag.policy("feeds", owners=["*"]))
    place = host.place("temp", "feeds")
    make_file(place / "young", 4096)
    agent = host.start()
    for target in ("-1", "-5MB", "101%", "101MB", "9223372036854775807",
                   "9223372036854775808", "18446744073709551616", "1e3", "x",
                   "", "NaN", "0x10"):
        done = agent.ctl("cleanup", "feeds", "--force", f"--target={target}",
                         check=False)
        assert done.returncode in (1, 2) and done.stderr, target
    assert names(place) == {"young"}


def test_allocation_over_the_filesystem_is_told(host):
    host.config({}, ag.policy("feeds", allocation="900TB"))
    agent = host.start()
    ag.wait_for("the note", lambda: any(
        "larger than the filesystem" in note
        for note in agent.component("feeds")["notes"]))


LIAR = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>
static volatile unsigned long long *lie;
__attribute__((constructor)) static void begin(void)
{
	int fd = open(getenv("LIE"), O_RDONLY | O_CLOEXEC);
	lie = mmap(0, 32, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
}
int fstatfs64(int fd, struct statfs64 *s)
{
	int (*real)(int, struct statfs64 *) = dlsym(RTLD_NEXT, "fstatfs64");
	int r = real(fd, s);
	if (r == 0 && lie && lie != MAP_FAILED && lie[0]) {
		s->f_blocks = lie[1], s->f_bfree = lie[2], s->f_bavail = lie[3];
	}
	return r;
}
int fstatfs(int fd, struct statfs *s) { return fstatfs64(fd, (void *)s); }
"""


class Liar:
    def __init__(self, host):
        source, self.liar = host.dir / "liar.c", host.dir / "liar.so"
        source.write_text(LIAR)
        ag.run("cc", "-shared", "-fPIC", "-o", self.liar, source, "-ldl")
        file = host.dir / "lie"
        file.write_bytes(bytes(32))
        with open(file, "r+b") as opened:
            self.map = mmap.mmap(opened.fileno(), 32)
        options = os.environ.get("ASAN_OPTIONS", "")
        self.env = {"LD_PRELOAD": str(self.liar), "LIE": str(file),
                    "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0"}

    def tell(self, *blocks):
        self.map[:] = struct.pack("4Q", bool(blocks), *(blocks or (0, 0, 0)))


NONE, FULL, HUGE = (0, 0, 0), (70000, 0, 0), 1 << 63


@pytest.mark.parametrize("figures", [
    NONE, (0, 5, 5), (0, 0, 5), (100, 200, 0), (100, 0, 200), (HUGE, 0, 0),
    (HUGE - 1, 0, 0), (1 << 52, 0, 0), ((1 << 64) - 1, (1 << 64) - 1, 0),
    (1 << 51, 0, 0)], ids=lambda f: "-".join(map(hex, f)))
def test_df_that_cannot_be_deletes_nothing(host, root_only, figures):
    host.config({"alerts": {"cooldown": "1s"}},
                ag.policy("feeds", owners=["*"], interval="30d",
                          allocation="50%"))
    place = host.place("data", "feeds")
    for number in range(50):
        make_file(place / f"f{number}", ag.MIB // 4, DAY)
    liar = Liar(host)
    agent = host.start(env=liar.env)

    def health():
        return agent.status()["filesystems"][0]["health"]
    ag.wait_for("a first look", lambda: health() == "ok")
    liar.tell(*figures)
    if figures != NONE:  # a filesystem without a size is no lie
        ag.wait_for("it is seen", lambda: health() == "nonsense")
        ag.wait_for("the alert", lambda: any(
            a["kind"] == "filesystem-error" for a in agent.json("status")[
                "alerts"]))
    else:
        ag.wait_for("it is seen", lambda: agent.status()["filesystems"][0][
            "totalBytes"] == 0)
    done = agent.json("cleanup", "feeds", check=False)
    assert not done or done["files"] == 0
    time.sleep(0.3)
    assert len(names(place)) == 50 and not any(
        c["files"] for c in agent.history())
    liar.tell()
    ag.wait_for("it makes sense again", lambda: health() == "ok")
    assert not any(a["kind"] == "filesystem-error"
                   for a in agent.status()["alerts"])


def test_the_liar_is_believed_when_it_could_be_true(host, root_only):
    """Without this the test above would show nothing."""
    host.config({}, ag.policy("feeds", owners=["*"], interval="30d"))
    place = host.place("data", "feeds")
    for number in range(50):
        make_file(place / f"f{number}", ag.MIB // 4, DAY)
    liar = Liar(host)
    agent = host.start(env=liar.env)
    liar.tell(*FULL)
    ag.wait_for("an emergency", lambda: agent.status() and len(
        names(place)) < 50)


@pytest.fixture
def rivals(hosts):
    """Two hosts with sockets and states of their own, over one root."""
    first, second = hosts("tmpfs"), hosts("tmpfs")
    second.root = first.root
    for host in (first, second):
        host.config({}, ag.policy("feeds", owners=["*"], strategy="time"))
    return first, second


def refused(host):
    done = ag.run(ag.ULLAGED, *host.arguments(), check=False,
                  timeout=20 * ag.SLOW)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr


def test_two_agents_over_one_root(rivals):
    first, second = rivals
    agent = first.start()
    said = refused(second)
    assert str(agent.process.pid) in said and str(first.socket) in said
    assert str(first.root) in said
    # It is a matter of the directory, not of its name.
    assert agent.stop() == 0
    other = second.start()
    assert refused(first)
    other.kill()  # no trace of it is left that would keep another out
    assert first.start().stop() == 0
    second.start()


def test_two_agents_over_overlapping_roots(rivals):
    first, second = rivals
    inner = first.place("data", "feeds") / "in" / "it"
    inner.mkdir(parents=True)
    first.start()
    second.config({}, ag.policy("other", paths={"data": [str(inner)],
                                                "temp": [], "cache": [],
                                                "logs": [], "backup": [],
                                                "config": []}))
    assert str(inner) in refused(second)


def test_two_agents_by_another_path(rivals, root_only):
    first, second = rivals
    first.start()
    alias = second.outside / "alias"
    alias.mkdir()
    ag.run("mount", "--bind", first.place("data", "feeds"), alias)
    try:
        second.config({}, ag.policy("other", paths={
            "data": [str(alias)], "temp": [], "cache": [], "logs": [],
            "backup": [], "config": []}))
        assert str(alias) in refused(second)
    finally:
        ag.run("umount", alias)


def test_a_reload_cannot_take_anothers_root(rivals):
    first, second = rivals
    first.start()
    second.config({}, ag.policy("mine"))
    other = second.start()
    second.put_policy(ag.policy("feeds", owners=["*"]))
    done = other.ctl("reload", check=False)
    assert done.returncode == 1 and str(first.socket) in done.stderr
    assert [c["name"] for c in other.status()["components"]] == ["mine"]
    first.agents[0].stop()
    other.ctl("reload")
    other.wait_trusted()
    assert len(other.status()["components"]) == 2
    # What a reload gives up is free for others.
    (second.dir / "etc/policies.d/feeds.json").unlink()
    assert refused(first)
    other.ctl("reload")
    first.start()
