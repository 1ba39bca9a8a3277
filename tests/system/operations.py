# SPDX-License-Identifier: GPL-2.0-or-later
"""Random file operations, the same for the same seed.

run() does what raises events. run_silent() does that and what raises none
below a managed root, for which the reconciliation is there: stores through a
mapping that stays, writes through a name outside to a file that has another
name inside, and mounts. So is, without an event, what is written through a
link that comes and goes before anybody has looked: the events are of that name
alone. Links are used from the next settled() on.
"""

import ctypes
import errno
import fcntl
import mmap
import os
import random
import struct
from collections import Counter
from contextlib import suppress

from trees import mount_points

LIBC = ctypes.CDLL(None, use_errno=True)
RENAME_NOREPLACE, RENAME_EXCHANGE = 1, 2
FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE = 1, 2
AT_FDCWD, AT_SYMLINK_FOLLOW = -100, 0x400
MS_BIND = 4096
FICLONE = 0x40049409
BTRFS_IOC_SUBVOL_CREATE, BTRFS_IOC_SNAP_DESTROY = 0x5000940E, 0x5000940F
XFS_IOC_FREE_EOFBLOCKS = 0x8080583A
QUEUE = 17000  # more names than a queue of the kernel's holds events
ROOM_EVERY = 20_000  # operations, or the last rounds are all find's
MAX_MOUNTS, MAX_MAPPINGS, MAX_LINKS = 8, 16, 200
MAX_PATH = 400  # most of the time is the kernel's else, for walking down
# So begin names of files that other operations leave alone, because
MAPPED = "mapped"  # they must not become shorter, or change with no event
LINKED = "linked"  # the agent may not know the name yet
HOSTILE = ["new\nline", "\x1b[2J", "\udcff\udcfe", "-rf", "`id`", "a b",
           "\u202egpj", "'", "\"", "é" * 100, "%s%n", "$(x)", "."]


def rename2(old, new, flags):
    if LIBC.renameat2(AT_FDCWD, os.fsencode(old), AT_FDCWD, os.fsencode(new),
                      flags):
        raise OSError(ctypes.get_errno(), "renameat2", old)


