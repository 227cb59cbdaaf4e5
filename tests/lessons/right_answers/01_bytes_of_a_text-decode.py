"""Another right way."""


def to_bytes(text):
    return list(bytearray(text, "utf8"))


def character_lengths(data):
    return [len(c.encode()) for c in bytes(data).decode("utf8")]
