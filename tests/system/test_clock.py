# SPDX-License-Identifier: GPL-2.0-or-later
"""The wall clock is set by days and years, under the agent's eyes and while it
was down: ages are not believed, intervals do not move, and nothing is deleted
until the clock has been stable for a minute. The machine's clock is never
touched: the agent and its reapers are given another."""

import json
import re
import time

import pytest

import agent as ag
from shim import Shim
from trees import DAY, HOUR, make_file, names

YEAR = 365 * DAY
KEYS = dict(owners=["*"], strategy="time")


@pytest.fixture
def clocked(host, receiver, tmp_path):
    """An agent with a clock to set, over files that are a day too young."""
    shim = Shim(tmp_path)

    def start(**keys):
        host.config({"alerts": host.webhook(receiver.url)},
                    ag.policy("feeds", **{**KEYS, **keys}))
        return host.start(env=shim.env), shim
    return start


def fill(host):
    """Half of them are past their retention of 24 h."""
    place = host.place("temp", "feeds")
    for number in range(4):
        make_file(place / f"old{number}", 5000, 2 * DAY)
        make_file(place / f"young{number}", 5000, HOUR)
    return place


def refusal(agent):
    done = agent.ctl("cleanup", "feeds", "--force", check=False)
    assert done.returncode == 1, done.stdout
    return done.stderr


def wait_distrusted(agent):
    """A step is seen at the next turn, and a request makes one."""
    def is_distrusted():
        status = agent.status(check=False)
        return status and not status["components"][0]["trusted"] and \
            any("clock" in n for n in status["components"][0]["notes"])
    ag.wait_for("the step is seen", is_distrusted, 35)


@pytest.mark.parametrize("step", [30, -30, 3 * DAY, -3 * DAY, 2 * YEAR,
                                  -40 * YEAR],
                         ids=["30s", "-30s", "3d", "-3d", "2y", "-40y"])
def test_step_under_its_eyes(host, clocked, receiver, step):
    agent, shim = clocked()
    place = fill(host)
    shim.set_clock(step)
    before = names(place)
    wait_distrusted(agent)
    assert "clock" in refusal(agent)
    assert receiver.wait(kind="agent", event="raised", scope="agent/clock")
    assert re.search(r"the wall clock (was set|is .* behind)",
                     agent.log_text())
    assert names(place) == before
    # Whoever reloads has looked at the clock; but 1986 it cannot be.
    agent.ctl("reload")
    if step == -40 * YEAR:
        assert "clock" in refusal(agent)
        assert names(place) == before
    else:
        agent.wait_trusted()
        assert receiver.wait(kind="agent", event="resolved",
                             scope="agent/clock")


@pytest.mark.by_name
def test_a_minute_and_no_less(host, clocked):
    agent, shim = clocked()
    place = fill(host)
    shim.set_clock(2 * YEAR)
    wait_distrusted(agent)
    began = time.monotonic()
    shim.set_clock(0)  # and back, as a time server would
    ag.wait_for("trusted again",
                lambda: agent.component("feeds")["trusted"], 80)
    assert time.monotonic() - began > 55
    assert agent.json("cleanup", "feeds", "--force")["files"] == 4
    assert {n[:3] for n in names(place)} == {"you"}


def test_step_in_mid_cleanup(host, clocked):
    """What is under way ends; what had not been judged before stays."""
    agent, shim = clocked(limits=ag.NO_LIMITS)
    place = host.place("temp", "feeds")
    total = 20000
    for number in range(total):
        make_file(place / f"d{number % 50}" / f"old{number}", 1, 2 * DAY)
    agent.wait_trusted()
    ag.wait_for("all are seen", lambda: agent.component(
        "feeds")["files"] == total)
    import subprocess
    run = subprocess.Popen([str(ag.ULLAGECTL), "--socket", str(host.socket),
                            "--json", "cleanup", "feeds"],
                           stdout=subprocess.PIPE, text=True)
    ag.wait_for("it has begun",
                lambda: agent.component("feeds")["files"] < total)
    shim.set_clock(2 * YEAR)
    done = json.loads(run.communicate(timeout=60)[0])
    assert done["files"] < total
    stopped = {s["reason"] for s in done["skipped"]}
    assert "clock" in stopped or done.get("stopped") == "clock", done
    assert len(names(place)) == total - done["files"]


def state_of(host):
    return host.dir / "state/state.json"


def start_with(host, agent, shim, change, clock=0):
    """Ends the agent, changes what it has saved, sets the clock, and starts
    another."""
    assert agent.stop() == 0
    shim.set_clock(clock)
    state = json.loads(state_of(host).read_text())
    assert state["clockSeen"] and state["bootId"]
    change(state)
    state_of(host).write_text(json.dumps(state))
    return host.start(env=shim.env, trusted=False)


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ",
                         time.gmtime(time.time() + seconds))


def another_boot(state):
    state["bootId"] = "another"


@pytest.mark.parametrize("boot", ["same", "another"])
def test_set_back_while_it_was_down(host, clocked, boot):
    agent, shim = clocked()
    place = fill(host)
    again = start_with(host, agent, shim, lambda state: boot == "same"
                       or another_boot(state), -3 * DAY)
    wait_distrusted(again)
    assert "behind" in refusal(again)
    # Nor does it forget, whoever starts it again.
    third = start_with(host, again, shim, lambda state: None, -3 * DAY)
    wait_distrusted(third)
    assert "behind" in refusal(third)
    assert len(names(place)) == 8
    third.ctl("reload")
    third.wait_trusted()


def test_set_forward_while_it_was_down(host, clocked):
    agent, shim = clocked()
    place = fill(host)
    again = start_with(host, agent, shim, lambda state: None, 2 * YEAR)
    wait_distrusted(again)
    refusal(again)
    assert len(names(place)) == 8


def test_long_off_and_perhaps_wrong(host, clocked):
    """After another start of the machine nobody can tell a long absence from a
    clock that is ahead: time servers get their minute."""
    agent, shim = clocked()
    fill(host)

    def long_ago(state):
        another_boot(state)
        state["clockSeen"] = stamp(-30 * DAY)
    again = start_with(host, agent, shim, long_ago)
    wait_distrusted(again)
    refusal(again)


def test_an_ordinary_restart_is_trusted_at_once(host, clocked):
    agent, shim = clocked()
    fill(host)
    again = start_with(host, agent, shim, another_boot)
    began = time.monotonic()
    again.wait_trusted()
    assert time.monotonic() - began < 5 * ag.SLOW
    assert again.json("cleanup", "feeds", "--force")["files"] == 4


def test_intervals_stand_on_the_boot_clock(host, clocked):
    """A step forward over the next schedule starts nothing early."""
    agent, shim = clocked(interval="1h")
    place = fill(host)
    shim.set_clock(3 * DAY)
    wait_distrusted(agent)
    agent.ctl("reload")  # believed now
    agent.wait_trusted()
    time.sleep(1)
    assert len(names(place)) == 8
    assert not [r for r in agent.history() if r["reason"] == "scheduled"]
