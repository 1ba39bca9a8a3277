# SPDX-License-Identifier: GPL-2.0-or-later
"""The benchmark's tree: many files with 25-byte names, the same each time."""

import os
import random


def make(root, files, dirs, due=0.0, due_age=90 * 86400,
         young_age=3600, block=False, seed=1):
    """So many files in so many directories (100 to a middle one).

    A share of them (spread evenly, by the seed) is due: that much older.
    block: each has a block of its own, allocated and not written; else they
    are empty."""
    chance = random.Random(seed)
    per_dir = files // dirs
    now = int(os.path.getmtime("/proc/self"))
    made = 0
    for number in range(dirs):
        path = os.path.join(root, f"m{number // 100:04d}", f"d{number:05d}")
        os.makedirs(path, exist_ok=True)
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        for _ in range(per_dir):
            name = f"{chance.getrandbits(64):016x}-{made:08d}"
            if block:
                file = os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=fd)
                os.posix_fallocate(file, 0, 1)
                os.close(file)
            else:
                os.mknod(name, 0o100644, dir_fd=fd)
            age = due_age if chance.random() < due else young_age
            when = now - age - made % 3600
            os.utime(name, (when, when), dir_fd=fd)
            made += 1
        os.close(fd)
    return made
