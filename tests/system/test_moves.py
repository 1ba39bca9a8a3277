# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes right before and right after the move of a directory."""

import os

import pytest

import agent as ag
from trees import assert_equal, make_file


@pytest.fixture
def place(host):
    host.config({}, ag.policy("feeds", mode="observe", allocation="10GB"))
    return host.start(), host.place("data", "feeds")


def change(folder, number):
    """One of each kind of change in a directory with three files."""
    if number % 3 == 0:
        os.unlink(folder / "a")
    elif number % 3 == 1:
        os.truncate(folder / "b", 100_000)
    else:
        make_file(folder / "new", 50_000)


@pytest.mark.parametrize("when", ["before", "after", "both"])
@pytest.mark.parametrize("below", ["", "x/y"])
def test_change_and_move(place, when, below):
    """A directory moves within its component; its files change beside it."""
    agent, place = place
    for number in range(60):
        for name in ("a", "b", "c"):
            make_file(place / f"d{number}" / below / name, 3000)
        make_file(place / f"to{number}" / "there", 10)
    assert_equal(agent)
    for number in range(60):
        old, new = place / f"d{number}", place / f"to{number}" / "in"
        if when != "after":
            change(old / below, number)
        os.rename(old, new)
        if when != "before":
            change(new / below, number + 1)
    assert_equal(agent)


def test_exchange_of_directories(place):
    agent, place = place
    for number in range(60):
        make_file(place / f"a{number}" / "one", 3000)
        make_file(place / f"b{number}" / "x" / "two", 9000)
    assert_equal(agent)
    from operations import RENAME_EXCHANGE, rename2
    for number in range(60):
        rename2(str(place / f"a{number}"), str(place / f"b{number}" / "x"),
                RENAME_EXCHANGE)
        make_file(place / f"a{number}" / "three", 20_000)
        os.truncate(place / f"b{number}" / "x" / "one", 0)
    assert_equal(agent)


def test_many_moves_of_one_directory(place):
    agent, place = place
    make_file(place / "d0" / "in" / "f", 3000)
    for number in range(500):
        os.rename(place / f"d{number}", place / f"d{number + 1}")
        with open(place / f"d{number + 1}" / "in" / "f", "ab") as file:
            file.write(b"x" * 1000)
    assert_equal(agent)
    assert agent.component("feeds")["sizeBytes"] == 503_000
