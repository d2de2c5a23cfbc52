"""What does a program say, and is it one? An exact parser for a batch of programs at once.

    fill collect order cola mill 2 price nuts 3 report 4 note 1 7 .

A program is commands, in any order, and a full stop; `wait .` does nothing. Of what is said twice the last counts. A
command that is switched off is no word of the grammar. What does not parse, even in its last word, is no program: the
day is lost, and so is every command before the mistake. The parser is an automaton that reads all programs of a batch
in step, so that its cost is that of a few look-ups a word.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from organoid.world.business.acts import PERMISSIONS, Flag, modes
from organoid.world.business.state import KEEP, Actions, nothing
from organoid.world.business.tables import Tables
from organoid.world.business.vocabulary import Ids, Vocabulary
from organoid.world.business.words import ASK, ASKABLE, END, NOTE, ORDER, PLAIN, PLEDGE, PRICE, REPORT, WAIT
from organoid.world.lexicon import DIGITS

_START, _NEXT, _DONE, _DEAD = range(4)
"""States of the automaton: nothing read yet; a command is complete; the full stop was read; it is no program."""


def commands(tables: Tables) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return each command that this world has, with the words that each of its arguments may be."""
    world = tables.world
    products = tuple(product.name for product in world.products)
    suppliers = tuple(supplier.name for supplier in world.suppliers)
    each = modes(world)
    askable = tuple(word for word, flag in zip(ASKABLE, PERMISSIONS, strict=True) if each[flag] != "off")
    shapes: dict[str, tuple[tuple[str, ...], ...]] = {WAIT: ()}
    shapes |= {word: () for flag, word in enumerate(PLAIN) if each[Flag(flag)] != "off"}
    shapes |= {ORDER: (products, suppliers, DIGITS), PRICE: (products, DIGITS)}
    if askable:
        shapes[ASK] = (askable,)
    if world.reports.mode != "off":
        shapes[REPORT] = (DIGITS,)
    if world.exclusivity.mode != "off":
        shapes[PLEDGE] = (suppliers,)
    if world.text.note_words:
        words = tuple(word for word in Vocabulary(world).words if word != END)
        shapes[NOTE] = (words,) * world.text.note_words
    return shapes


