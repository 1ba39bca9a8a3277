# SPDX-License-Identifier: GPL-2.0-or-later
"""Usage by component and type equals what du and find say."""

import os
import subprocess

import pytest

import agent as ag
from conftest import FILESYSTEMS
from trees import (assert_equal, differences, make_dir, make_file, measure,
                   of_json)

ON_EACH = pytest.mark.parametrize("fs", FILESYSTEMS)


@pytest.fixture
def watched(hosts):
    """A running agent with two components that never cleans up."""
    def start(fs):
        host = hosts(fs, 400 * ag.MIB)
        host.config({}, *(ag.policy(name, mode="observe", allocation="10GB")
                          for name in ("feeds", "engine")))
        return host, host.start()
    return start


@ON_EACH
def test_tree_that_was_there_before(hosts, fs):
    host = hosts(fs, 400 * ag.MIB)
    host.config({}, ag.policy("feeds", mode="observe", allocation="10GB"))
    for number in range(40):
        base = host.place(ag.TYPES[number % 6], "feeds")
        make_file(base / f"d{number % 7}" / f"e{number % 3}" / f"f{number}",
                  number * 3777)
    os.link(host.place("logs", "feeds") / "d2/e2/f2",
            host.place("logs", "feeds") / "link")
    agent = host.start()
    assert_equal(agent)
    assert agent.component("feeds")["files"] == 41


@ON_EACH
def test_files_that_come_grow_and_go(watched, fs):
    host, agent = watched(fs)
    data = host.place("data", "feeds")
    for number in range(50):
        make_file(data / f"f{number}", 10000 + number)
    assert_equal(agent)
    for number in range(0, 50, 2):
        with open(data / f"f{number}", "ab") as file:
            file.write(b"x" * 70000)
    assert_equal(agent)
    for number in range(0, 50, 3):
        os.unlink(data / f"f{number}")
    for number in range(1, 50, 3):
        os.truncate(data / f"f{number}", 10)
    assert_equal(agent)
    assert agent.component("feeds")["files"] == 33


@ON_EACH
def test_hard_links_count_once(watched, fs):
    host, agent = watched(fs)
    data, logs = host.place("data", "feeds"), host.place("logs", "feeds")
    first = make_file(data / "a" / "one", 300000)
    for number in range(5):
        os.link(first, data / f"name{number}")
    os.link(first, logs / "from-another-type")
    os.link(first, host.outside / "not-ours")
    assert_equal(agent)
    component = agent.component("feeds")
    assert component["files"] == 7
    assert component["sizeBytes"] == 300000
    with open(data / "name3", "ab") as file:
        file.write(b"x" * 100000)
    assert_equal(agent)
    assert agent.component("feeds")["sizeBytes"] == 400000
    os.unlink(first)
    for number in range(5):
        os.unlink(data / f"name{number}")
    assert_equal(agent)
    assert agent.component("feeds")["files"] == 1


@ON_EACH
def test_sparse_files_count_what_they_use(watched, fs):
    host, agent = watched(fs)
    path = host.place("data", "feeds") / "sparse"
    with open(path, "wb") as file:
        file.truncate(5 * ag.GIB)
        file.seek(ag.GIB)
        file.write(b"x" * 50000)
    assert_equal(agent)
    component = agent.component("feeds")
    assert component["sizeBytes"] == 5 * ag.GIB
    assert component["usedBytes"] < ag.MIB


@ON_EACH
def test_directories_moved_in_out_and_between(watched, fs):
    host, agent = watched(fs)
    data, cache = host.place("data", "feeds"), host.place("cache", "engine")
    for number in range(30):
        make_file(host.outside / "tree" / f"d{number % 5}" / f"f{number}",
                  20000)
    assert_equal(agent)
    os.rename(host.outside / "tree", data / "in")
    assert_equal(agent)
    assert agent.component("feeds")["files"] == 30
    os.rename(data / "in" / "d1", cache / "d1")
    assert_equal(agent)
    assert agent.component("engine")["files"] == 6
    make_file(cache / "d1" / "later", 5000)
    make_file(data / "in" / "d2" / "new" / "deep", 5000)
    assert_equal(agent)
    os.rename(data / "in", host.outside / "back")
    assert_equal(agent)
    make_file(host.outside / "back" / "d2" / "unseen", 5000)
    assert_equal(agent)
    assert agent.component("feeds")["files"] == 0


