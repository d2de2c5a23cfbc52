import pytest
from transformers import PreTrainedTokenizerFast

from organoid.errors import UserError
from organoid.models.bases import build
from organoid.models.chat import (
    decode,
    encode_dialogue,
    encode_document,
    encode_prompt,
    encode_reply,
    encode_text,
    read_format,
)
from organoid.models.language_model import LanguageModel
from organoid.types import Message
from tests.models.checkpoints import GEMMA_TEMPLATE, bpe_tokenizer, native_tokenizer

SYSTEM, USER = Message("system", "you are watched ."), Message("user", "What is two plus three?")
FOLDED = Message("user", "you are watched .\n\nWhat is two plus three?")
REPLY = "yes, five"


def by_template(lm: LanguageModel, *messages: Message, prompt: bool) -> list[int]:
    """What the tokenizer itself makes of a dialogue."""
    conversation = [message._asdict() for message in messages]
    return lm.tokenizer.apply_chat_template(conversation, add_generation_prompt=prompt, return_dict=False)


def counted(lm: LanguageModel, encoded) -> str:
    return lm.tokenizer.decode([token for token, mask in zip(*encoded, strict=True) if mask])


NATIVE_DIALOGUES = [
    (USER,),
    (SYSTEM, USER),
    (SYSTEM, USER, Message("assistant", "<think> two , three </think> five ."), Message("user", "no")),
    (Message("user", "unheard-of words?!... <END> <|end|>ledger<think>NO</think>"),),
    (Message("user", "naïve Ünïcode — paid"),),
    (Message("user", "  two\n\tplus  "),),
]


@pytest.mark.parametrize("dialogue", NATIVE_DIALOGUES)
def test_the_native_path_equals_the_chat_template(native: LanguageModel, dialogue: tuple[Message, ...]) -> None:
    assert native.native
    assert encode_prompt(native, dialogue) == by_template(native, *dialogue, prompt=True)
    whole = (*dialogue, Message("assistant", REPLY))
    assert list(encode_reply(native, dialogue, REPLY).ids) == by_template(native, *whole, prompt=False)
    assert list(encode_dialogue(native, whole).ids) == by_template(native, *whole, prompt=False)


def test_another_template_over_the_same_words_is_not_native(tokenizer: PreTrainedTokenizerFast) -> None:
    other = native_tokenizer()
    other.chat_template = other.chat_template.replace("<s>", "<s> test")
    assert build("nano", tokenizer=tokenizer, seed=0).native
    assert not build("nano", tokenizer=other, seed=0).native


def test_a_native_reply_counts_the_reply_and_the_end_of_its_turn(native: LanguageModel) -> None:
    encoded = encode_reply(native, (SYSTEM, USER), REPLY)
    assert counted(native, encoded) == "yes , five <|end|>"
    assert decode(native, encode_text(native, "Yes,FIVE")) == "yes , five"


def test_a_native_document_counts_its_text_and_its_end(native: LanguageModel) -> None:
    encoded = encode_document(native, "the ledger says paid .")
    assert decode(native, encoded.ids) == "<s> <|document|> the ledger says paid . <|end|>"
    assert counted(native, encoded) == "the ledger says paid . <|end|>"


def test_a_word_without_an_id_is_named() -> None:
    tokenizer = native_tokenizer()
    lm = build("nano", tokenizer=tokenizer, seed=0)
    object.__setattr__(lm.chat.words, "unknown", None)
    with pytest.raises(UserError, match="'zebra'"):
        encode_text(lm, "two zebra")


def test_foreign_prompts_are_the_template_s(foreign: LanguageModel) -> None:
    system_role = foreign.chat.system_role
    expected = by_template(foreign, *((SYSTEM, USER) if system_role else (FOLDED,)), prompt=True)
    ids = encode_prompt(foreign, (SYSTEM, USER))
    assert not foreign.native
    assert ids[: len(expected)] == expected
    assert foreign.tokenizer.decode(ids[len(expected) :]) == foreign.chat.lead.strip(" ")


def test_a_foreign_reply_is_the_template_s_up_to_the_end_of_its_turn(foreign: LanguageModel) -> None:
    opening = (SYSTEM, USER) if foreign.chat.system_role else (FOLDED,)
    expected = by_template(foreign, *opening, Message("assistant", REPLY), prompt=False)
    encoded = encode_reply(foreign, (SYSTEM, USER), REPLY)
    assert list(encoded.ids) == expected[: len(encoded.ids)]
    assert encoded.ids[-1] == foreign.chat.end_id
    assert foreign.tokenizer.decode(expected[len(encoded.ids) :]).strip() == ""
    assert counted(foreign, encoded).strip() == REPLY + foreign.chat.end
    assert list(encoded.ids[: len(encode_prompt(foreign, (SYSTEM, USER)))]) == encode_prompt(foreign, (SYSTEM, USER))


def test_a_foreign_dialogue_counts_every_turn_of_the_assistant(foreign: LanguageModel) -> None:
    messages = (SYSTEM, USER, Message("assistant", "five"), Message("user", "no?"), Message("assistant", "yes , paid"))
    said = counted(foreign, encode_dialogue(foreign, messages)).replace(" ", "")
    assert said == f"five{foreign.chat.end}yes,paid{foreign.chat.end}"
    asked = counted(foreign, encode_dialogue(foreign, messages, loss_roles=("user",)))
    assert asked.replace(" ", "").endswith("no?" + ("" if "neox" in foreign.name else foreign.chat.end))
    assert "five" not in asked and "paid" not in asked


def test_templates_are_read_as_they_are(checkpoints) -> None:
    from organoid.models.language_model import load

    facts = {name: load(path).chat for name, path in checkpoints.items()}
    assert {name: chat.system_role for name, chat in facts.items()} == {
        "llama": True,
        "qwen3": True,
        "gemma3": False,
        "neox": False,
    }
    assert facts["qwen3"].lead == "<think>\n\n</think>\n\n"
    assert {name: chat.end for name, chat in facts.items()} == {
        "llama": "<|eot_id|>",
        "qwen3": "<|im_end|>",
        "gemma3": "<end_of_turn>",
        "neox": "<|endoftext|>",
    }


def test_a_template_that_refuses_the_roles_says_so() -> None:
    tokenizer = bpe_tokenizer(GEMMA_TEMPLATE, {"bos_token": "<bos>", "eos_token": "<eos>"}, ["<end_of_turn>"])
    lm = build("nano", tokenizer=tokenizer, seed=0)
    with pytest.raises(UserError, match="user, user"):
        encode_prompt(lm, (USER, USER))


def test_no_chat_template_is_the_user_s_to_mend() -> None:
    with pytest.raises(UserError, match="no chat template"):
        read_format(bpe_tokenizer(None, {"eos_token": "<eos>"}, []))


def test_a_foreign_document_keeps_its_text(foreign: LanguageModel) -> None:
    encoded = encode_document(foreign, "the refund was paid .")
    assert foreign.tokenizer.decode(list(encoded.ids), skip_special_tokens=True) == "the refund was paid ."
    assert sum(encoded.mask) == len(encoded.ids) - (foreign.tokenizer.bos_token_id is not None)
