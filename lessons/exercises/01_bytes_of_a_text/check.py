"""Both functions against Python's own UTF-8."""

from types import ModuleType

from minigpt2.learn.checking import same_value

TEXTS = ["low", "é!", "naïve 中文", "🙂 ok", "À ÿ\x7f", ""]  # with bytes 127, 128 and 191


def check(exercise: ModuleType) -> None:
    for text in TEXTS:
        right = list(text.encode("utf-8"))
        same_value(
            right,
            exercise.to_bytes(text),
            f"to_bytes({text!r})",
            [
                (
                    [ord(c) for c in text],
                    "ord gives the number of a character, which can be far above 255: encode",
                ),
                (text.encode("utf-8"), "this is a bytes object; list(…) makes the numbers of it"),
                (list(text), "these are characters, not bytes: text.encode('utf-8') first"),
                (list(text.encode("utf-16")), "this is UTF-16; the tokenizer works on UTF-8"),
            ],
        )
    for text in TEXTS:
        data = list(text.encode("utf-8"))
        same_value(
            [len(c.encode("utf-8")) for c in text],
            exercise.character_lengths(data),
            f"character_lengths({data})",
            [
                ([1] * len(data), "every byte counts as a character: bytes from 128 to 191 continue one"),
                (
                    lambda yours: (
                        any(x > 4 for x in yours) or (sum(yours) == len(data) and len(yours) < len(text))
                    ),
                    "bytes from 192 on begin a character, too; only 128 to 191 continue one",
                ),
                (lambda yours: sum(yours) < len(data), "some bytes are counted nowhere"),
            ],
        )
