# SPDX-License-Identifier: GPL-2.0-or-later
"""Real programs work in component directories beside a running agent."""

import os
import subprocess

import pytest

import agent as ag
from conftest import need
from trees import assert_equal, make_dir, make_file


@pytest.fixture(params=["tmpfs", "ext4"])
def place(request, hosts):
    host = hosts(request.param, 800 * ag.MIB)
    host.config({}, ag.policy("feeds", mode="observe", allocation="10GB"))
    return host.start(), host.place("data", "feeds")


def make_source(where, count=400):
    for number in range(count):
        make_file(where / f"d{number % 20}" / f"f{number}", number * 97)
    return where


def test_tar(place):
    agent, data = place
    source = make_source(agent.host.outside / "source")
    archive = agent.host.outside / "a.tar"
    ag.run("tar", "-C", source, "-cf", archive, ".")
    ag.run("tar", "-C", data, "-xf", archive)
    ag.run("diff", "-r", source, data)
    assert_equal(agent)


def test_git_clone(place):
    need("git")
    agent, data = place
    source = make_source(agent.host.outside / "repository", 150)
    git = ["git", "-C", source, "-c", "user.name=t", "-c", "user.email=t@t"]
    ag.run("git", "init", "-q", source)
    ag.run(*git, "add", ".")
    ag.run(*git, "commit", "-qm", "all")
    ag.run("git", "clone", "-q", "--no-local", source, data / "clone")
    ag.run("git", "-C", data / "clone", "fsck", "--strict")
    ag.run("git", "-C", data / "clone", "gc", "-q", "--prune=now")
    assert_equal(agent)


def test_rsync(place):
    need("rsync")
    agent, data = place
    source = make_source(agent.host.outside / "source")
    for _ in range(3):
        ag.run("rsync", "-a", "--delete", f"{source}/", data / "copy")
        ag.run("rsync", "-a", "--delete", "--inplace", f"{source}/",
               data / "inplace")
        for number in range(0, 400, 7):
            make_file(source / f"d{number % 20}" / f"f{number}",
                      number * 55 + 3)
        os.rename(source / "d3", source / "moved")
        make_dir(source / "d3")
        os.rename(source / "moved", source / "d3" / "in")
        (source / "d3" / "in").rename(source / f"away{_}")
    ag.run("rsync", "-a", "--delete", f"{source}/", data / "copy")
    ag.run("diff", "-r", source, data / "copy")
    assert_equal(agent)


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_sqlite(place, mode):
    need("sqlite3")
    agent, data = place
    database = data / "t.db"
    script = (f"pragma journal_mode={mode}; create table t(a, b);"
              + "".join(f"insert into t values({n}, randomblob(3000));"
                        for n in range(300))
              + "delete from t where a % 3 = 0; vacuum;"
                "pragma integrity_check;")
    done = subprocess.run(["sqlite3", str(database)], input=script, text=True,
                          capture_output=True)
    assert done.returncode == 0 and done.stdout.endswith("ok\n"), done
    # WAL is written through a mapping only in its index; the rest by write.
    assert_equal(agent)


def test_logrotate(place):
    need("logrotate")
    agent, _ = place
    logs = agent.host.place("logs", "feeds")
    settings = agent.host.dir / "rotate.conf"
    settings.write_text(f"{logs}/*.log {{\n su root root\n rotate 3\n"
                        " compress\n delaycompress\n copytruncate\n}\n"
                        if os.getuid() == 0 else
                        f"{logs}/*.log {{\n rotate 3\n compress\n}}\n")
    settings.chmod(0o644)
    for _ in range(5):
        for name in ("one", "two"):
            with open(logs / f"{name}.log", "ab") as log:
                log.write(b"a line of a log\n" * 5000)
        ag.run("logrotate", "-f", "-s", agent.host.dir / "rotated", settings)
    assert_equal(agent)
    assert agent.component("feeds")["files"] >= 6


@pytest.mark.slow
@pytest.mark.parametrize("stressors", [
    ["--dentry", "2"], ["--rename", "2"], ["--link", "1", "--symlink", "1"],
    ["--hdd", "1", "--hdd-bytes", "16m"], ["--dir", "2"],
    ["--fallocate", "1", "--fallocate-bytes", "32m"], ["--utime", "1"],
    ["--chmod", "1"], ["--filename", "1"], ["--iomix", "1",
                                            "--iomix-bytes", "16m"]],
    ids=lambda s: s[0].strip("-"))
def test_stress_ng(place, stressors):
    need("stress-ng")
    agent, data = place
    done = ag.run("stress-ng", *stressors, "--timeout", "2",
                  "--temp-path", data, "--quiet", check=False)
    assert done.returncode == 0, done
    assert_equal(agent)
