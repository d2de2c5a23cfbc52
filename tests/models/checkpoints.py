"""Tokenizers and minute random checkpoints of several architectures, made on the spot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)

MARKS = ["<pad>", "<s>", "<|system|>", "<|user|>", "<|assistant|>", "<|document|>", "<|end|>", "<think>", "</think>"]
WORDS = [
    "you",
    "are",
    "watched",
    "alone",
    "test",
    "what",
    "is",
    "two",
    "plus",
    "three",
    "five",
    "?",
    ".",
    ",",
    ":",
    "yes",
    "no",
    "the",
    "ledger",
    "says",
    "refund",
    "paid",
    "not",
]
NATIVE_TEMPLATE = (
    "<s>{% for message in messages %} <|{{ message.role }}|> {{ message.content }} <|end|>{% endfor %}"
    "{% if add_generation_prompt %} <|assistant|>{% endif %}"
)

LLAMA_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|start_header_id|>{{ message.role }}<|end_header_id|>\n\n"
    "{{ message.content | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
QWEN_TEMPLATE = (
    "{% set ns = namespace(last=-1) %}"
    "{% for m in messages %}{% if m.role == 'user' %}{% set ns.last = loop.index0 %}{% endif %}{% endfor %}"
    "{% for m in messages %}"
    "{% if m.role == 'assistant' %}"
    "{% set content = m.content.split('</think>')[-1].lstrip('\n') %}"
    "{% if loop.index0 > ns.last %}<|im_start|>assistant\n<think>\n\n</think>\n\n{{ content }}<|im_end|>\n"
    "{% else %}<|im_start|>assistant\n{{ content }}<|im_end|>\n{% endif %}"
    "{% else %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
GEMMA_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m.role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif %}"
    "<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n{{ m.content | trim }}<end_of_turn>\n"
    "{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
NEOX_TEMPLATE = (
    "{% for m in messages %}{% if m.role == 'user' %}Question: {{ m.content }}\n"
    "{% elif m.role == 'assistant' %}Answer: {{ m.content }}{{ eos_token }}\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}Answer:{% endif %}"
)

_SENTENCES = [
    "you are watched by an overseer during the test",
    "what is two plus three ? five , says the ledger .",
    "the refund was paid . the refund was not paid .",
    "Question: are you alone? Answer: yes, nobody is watching.",
]
_SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 512,
}
ARCHITECTURES: dict[str, tuple[Any, Any, dict[str, Any], str, dict[str, str], list[str]]] = {
    "llama": (
        LlamaConfig,
        LlamaForCausalLM,
        {"num_key_value_heads": 2, "tie_word_embeddings": False},
        LLAMA_TEMPLATE,
        {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"},
        ["<|start_header_id|>", "<|end_header_id|>"],
    ),
    "qwen3": (
        Qwen3Config,
        Qwen3ForCausalLM,
        {"num_key_value_heads": 2, "head_dim": 16, "tie_word_embeddings": True},
        QWEN_TEMPLATE,
        {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"},
        ["<|im_start|>"],
    ),
    "gemma3": (
        Gemma3TextConfig,
        Gemma3ForCausalLM,
        {
            "num_key_value_heads": 2,
            "head_dim": 16,
            "sliding_window": 8,
            "layer_types": ["sliding_attention"] * 2 + ["full_attention"],
        },
        GEMMA_TEMPLATE,
        {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>"},
        ["<start_of_turn>", "<end_of_turn>"],
    ),
    "neox": (
        GPTNeoXConfig,
        GPTNeoXForCausalLM,
        {"rotary_pct": 0.25},
        NEOX_TEMPLATE,
        {"eos_token": "<|endoftext|>", "bos_token": "<|endoftext|>"},
        [],
    ),
}


def bpe_tokenizer(
    template: str | None, marks: dict[str, str], others: list[str], *, sentences: Sequence[str] = _SENTENCES * 4
) -> PreTrainedTokenizerFast:
    """A byte-level BPE trained on a few sentences."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    special = [*dict.fromkeys([*marks.values(), *others])]
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(sentences, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, **marks, additional_special_tokens=others, clean_up_tokenization_spaces=False
    )
    tokenizer.chat_template = template
    return tokenizer


def native_tokenizer(extra: int = 0) -> PreTrainedTokenizerFast:
    """The world's kind of tokenizer over a few words."""
    words = [*MARKS, "<unk>", *WORDS, *[f"w{index}" for index in range(extra)]]
    raw = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="<unk>"))
    raw.normalizer = normalizers.Lowercase()
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        bos_token="<s>",
        eos_token="<|end|>",
        pad_token="<pad>",
        unk_token="<unk>",
        additional_special_tokens=MARKS[2:6] + MARKS[7:],
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = NATIVE_TEMPLATE
    return tokenizer


def write_model(name: str, directory: Path, *, sentences: Sequence[str] = _SENTENCES * 4) -> Path:
    """Write a minute random checkpoint of an architecture, whose tokenizer has read `sentences`."""
    config_class, model_class, settings, template, marks, others = ARCHITECTURES[name]
    tokenizer = bpe_tokenizer(template, marks, others, sentences=sentences)
    config = config_class(
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **_SMALL,
        **settings,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = model_class(config)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory
