"""Learn the word pieces, a byte-level BPE, from training texts: `python -m training vocabulary`.

Byte-level, so that any question can be encoded; small, so that one projection per slot is cheap.
"""

from __future__ import annotations

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from training.data.examples import extra_texts, training_texts
from training.data.tokenizer import FILE, SPECIAL, VOCABULARY
from training.paths import WORK


def learn() -> Tokenizer:
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
    # Our own texts count three times: the others only fill up the tail.
    tokenizer.train_from_iterator(training_texts() * 3 + extra_texts(), trainer)
    return tokenizer


def main() -> None:
    WORK.mkdir(parents=True, exist_ok=True)
    made = learn()
    made.save(str(FILE))
    lengths = [len(made.encode(t).ids) for t in training_texts()]
    words = [len(t.split()) for t in training_texts()]
    print(f"{made.get_vocab_size()} tokens; {sum(lengths) / sum(words):.3f} tokens a word")
