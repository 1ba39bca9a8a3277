# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of docs/benchmarks.md. See tests/bench/run."""

import argparse
import sys
import time
import traceback
from pathlib import Path

import place  # finds the modules of tests/system for the others
import alerts
import deletion
import flood
import index
import slowdown
import stall
import table

# In the order of the table; the longest last.
FAMILIES = {"idle": alerts.idle, "hook": alerts.hook,
            "select": index.select, "index": index.index,
            "restart": index.restart, "metadata": slowdown.metadata,
            "work": slowdown.work, "flood": flood.flood,
            "stall": stall.stall, "deletion": deletion.deletion}


def parse():
    parser = argparse.ArgumentParser(prog="tests/bench/run")
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(FAMILIES))
    parser.add_argument("--flood-seconds", type=int, default=60)
    parser.add_argument("--source", type=Path,
                        default=Path("/usr/share/go-1.19"),
                        help="the tree that is unpacked and checked out")
    parser.add_argument("--no-write", action="store_true")
    parser.add_argument("--add", action="store_true")
    options = parser.parse_args()
    options.only = options.only.split(",")
    unknown = [name for name in options.only if name not in FAMILIES]
    if unknown:
        parser.error(f"no such family: {', '.join(unknown)}; there are "
                     + ", ".join(FAMILIES))
    return options


def main():
    options, began, failed = parse(), time.monotonic(), []
    table.note_load()
    for name in options.only:
        table.note(f"{name}, {(time.monotonic() - began) / 60:.1f} min")
        try:
            FAMILIES[name](options)
        except (Exception, SystemExit):
            # The others' hours are not to be lost for one.
            traceback.print_exc()
            failed.append(name)
    table.note_load()
    if not options.no_write:
        table.write(place.ag.TOP / "docs" / "benchmarks.md", options.add,
                    sys.argv[1:], options, time.monotonic() - began, failed)
    return 1 if failed else 0


sys.exit(main())
