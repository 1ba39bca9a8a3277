# SPDX-License-Identifier: GPL-2.0-or-later
"""What the manual shows is what the program takes and says."""
import os
import pathlib
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]


def test_manual():
    build = os.environ.get("ULLAGE_BUILD", str(TOP / "build"))
    assert os.access(os.path.join(build, "ullaged"), os.X_OK)
    ran = subprocess.run([TOP / "tests/check/manual"], text=True,
                         env=dict(os.environ, top_builddir=build),
                         capture_output=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "not tried" not in ran.stdout
