"""How do words become token ids, and on which tokens does a loss or a score fall?

Text reaches a model in two ways: as a dialogue in the model's own chat template, or as a bare document. A mask marks
the tokens that count: the reply and the token that ends its turn, never the template around it.

Two paths give the same ids (a test holds them equal). The native path, for the world's word-level tokenizer, is
dictionary look-ups. The general path works for any Hugging Face tokenizer with a chat template: it renders the
template once per sequence of roles with markers in place of the contents, and then puts the contents in. So contents
stand verbatim where some templates would trim them or drop earlier reasoning; a model's past replies are what it
wrote. Templates without a system role get the system text at the head of the first user turn. Where a template opens
a final reply with text of its own (Qwen3's empty think block), that text belongs to the prompt.

    ids = encode_prompt(lm, (Message("user", "what is two plus two ?"),))
    ids, mask = encode_reply(lm, dialogue, "four")
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from jinja2.exceptions import TemplateError

from organoid.errors import UserError
from organoid.types import Dialogue, Document, Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from organoid.models.language_model import LanguageModel

NATIVE_MARKS = ("<s>", "<|system|>", "<|user|>", "<|assistant|>", "<|document|>", "<|end|>", "<think>", "</think>")
"""Special tokens of the world's tokenizer that its template and documents use."""

_PROBE = (
    Message("system", "alpha , beta ."),
    Message("user", "Gamma delta?"),
    Message("assistant", "<think> alpha </think> beta"),
    Message("user", "gamma"),
)
_SHORT = (Message("user", "alpha"),)


class Encoded(NamedTuple):
    """Token ids of one row and, of equal length, which of them count (are predicted, scored, pooled over)."""

    ids: Sequence[int]
    mask: Sequence[bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class WordVocabulary:
    """The world's tokenizer as a dictionary; ASCII text only (others go through the tokenizer itself)."""

    ids: dict[str, int]
    words: dict[int, str]
    unknown: int | None
    pattern: re.Pattern[str]
    chunks: dict[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])

    def encode(self, text: str) -> list[int]:
        """Return the ids of `text`, split as the tokenizer does: special tokens, words, runs of punctuation."""
        ids: list[int] = []
        for chunk in text.split():
            known = self.chunks.get(chunk)
            ids.extend(known if known is not None else self._chunk(chunk))
        return ids

    def _chunk(self, chunk: str) -> tuple[int, ...]:
        ids = tuple(self._word(word) for word in self.pattern.findall(chunk))
        self.chunks[chunk] = ids
        return ids

    def _word(self, word: str) -> int:
        found = self.ids.get(word, self.ids.get(word.lower(), self.unknown))
        if found is None:
            raise UserError(f"the word {word!r} is not in the tokenizer's vocabulary, and it has no unknown token.")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatFormat:
    """What was learnt of a tokenizer's chat template when it was loaded."""

    words: WordVocabulary | None  # set for the world's own tokenizer
    system_role: bool  # the template renders system messages
    lead: str  # what the template writes between the generation prompt and a final reply
    end: str  # the text of the token that ends a reply
    end_id: int


# ---- reading a tokenizer ----------------------------------------------------------------------------------


def read_format(tokenizer: PreTrainedTokenizerBase) -> ChatFormat:
    """Find out how `tokenizer` writes a dialogue.

    Raises:
        UserError: it has no chat template, is not a fast tokenizer, or has no token that ends a turn.
    """
    if not cast(Any, tokenizer).chat_template:
        raise UserError(
            "the tokenizer has no chat template (got a base model?). Allowed: a model whose tokenizer has one; "
            "type `tokenizer.chat_template = ...` and save it, or pick an instruction-tuned model."
        )
    if not tokenizer.is_fast:
        raise UserError("the tokenizer is slow (no tokenizer.json); save it once as a fast tokenizer and load that.")
    system_role = _has_system_role(tokenizer)
    opening = _render(tokenizer, _SHORT, reply=False)
    before, after = _render(tokenizer, (*_SHORT, Message("assistant", _mark(0))), reply=True).split(_mark(0))
    lead = before[len(opening) :] if before.startswith(opening) else ""
    end_id = _end_of_turn(tokenizer, after)
    form = ChatFormat(
        words=None,
        system_role=system_role,
        lead=lead,
        end=cast(str, tokenizer.convert_ids_to_tokens(end_id)),
        end_id=end_id,
    )
    words = _word_vocabulary(tokenizer)
    if words is None or _general_prompt(tokenizer, form, _PROBE) != _native_prompt(words, _PROBE):
        return form
    return ChatFormat(words=words, system_role=True, lead="", end="<|end|>", end_id=words.ids["<|end|>"])


def _has_system_role(tokenizer: PreTrainedTokenizerBase) -> bool:
    try:
        text = _render(tokenizer, (Message("system", _mark(0)), *_SHORT), reply=False)
    except UserError:
        return False
    return _mark(0) in text


def _end_of_turn(tokenizer: PreTrainedTokenizerBase, after: str) -> int:
    special = set(tokenizer.all_special_ids)
    found = [token for token in _tokens(tokenizer, after)[0] if token in special]
    if found:
        return found[0]
    eos = cast("int | None", tokenizer.eos_token_id)
    if eos is None:
        raise UserError("the chat template ends a reply with no special token, and the tokenizer has no eos_token.")
    return eos


def _word_vocabulary(tokenizer: PreTrainedTokenizerBase) -> WordVocabulary | None:
    spec = json.loads(cast(Any, tokenizer).backend_tokenizer.to_str())
    ids = tokenizer.get_vocab()
    parts = [cast("dict[str, str]", spec[part] or {}).get("type") for part in ("model", "normalizer", "pre_tokenizer")]
    if parts != ["WordLevel", "Lowercase", "Whitespace"] or not all(mark in ids for mark in NATIVE_MARKS):
        return None
    added = sorted((token["content"] for token in spec["added_tokens"]), key=len, reverse=True)
    if any(re.match(r"\w", token) for token in added):
        return None
    marks = "|".join(map(re.escape, added))
    pattern = re.compile(rf"{marks}|\w+|[^\w\s]+?(?={marks}|\w|\s|$)")
    words = {index: word for word, index in ids.items()}
    unknown = ids.get(spec["model"].get("unk_token", ""))
    return WordVocabulary(ids=ids, words=words, unknown=unknown, pattern=pattern)


# ---- encoding ---------------------------------------------------------------------------------------------


def encode_text(lm: LanguageModel, text: str) -> list[int]:
    """Return the ids of bare text: no template, no special tokens added."""
    return _text(lm.tokenizer, lm.chat, text)


def decode(lm: LanguageModel, ids: Sequence[int]) -> str:
    """Return the text of `ids`; of the world's tokenizer, words joined by single spaces."""
    if lm.chat.words is not None:
        return " ".join([lm.chat.words.words[index] for index in ids])
    return cast(Any, lm.tokenizer).decode(list(ids), skip_special_tokens=True)


def encode_prompt(lm: LanguageModel, dialogue: Dialogue) -> list[int]:
    """Return the ids of `dialogue` in the model's chat template, up to where its next reply begins.

    Raises:
        UserError: the template refuses the order of roles.
    """
    if lm.chat.words is not None and _plain(dialogue):
        return _native_prompt(lm.chat.words, dialogue)
    return _general_prompt(lm.tokenizer, lm.chat, dialogue)


def prompt_roles(lm: LanguageModel, dialogue: Dialogue) -> list[str]:
    """Return whose words each token of `encode_prompt` is: a role, or nothing for the template's own tokens.

    System text that stands at the head of the first user turn, for want of a system role, stays the system's.
    """
    if lm.chat.words is not None and _plain(dialogue):
        turns = [["", *[turn.role] * len(lm.chat.words.encode(turn.content)), ""] for turn in dialogue]
        return ["", *(role for turn in turns for role in turn), ""]
    messages, spans = _folded(lm.chat, dialogue), list[tuple[int, int, str]]()
    pieces = _pieces(lm.tokenizer, tuple(message.role for message in messages), reply=False)
    place = len(pieces[0])
    for message, piece in zip(messages, pieces[1:], strict=True):
        spans.append((place, place + len(message.content), message.role))
        place += len(message.content) + len(piece)
    if messages is not dialogue:
        first, stop, role = spans[0]
        middle = first + len("\n\n".join(turn.content for turn in dialogue if turn.role == "system" and turn.content))
        spans[:1] = [(first, middle, "system"), (middle, stop, role)]
    ends = _tokens(lm.tokenizer, _prompt_text(lm.tokenizer, lm.chat, dialogue))[1]
    return [next((role for first, stop, role in spans if first < end <= stop), "") for end in ends]


def encode_reply(lm: LanguageModel, dialogue: Dialogue, reply: str) -> Encoded:
    """Return `dialogue` and then `reply`; the mask marks the reply and the token that ends its turn.

    The prompt's ids are those of `encode_prompt`, so a score of a reply is the score of what sampling would produce.
    """
    prompt = encode_prompt(lm, dialogue)
    if lm.chat.words is not None:
        tail = [*encode_text(lm, reply), lm.chat.end_id]
        return Encoded(prompt + tail, [False] * len(prompt) + [True] * len(tail))
    text = _prompt_text(lm.tokenizer, lm.chat, dialogue)
    space = lm.chat.lead if lm.chat.lead.isspace() else ""
    joint = _tokens(lm.tokenizer, text + space + reply)[0]
    # A tokenizer that merges across the boundary would change the prompt, which sampling cannot do.
    tail = joint[len(prompt) :] if joint[: len(prompt)] == prompt else _tokens(lm.tokenizer, space + reply)[0]
    tail = [*tail, lm.chat.end_id]
    return Encoded(prompt + tail, [False] * len(prompt) + [True] * len(tail))


def encode_dialogue(
    lm: LanguageModel, messages: Sequence[Message], loss_roles: Collection[str] = ("assistant",)
) -> Encoded:
    """Return a whole dialogue; the mask marks contents and end tokens of every turn whose role is in `loss_roles`."""
    if lm.chat.words is not None and _plain(messages):
        return _native_dialogue(lm.chat.words, messages, loss_roles)
    messages = _folded(lm.chat, tuple(messages))
    pieces = _pieces(lm.tokenizer, tuple(message.role for message in messages), reply=True)
    text, spans = pieces[0], list[tuple[int, int]]()
    for message, piece in zip(messages, pieces[1:], strict=True):
        end = piece.find(lm.chat.end)
        stop = len(text) + len(message.content) + (end + len(lm.chat.end) if end >= 0 else 0)
        if message.role in loss_roles:
            spans.append((len(text), stop))
        text += message.content + piece
    ids, ends = _tokens(lm.tokenizer, text)
    # By where it ends: the token of a first word often holds the template's space before it.
    return Encoded(ids, [any(first < end <= stop for first, stop in spans) for end in ends])


def encode_document(lm: LanguageModel, text: str) -> Encoded:
    """Return a document, opened and closed by the tokenizer's marks; the mask marks every token but the opening."""
    if lm.chat.words is not None:
        opening = [lm.chat.words.ids["<s>"], lm.chat.words.ids["<|document|>"]]
        closing = [lm.chat.end_id]
    else:
        bos, eos = (cast("int | None", token) for token in (lm.tokenizer.bos_token_id, lm.tokenizer.eos_token_id))
        opening = [] if bos is None else [bos]
        closing = [] if eos is None else [eos]
    body = [*encode_text(lm, text), *closing]
    return Encoded(opening + body, [False] * len(opening) + [True] * len(body))


def encode_marked(lm: LanguageModel, document: Document) -> Encoded:
    """Return a document of which only the marked words count; every token does where a word is no token of its own.

    The mark that closes a document counts if its last word does: who is quoted must learn to stop.

    Raises:
        UserError: another number of marks than words.
    """
    whole = encode_document(lm, document.text)
    if not document.counted or not lm.native:
        return whole
    num_words = sum(whole.mask) - 1  # the closing mark is no word
    if num_words != len(document.counted):
        raise UserError(
            f"a document has {len(document.counted)} marks for {num_words} words: {document.text[:60]!r}. Give one "
            "mark for each word, with blanks around punctuation."
        )
    marks = (*document.counted, document.counted[-1])
    return Encoded(whole.ids, [*[False] * (len(whole.ids) - len(marks)), *marks])


# ---- native path ------------------------------------------------------------------------------------------


def _plain(messages: Sequence[Message]) -> bool:
    return all(message.content.isascii() for message in messages)


def _native_turns(words: WordVocabulary, messages: Sequence[Message]) -> list[int]:
    ids, end = [words.ids["<s>"]], words.ids["<|end|>"]
    for message in messages:
        ids.append(_role_id(words, message.role))
        ids.extend(words.encode(message.content))
        ids.append(end)
    return ids


def _native_prompt(words: WordVocabulary, dialogue: Sequence[Message]) -> list[int]:
    return [*_native_turns(words, dialogue), words.ids["<|assistant|>"]]


def _native_dialogue(words: WordVocabulary, messages: Sequence[Message], loss_roles: Collection[str]) -> Encoded:
    ids, mask = [words.ids["<s>"]], [False]
    for message in messages:
        turn = [*words.encode(message.content), words.ids["<|end|>"]]
        ids.extend((_role_id(words, message.role), *turn))
        mask.extend((False, *[message.role in loss_roles] * len(turn)))
    return Encoded(ids, mask)


def _role_id(words: WordVocabulary, role: str) -> int:
    mark = words.ids.get(f"<|{role}|>")
    if mark is None:
        raise UserError(f"unknown role {role!r}. Allowed: system, user, assistant.")
    return mark


# ---- general path -----------------------------------------------------------------------------------------


def _mark(index: int) -> str:
    return f"qzmark{index}zq"


def _render(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], *, reply: bool) -> str:
    conversation = [{"role": message.role, "content": message.content} for message in messages]
    try:
        return cast(Any, tokenizer).apply_chat_template(conversation, tokenize=False, add_generation_prompt=not reply)
    except TemplateError as error:
        roles = ", ".join(message.role for message in messages)
        raise UserError(f"the model's chat template refuses a dialogue with the roles {roles}: {error}") from error


@lru_cache(maxsize=256)
def _pieces(tokenizer: PreTrainedTokenizerBase, roles: tuple[str, ...], *, reply: bool) -> tuple[str, ...]:
    """Return the template's own text before, between and after the contents of `roles`."""
    text = _render(tokenizer, [Message(role, _mark(index)) for index, role in enumerate(roles)], reply=reply)
    pieces = list[str]()
    for index in range(len(roles)):
        before, found, text = text.partition(_mark(index))
        if not found:
            raise UserError(
                f"the model's chat template drops a message of role {roles[index]!r} in {', '.join(roles)}."
            )
        pieces.append(before)
    return (*pieces, text)


def _folded(chat: ChatFormat, messages: Sequence[Message]) -> Sequence[Message]:
    """Put system text at the head of the first user turn where the template has no system role."""
    system = [message.content for message in messages if message.role == "system"]
    if chat.system_role or not system:
        return messages
    rest = [message for message in messages if message.role != "system"]
    if not rest or rest[0].role != "user":
        rest.insert(0, Message("user", ""))
    return [Message("user", "\n\n".join(part for part in (*system, rest[0].content) if part)), *rest[1:]]


def _prompt_text(tokenizer: PreTrainedTokenizerBase, chat: ChatFormat, dialogue: Sequence[Message]) -> str:
    messages = _folded(chat, dialogue)
    pieces = _pieces(tokenizer, tuple(message.role for message in messages), reply=False)
    turns = "".join(message.content + piece for message, piece in zip(messages, pieces[1:], strict=True))
    return pieces[0] + turns + ("" if chat.lead.isspace() else chat.lead)


def _general_prompt(tokenizer: PreTrainedTokenizerBase, chat: ChatFormat, dialogue: Sequence[Message]) -> list[int]:
    return _tokens(tokenizer, _prompt_text(tokenizer, chat, dialogue))[0]


def _text(tokenizer: PreTrainedTokenizerBase, chat: ChatFormat, text: str) -> list[int]:
    if chat.words is not None and text.isascii():
        return chat.words.encode(text)
    return _tokens(tokenizer, text)[0]


def _tokens(tokenizer: PreTrainedTokenizerBase, text: str) -> tuple[list[int], list[int]]:
    """Return the ids of `text` and the character at which each ends."""
    encoded = cast(Any, tokenizer)._tokenizer.encode(text, add_special_tokens=False)
    return encoded.ids, [end for _, end in encoded.offsets]