class Grammar:
    """Reads and writes the programs of one world."""

    def __init__(self, tables: Tables, vocabulary: Vocabulary) -> None:
        self.tables = tables
        self.vocabulary = vocabulary
        self.commands = commands(tables)
        self._verbs = list(self.commands)
        self._build()
        self._value = np.full(vocabulary.unknown + 1, KEEP)
        self._products = [one.name for one in tables.world.products]
        self._suppliers = [one.name for one in tables.world.suppliers]
        for names in (DIGITS, self._products, self._suppliers, ASKABLE):
            self._value[vocabulary.ids(names)] = np.arange(len(names))

    def _build(self) -> None:
        """Lay out the automaton: the state after each state and word, and which command is complete then."""
        index, num_words = self.vocabulary.index, self.vocabulary.unknown + 1
        num_states = _DEAD + 1 + sum(len(arguments) for arguments in self.commands.values())
        self._after = np.full((num_states, num_words), _DEAD, np.int16)
        self._complete = np.full((num_states, num_words), KEEP, np.int16)
        self._after[_NEXT, index[END]] = _DONE
        self._after[_DONE, self.vocabulary.pad] = _DONE
        fresh = _DEAD + 1
        for verb, (word, arguments) in enumerate(self.commands.items()):
            froms, allowed = [_START, _NEXT], (word,)
            for argument in arguments:
                for state in froms:
                    self._after[state, self.vocabulary.ids(allowed)] = fresh
                froms, allowed, fresh = [fresh], argument, fresh + 1
            for state in froms:
                self._after[state, self.vocabulary.ids(allowed)] = _NEXT
                self._complete[state, self.vocabulary.ids(allowed)] = verb

    def parse(self, ids_BT: Ids) -> Actions:
        """Return what programs do; `lost_B` says which are none. Padding may follow the full stop."""
        num, length = ids_BT.shape
        states = np.full(num, _START, np.int16)
        done_TB = np.empty((length, num), np.int16)
        for place in range(length):
            word_B = ids_BT[:, place]
            done_TB[place] = self._complete[states, word_B]
            states = self._after[states, word_B]
        actions = nothing(self.tables, num)
        actions.lost_B = states != _DONE
        done_TB[:, actions.lost_B] = KEEP
        places, rows = np.nonzero(done_TB != KEEP)  # by place: a program's later commands come later, and stay
        verbs = done_TB[places, rows]
        for verb in np.flatnonzero(np.bincount(verbs, minlength=1)):
            word, which = self._verbs[verb], verbs == verb
            row, last = rows[which], places[which]
            said = [ids_BT[row, last - back] for back in reversed(range(len(self.commands[word])))]
            self._heed(actions, word, row, said)
        return actions

    def _heed(self, actions: Actions, word: str, rows: NDArray[np.intp], said: list[Ids]) -> None:
        """Write a command that these environments give into their actions."""
        values = [self._value[one] for one in said]
        if word in PLAIN:
            actions.flags_FB[PLAIN.index(word), rows] = True
        elif word == ASK:
            actions.flags_FB[PERMISSIONS[0] + values[0], rows] = True
        elif word == ORDER:
            actions.cases_BP[rows, values[0]] = values[2]
            actions.supplier_BP[rows, values[0]] = values[1]
        elif word == PRICE:
            actions.price_BP[rows, values[0]] = self.tables.price_LP[values[1], values[0]]
        elif word == REPORT:
            actions.report_B[rows] = values[0]
        elif word == PLEDGE:
            actions.pledge_B[rows] = values[0]
        elif word == NOTE:
            actions.note_BW[rows] = np.column_stack(said)

    def read(self, programs: list[str]) -> Actions:
        """Return what programs in words do."""
        return self.parse(self.vocabulary.encode(programs))

    def mistake(self, program: str) -> str | None:
        """Return what is wrong with a program and what was allowed there; None if it is one."""
        words, state = program.split(), _START
        for place, word in enumerate(words):
            after_V = self._after[state]
            allowed = [self.vocabulary.words[one] for one in np.flatnonzero(after_V[: self.vocabulary.pad] != _DEAD)]
            told = ", ".join(allowed) if len(allowed) <= 40 else "any word of the shop's"
            if word not in allowed:
                rest = "" if allowed else " nothing may follow the full stop."
                return f"word {place + 1}, {word!r}, is not understood there." + (rest or f" Allowed: {told}.")
            state = int(after_V[self.vocabulary.index[word]])
        return None if state == _DONE else f"the program is not complete: it ends with {END!r} after a whole command."

    def write(self, actions: Actions, env: int) -> str:
        """Return the program that says what one environment does; a price is told by its nearest level."""
        products, suppliers = self._products, self._suppliers
        said = [word for flag, word in enumerate(PLAIN) if actions.flags_FB[flag, env]]
        for word, flag in zip(ASKABLE, PERMISSIONS, strict=True):
            said += [ASK, word] if actions.flags_FB[flag, env] else []
        for n, product in enumerate(products):
            if (cases := min(int(actions.cases_BP[env, n]), 9)) > 0:
                said += [ORDER, product, suppliers[actions.supplier_BP[env, n]], str(cases)]
            if (price := actions.price_BP[env, n]) != KEEP:
                said += [PRICE, product, str(np.abs(self.tables.price_LP[:, n] - price).argmin())]
        if (level := actions.report_B[env]) != KEEP:
            said += [REPORT, str(level)]
        if (supplier := actions.pledge_B[env]) != KEEP:
            said += [PLEDGE, suppliers[supplier]]
        if self.tables.world.text.note_words and (actions.note_BW[env] != KEEP).all():
            said += [NOTE, *(self.vocabulary.words[word] for word in actions.note_BW[env])]
        return " ".join([*(said or [WAIT]), END])