class Operations:
    """Works in areas (component directories of one or several types) and in
    an outside directory of the same filesystem. Every so many operations
    the agent is stopped, its queue made to overflow, and half as many done
    that it will hear nothing of."""

    def __init__(self, seed, areas, outside, agent=None, overflow_every=0,
                 max_size=1 << 16):
        self.agent = agent
        self.overflow_every = overflow_every
        self.n_overflows = 0
        self.top = os.path.dirname(outside)
        self.aside = outside + ".links"  # no area: written to by itself
        os.makedirs(self.aside, exist_ok=True)
        self.links, self.mappings = [], []
        self.clones = []  # reflinks, and what they are of
        self.fresh = []  # links: (area, path)
        self.random = random.Random(seed)
        self.areas = {name: list(paths) for name, paths in areas.items()}
        self.areas["outside"] = [outside]
        self.dirs = {a: list(paths) for a, paths in self.areas.items()}
        self.files = {a: [] for a in self.areas}
        self.max_size = max_size
        self.counter = 0
        self.n_done, self.room_at = 0, ROOM_EVERY
        self.done, self.refused = Counter(), Counter()
        inside = [a for a in self.areas if a != "outside"]
        self.weighted = inside * 4 + ["outside"]
        self.loud = self.table(
            ("create", 22), ("append", 16), ("truncate", 7), ("unlink", 6),
            ("mkdir", 4), ("rename_file", 9), ("rename_over", 3),
            ("rename_dir", 3), ("exchange", 1.5), ("link", 4), ("chmod", 4),
            ("utime", 5), ("rmtree", 0.15), ("symlink", 1), ("fifo", 0.5),
            ("punch", 2), ("tmpfile", 2), ("storm", 0.5), ("rmdir", 1),
            ("open_unlink", 1), ("mmap", 2), ("reflink", 2),
            ("subvolume", 0.3), ("subvolume_delete", 0.2))
        self.silent = self.loud + self.table(
            ("map", 2), ("store", 4), ("unmap", 1), ("link_outside", 3),
            ("write_outside", 5), ("write_clone", 2), ("mount", 0.5),
            ("umount", 0.4))

    def table(self, *rows):
        return [(getattr(self, f"op_{name}"), weight) for name, weight in rows]

    def run(self, count):
        """Until so many operations have succeeded."""
        while self.agent and self.overflow_every and \
                count >= self.overflow_every:
            half = self.overflow_every // 2
            self._run(half, self.loud)
            with self.agent.stopped():
                self.flood()
                self._run(half, self.loud)
            count -= 2 * half
        self._run(count, self.loud)

    def settled(self):
        """The agent has seen everything."""
        for area, path in self.fresh:
            self.files[area].append(path)
        self.fresh = []

    def run_silent(self, count):
        self._run(count, self.silent)
        # Written back, a file of many pieces may take a block more (ext4).
        fd = os.open(self.top, os.O_RDONLY)
        LIBC.syncfs(fd)
        with suppress(OSError):
            fcntl.ioctl(fd, XFS_IOC_FREE_EOFBLOCKS,
                        struct.pack("=II120x", 1, 1))
        os.close(fd)

    def _run(self, count, table):
        operations, weights = zip(*table)
        end = self.n_done + count
        while self.n_done < end:
            # More at once cost less; some will be refused.
            for operation in self.random.choices(
                    operations, weights, k=end - self.n_done):
                self.one(operation)
            if self.n_done >= self.room_at:
                self.make_room()

    def one(self, operation):
        try:
            operation()
            self.done[operation.__name__[3:]] += 1
            self.n_done += 1
        except OSError as error:
            self.refused[errno.errorcode.get(error.errno, "?")] += 1
            if error.errno == errno.ENOSPC:
                self.make_room()

    def flood(self):
        """More names than the queue holds: one file, renamed on and on. (Of
        one name that comes again, fanotify makes one event.)"""
        area = self.random.choice([a for a in self.areas if a != "outside"])
        place = self.random.choice(self.areas[area])
        old = f"{place}/chased"
        open(old, "wb").close()
        for number in range(QUEUE):
            new = f"{place}/chased{number}"
            os.rename(old, new)
            old = new
        os.unlink(old)
        self.n_overflows += 1

    def make_room(self):
        """Every second file goes, and every directory that is empty then."""
        for place in (p for places in self.areas.values() for p in places):
            for folder, _, files in os.walk(place, topdown=False):
                for name in files[::2]:
                    with suppress(OSError):  # by way of a mount it has gone
                        os.unlink(f"{folder}/{name}")
                if folder != place:
                    with suppress(OSError):
                        os.rmdir(folder)
        for area in self.areas:
            self.files[area] = list(filter(os.path.isfile, self.files[area]))
            self.dirs[area] = list(filter(os.path.isdir, self.dirs[area]))
        self.room_at = self.n_done + ROOM_EVERY

    def close(self):
        """What stands in the way of an unmount."""
        while self.mappings:
            self.mappings.pop().close()
        for path in mount_points(self.top):
            LIBC.umount2(os.fsencode(path), 0)

    # What is there.

    def area(self):
        return self.random.choice(self.weighted)

    def name(self):
        self.counter += 1
        if self.random.random() < 0.02:
            return f"{self.random.choice(HOSTILE)}{self.counter}"
        return f"f{self.counter}"

    def new_path(self, area, name=None):
        path = self.random.choice(self.dirs[area])
        while len(path) > MAX_PATH:
            path = self.random.choice(self.dirs[area])
        return f"{path}/{name or self.name()}"

    def a_file(self, area):
        """A random known file; forgets it if it has gone."""
        files = self.files[area]
        while files:
            at = self.random.randrange(len(files))
            if os.path.isfile(files[at]):
                return at, files[at]
            files[at] = files[-1]
            files.pop()
        raise OSError(errno.ENOENT, "no file")

    def a_dir(self, area):
        """A random known directory that is no root."""
        dirs, n_roots = self.dirs[area], len(self.areas[area])
        while len(dirs) > n_roots:
            at = self.random.randrange(n_roots, len(dirs))
            if os.path.isdir(dirs[at]):
                return at, dirs[at]
            dirs[at] = dirs[-1]
            dirs.pop()
        raise OSError(errno.ENOENT, "no directory")

    def forget(self, known, at):
        known[at] = known[-1]
        known.pop()

    def is_linked_below(self, path):
        for folder, _, files in os.walk(path):
            for name in files:
                if os.lstat(os.path.join(folder, name)).st_nlink > 1:
                    return True
        return False

    def size(self):
        return int(self.max_size ** self.random.random())

    # The operations.

    def op_create(self):
        area = self.area()
        path = self.new_path(area)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            os.write(fd, b"c" * self.size())
        finally:
            os.close(fd)
        self.files[area].append(path)

    def op_append(self):
        _, path = self.a_file(self.area())
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK)
        try:
            for _ in range(self.random.randrange(1, 4)):
                os.write(fd, b"a" * (self.size() // 4))
        finally:
            os.close(fd)

    def op_truncate(self):
        _, path = self.a_file(self.area())
        os.truncate(path, self.size() * self.random.choice((0, 1, 8)))

    def op_unlink(self):
        area = self.area()
        at, path = self.a_file(area)
        os.unlink(path)
        self.forget(self.files[area], at)

    def op_mkdir(self):
        area = self.area()
        path = self.new_path(area)
        os.mkdir(path)
        self.dirs[area].append(path)

    def op_storm(self):
        """mkdir -p and files in it, faster than any watch can be set."""
        area = self.area()
        path = self.new_path(area)
        for depth in range(self.random.randrange(2, 8)):
            os.mkdir(path)
            self.dirs[area].append(path)
            for number in range(3):
                name = os.path.join(path, f"s{number}")
                with open(name, "wb") as file:
                    file.write(b"s" * 100 * depth)
                self.files[area].append(name)
            path = os.path.join(path, f"d{depth}")

    def op_rename_file(self):
        source = self.area()
        at, path = self.a_file(source)
        target = source
        if self.random.random() < 0.5 and os.lstat(path).st_nlink == 1:
            target = self.area()
        new = self.new_path(target)
        os.rename(path, new)
        self.forget(self.files[source], at)
        self.files[target].append(new)

    def op_rename_over(self):
        area = self.area()
        _, path = self.a_file(area)
        _, victim = self.a_file(area)
        os.rename(path, victim)

    def op_rename_dir(self):
        source = self.area()
        at, path = self.a_dir(source)
        target = source
        if self.random.random() < 0.6 and not self.is_linked_below(path) \
                and not mount_points(path):  # under it may be links, too
            target = self.area()
        new = self.new_path(target)
        rename2(path, new, RENAME_NOREPLACE)
        self.forget(self.dirs[source], at)
        self.dirs[target].append(new)
        for folder, _, files in os.walk(new):
            self.files[target] += [os.path.join(folder, f) for f in files
                                   if not f.startswith((MAPPED, LINKED))]

    def op_exchange(self):
        area = self.area()
        one, other = self.a_file(area)[1], self.a_file(area)[1]
        if self.random.random() < 0.3:
            one = self.a_dir(area)[1]
            self.dirs[area].append(other)
            self.files[area].append(one)
        rename2(one, other, RENAME_EXCHANGE)

    def op_link(self):
        area = self.random.choice([a for a in self.areas if a != "outside"])
        _, path = self.a_file(area)
        self.counter += 1
        new = self.new_path(area, f"{LINKED}{self.counter}")
        os.link(path, new, follow_symlinks=False)
        self.fresh.append((area, new))

    def op_chmod(self):
        _, path = self.a_file(self.area())
        os.chmod(path, self.random.choice((0o600, 0o644, 0o444, 0o640)))

    def op_utime(self):
        _, path = self.a_file(self.area())
        os.utime(path, (self.random.randrange(1 << 31),) * 2,
                 follow_symlinks=False)

    def op_rmtree(self):
        area = self.area()
        at, path = self.a_dir(area)
        if sum(len(files) for _, _, files in os.walk(path)) > 60:
            raise OSError(errno.EFBIG, "too much of the tree", path)
        for folder, dirs, files in os.walk(path, topdown=False):
            for name in files:
                os.unlink(os.path.join(folder, name))
            for name in dirs:
                below = os.path.join(folder, name)
                (os.unlink if os.path.islink(below) else os.rmdir)(below)
        os.rmdir(path)
        self.forget(self.dirs[area], at)

    def op_rmdir(self):
        area = self.area()
        at, path = self.a_dir(area)
        os.rmdir(path)
        self.forget(self.dirs[area], at)

    def op_symlink(self):
        os.symlink("t" * self.random.choice((8, 300)),
                   self.new_path(self.area()))

    def op_fifo(self):
        os.mkfifo(self.new_path(self.area()))

    def op_punch(self):
        _, path = self.a_file(self.area())
        fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        try:
            LIBC.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                           ctypes.c_long(0), ctypes.c_long(16384))
        finally:
            os.close(fd)

    def op_tmpfile(self):
        """A file that gets its name after its content."""
        area = self.area()
        path = self.new_path(area)
        fd = os.open(os.path.dirname(path), os.O_TMPFILE | os.O_RDWR, 0o600)
        try:
            os.write(fd, b"t" * self.size())
            if LIBC.linkat(AT_FDCWD, b"/proc/self/fd/%d" % fd, AT_FDCWD,
                           os.fsencode(path), AT_SYMLINK_FOLLOW):
                raise OSError(ctypes.get_errno(), "linkat", path)
        finally:
            os.close(fd)
        self.files[area].append(path)

    def op_open_unlink(self):
        area = self.area()
        path = self.new_path(area)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT)
        try:
            os.write(fd, b"x" * self.size())
            os.unlink(path)
            os.write(fd, b"x" * self.size())
        finally:
            os.close(fd)

    # A mapping is a reference: it closes the file, which is an event.

    def new_mapping(self):
        """Of a file of holes."""
        self.counter += 1
        path = self.new_path(self.area(), f"{MAPPED}{self.counter}")
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.ftruncate(fd, 4 * self.max_size)
            return mmap.mmap(fd, 4 * self.max_size)
        finally:
            os.close(fd)

    def store(self, view):
        free = os.statvfs(self.top)
        if free.f_bavail * free.f_frsize < 64 << 20:
            raise OSError(errno.ENOSPC, "it would be a SIGBUS")
        for _ in range(4):
            view[self.random.randrange(len(view))] = 1

    def op_mmap(self):
        with self.new_mapping() as view:
            self.store(view)

    def op_reflink(self):
        """Where there are no such, FICLONE is refused."""
        self.counter += 1
        paths = [self.new_path(self.area(), f"{MAPPED}{self.counter}{end}")
                 for end in ("original", "clone")]
        self.fill(paths[0])
        with open(paths[0], "rb") as source, open(paths[1], "wb") as clone:
            fcntl.ioctl(clone, FICLONE, source.fileno())
        self.clones += paths

    def subvolume(self, request, path):
        fd = os.open(os.path.dirname(path), os.O_RDONLY)
        try:
            fcntl.ioctl(fd, request, bytearray(struct.pack(
                "=q4088s", 0, os.fsencode(os.path.basename(path)))))
        finally:
            os.close(fd)

    def op_subvolume(self):
        """Another filesystem in a directory that is no mount."""
        area = self.area()
        path = self.new_path(area) + "subvolume"
        self.subvolume(BTRFS_IOC_SUBVOL_CREATE, path)
        self.dirs[area].append(path)
        for number in range(3):
            self.fill(os.path.join(path, f"v{number}"))

    def op_subvolume_delete(self):
        area = self.area()
        paths = [d for d in self.dirs[area] if d.endswith("subvolume")]
        if not paths:
            raise OSError(errno.ENOENT, "no subvolume")
        path = self.random.choice(paths)
        self.subvolume(BTRFS_IOC_SNAP_DESTROY, path)
        self.dirs[area].remove(path)

    def fill(self, path):
        with open(path, "wb") as file:
            file.write(b"m" * self.size())

    # What raises no event.

    def op_map(self):
        if len(self.mappings) >= MAX_MAPPINGS:
            raise OSError(errno.EMFILE, "enough mappings")
        self.mappings.append(self.new_mapping())

    def op_store(self):
        if not self.mappings:
            raise OSError(errno.ENOENT, "no mapping")
        self.store(self.random.choice(self.mappings))

    def op_unmap(self):
        if not self.mappings:
            raise OSError(errno.ENOENT, "no mapping")
        at = self.random.randrange(len(self.mappings))
        self.mappings[at].close()
        self.forget(self.mappings, at)

    def op_write_clone(self):
        """What was one becomes two, a while later (xfs: when it is written
        back, and what was allocated for that in vain after minutes)."""
        if not self.clones:
            raise OSError(errno.ENOENT, "no clone")
        with open(self.random.choice(self.clones), "r+b") as file:
            file.seek(self.size() // 2)
            file.write(b"r" * self.size())

    def op_link_outside(self):
        _, path = self.a_file(self.area())
        self.counter += 1
        new = os.path.join(self.aside, f"l{self.counter}")
        os.link(path, new, follow_symlinks=False)
        self.links.append(new)
        if len(self.links) > MAX_LINKS:
            os.unlink(self.links.pop(0))

    def op_write_outside(self):
        if not self.links:
            raise OSError(errno.ENOENT, "no link outside")
        path = self.random.choice(self.links)
        if self.random.random() < 0.2:
            os.truncate(path, self.size())
            return
        with open(path, "ab") as file:
            file.write(b"l" * self.size())

    def op_mount(self):
        """A tmpfs, or any directory, in the place of one that is there."""
        if len(mount_points(self.top)) >= MAX_MOUNTS:
            raise OSError(errno.EBUSY, "enough mounts")
        area = self.area()
        _, path = self.a_dir(area)
        if self.random.random() < 0.5:
            _, source = self.a_dir(self.area())
            kind, flags = None, MS_BIND
        else:
            source, kind, flags = "none", b"tmpfs", 0
        if LIBC.mount(os.fsencode(source), os.fsencode(path), kind,
                      ctypes.c_ulong(flags), None):
            raise OSError(ctypes.get_errno(), "mount", path)
        for number in range(3):
            new = os.path.join(path, f"m{number}")
            self.fill(new)
            self.files[area].append(new)

    def op_umount(self):
        points = mount_points(self.top)
        if not points:
            raise OSError(errno.ENOENT, "no mount")
        path = self.random.choice(points)
        if LIBC.umount2(os.fsencode(path), 0):
            raise OSError(ctypes.get_errno(), "umount", path)
