# SPDX-License-Identifier: GPL-2.0-or-later
"""A booted Debian into which "make install" went: systemd as process 1 in a
container, with an ext4 and an xfs image for the components.

It can be powered off, looked at, and booted again.
"""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/system"))
from agent import MIB, run, wait_for  # noqa: E402

# What nspawn's filter lacks: the unit is to have what a host has.
CALLS = ("name_to_handle_at open_by_handle_at fanotify_init fanotify_mark "
         "landlock_create_ruleset landlock_add_rule landlock_restrict_self")
RTMIN_POWEROFF = signal.SIGRTMIN + 4


class Machine:
    def __init__(self, tarball, build):
        self.dir = Path(tempfile.mkdtemp(prefix="ullage-e2e.",
                                         dir="/var/tmp"))
        self.dir.chmod(0o755)
        self.name = f"ullage-e2e-{os.getpid()}"
        self.root = self.dir / "root"
        self.nspawn = self.leader = None
        self.mounts = {}
        self.root.mkdir()
        run("tar", "-C", self.root, "-xf", tarball)
        run("make", "-s", "-C", build, "install", f"DESTDIR={self.root}")
        for kind, size in (("ext4", 192), ("xfs", 320)):
            self._image(kind, size * MIB)

    def _image(self, kind, size):
        image, where = self.dir / f"{kind}.img", self.dir / kind
        with open(image, "wb") as file:
            file.truncate(size)
        run(f"mkfs.{kind}", "-q", image)
        where.mkdir()
        run("mount", "-o", "loop", image, where)
        self.mounts[kind] = where

    def boot(self):
        """Returns when systemd says that it is up."""
        binds = [f"--bind={path}:/srv/{kind}"
                 for kind, path in self.mounts.items()]
        with open(self.dir / "console", "ab") as log:
            self.nspawn = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "unchanged",
                 Path(__file__).with_name("boot"), self.name,
                 f"--directory={self.root}", f"--machine={self.name}",
                 f"--system-call-filter={CALLS}", *binds],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for("boot", self._is_up, 60)

    def _is_up(self):
        if self.nspawn.poll() is not None:
            raise AssertionError((self.dir / "console").read_text())
        # The first child of nspawn's is not the one that stays.
        found = run("pgrep", "-P", self.nspawn.pid, check=False).stdout
        if not found:
            return False
        self.leader = int(found.split()[0])
        state = self.enter("systemctl", "is-system-running", check=False)
        return state.stdout.strip() in ("running", "degraded")

    def enter(self, *command, check=True):
        """With the host's rights: for questions."""
        return run(*self.way_in(), *command, check=check)

    def way_in(self):
        # Its root too: from a chroot it was not entered by pivot_root(2).
        return ["nsenter", "-t", str(self.leader), "--all", "--root", "--wd",
                "--"]

    def do(self, script, check=True):
        """As a unit of the machine's, with its rights: for deeds."""
        return self.enter("systemd-run", "--quiet", "--wait", "--pipe", "sh",
                          "-euc", script, check=check)

    def show(self, unit, *names):
        got = self.enter("systemctl", "show", unit,
                         *(f"--property={name}" for name in names)).stdout
        got = dict(line.split("=", 1) for line in got.splitlines())
        return [got[name] for name in names]

    def main_pid(self):
        """As the machine counts."""
        return int(self.show("ullaged", "MainPID")[0])

    def ctl(self, *arguments, check=True):
        return self.enter("ullagectl", *arguments, check=check)

    def json(self, *arguments, check=True):
        done = self.ctl("--json", *arguments, check=check)
        return json.loads(done.stdout) if done.stdout else None

    def is_trusted(self):
        got = self.json("status", check=False)
        return got and all(c["trusted"] for c in got["components"])

    def component(self, name):
        return next(c for c in self.json("status")["components"]
                    if c["name"] == name)

    def journal(self, *arguments):
        done = self.enter("journalctl", "--no-pager", "-o", "json",
                          *arguments).stdout
        return [json.loads(line) for line in done.splitlines()]

    def put(self, path, text, mode=0o644):
        where = self.root / path.lstrip("/")
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(text)
        where.chmod(mode)
        return where

    def policy(self, component, **keys):
        one = {"component": component, "allocation": "20MB", "minAge": "0s",
               "age": "modified", "owners": ["*"], "strategy": "lru",
               "mode": "enforce", "limits": {
                   "files": 1000000, "share": "100%", "bytes": "100%",
                   "filesystem": "100%"}, **keys}
        self.put(f"/etc/ullage/policies.d/{component}.json", json.dumps(one))

    def in_netns(self, *command, **options):
        return subprocess.Popen(
            ["nsenter", "-t", str(self.leader), "--net", *map(str, command)],
            **options)

    def wait_off(self, timeout=30):
        self.nspawn.wait(timeout)
        self.nspawn = self.leader = None

    def power_off(self):
        if self.nspawn and self.nspawn.poll() is None and self.leader:
            os.kill(self.leader, RTMIN_POWEROFF)
            self.wait_off()

    def close(self):
        try:
            self.power_off()
        finally:
            if self.nspawn and self.nspawn.poll() is None:
                self.nspawn.kill()
                self.nspawn.wait()
            for path in self.mounts.values():
                run("umount", path, check=False)
            shutil.rmtree(self.dir, ignore_errors=True)


def quote(*words):
    return " ".join(map(shlex.quote, map(str, words)))


def seconds_until(predicate, timeout=20):
    began = time.monotonic()
    wait_for("it", predicate, timeout)
    return time.monotonic() - began
