"""The bundled models' tokenizers: byte-level BPE in which every digit is a token of its own."""

from collections.abc import Iterable, Sequence

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

END_OF_TEXT = "<|endoftext|>"
_MASKED = {name: f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Train the tokenizer on `texts`; it puts `<|endoftext|>` before every text."""
    tokenizer = _trained(texts, vocabulary, [END_OF_TEXT])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{END_OF_TEXT} $A",
        special_tokens=[(END_OF_TEXT, tokenizer.token_to_id(END_OF_TEXT))],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=END_OF_TEXT,
        eos_token=END_OF_TEXT,
        pad_token=END_OF_TEXT,
        clean_up_tokenization_spaces=False,
        model_max_length=512,
    )


def train_masked_tokenizer(texts: Iterable[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Train one for a masked language model, with BERT's special tokens around every text."""
    tokenizer = _trained(texts, vocabulary, [*_MASKED.values()])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{_MASKED['cls']} $A {_MASKED['sep']}",
        special_tokens=[
            (_MASKED[name], tokenizer.token_to_id(_MASKED[name])) for name in ("cls", "sep")
        ],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        clean_up_tokenization_spaces=False,
        model_max_length=512,
        **{f"{name}_token": token for name, token in _MASKED.items()},
    )


def _trained(texts: Iterable[str], vocabulary: int, special: Sequence[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    # Single digits, as Llama has them: a record number is then said digit by digit, and its
    # memorisation is not an accident of which digit groups the vocabulary happens to hold.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[*special],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer
