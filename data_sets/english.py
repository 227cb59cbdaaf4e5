"""How English words change their form: verbs, numbers, the first letter of a sentence."""

import re

VOWELS = "aeiou"

IRREGULAR = {  # base: past, past participle
    line.split()[0]: tuple(line.split()[1:])
    for line in """
    beat beat beaten
    bite bit bitten
    break broke broken
    bring brought brought
    build built built
    burn burned burned
    buy bought bought
    catch caught caught
    choose chose chosen
    cut cut cut
    dig dug dug
    draw drew drawn
    drink drank drunk
    drive drove driven
    eat ate eaten
    feed fed fed
    find found found
    forecast forecast forecast
    forget forgot forgotten
    forgive forgave forgiven
    get got got
    give gave given
    go went gone
    hang hung hung
    have had had
    hide hid hidden
    hold held held
    keep kept kept
    lead led led
    leave left left
    lend lent lent
    lose lost lost
    make made made
    meet met met
    overtake overtook overtaken
    pay paid paid
    put put put
    read read read
    ring rang rung
    run ran run
    see saw seen
    sell sold sold
    send sent sent
    set set set
    sew sewed sewn
    shoot shot shot
    show showed shown
    shut shut shut
    sing sang sung
    sink sank sunk
    sow sowed sown
    spend spent spent
    split split split
    steal stole stolen
    sweep swept swept
    take took taken
    teach taught taught
    tear tore torn
    tell told told
    throw threw thrown
    wake woke woken
    wear wore worn
    win won won
    write wrote written
    """.strip().splitlines()
}

# Verbs of more than one syllable that double their last letter; of one syllable, the spelling tells.
DOUBLING = {"cancel", "forget", "submit"}

ONES = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
ROUND = [*range(2, 13), *range(15, 50, 5), *range(50, 100, 10)]  # the numbers that the sentences use


def number_word(n: int) -> str:
    """35 -> "thirty-five", for 0 to 99."""
    if n < 20:
        return ONES[n]
    return TENS[n // 10] + (f"-{ONES[n % 10]}" if n % 10 else "")


def inflect(phrase: str, form: str) -> str:
    """A verb, alone or with the words that follow it, as "past", "participle", "s" or "ing".

    inflect("put away", "ing") -> "putting away"; inflect("go and get", "past") -> "went and got".
    """
    words = phrase.split()
    for at, word in enumerate(words):
        if at == 0 or words[at - 1] == "and":
            words[at] = _inflect_word(word, form)
    return " ".join(words)


def _inflect_word(verb: str, form: str) -> str:
    if form == "s":
        if verb == "have":
            return "has"
        if re.search(r"(s|x|z|ch|sh|o)$", verb):
            return verb + "es"
        return _y_to_i(verb, "es") or verb + "s"
    if form == "ing":
        if verb.endswith("e") and not verb.endswith(("ee", "ye")):
            return verb[:-1] + "ing"
        return _doubled(verb) + "ing"
    if verb in IRREGULAR:
        return IRREGULAR[verb][form == "participle"]
    if verb.endswith("e"):
        return verb + "d"
    return _y_to_i(verb, "ed") or _doubled(verb) + "ed"


def _y_to_i(verb: str, ending: str) -> str | None:
    """carry + ed -> carried; None for "play" and for verbs without a y."""
    return verb[:-1] + "i" + ending if verb.endswith("y") and verb[-2] not in VOWELS else None


def _doubled(verb: str) -> str:
    """chop -> chopp, clean -> clean, fix -> fix, visit -> visit."""
    one_syllable = re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", verb)
    return verb + verb[-1] if one_syllable or verb in DOUBLING else verb


def sentence_case(text: str) -> str:
    """A capital letter first, a full stop last, one space between words."""
    text = " ".join(text.split())
    return f"{text[0].upper()}{text[1:].removesuffix('.')}."
