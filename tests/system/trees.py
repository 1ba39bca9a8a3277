# SPDX-License-Identifier: GPL-2.0-or-later
"""Making files, and measuring them as du and find do."""

import os
import time
from collections import namedtuple
from pathlib import Path

import agent as ag

HOUR = 3600
DAY = 24 * HOUR
Totals = namedtuple("Totals", "usedBytes sizeBytes files")


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


def measure(*paths):
    """What du and find say of these paths together."""
    paths = [p for p in paths if os.path.isdir(p)]
    if not paths:
        return Totals(0, 0, 0)
    used = ag.run("du", "-s", "-c", "-B1", "--", *paths).stdout
    used = int(used.splitlines()[-1].split()[0])
    listing = ag.run("find", *paths, "-type", "f", "-printf",
                     r"%D:%i %s\n").stdout.split("\n")
    sizes = dict(line.split() for line in listing if line)
    return Totals(used, sum(map(int, sizes.values())), len(listing) - 1)


def of_json(value):
    return Totals(value["usedBytes"], value["sizeBytes"], value["files"])


def differences(agent):
    """Every component and type whose totals are not what du and find say."""
    wrong = []
    for component in agent.status()["components"]:
        everything = []
        for kind in component["types"]:
            everything += kind["paths"]
            wrong += difference(f"{component['name']}/{kind['type']}",
                                of_json(kind), measure(*kind["paths"]))
        wrong += difference(component["name"], of_json(component),
                            measure(*everything))
    return wrong


def difference(name, said, found):
    return [] if said == found else [f"{name}: agent {tuple(said)}, "
                                     f"du and find {tuple(found)}"]


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
            + (f"\nafter 3 s more still:\n  " + "\n  ".join(later) if later
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