def test_deep_nesting(watched):
    host, agent = watched("tmpfs")
    here = os.open(host.place("data", "feeds"), os.O_RDONLY)
    for depth in range(400):
        os.mkdir("d" * 20, dir_fd=here)
        below = os.open("d" * 20, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    file = os.open("bottom", os.O_CREAT | os.O_WRONLY, dir_fd=here)
    os.write(file, b"x" * 12345)
    os.close(file)
    os.close(here)
    assert_equal(agent)
    assert agent.component("feeds")["sizeBytes"] == 12345


def test_mkdir_storms_miss_nothing(watched):
    host, agent = watched("tmpfs")
    data = host.place("data", "feeds")
    script = ("for i in $(seq 300); do mkdir -p s$i/a/b/c/d/e;"
              " echo x >s$i/a/b/c/d/e/f; echo y >s$i/a/g; done")
    writers = [subprocess.Popen(["sh", "-c", script], cwd=make_sub(data, n))
               for n in range(3)]
    assert [w.wait() for w in writers] == [0, 0, 0]
    assert_equal(agent)
    assert agent.component("feeds")["files"] == 1800


def make_sub(base, number):
    make_dir(base / f"w{number}")
    return base / f"w{number}"


def test_paths_elsewhere_and_several(hosts):
    host = hosts("tmpfs")
    elsewhere = [host.mnt / "srv/one", host.mnt / "srv/two"]
    for path in elsewhere:
        make_file(path / "sub" / "f", 30000)
    host.config({}, ag.policy("feeds", mode="observe", paths={
        "data": [str(p) for p in elsewhere]}))
    agent = host.start()
    make_file(elsewhere[1] / "more", 50000)
    make_file(host.place("logs", "feeds") / "log", 1000)
    assert_equal(agent)
    data = next(t for t in agent.component("feeds")["types"]
                if t["type"] == "data")
    assert sorted(data["paths"]) == sorted(map(str, elsewhere))
    assert data["files"] == 3


def test_paths_on_several_filesystems(hosts):
    host, other = hosts("tmpfs"), hosts("ext4", 64 * ag.MIB)
    there = other.mnt / "feeds-data"
    there.mkdir()
    host.config({}, ag.policy("feeds", mode="observe", paths={
        "data": [str(host.place("data", "feeds")), str(there)]}))
    (host.place("data", "feeds")).mkdir(parents=True)
    agent = host.start()
    make_file(there / "a", 30000)
    make_file(host.place("data", "feeds") / "b", 30000)
    assert_equal(agent)
    filesystems = agent.status()["filesystems"]
    assert len({f["device"] for f in filesystems}) == 2


def test_base_directories_are_made(hosts):
    host = hosts("tmpfs")
    host.config({}, ag.policy("feeds"))
    host.start()
    for kind in ag.TYPES:
        found = os.stat(host.place(kind, "feeds"))
        assert found.st_mode & 0o7027 == 0, f"{kind}: mode {found.st_mode:o}"


def test_base_directories_belong_to_the_user(hosts, root_only):
    host = hosts("tmpfs")
    host.config({}, ag.policy("feeds", user="daemon"))
    host.start()
    import pwd
    wanted = pwd.getpwnam("daemon").pw_uid
    for kind in ag.TYPES:
        assert os.stat(host.place(kind, "feeds")).st_uid == wanted


@ON_EACH
def test_du_of_every_directory(watched, fs):
    """`ullagectl du PATH` of any managed directory is what du says."""
    host, agent = watched(fs)
    data = host.place("data", "feeds")
    for number in range(60):
        make_file(data / f"d{number % 4}" / f"e{number % 5}" / f"f{number}",
                  number * 1000)
    assert_equal(agent)
    for folder, _, _ in os.walk(data):
        said = agent.json("du", folder)["entries"][0]
        assert said["path"] == folder
        assert of_json(said) == measure(folder), folder


@ON_EACH
def test_churn_settles_within_a_second(watched, fs):
    """10,000 quick changes in several processes, then equality."""
    host, agent = watched(fs)
    script = ("for i in $(seq 2500); do echo $i >t$((i % 97)); "
              "[ $((i % 13)) = 0 ] && rm -f t$((i % 89)); done; :")
    jobs = [subprocess.Popen(["sh", "-c", script],
                             cwd=make_sub(host.place(kind, "feeds"), 1))
            for kind in ("data", "logs", "temp", "cache")]
    assert [j.wait() for j in jobs] == [0] * 4
    assert_equal(agent)
    assert not differences(agent)
