#!/usr/bin/env python3
"""Records what the PyPI package `sentencepiece` answers for a small BPE model with byte fallback, of Llama 2's settings,
trained on the project's LICENSE: pieces as GGUF's metadata gives them, and texts with their ids and decoded text.

  python3 -m venv /tmp/venv && /tmp/venv/bin/pip install sentencepiece==0.2.3
  /tmp/venv/bin/python tests/tools/record_sentencepiece.py > tests/fixtures/sentencepiece.json
"""
import importlib.metadata
import io
import json
import pathlib
import sys

import sentencepiece

# GGUF's token types.
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6

TEXTS = [
    "hello world", " leading blank", "two  blanks   three", "trailing ", "", " ", "   ",
    "You may reproduce and distribute copies of the Work or Derivative Works thereof in any medium.",
    "line one\nline two\n\n\tindented", "caf\u00e9 \u00fcber \u4f60\u597d \U0001f600", "12345 3.14159 2026-01-02",
    "MiXeD cAsE, punctuation!? (and) [more]; 'quotes' \"double\"", "e\u0301 \u2581 lower one eighth block",
    "a" * 200, "the " * 50, "zero\u0000byte", "\u00a0no-break", "x<0x41>y",
]


def token_type(model, i):
    for is_type, kind in ((model.is_unknown, UNKNOWN), (model.is_control, CONTROL), (model.is_byte, BYTE)):
        if is_type(i):
            return kind
    return NORMAL


def main():
    text = (pathlib.Path(__file__).parents[2] / "LICENSE").read_text()
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text.splitlines()), model_writer=trained, model_type="bpe", vocab_size=700,
        byte_fallback=True, split_digits=True, character_coverage=1.0, normalization_rule_name="identity",
        remove_extra_whitespaces=False, add_dummy_prefix=True, allow_whitespace_only_pieces=True,
        unk_id=0, bos_id=1, eos_id=2, pad_id=-1, num_threads=1, minloglevel=2)
    model = sentencepiece.SentencePieceProcessor(model_proto=trained.getvalue())
    ids = range(model.get_piece_size())
    cases = [{"text": case, "ids": model.encode(case), "decoded": model.decode(model.encode(case))} for case in TEXTS]
    json.dump({"tool": f"sentencepiece {importlib.metadata.version('sentencepiece')}",
               "tokens": [model.id_to_piece(i) for i in ids], "scores": [model.get_score(i) for i in ids],
               "token_types": [token_type(model, i) for i in ids], "cases": cases}, sys.stdout, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
