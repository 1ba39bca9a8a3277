# SPDX-License-Identifier: GPL-2.0-or-later
"""What each strategy takes, as the specification says, in plain Python."""

from collections import namedtuple

ORDER = ("temp", "cache", "logs", "data", "backup", "config")
File = namedtuple("File", "path type size age used")  # ages in seconds


def is_due(file, retention):
    return file.type in retention and file.age >= retention[file.type]


def by_age(files):
    return sorted(files, key=lambda f: -f.age)


def by_use(files):
    return sorted(files, key=lambda f: (-min(f.used, f.age), -f.age))


def by_size(files):
    return sorted(files, key=lambda f: (-f.size, -f.age))


def by_priority(files):
    return sorted(files, key=lambda f: (ORDER.index(f.type), -f.age))


def order(strategy, files, retention):
    """(files that are due and go anyway, the others in their order)."""
    due = by_age(f for f in files if is_due(f, retention))
    rest = [f for f in files if f.type != "config"]
    if strategy == "time":
        return due, []
    if strategy == "adaptive":
        left = set(rest) - set(due)
        steps = []
        for types, sort in ((ORDER[:2], by_use), (ORDER[:3], by_size),
                            (ORDER[:5], by_priority)):
            step = sort(f for f in left if f.type in types)
            left -= set(step)
            steps += step
        return due, steps
    return [], {"lru": by_use, "size": by_size,
                "priority": by_priority}[strategy](rest)


def victims(strategy, files, retention, excess):
    """What a cleanup takes that has to free so many bytes."""
    due, others = order(strategy, files, retention)
    taken, freed = list(due), sum(f.size for f in due)
    for file in others:
        if freed >= excess:
            break
        taken.append(file)
        freed += file.size
    return taken
