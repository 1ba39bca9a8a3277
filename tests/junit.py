# SPDX-License-Identifier: GPL-2.0-or-later
"""A JUnit report as TAP lines, one for each test: junit.py REPORT GROUP."""

import sys
import xml.etree.ElementTree as tree


def line(case):
    place = case.get("classname", "").split(".")[-1].removeprefix("test_")
    name = f"{place}: {case.get('name', '').removeprefix('test_')}"
    name = name.replace("#", "").replace("\n", " ")
    skipped = case.find("skipped")
    if skipped is not None:
        return f"ok - {name} # SKIP {skipped.get('message', '')}"
    if case.find("failure") is not None or case.find("error") is not None:
        return f"not ok - {name}"
    return f"ok - {name}"


def main():
    cases = list(tree.parse(sys.argv[1]).iter("testcase"))
    if not cases:
        print(f"not ok - {sys.argv[2]} has no tests")
    for case in cases:
        print(line(case))


main()
