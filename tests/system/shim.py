# SPDX-License-Identifier: GPL-2.0-or-later
"""shim.c, built and loaded into an agent: a clock to set, an allocation that
fails."""

import mmap
import os
import shutil
import struct
from pathlib import Path

import pytest

import agent as ag

HERE = Path(__file__).resolve().parent


class Shim:
    def __init__(self, where):
        if ag.SLOW > 1:
            pytest.skip("a sanitizer wants to be loaded first")
        compiler = shutil.which("cc") or shutil.which("gcc")
        if not compiler:
            pytest.skip("no C compiler")
        library = where / "shim.so"
        ag.run(compiler, "-shared", "-fPIC", "-O1", "-o", library,
               HERE / "shim.c")
        self.env = {"LD_PRELOAD": str(library)}
        self._clock = self._share(where, "SHIM_CLOCK")
        self._alloc = self._share(where, "SHIM_ALLOC")

    def _share(self, where, name):
        path = where / name
        path.write_bytes(bytes(4096))
        path.chmod(0o666)
        self.env[name] = str(path)
        with open(path, "r+b") as file:
            return mmap.mmap(file.fileno(), 4096)

    def set_clock(self, seconds):
        """So far from the machine's own."""
        struct.pack_into("q", self._clock, 0, int(seconds * 1e9))

    def fail(self, number):
        """Which allocation from here on; 0: none."""
        struct.pack_into("QQ", self._alloc, 0, 0, number)

    def count(self):
        return struct.unpack_from("Q", self._alloc, 0)[0]
