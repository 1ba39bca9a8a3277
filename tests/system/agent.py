# SPDX-License-Identifier: GPL-2.0-or-later
"""A host to run ullaged on: a filesystem, a configuration, a running agent.

A Host owns a scratch directory with everything the agent is told about:

    etc/ullage.json  etc/policies.d/  etc/hooks.d/  state/  run/agent
    mnt/             the filesystem under test
    mnt/host/        the agent's root: <root>/<type>/<component>
    mnt/outside/     same filesystem, not managed
    layers/          of an overlay, and its lower and upper layer
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ULLAGE_BUILD", TOP / "build")).resolve()
ULLAGED = BUILD / "ullaged"
ULLAGECTL = BUILD / "ullagectl"
TYPES = ("temp", "cache", "logs", "data", "backup", "config")
MIB = 1 << 20
GIB = 1 << 30
# Sanitizers cost time, not truth: deadlines of the contract are stretched.
SLOW = 4 if BUILD.name in ("build-asan", "build-tsan") else 1
QUIET_S = 1.0 if SLOW == 1 else 2.0  # the freshness contract
SANITIZER = ("AddressSanitizer", "LeakSanitizer", "runtime error:",
             "UndefinedBehaviorSanitizer", "ThreadSanitizer")


def run(*command, check=True, **options):
    """A command to its end, with its output as text."""
    done = subprocess.run([str(c) for c in command], text=True,
                          stdin=subprocess.DEVNULL, errors="surrogateescape",
                          capture_output=True, **options)
    if check and done.returncode:
        raise AssertionError(f"{command}: status {done.returncode}\n"
                             f"{done.stdout}{done.stderr}")
    return done


def wait_for(what, predicate, timeout=10.0):
    """Polls until predicate() is true and returns what it gave. What takes
    long is asked for less often: a question may cost a process."""
    start = time.monotonic()
    end = start + timeout * SLOW
    while True:
        got = predicate()
        if got:
            return got
        now = time.monotonic()
        if now > end:
            raise AssertionError(f"not within {timeout * SLOW:g} s: {what}")
        time.sleep(max(0.02, (now - start) / 50))


def is_mounted(path):
    """A filesystem that has shut down cannot be asked itself."""
    return f" {path} " in Path("/proc/self/mounts").read_text()


NO_LIMITS = {"files": 1000000, "share": "100%", "bytes": "100%",
             "filesystem": "100%"}


def is_alive(pid):
    """Neither gone nor a zombie that nobody waits for, in any thread."""
    try:
        states = [(task / "stat").read_text().rsplit(")", 1)[1].split()[0]
                  for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return False
    return any(state not in "ZX" for state in states)


def policy(component, **keys):
    """A policy whose files may go at once if they are old by mtime."""
    default = {
        "component": component, "priority": "normal", "allocation": "100MB",
        "limits": dict(NO_LIMITS),
        "strategy": "priority", "mode": "enforce", "minAge": "0s",
        "age": "modified",
        "retention": {"data": "60d", "logs": "14d", "cache": "48h",
                      "temp": "24h", "backup": "30d"},
    }
    default.update(keys)
    return {k: v for k, v in default.items() if v is not None}


HOSTS = []  # those that are not closed


class Host:
    """Scratch directory, filesystem and configuration."""

    def __init__(self, fs="tmpfs", size=300 * MIB, mount_options=None,
                 prepare=None):
        self.fs = fs
        self.agents = []
        HOSTS.append(self)
        self.state_file = None  # elsewhere than in state/, or None
        self.dir = Path(tempfile.mkdtemp(prefix="ullage-test.",
                                         dir="/var/tmp"))
        self.dir.chmod(0o755)
        self.image = None
        self.mnt = self.dir / "mnt"
        self.mounted = False
        for name in ("mnt", "etc/policies.d", "etc/hooks.d", "state", "run"):
            (self.dir / name).mkdir(parents=True)
        self.below = self.dir / "layers"  # what an overlay lies on
        self.lower = self.below / "lower"
        if fs != "directory":
            self._mount(size, mount_options, prepare)
        self.root = self.mnt / "host"
        self.outside = self.mnt / "outside"
        self.root.mkdir(exist_ok=True)
        self.outside.mkdir(exist_ok=True)
        self.config({})

    def _mount(self, size, options, prepare):
        self.options = f"loop,{options}" if options else "loop"
        if self.fs == "tmpfs":
            size_option = f"size={size}" + (f",{options}" if options else "")
            run("mount", "-t", "tmpfs", "-o", size_option, "none", self.mnt)
            self.mounted = True
            if prepare:
                prepare(self)
            return
        self.image = self._image_path(size)
        with open(self.image, "wb") as image:
            image.truncate(size)
        if self.fs == "overlay":
            self._mount_overlay(prepare)
            return
        self._make(self.fs)
        self.mount()
        if prepare:
            prepare(self)

    def _make(self, fs):
        quiet = {"ext4": ["-q", "-F"], "xfs": ["-q", "-f"],
                 "btrfs": ["-q", "-f"]}[fs]
        run(f"mkfs.{fs}", *quiet, self.image)

    def _mount_overlay(self, prepare):
        """On ext4; prepare() fills the lower layer, in self.lower."""
        self._make("ext4")
        self.below.mkdir()
        run("mount", "-t", "ext4", "-o", self.options, self.image, self.below)
        self.mounted = True
        for name in ("lower", "upper", "work"):
            (self.below / name).mkdir()
        if prepare:
            prepare(self)
        run("mount", "-t", "overlay", "-o", f"lowerdir={self.lower},"
            f"upperdir={self.below}/upper,workdir={self.below}/work",
            "none", self.mnt)

    def _image_path(self, size):
        """Images of moderate size live in memory if there is room."""
        shm = Path("/dev/shm")
        if size <= 2 * GIB and shm.is_dir():
            room = os.statvfs(shm)
            if room.f_bavail * room.f_frsize > 4 * GIB:
                return shm / f"{self.dir.name}.img"
        return self.dir / "image"

    def mount(self):
        run("mount", "-t", self.fs, "-o", self.options, self.image, self.mnt)
        self.mounted = True

    def umount(self):
        run("umount", self.mnt)
        self.mounted = False

    def config(self, main, *policies):
        """Replaces the whole configuration."""
        (self.dir / "etc/ullage.json").write_text(json.dumps(main, indent=1))
        for old in (self.dir / "etc/policies.d").iterdir():
            old.unlink()
        for one in policies:
            self.put_policy(one)

    def put_policy(self, one):
        where = self.dir / "etc/policies.d" / f"{one['component']}.json"
        where.write_text(json.dumps(one, indent=1))
        return where

    def hook(self, name, script):
        where = self.dir / "etc/hooks.d" / name
        where.write_text(script)
        where.chmod(0o755)
        return where

    def webhook(self, url):
        """The shipped hook, installed as its head says. Returns what
        ullage.json says of alerts then."""
        self.hook("webhook", (TOP / "packaging/hooks/webhook").read_text())
        (self.dir / "etc/webhook.url").write_text(f"{url}\n")
        return {"hooks": str(self.dir / "etc/hooks.d")}

    def arguments(self):
        etc = self.dir / "etc"
        return ["--config", etc / "ullage.json",
                "--policies", etc / "policies.d", "--root", self.root,
                "--state", self.state_file or self.dir / "state/state.json",
                "--socket", self.socket]

    @property
    def socket(self):
        return self.dir / "run/agent"

    def place(self, kind, component):
        return self.root / kind / component

    def start(self, **options):
        agent = Agent(self, **options)
        self.agents.append(agent)
        agent.start()
        return agent

    def close(self):
        HOSTS.remove(self)
        for agent in self.agents:
            agent.stop()
        if self.mounted:
            for where in (self.mnt, self.below):
                # With what tests have mounted in there.
                wait_for(f"umount {where}", lambda path=where: (
                    not is_mounted(path) or run(
                        "umount", "-R", path, check=False).returncode == 0), 5)
        if self.image:
            self.image.unlink()
        shutil.rmtree(self.dir)


class Agent:
    """A running ullaged and its ullagectl."""

    def __init__(self, host, wrap=(), env=None, trusted=True):
        self.host = host
        self.wrap = list(wrap)
        self.env = dict(os.environ, **(env or {}))
        self.trusted = trusted
        self.log_path = host.dir / f"log.{len(host.agents)}"
        self.process = None

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(a) for a in (*self.wrap, ULLAGED,
                                  *self.host.arguments())],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.env)
        if self.trusted:
            self.wait_trusted()

    def wait_trusted(self, timeout=20):
        def is_trusted():
            if self.process.poll() is not None:
                raise AssertionError(f"ullaged ended with status "
                                     f"{self.process.returncode}\n"
                                     f"{self.log_text()}")
            status = self.status(check=False)
            return status and all(c["trusted"] for c in status["components"])
        try:
            wait_for("agent trusts its index", is_trusted, timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log_text()}") from None

    def ctl(self, *arguments, check=True, **options):
        return run(ULLAGECTL, "--socket", self.host.socket, *arguments,
                   check=check, **options)

    def json(self, *arguments, check=True, **options):
        done = self.ctl("--json", *arguments, check=check, **options)
        if done.returncode and not check and not done.stdout:
            return None
        return json.loads(done.stdout)

    def status(self, check=True):
        return self.json("status", check=check)

    def component(self, name):
        return next(c for c in self.status()["components"]
                    if c["name"] == name)

    def wait_level(self, name, level, timeout=10):
        return wait_for(f"{name} is {level}", lambda: (
            self.component(name)["level"] == level), timeout)

    def history(self):
        """Past cleanups, oldest first."""
        got = self.json("history")
        return got["cleanups"] if isinstance(got, dict) else got

    def log_text(self):
        return self.log_path.read_text(errors="surrogateescape")

    def log_lines(self):
        return self.log_text().splitlines()

    def pids(self):
        """The warden and all its descendants."""
        found, queue = [], [self.process.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            try:
                for task in Path(f"/proc/{pid}/task").iterdir():
                    queue += map(int, (task / "children").read_text().split())
            except OSError:
                pass
        return found

    def signal(self, pid, number):
        """To one of them, which may have gone."""
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass

    @contextmanager
    def stopped(self):
        """All but the warden are, so queues of events fill."""
        pids = [p for p in self.pids() if p != self.process.pid]
        for pid in pids:
            self.signal(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                self.signal(pid, signal.SIGCONT)

    def kill(self):
        """All of them at once, by SIGKILL."""
        pids = self.pids()
        for pid in pids:
            self.signal(pid, signal.SIGKILL)
        self.process.wait()
        self.process = None
        wait_for("all are dead", lambda: not any(map(is_alive, pids)))
        self.wait_gone()

    def wait_gone(self):
        """Until nothing of it is left, as a service manager does before it
        starts the next: not by pids(), which may miss one that was just
        forked. All of them write into the log; one that has closed that may
        still be about to close the rest."""
        found = set()

        def is_any_left():
            for fd in Path("/proc").glob("[0-9]*/fd/2"):
                try:
                    if os.readlink(fd) == str(self.log_path):
                        found.add(fd.parts[2])
                except OSError:
                    pass
            return any(map(is_alive, found))
        wait_for("all are gone", lambda: not is_any_left())

    def stop(self, timeout=10):
        """SIGTERM; returns the exit status. Finds sanitizer reports."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout * SLOW)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("ullaged ignores SIGTERM\n"
                                     + self.log_text()) from None
        status, self.process = self.process.returncode, None
        text = self.log_text()
        for word in SANITIZER:
            assert word not in text, text
        return status
