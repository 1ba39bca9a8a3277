# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures: hosts on every filesystem, a receiver of alerts."""

import os
import shutil

import pytest

import agent as ag
from receiver import Receiver

# It waits for two minutes: nothing is to wait for it at the end.
FIRST = ("test_out_of_watches",)
FILESYSTEMS = ("tmpfs", "ext4", "xfs", "btrfs")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: not under sanitizers")
    config.addinivalue_line("markers", "by_name: only when asked for")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.originalname not in FIRST)


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """The agent's log belongs to a failure."""
    report = (yield).get_result()
    if report.when == "call" and report.failed:
        for agent in (a for host in ag.HOSTS for a in host.agents):
            if agent.log_path.exists():
                report.sections.append(
                    ("agent log", agent.log_text()[-6000:]))


def need(*commands):
    for command in commands:
        if not shutil.which(command):
            pytest.skip(f"{command} is not installed")


@pytest.fixture
def hosts():
    """hosts(fs, size): a new host, gone after the test."""
    if not ag.ULLAGED.exists():
        pytest.fail(f"{ag.ULLAGED} is not built")
    made = []

    def make(fs="tmpfs", size=300 * ag.MIB, **options):
        if os.getuid() != 0:
            if fs != "tmpfs":
                pytest.skip(f"needs root to mount {fs}")
            fs = "directory"
        if fs not in ("tmpfs", "directory"):
            need(f"mkfs.{'ext4' if fs == 'overlay' else fs}")
        made.append(ag.Host(fs, size, **options))
        return made[-1]

    make.__dict__["made"] = made
    yield make
    errors = []
    for host in made:
        try:
            host.close()
        except (AssertionError, OSError) as error:
            errors.append(str(error))
    assert not errors, "\n".join(errors)


@pytest.fixture
def host(hosts):
    """A host on tmpfs (without root: in a plain directory)."""
    return hosts("tmpfs")


@pytest.fixture
def root_only():
    if os.getuid() != 0:
        pytest.skip("needs root")


@pytest.fixture
def receiver():
    one = Receiver()
    yield one
    one.close()
