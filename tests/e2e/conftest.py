# SPDX-License-Identifier: GPL-2.0-or-later
"""One machine for all of these tests; they build upon each other in order."""

import os
import shutil
from pathlib import Path

import pytest

from machine import TOP, Machine

BUILD = Path(os.environ.get("ULLAGE_BUILD", TOP / "build-usr"))
TARBALL = Path(os.environ.get(
    "ULLAGE_DEBIAN", TOP / "build-debian/bookworm.tar.zst"))


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """The machine's journal belongs to a failure."""
    report = (yield).get_result()
    one = item.funcargs.get("machine")
    if report.when == "call" and report.failed and one and one.leader:
        done = one.enter("journalctl", "--no-pager", "-n", "60", "-o",
                         "short-precise", check=False)
        report.sections.append(("journal", done.stdout))


@pytest.fixture(scope="session")
def machine():
    if os.getuid() != 0:
        pytest.skip("needs root to boot a container")
    for command in ("systemd-nspawn", "mkfs.ext4", "mkfs.xfs", "zstd"):
        if not shutil.which(command):
            pytest.skip(f"{command} is not installed")
    if not TARBALL.exists():
        pytest.skip(f"no Debian to boot: {TARBALL} could not be made")
    one = Machine(TARBALL, BUILD)
    try:
        yield one
    finally:
        one.close()
