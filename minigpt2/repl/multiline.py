'''Texts of several lines out of lines: a backslash at the end, or a block between `"""`.

    a sentence that \\           goes on in the next line; backslash and line end vanish
    goes on

    """                         a block: its line ends are part of the text, those beside the marks are not
    first line
    second line
    """

Two backslashes at the end of a line are two backslashes. The marks may stand inside a line, as in
`/search """`; a block that opens and closes in one line is that line without its marks.
'''

MARK = '"""'


class Multiline:
    """Lines one after the other, until they make a text."""

    def __init__(self) -> None:
        self._texts: list[str] = []  # complete ones of the paste that is being read
        self._pieces: list[str] = []  # of the text that goes on
        self._block: list[str] | None = None  # the lines of a block that is open

    @property
    def waits(self) -> bool:
        """True where a text has begun and goes on."""
        return bool(self._texts or self._pieces) or self._block is not None

    def feed(self, typed: str) -> str | None:
        """One line, or several pasted at once -> the text that is complete now; None where it goes on."""
        for line in typed.split("\n"):
            self._feed_line(line)
        if self._pieces or self._block is not None:
            return None
        return self.rest()

    def rest(self) -> str:
        """What has been fed and is no text yet, as it stands; afterwards nothing is."""
        if self._block is not None:
            self._pieces += [MARK, "\n".join(self._block)]
        texts = [*self._texts, "".join(self._pieces)] if self._pieces else self._texts
        self.__init__()
        return "\n".join(texts)

    def _feed_line(self, line: str) -> None:
        first, *others = line.split(MARK)
        self._put(first)
        for part in others:
            if self._block is None:
                self._block = []
            else:
                self._pieces.append(_between_marks(self._block))
                self._block = None
            self._put(part)
        if self._block is not None:
            return
        last = self._pieces[-1]
        if (len(last) - len(last.rstrip("\\"))) % 2:
            self._pieces[-1] = last[:-1]
            return
        self._texts.append("".join(self._pieces))
        self._pieces = []

    def _put(self, part: str) -> None:
        (self._pieces if self._block is None else self._block).append(part)


def _between_marks(lines: list[str]) -> str:
    """The lines of a block without the ends beside its marks."""
    if len(lines) > 1 and not lines[0].strip():
        lines = lines[1:]
    if len(lines) > 1 and not lines[-1].strip():
        lines = lines[:-1]
    return "\n".join(lines)
