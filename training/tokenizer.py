"""The word pieces: a byte-level BPE learnt from training texts: `python -m training.tokenizer`.

Byte-level, so that any question can be encoded; small, so that one projection per slot is cheap.
The special tokens come first: blank is 0, as CTC has it.
"""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from training.data import flickr30k_texts, training_texts
from training.paths import WORK

BLANK, BOS, EOS, PAD = 0, 1, 2, 3
SPECIAL = ["<blank>", "<bos>", "<eos>", "<pad>"]
VOCABULARY = 5000
FILE = WORK / "tokenizer.json"


def train() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    # Our own texts count three times: Flickr30k only fills up the tail.
    tokenizer.train_from_iterator(training_texts() * 3 + flickr30k_texts(), trainer)
    return tokenizer


def load(path: Path = FILE) -> Tokenizer:
    return Tokenizer.from_file(str(path))


if __name__ == "__main__":
    WORK.mkdir(parents=True, exist_ok=True)
    made = train()
    made.save(str(FILE))
    lengths = [len(made.encode(t).ids) for t in training_texts()]
    words = [len(t.split()) for t in training_texts()]
    print(f"{made.get_vocab_size()} tokens; {sum(lengths) / sum(words):.3f} tokens a word")
