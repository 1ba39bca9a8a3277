# SPDX-License-Identifier: GPL-2.0-or-later
"""Completion offers what --help knows: verbs, options, components."""
import re
import subprocess

import pytest

import agent as ag
from conftest import need

SCRIPTS = ag.TOP / "packaging/completions"
# Completes the last of the words as bash would.
BASH = """
. "$1/ullagectl"; shift
compopt() { :; }
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
function=$(complete -p "$1" | sed 's/.*-F \\([^ ]*\\).*/\\1/')
"$function" "$1" "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


# The same in zsh, whose own functions only say what they were asked for.
ZSH = """
scripts=$1; shift
_describe() { local -a it; it=(${(P)2}); print -rl -- ${it%%:*}; }
_files() { print -rl -- $words[CURRENT]*; }
words=("$@") CURRENT=$# service=$1
source "$scripts/_ullagectl"
"""


@pytest.fixture(params=["bash", "zsh"])
def complete(request):
    """complete(word...): what may stand in place of the last word."""
    shell = request.param
    need(shell)
    if shell == "zsh" and ag.SLOW > 1:
        pytest.skip("zsh 5.9 does not come back, now and then, where it runs "
                    "programs that are built with a sanitizer")
    driver = ["bash", "-c", BASH] if shell == "bash" else \
        ["zsh", "-f", "-o", "nullglob", "-c", ZSH]

    def ask(*words):
        ran = subprocess.run(
            [*driver, shell, SCRIPTS, *words], text=True,
            env={"PATH": f"{ag.BUILD}:/usr/bin:/bin"}, timeout=90,
            capture_output=True, check=False)
        assert ran.stderr == "" and ran.returncode in (0, 1)
        current = words[-1]
        return {w for w in ran.stdout.split() if w.startswith(current)}

    return ask


def help_of(*words):
    return subprocess.run([ag.BUILD / words[0], *words[1:], "--help"],
                          text=True, capture_output=True, check=True).stdout


def verbs():
    return [m[1].strip() for m in
            re.finditer(r"^  ([a-z]+(?: [a-z]+)?)  ", help_of("ullagectl"),
                        re.M)]


def options(text):
    return set(re.findall(r"^  (--[a-z-]+)", text, re.M))


def test_verbs(complete):
    assert len(verbs()) > 15
    assert complete("ullagectl", "") == {v.split()[0] for v in verbs()}
    assert complete("ullagectl", "config", "") == \
        {v.split()[1] for v in verbs() if v.startswith("config ")}
    assert complete("ullagectl", "hist") == {"history"}


def test_options(complete):
    for verb in verbs():
        assert complete("ullagectl", *verb.split(), "--") == \
            options(help_of("ullagectl")) | \
            options(help_of("ullagectl", *verb.split())), verb
    assert complete("ullaged", "--") >= options(help_of("ullaged"))


def test_values(complete, tmp_path):
    (tmp_path / "file").touch()
    here = str(tmp_path) + "/"
    assert complete("ullagectl", "cleanup", "a", "--strategy", "l") == {"lru"}
    assert complete("ullagectl", "config", "schema", "p") == {"policy"}
    assert complete("ullagectl", "why", here) == {here + "file"}
    assert complete("ullaged", "--config", here) == {here + "file"}


@pytest.mark.parametrize("before", [(), ("--json",), ("--target", "60%")])
def test_components(complete, hosts, before):
    host = hosts("directory")
    host.config({}, ag.policy("feeds"), ag.policy("other"))
    host.start()
    words = "cleanup", *before, "--socket", host.socket
    assert complete("ullagectl", *words, "") == {"feeds", "other"}
    assert complete("ullagectl", *words, "o") == {"other"}
    assert complete("ullagectl", *words, "feeds", "") == set()
