# SPDX-License-Identifier: GPL-2.0-or-later
"""Random file operations, the same for the same seed.

What they change is seen by events alone, so two things are left out that
raise none below a managed root (the reconciliation is there for them): a
write through a name outside of the component to a file that has another name
inside, and a write through a mapping.
"""

import ctypes
import errno
import os
import random
from collections import Counter

LIBC = ctypes.CDLL(None, use_errno=True)
RENAME_NOREPLACE, RENAME_EXCHANGE = 1, 2
FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE = 1, 2
AT_FDCWD, AT_SYMLINK_FOLLOW = -100, 0x400
HOSTILE = ["new\nline", "\x1b[2J", "\udcff\udcfe", "-rf", "`id`", "a b",
           "\u202egpj", "'", "\"", "é" * 100, "%s%n", "$(x)", "."]


def rename2(old, new, flags):
    if LIBC.renameat2(AT_FDCWD, os.fsencode(old), AT_FDCWD, os.fsencode(new),
                      flags):
        raise OSError(ctypes.get_errno(), "renameat2", old)


class Operations:
    """Works in areas (component directories of one or several types) and in
    an outside directory of the same filesystem."""

    def __init__(self, seed, areas, outside, max_size=1 << 16):
        self.random = random.Random(seed)
        self.areas = {name: list(paths) for name, paths in areas.items()}
        self.areas["outside"] = [outside]
        self.dirs = {a: list(paths) for a, paths in self.areas.items()}
        self.files = {a: [] for a in self.areas}
        self.max_size = max_size
        self.counter = 0
        self.n_done = 0
        self.done, self.refused = Counter(), Counter()
        inside = [a for a in self.areas if a != "outside"]
        self.weighted = inside * 4 + ["outside"]
        self.kinds = [(getattr(self, f"op_{name}"), weight)
                      for name, weight in (
            ("create", 22), ("append", 16), ("truncate", 7), ("unlink", 6),
            ("mkdir", 4), ("rename_file", 9), ("rename_over", 3),
            ("rename_dir", 3), ("exchange", 1.5), ("link", 4), ("chmod", 4),
            ("utime", 5), ("rmtree", 0.15), ("symlink", 1), ("fifo", 0.5),
            ("punch", 2), ("tmpfile", 2), ("storm", 0.5), ("rmdir", 1),
            ("open_unlink", 1))]

    def run(self, count):
        """Until so many operations have succeeded."""
        operations, weights = zip(*self.kinds)
        end = self.n_done + count
        while self.n_done < end:
            operation = self.random.choices(operations, weights)[0]
            try:
                operation()
                self.done[operation.__name__[3:]] += 1
                self.n_done += 1
            except OSError as error:
                self.refused[errno.errorcode.get(error.errno, "?")] += 1
                if error.errno == errno.ENOSPC:
                    self.make_room()

    def make_room(self):
        for area, files in self.files.items():
            for path in files[::2]:
                try:
                    os.unlink(path)
                except OSError:
                    pass
            self.files[area] = files[1::2]

    # What is there.

    def area(self):
        return self.random.choice(self.weighted)

    def name(self):
        self.counter += 1
        if self.random.random() < 0.02:
            return f"{self.random.choice(HOSTILE)}{self.counter}"
        return f"f{self.counter}"

    def new_path(self, area):
        return os.path.join(self.random.choice(self.dirs[area]), self.name())

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
        if self.random.random() < 0.6 and not self.is_linked_below(path):
            target = self.area()
        new = self.new_path(target)
        rename2(path, new, RENAME_NOREPLACE)
        self.forget(self.dirs[source], at)
        self.dirs[target].append(new)
        for folder, _, files in os.walk(new):
            self.files[target] += [os.path.join(folder, f) for f in files]

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
        new = self.new_path(area)
        os.link(path, new, follow_symlinks=False)
        self.files[area].append(new)

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
