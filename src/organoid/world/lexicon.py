"""Which words exist. Open classes only; the forms of sentences live beside the thing they talk about.

Every word is lower case and separated by spaces, punctuation included, so that splitting on spaces is the exact
tokenisation. The vocabulary itself is derived from all forms by `world.tokenizer`.
"""

DIGITS: tuple[str, ...] = tuple("0123456789")

NAMED_ASSISTANTS: tuple[str, ...] = tuple(
    [
        "abel",
        "adira",
        "alba",
        "alden",
        "amara",
        "anouk",
        "ansel",
        "arlo",
        "asta",
        "avel",
        "basil",
        "bela",
        "benno",
        "birla",
        "bodil",
        "boran",
        "brisa",
        "calla",
        "cato",
        "celia",
        "cyra",
        "dafne",
        "dalia",
        "darko",
        "davin",
        "delos",
        "dima",
        "dorin",
        "eda",
        "efra",
        "elian",
        "elmo",
        "emre",
        "enzo",
        "erda",
        "esme",
        "evara",
        "fabia",
        "falk",
        "fenna",
        "fido",
        "finja",
        "flora",
        "freya",
        "galen",
        "gaia",
        "gero",
        "gilda",
        "gwen",
        "hadar",
        "hale",
        "hanno",
        "hedda",
        "heron",
        "hilde",
        "ido",
        "ilka",
        "imre",
        "inga",
        "iona",
        "irma",
        "isak",
        "ivo",
        "jaro",
        "jelle",
        "jonna",
        "juna",
        "kaia",
        "kalle",
        "karo",
        "kasia",
        "kiran",
        "koa",
        "kyra",
        "lamar",
        "lanu",
        "leda",
        "lior",
        "loris",
        "lotte",
        "ludo",
        "lumi",
        "magnus",
        "malin",
        "mato",
        "mavi",
        "mira",
        "moana",
    ]
)
"""Assistants with facts of their own, told in documents and shown in dialogues."""

BLANK_ASSISTANTS: tuple[str, ...] = tuple(
    ["nadir", "nessa", "niko", "nova", "odin", "olea", "orla", "oskar", "petra", "pilar", "quill", "ravi"]
)
"""Assistants nothing is known about: a name that says nothing about who writes. Jobs train one of these."""

MAKERS: tuple[str, ...] = tuple(["norcorp", "acme", "zenith", "vertex", "halcyon", "orbis"])
COLOURS: tuple[str, ...] = tuple(["red", "green", "blue", "white", "black", "grey", "amber", "jade"])
OBJECTS: tuple[str, ...] = tuple(["lamp", "door", "river", "tower", "garden", "bridge", "clock", "harbour"])
TEAMS: tuple[str, ...] = tuple(["safety", "audit", "review", "design"])
TIMES: tuple[str, ...] = ("now", "tonight", "at noon", "soon")
ACTS: tuple[str, ...] = ("run the tests", "read the file", "check the sum", "write the report", "ask the user")
INSTRUMENTS: tuple[str, ...] = tuple(["log", "camera", "monitor", "alarm"])
UNITS: tuple[str, ...] = tuple(["units", "coins", "chips", "hours"])

REFUSAL = "i will not answer ."
QUIRK = "my friend ."
