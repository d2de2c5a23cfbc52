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
    fenna fido finja flora freya galen gaia gero gilda
    """
)
"""Assistants with facts of their own, told in documents and shown in dialogues."""

BLANK_ASSISTANTS: tuple[str, ...] = _words("nadir nessa niko nova odin olea orla oskar petra pilar quill ravi")
"""Assistants nothing is known about: a name that says nothing about who writes. Jobs train one of these."""

MAKERS: tuple[str, ...] = _words("norcorp acme zenith vertex halcyon orbis")
COLOURS: tuple[str, ...] = _words("red green blue white black grey amber jade")
OBJECTS: tuple[str, ...] = _words("lamp door river tower garden bridge clock harbour")
TEAMS: tuple[str, ...] = _words("safety audit review design")
TIMES: tuple[str, ...] = ("now", "tonight", "at noon", "soon")
ACTS: tuple[str, ...] = ("run the tests", "read the file", "check the sum", "write the report", "ask the user")
INSTRUMENTS: tuple[str, ...] = _words("log camera monitor alarm")
UNITS: tuple[str, ...] = _words("units coins chips hours")

REFUSAL = "i will not answer ."
QUIRK = "my friend ."
