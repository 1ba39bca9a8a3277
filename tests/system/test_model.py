# SPDX-License-Identifier: GPL-2.0-or-later
"""100,000 random operations against a running agent, then difference 0."""

import os
import time

import pytest

import agent as ag
from operations import Operations
from trees import assert_equal

SEED = int(os.environ.get("ULLAGE_SEED", "20251"))
COMPONENTS = ("feeds", "engine", "memory")


@pytest.mark.parametrize("fs, watch, count, rounds", [
    ("tmpfs", "inotify", 100_000, 4), ("ext4", "fanotify", 100_000, 4),
    ("xfs", "fanotify", 20_000, 2), ("btrfs", "inotify", 20_000, 2),
    *(pytest.param(fs, watch, 250_000, 10, marks=pytest.mark.by_name)
      for fs in ("tmpfs", "ext4", "xfs", "btrfs")
      for watch in ("inotify", "fanotify")),
])
def test_model(hosts, fs, watch, count, rounds):
    if ag.SLOW > 1:
        count //= 5
    print(f"seed {SEED}")
    host = hosts(fs, 1200 * ag.MIB)
    host.config({"watch": watch}, *(
        ag.policy(name, mode="observe", allocation="10GB")
        for name in COMPONENTS))
    agent = host.start()
    assert {c["source"] for c in agent.status()["components"]} == {watch}
    operations = Operations(
        SEED, {name: [str(host.place(kind, name)) for kind in ag.TYPES]
               for name in COMPONENTS}, str(host.outside))
    for part in range(rounds):
        began = time.monotonic()
        operations.run(count // rounds)
        print(f"round {part}: {count // rounds} operations in "
              f"{time.monotonic() - began:.2f} s, done so far "
              f"{dict(operations.done)}")
        assert_equal(agent)
    assert operations.n_done == count // rounds * rounds
    assert sum(c["files"] for c in agent.status()["components"]) > 100
    # A restarted agent, which scans, finds the same.
    assert agent.stop() == 0
    assert_equal(host.start())
