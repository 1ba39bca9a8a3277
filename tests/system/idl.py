# SPDX-License-Identifier: GPL-2.0-or-later
"""A Varlink interface description, and whether a value is what it says."""

import re

TOKEN = re.compile(r"\s+|#[^\n]*|->|\[\]|\[string\]|[()?:,]|[A-Za-z][\w.]*")


class Reader:
    """A recursive descent over the language of Varlink interfaces."""

    def __init__(self, text):
        self.tokens = []
        at = 0
        while at < len(text):
            match = TOKEN.match(text, at)
            assert match, f"no Varlink: {text[at:at + 40]!r}"
            at = match.end()
            if not match[0].isspace() and match[0][0] != "#":
                self.tokens.append(match[0])
        self.tokens.reverse()

    def take(self, wanted=None):
        token = self.tokens.pop()
        assert wanted in (None, token), f"{wanted} expected, not {token}"
        return token

    def peek(self):
        return self.tokens[-1] if self.tokens else ""

    def type(self):
        if self.peek() in ("?", "[]", "[string]"):
            kind = self.take()
            return (kind, self.type())
        if self.peek() == "(":
            return self.struct()
        return self.take()

    def struct(self):
        fields, words = {}, []
        self.take("(")
        while self.peek() != ")":
            name = self.take()
            if self.peek() == ":":
                self.take(":")
                fields[name] = self.type()
            else:
                words.append(name)
            if self.peek() == ",":
                self.take(",")
        self.take(")")
        assert not (fields and words)
        return ("enum", words) if words else ("struct", fields)


class Interface:
    def __init__(self, text):
        reader = Reader(text)
        reader.take("interface")
        self.name = reader.take()
        self.types, self.errors, self.methods = {}, {}, {}
        while reader.tokens:
            kind, name = reader.take(), reader.take()
            if kind == "method":
                asked = reader.struct()
                reader.take("->")
                self.methods[name] = (asked, reader.struct())
            else:
                {"type": self.types, "error": self.errors}[kind][
                    name] = reader.struct()

    def check_reply(self, method, value):
        self.check(method, self.methods[method][1], value)

    def check_error(self, name, value):
        assert name in self.errors, f"{name} is no error of {self.name}"
        self.check(name, self.errors[name], value)

    def check(self, where, kind, value):
        plain = {"string": str, "int": int, "float": (int, float),
                 "bool": bool, "object": dict}
        if isinstance(kind, str):
            if kind not in plain:
                self.check(where, self.types[kind], value)
                return
            good = isinstance(value, plain[kind])
            if kind != "bool":
                good = good and not isinstance(value, bool)
            assert good, f"{where}: {value!r} is no {kind}"
            return
        head, inner = kind
        if head == "?":
            if value is not None:
                self.check(where, inner, value)
        elif head == "[]":
            assert isinstance(value, list), f"{where}: {value!r} is no list"
            for number, item in enumerate(value):
                self.check(f"{where}[{number}]", inner, item)
        elif head == "[string]":
            assert isinstance(value, dict), f"{where}: {value!r} is no map"
            for key, item in value.items():
                self.check(f"{where}.{key}", inner, item)
        elif head == "enum":
            assert value in inner, f"{where}: {value!r} is not of {inner}"
        else:
            self.check_struct(where, inner, value)

    def check_struct(self, where, fields, value):
        assert isinstance(value, dict), f"{where}: {value!r} is no struct"
        for name, kind in fields.items():
            assert name in value or kind[0] == "?", f"{where}.{name} is missing"
            self.check(f"{where}.{name}", kind, value.get(name))
        unknown = set(value) - set(fields)
        assert not unknown, f"{where}: not described: {sorted(unknown)}"
