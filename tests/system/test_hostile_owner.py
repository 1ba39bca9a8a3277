# SPDX-License-Identifier: GPL-2.0-or-later
"""The owner of a component's directory, an ordinary user, works against the
whole agent while it cleans: what he must not lose is all there in the end, and
so is what he must not reach."""

import os
import subprocess

import pytest

import agent as ag
from trees import DAY, assert_equal, make_file

OWNER = 65534
N = 100

# By turns: exchanges of a file that goes with one that stays, of a directory
# with a link to one outside, of it with another; moves out and in of files,
# directories and the quarantine; links; new files that go, under old names.
RIVAL = r"""
import ctypes, os, random, sys, time
libc = ctypes.CDLL(None)
top, out, n = os.fsencode(sys.argv[1]), os.fsencode(sys.argv[2]), 100
os.chdir(top)
random.seed(os.getpid())
def exchange(a, b): return libc.renameat2(-100, a, -100, b, 2)
def rename(a, b): return libc.renameat2(-100, a, -100, b, 1)
def old(i):
    path = b"d/go%d" % i
    try:
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        os.write(fd, b"goes")
        os.utime(fd, (1, 1))
        os.close(fd)
        return 1
    except OSError:
        return 0
end, made, done = time.monotonic() + float(sys.argv[3]), 0, 0
while time.monotonic() < end:
    i, do = random.randrange(n), random.randrange(24)
    if do < 10: exchange(b"d/go%d" % i, b"d/stay%d" % i)
    elif do < 16: made += old(i)
    elif do == 16: exchange(b"d", b"link"); exchange(b"d", b"link")
    elif do == 17: exchange(b"d", b"e"); exchange(b"d", b"e")
    elif do == 18:
        if rename(b"d", out + b"/d") == 0: rename(out + b"/d", b"d")
    elif do == 19:
        if rename(b"d/go%d" % i, out + b"/x") == 0:
            rename(out + b"/x", b"d/go%d" % i)
    elif do == 20:
        q = b".ullage-quarantine"
        if rename(q, out + b"/q") == 0: rename(out + b"/q", q)
    elif do == 21:
        libc.link(b"d/stay%d" % i, b"d/more"); libc.unlink(b"d/more")
    elif do == 22:
        exchange(b"d/go%d" % i, b"d/odd%d" % (i % 3))
        exchange(b"d/go%d" % i, b"d/odd%d" % (i % 3))
    else:
        try: fd = os.open(b"d/go%d" % i, os.O_RDONLY | os.O_NONBLOCK)
        except OSError: continue
        os.close(fd)
    done += 1
# whatever lies elsewhere comes home
for a, b in ((out + b"/d", b"d"), (out + b"/x", b"d/x"),
             (out + b"/q", b".ullage-quarantine")):
    rename(a, b)
print(made, done)
"""


def tree(host):
    place = host.place("temp", "feeds")
    theirs = host.outside / "theirs"
    for folder in (place / "d", place / "e", theirs):
        folder.mkdir(parents=True)
        os.chown(folder, OWNER, OWNER)
    os.chown(place, OWNER, OWNER)
    precious = host.outside / "precious"
    for number in range(N):
        # as old as those that go: only place and owner protect them
        make_file(precious / f"go{number}", 10, 2 * DAY, owner=OWNER)
        make_file(place / "d" / f"stay{number}", 10, 0, owner=OWNER)
        make_file(place / "e" / f"go{number}", 10, 0, owner=OWNER)
    os.symlink("../../../outside/precious", place / "link")
    os.mkfifo(place / "d/odd0")
    os.symlink("/etc/passwd", place / "d/odd1")
    (place / "d/odd2").mkdir()
    for name in ("odd0", "odd1", "odd2"):
        os.chown(place / "d" / name, OWNER, OWNER, follow_symlinks=False)
    return place, theirs, precious


def inodes(*paths):
    found = {}
    for path in paths:
        for folder, folders, files in os.walk(path):
            for name in files + folders:
                st = os.lstat(os.path.join(folder, name))
                found[st.st_ino] = st
    return found


@pytest.mark.slow
@pytest.mark.parametrize("fs", ["tmpfs", "ext4", "xfs", "btrfs"])
def test_owner(hosts, root_only, fs):
    host = hosts(fs, 300 * ag.MIB)
    place, theirs, precious = tree(host)
    host.config({}, ag.policy("feeds", strategy="time", owners=["nobody"],
                              limits={**ag.NO_LIMITS, "errors": 1000000}))
    agent = host.start()
    pid = agent.status()["agent"]["pid"]
    keep = inodes(place / "d", place / "e")
    outside = sorted(os.listdir(precious))
    rivals = [subprocess.Popen(
        ["setpriv", f"--reuid={OWNER}", f"--regid={OWNER}",
         "--clear-groups", "/usr/bin/python3", "-c", RIVAL, str(place),
         str(theirs), "4"], stdout=subprocess.PIPE) for _ in range(2)]
    deleted = runs = 0
    while any(r.poll() is None for r in rivals):
        done = agent.json("cleanup", "feeds", "--force", check=False)
        deleted += done["files"] if done else 0
        runs += 1
    made = sum(int(r.stdout.read().split()[0]) for r in rivals)
    print(f"owner on {fs}: {made} files made to go, {deleted} deleted in "
          f"{runs} runs")
    assert deleted > N // 10, "it never came to anything"
    there = inodes(place, theirs)
    # The number alone says nothing: ext4 gives it out again at once.
    lost = [ino for ino, st in keep.items() if ino not in there
            or (there[ino].st_mode, there[ino].st_size)
            != (st.st_mode, st.st_size)]
    assert not lost, (len(lost), "of", len(keep), "files that stay are gone")
    assert sorted(os.listdir(precious)) == outside
    assert os.path.exists("/etc/passwd")
    assert agent.status()["agent"]["pid"] == pid
    # Whatever of it all is in the way, it is cleaned when there is peace.
    agent.ctl("reload", check=False)
    agent.wait_trusted()
    assert_equal(agent)
    agent.json("cleanup", "feeds", "--force", check=False)
    assert not [name for folder, _, files in os.walk(place / "d")
                for name in files
                if os.lstat(os.path.join(folder, name)).st_mtime < 2
                and os.path.isfile(os.path.join(folder, name))]
