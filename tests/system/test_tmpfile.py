# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that are born without a name: the kernel announces what is written to
them as written to "#INODE", also after they have got a name."""

import os

import pytest

import agent as ag
from conftest import FILESYSTEMS
from trees import assert_equal, make_dir, make_file


def nameless(place):
    fd = os.open(place, os.O_TMPFILE | os.O_RDWR, 0o644)
    os.write(fd, b"u" * 10000)
    return fd


def link(fd, path):
    """A name for it: linkat by /proc, as the manual says."""
    there = os.open("/proc/self/fd", os.O_RDONLY)
    os.link(str(fd), path, src_dir_fd=there)  # follows, with a directory
    os.close(there)


@pytest.fixture(params=FILESYSTEMS)
def watched(request, hosts):
    host = hosts(request.param, 320 * ag.MIB)
    host.config({}, ag.policy("feeds"))
    place = host.place("temp", "feeds") / "in" / "there"
    make_dir(place)
    make_file(place / "other", 5000)
    agent = host.start()
    opened = []
    yield place, agent, opened
    for fd in opened:
        try:
            os.close(fd)
        except OSError:
            pass


def test_written_before_and_after_it_has_a_name(watched):
    place, agent, opened = watched
    early = nameless(place)
    opened.append(early)
    assert_equal(agent)  # without a name it is nowhere
    link(early, place / "early")
    assert_equal(agent)
    # And now the news come under a name that is not there.
    for size in (20000, 300000):
        os.pwrite(early, b"u" * size, 0)
        assert_equal(agent)
    os.ftruncate(early, 100)
    assert_equal(agent)
    os.close(early)
    assert_equal(agent)


def test_many_of_them(watched):
    place, agent, opened = watched
    for number in range(200):
        fd = nameless(place)
        link(fd, place / f"f{number}")
        os.write(fd, b"u" * (number * 100))
        opened.append(fd)
    for fd in opened[::2]:
        os.pwrite(fd, b"u" * 50000, 0)
        os.close(fd)
    assert_equal(agent)
    for fd in opened[1::2]:
        os.close(fd)
    assert_equal(agent)


def test_never_linked_ones_cost_nothing(watched):
    """A program that only uses nameless files makes nothing be listed."""
    place, agent, opened = watched
    assert_equal(agent)
    fd = nameless(place)
    opened.append(fd)
    for _ in range(50):
        os.write(fd, b"u" * 4096)
    os.close(fd)
    assert_equal(agent)
