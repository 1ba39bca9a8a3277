# SPDX-License-Identifier: GPL-2.0-or-later
"""One allocation fails, whichever it is, anywhere between the start and the
end of an agent that cleans up once: it ends or goes on, deletes nothing that
was to stay, and leaves nothing half done. (The JSON library does not survive
it: then the process dies, and is started again.)"""

import json
import os
import random
import time

import pytest

import agent as ag
from shim import Shim
from trees import DAY, make_file, names

# What libc says when it gives up by itself.
LIBC = ("nss_database.c", "cannot allocate memory for thread-local data")
KEEP = {"young0", "young1", "young2", "keys/secret0", "keys/secret1"}
OLD = {f"d{n % 3}/old{n}" for n in range(12)}


def begin(host):
    place = host.place("temp", "feeds")
    for name in KEEP:
        make_file(place / name, 5000, 0 if "young" in name else 9 * DAY)
    for name in OLD:
        make_file(place / name, 5000, 9 * DAY)


def ask(agent):
    """Asks for the cleanup until there is an answer that is one."""
    end = time.monotonic() + 15
    while agent.process.poll() is None and time.monotonic() < end:
        done = agent.ctl("cleanup", "feeds", check=False, timeout=60)
        if done.returncode == 0 or "missing or changed" in done.stderr:
            return
        time.sleep(0.01)


def live(host, shim, number):
    """A short life in which allocation number fails; 0: none does."""
    shim.fail(number)
    agent = ag.Agent(host, env=shim.env, trusted=False)
    agent.start()
    try:
        ask(agent)
        agent.process.terminate()
        status = agent.process.wait(15)
    except Exception as error:
        agent.kill()
        raise AssertionError(f"{error}\n{agent.log_text()}") from None
    finally:
        agent.process = None
        log = agent.log_text()
        agent.log_path.unlink()
    return status, log


def check(host, shim, number):
    begin(host)
    status, log = live(host, shim, number)
    place = host.place("temp", "feeds")
    told = f"allocation {number}, status {status}:\n{log}"
    deaths = [line for line in log.splitlines() if "died in" in line]
    if any(word in log for word in LIBC):
        deaths = [line for line in deaths if "libjson" in line] or ["libc"]
    assert set(deaths) <= {"died in libjson-c.so.5", "libc"}, told
    if not deaths:
        assert status in (0, 1), told
        assert "killed by signal" not in log, told
    left = {n for n in names(place) if ".ullage-quarantine" not in n}
    assert KEEP <= left <= KEEP | OLD, told
    state = host.dir / "state/state.json"
    if state.exists():
        json.loads(state.read_text())
    damaged = [p for p in state.parent.iterdir() if "damaged" in p.name]
    for path in damaged:
        path.unlink()
    assert not damaged, told


@pytest.fixture
def stage(host, root_only, tmp_path):
    host.config({}, ag.policy("feeds", owners=["*"], strategy="time",
                              protect=["keys/**"]))
    shim = Shim(tmp_path)
    begin(host)
    live(host, shim, 0)
    assert names(host.place("temp", "feeds")) == KEEP
    return host, shim, shim.count()


def test_some(stage):
    host, shim, total = stage
    assert total > 500
    for number in sorted(random.sample(range(1, total), 20)):
        check(host, shim, number)
    begin(host)
    live(host, shim, 0)
    assert names(host.place("temp", "feeds")) == KEEP


@pytest.mark.by_name
def test_every(stage):
    host, shim, total = stage
    step = int(os.environ.get("STEP", "1"))
    wrong = []
    for number in range(random.randrange(step) + 1, total, step):
        try:
            check(host, shim, number)
        except AssertionError as error:
            wrong.append(str(error).split("\nassert")[0])
    assert not wrong, f"{len(wrong)} of {total // step}\n" + "\n".join(wrong)
    begin(host)
    _, log = live(host, shim, 0)
    assert names(host.place("temp", "feeds")) == KEEP, log
