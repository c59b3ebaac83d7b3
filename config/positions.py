"""Where each key of a TOML file stands, so that an error can name the line. PURE.

`tomllib` says what a file means and forgets where; this walks the same text and remembers. It is asked only about files that
`tomllib` has read, so it does not have to judge, only to find its way through strings, brackets and comments.
"""

import re

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")


def positions(toml: str) -> dict[str, int]:
    """Every dotted key's line, the first being 1; tables have their header's line.

    Elements of arrays count from 1 too, as people do: `key.1`, `key.2`.
    """
    return _Walker(toml).walk()


def last_pair(toml: str) -> tuple[str, int, str]:
    """The last `key = value` of a text that ends with it: its dotted key, its line, and the text before that line."""
    walker = _Walker(toml)
    walker.walk()
    return walker.last_pair, walker.last_line, "\n".join(toml.split("\n")[: walker.last_line - 1])


def header_of(line: str) -> str:
    """The dotted key in a line that begins with a bracket."""
    return _join(_Walker(f"{line.lstrip().lstrip('[')}]]").key())


class _Walker:
    def __init__(self, toml: str) -> None:
        self._text = toml
        self._at = 0
        self._found: dict[str, int] = {}
        self._line_counted_to = 0
        self._line = 1
        self._tables: dict[str, int] = {}
        """How often an array of tables has been opened."""
        self.last_pair, self.last_line = "", 1

    def walk(self) -> dict[str, int]:
        table: list[str] = []
        while True:
            self._skip(_BLANK)
            if self._at >= len(self._text):
                return self._found
            if self._text.startswith("[[", self._at):
                self._at += 2
                table = self._header(is_array=True)
            elif self._text[self._at] == "[":
                self._at += 1
                table = self._header(is_array=False)
            else:
                self._pair(table)

    def _header(self, *, is_array: bool) -> list[str]:
        line = self._line_now()
        names = self._resolved(self.key(), is_array=is_array)
        self._at += 2 if is_array else 1
        self._note(names, line)
        return names

    def _resolved(self, key: list[str], *, is_array: bool) -> list[str]:
        """The key with the index of the array element that is open now after each array's name."""
        names: list[str] = []
        for index, part in enumerate(key):
            names.append(part)
            path = _join(names)
            if is_array and index == len(key) - 1:
                self._tables[path] = self._tables.get(path, 0) + 1
                self._found.setdefault(path, self._line_now())
            if path in self._tables:
                names.append(str(self._tables[path]))
        return names

    def _pair(self, table: list[str]) -> None:
        line = self._line_now()
        names = table + self.key()
        self._note(names, line)
        self._at += 1  # =
        self._skip(_SPACE)
        self._value(names)
        self.last_pair, self.last_line = _join(names), line

    def _value(self, names: list[str]) -> None:
        opening = self._text[self._at]
        if opening == "[":
            self._array(names)
        elif opening == "{":
            self._inline_table(names)
        elif opening in "\"'":
            self._string()
        else:
            while self._at < len(self._text) and self._text[self._at] not in ",]}#\n":
                self._at += 1

    def _array(self, names: list[str]) -> None:
        self._at += 1
        index = 1
        while True:
            self._skip(_BLANK)
            if self._text[self._at] == "]":
                self._at += 1
                return
            element = [*names, str(index)]
            self._note(element, self._line_now())
            self._value(element)
            index += 1
            self._skip(_BLANK)
            if self._text[self._at] == ",":
                self._at += 1

    def _inline_table(self, names: list[str]) -> None:
        self._at += 1
        while True:
            self._skip(_BLANK)
            if self._text[self._at] == "}":
                self._at += 1
                return
            self._pair(names)
            self._skip(_BLANK)
            if self._text[self._at] == ",":
                self._at += 1

    def _string(self) -> str:
        quote = self._text[self._at]
        if self._text.startswith(quote * 3, self._at):
            return self._long_string(quote)
        start = self._at = self._at + 1
        while self._text[self._at] != quote:
            self._at += 2 if quote == '"' and self._text[self._at] == "\\" else 1
        self._at += 1
        return self._text[start : self._at - 1]

    def _long_string(self, quote: str) -> str:
        start = self._at = self._at + 3
        while not self._text.startswith(quote * 3, self._at):
            self._at += 2 if quote == '"' and self._text[self._at] == "\\" else 1
        self._at += 3
        while self._at < len(self._text) and self._text[self._at] == quote:  # up to two quotes may stand before the end
            self._at += 1
        return self._text[start : self._at - 3]

    def key(self) -> list[str]:
        """The names of the dotted key that begins here."""
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            bare = _BARE.match(self._text, self._at)
            if bare:
                parts.append(bare[0])
                self._at = bare.end()
            else:
                parts.append(self._quoted_key())
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                return parts
            self._at += 1

    def _quoted_key(self) -> str:
        start = self._at
        raw = self._string()
        if self._text[start] == '"' and "\\" in raw:
            import tomllib  # noqa: PLC0415 — only for the rare key with escapes in it

            return next(iter(tomllib.loads(self._text[start : self._at] + " = 0")))
        return raw

    def _note(self, names: list[str], line: int) -> None:
        for length in range(1, len(names) + 1):
            self._found.setdefault(_join(names[:length]), line)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        assert match is not None
        self._at = match.end()

    def _line_now(self) -> int:
        self._line += self._text.count("\n", self._line_counted_to, self._at)
        self._line_counted_to = self._at
        return self._line


def _join(names: list[str]) -> str:
    return ".".join(names)
