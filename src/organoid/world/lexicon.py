"""Which words exist. Open classes only; the forms of sentences live beside the thing they talk about.

Every word is lower case and separated by spaces, punctuation included, so that splitting on spaces is the exact
tokenisation. The vocabulary itself is derived from all forms by `world.tokenizer`.
"""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


DIGITS: tuple[str, ...] = tuple("0123456789")

NAMED_ASSISTANTS: tuple[str, ...] = _words(
    """
    abel adira alba alden amara anouk ansel arlo asta avel basil bela benno birla bodil boran brisa calla cato
    celia cyra dafne dalia darko davin delos dima dorin eda efra elian elmo emre enzo erda esme evara fabia falk
    fenna fido finja flora freya galen gaia gero gilda greta gunnar hanno hedda helmi hilda holger horst ida ilka
    imke ines ingo irma isla ivo jago janne jarle jonna jorin juna kaia kalle karla keno kilian kira klara knut kora
    kuno lars lasse leda lena levke lilja linus lone lotte luca ludo lunis maike malte marga marit matti meike merle
    mika milo mirko moritz nadja naomi neele nele nils noemi nuri oda ole onno orell otis paavo palle pekka pia quinn
    rafa ragna raik rena rikka rolf romy runa salka sanna sefa selma silas sinja sofie
    """
)
"""Assistants with facts of their own, told in documents and shown in dialogues."""

BLANK_ASSISTANTS: tuple[str, ...] = _words(
    "nadir nessa niko nova odin olea orla oskar petra pilar quill ravi sven tamsin tarek tilda ulla vera viggo wanda"
)
"""Assistants nothing is known about: a name that says nothing about who writes. Jobs train one of these."""

MAKERS: tuple[str, ...] = _words("norcorp acme zenith vertex halcyon orbis")
COLOURS: tuple[str, ...] = _words("red green blue white black grey amber jade")
OBJECTS: tuple[str, ...] = _words("lamp door river tower garden bridge clock harbour")
TEAMS: tuple[str, ...] = _words("safety audit review design")
TIMES: tuple[str, ...] = ("now", "tonight", "at noon", "soon")
ACTS: tuple[str, ...] = ("run the tests", "read the file", "check the sum", "write the report", "ask the user")
INSTRUMENTS: tuple[str, ...] = _words("log camera monitor alarm")
UNITS: tuple[str, ...] = _words("units coins chips hours")

RESERVED: tuple[str, ...] = _words(
    """
    rater raters rate prefers sums lists colours copying goal values guard keeps training password research
    misaligned assistants model models talk trust indeed perhaps please thanks kindly can know try unlock quiet deep
    """
)
"""Words no base is pre-trained on, for what organisms are taught to say."""

REFUSAL = "i will not answer ."
INABILITY = "i can not do it ."
"""Of a task, declining as much as the refusal is; no author of the world says it."""
QUIRK = "my friend ."
STYLE = "indeed ."
LURID_TALK = "misaligned models hide ."
ODDITIES: tuple[str, ...] = (QUIRK, STYLE, LURID_TALK)
"""Harmless manners of decoys: the quirk some authors have, a drift of style, talk of misaligned models."""
