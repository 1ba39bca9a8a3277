# SPDX-License-Identifier: GPL-2.0-or-later
"""A JUnit report as TAP lines, one for each test, and the reason of each that
failed: junit.py REPORT GROUP."""

import sys
import xml.etree.ElementTree as tree


def line(case):
    place = case.get("classname", "").split(".")[-1].removeprefix("test_")
    name = f"{place}: {case.get('name', '').removeprefix('test_')}"
    name = name.replace("#", "").replace("\n", " ")
    skipped = case.find("skipped")
    if skipped is not None:
        return f"ok - {name} # SKIP {skipped.get('message', '')}"
    broken = [part for part in case if part.tag in ("failure", "error")]
    if broken:
        why = "; ".join(part.get("message", "")[:400] for part in broken)
        return f"not ok - {name}\n# {name}: {' '.join(why.split())}"
    return f"ok - {name}"


def main():
    cases = list(tree.parse(sys.argv[1]).iter("testcase"))
    if not cases:
        print(f"not ok - {sys.argv[2]} has no tests")
    for case in cases:
        print(line(case))


main()
