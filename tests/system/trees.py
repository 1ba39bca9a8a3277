# SPDX-License-Identifier: GPL-2.0-or-later
"""Making files, and measuring them as du and find do."""

import os
import re
import time
from collections import namedtuple
from pathlib import Path

import agent as ag

HOUR = 3600
DAY = 24 * HOUR
Totals = namedtuple("Totals", "usedBytes sizeBytes files")
Found = namedtuple("Found", "kind inode size blocks top")
IN_C = dict(os.environ, LC_ALL="C")  # patterns are bytes, and ten times faster


def make_file(path, size, age=0, owner=None, used=None):
    """A file of really allocated bytes, last written (used) so long ago.

    It belongs to the owner of its directory, as a service's files do."""
    path = Path(path)
    if not path.parent.is_dir():
        make_dir(path.parent)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        if size > 4 * ag.MIB:
            os.posix_fallocate(fd, 0, size)
        else:
            os.write(fd, b"u" * size)
        if os.getuid() == 0:
            uid = os.stat(path.parent).st_uid if owner is None else owner
            os.fchown(fd, uid, -1)
        now = time.time()
        os.utime(fd, (now - (age if used is None else used), now - age))
    finally:
        os.close(fd)
    return path


def make_dir(path):
    """A directory, and those above, with the owner of the first existing."""
    missing = []
    path = Path(path)
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    uid = os.stat(path).st_uid
    for one in reversed(missing):
        one.mkdir()
        if os.getuid() == 0:
            os.chown(one, uid, -1)


def mount_points(*paths):
    """Those below any of the paths, the deepest first."""
    found = []
    with open("/proc/self/mountinfo", errors="surrogateescape") as lines:
        for line in lines:
            point = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)),
                           line.split(" ", 5)[4])
            if any(point.startswith(f"{path}/") for path in paths):
                found.append(point)
    return sorted(found, key=len, reverse=True)


def measure(*paths):
    """What du -x and find -xdev say of these paths together. Nothing that is
    mounted there counts, also if it is the same filesystem."""
    paths = [p for p in paths if os.path.isdir(p)]
    if not paths:
        return Totals(0, 0, 0)
    used = ag.run("du", "-x", "-s", "-c", "-B1",
                  *(f"--exclude={one}" for one in map(literal, mount_points(
                      *paths))), "--", *paths, env=IN_C).stdout
    used = int(used.splitlines()[-1].split()[0])
    return total(list_all(*paths))._replace(usedBytes=used)


def list_all(*paths):
    """All that is on the filesystem of each path, as find tells it."""
    mounted = [word for point in mount_points(*paths)
               for word in ("-path", literal(point), "-prune", "-o")]
    done = ag.run("find", *paths, "-xdev", *mounted, "-printf",
                  r"%y %D:%i %s %b %H\0", check=False, env=IN_C)
    # A directory that is mounted below itself is left out anyway.
    for line in done.stderr.splitlines():
        assert "File system loop detected" in line, done.stderr
    return [Found(*line.split(" ", 4))
            for line in done.stdout.split("\0")[:-1]]


def literal(path):
    """A pattern that fits it."""
    return re.sub(r"([*?[\\])", r"\\\1", path)


def total(found):
    """What du would say of these, each inode once."""
    return Totals(
        sum({one.inode: 512 * int(one.blocks) for one in found}.values()),
        sum({one.inode: int(one.size) for one in found
             if one.kind == "f"}.values()),
        sum(one.kind == "f" for one in found))


def of_json(value):
    return Totals(value["usedBytes"], value["sizeBytes"], value["files"])


def differences(agent):
    """Every component and type whose totals are not what find says, which
    takes a quarter of du's time (test_model holds it to du)."""
    wrong = []
    for component in agent.status()["components"]:
        everything = [path for kind in component["types"]
                      for path in kind["paths"] if os.path.isdir(path)]
        found = list_all(*everything) if everything else []
        for kind in component["types"]:
            wrong += difference(
                f"{component['name']}/{kind['type']}", of_json(kind),
                total([one for one in found if one.top in kind["paths"]]))
        wrong += difference(component["name"], of_json(component),
                            total(found))
    return wrong


def difference(name, said, found):
    return [] if said == found else [f"{name}: agent {tuple(said)}, "
                                     f"find {tuple(found)}"]


def where(agent):
    """The deepest directories that differ, and what is in them."""
    found = []
    queue = [path for component in agent.status()["components"]
             for kind in component["types"] for path in kind["paths"]]
    while queue:
        folder = queue.pop()
        said = agent.json("du", folder, check=False)
        said = said and said.get("entries") and of_json(said["entries"][0])
        if said == measure(folder):
            continue
        below = [entry.path for entry in os.scandir(folder)
                 if entry.is_dir(follow_symlinks=False)
                 and not os.path.ismount(entry.path)]
        found.append((folder, said, measure(folder)))
        queue += below
    return [f"  {folder!a}: agent {said and tuple(said)}, "
            f"du and find {tuple(there)}\n"
            + ag.run("ls", "-lasi", "--time-style=full-iso", folder).stdout
            for folder, said, there in found
            if not any(other.startswith(f"{folder}/")
                       for other, *_ in found)][:5]


def assert_equal(agent, quiet=ag.QUIET_S):
    """The freshness contract: after 1 s of quiet nothing differs."""
    time.sleep(min(quiet, 1.0))
    wrong = differences(agent)
    if wrong and quiet > 1.0:  # the rest of it, where it is needed
        time.sleep(quiet - 1.0)
        wrong = differences(agent)
    if wrong:
        time.sleep(3)
        later = differences(agent)
        raise AssertionError(
            f"after {quiet:g} s of quiet:\n  " + "\n  ".join(wrong)
            + ("\nafter 3 s more still:\n  " + "\n  ".join(later)
               + "\n" + "\n".join(where(agent)) if later
               else "\nequal 3 s later"))


def names(*paths):
    """The regular files below, relative to the path each is below; but for
    what lies in the trash, and the room that the agent keeps for itself in
    its quarantine."""
    found = set()
    for path in paths:
        for folder, _, files in os.walk(path):
            if os.path.basename(folder) == ".ullage-trash":
                continue
            if os.path.basename(folder) == ".ullage-quarantine":
                files = [f for f in files if not f.startswith("~room")]
            found.update(os.path.relpath(os.path.join(folder, f), path)
                         for f in files)
    return found


def age_offline(host, ages):
    """Sets all four stamps of files on an ext4 image as if they had been
    born then: {path: age in seconds}. The filesystem is unmounted for it."""
    assert host.fs == "ext4"
    relative = {os.path.relpath(path, host.mnt): age
                for path, age in ages.items()}
    host.umount()
    now = int(time.time())
    script = "".join(
        f'set_inode_field "/{path}" {field} @{now - int(age)}\n'
        for path, age in relative.items()
        for field in ("atime", "mtime", "ctime", "crtime"))
    commands = host.dir / "debugfs"
    commands.write_text(script)
    done = ag.run("debugfs", "-w", "-f", commands, host.image)
    for line in done.stdout.splitlines() + done.stderr.splitlines():
        assert line.startswith(("debugfs", "set_inode_field")) and \
            "not found" not in line, line
    host.mount()
