"""Arc2Face's conditioning: a prompt in which one word is an identity vector."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers import CLIPTextModel, CLIPTokenizer

from synth.arc2face.configs import read_config, read_text
from synth.errors import WeightsError

PROMPT: Final = "photo of a id person"
WORD: Final = "id"


class IdentityPrompt:
    """Encodes identity vectors through CLIP's text model.

    Papantoniou, Lattas, Moschoglou, Deng, Kainz and Zafeiriou (2024), "Arc2Face: A Foundation Model for ID-Consistent
    Human Faces": the token embedding of the prompt's word "id" is replaced by the vector, followed by zeros; position
    embeddings are added after.

    Args:
        text_model: fine-tuned to such prompts.
        tokenizer_folder: with vocab.json and merges.txt.

    Attributes:
        width: numbers a token is encoded into; at least those of a vector.

    Raises:
        WeightsError: the tokenizer cannot be read, or it is not the one of the text model.
    """

    def __init__(self, text_model: CLIPTextModel, tokenizer_folder: Path) -> None:
        self._text_model = text_model
        self.width: int = text_model.config.hidden_size
        device = text_model.device
        tokenizer = _read_tokenizer(tokenizer_folder)
        length: int = text_model.config.max_position_embeddings
        self._positions = torch.arange(length, device=device)[None]
        prompt, empty = (_token_ids(tokenizer, text, length) for text in (PROMPT, ""))
        words = tokenizer.encode(WORD, add_special_tokens=False)
        if len(words) != 1 or prompt.count(words[0]) != 1:
            raise WeightsError(
                f"{tokenizer_folder}: makes {len(words)} tokens of '{WORD}', expected one; "
                "it is no tokenizer of Stable Diffusion"
            )
        if max(prompt + empty) >= text_model.config.vocab_size:
            raise WeightsError(
                f"{tokenizer_folder}: numbers tokens up to {max(prompt + empty)}, the text model knows "
                f"{text_model.config.vocab_size}; it is the tokenizer of another model"
            )
        self._place = prompt.index(words[0])
        self._prompt = torch.tensor([prompt], device=device)
        self._empty = torch.tensor([empty], device=device)

    def encode(self, vectors: Tensor) -> Tensor:
        """Returns the prompts (N, 77, width) of identity vectors (N, D), D <= width, in the text model's dtype."""

        def put_vectors(module: Any, inputs: Any, embedded: Tensor) -> Tensor:  # noqa: ANN401
            embedded = embedded.clone()
            embedded[:, self._place] = pad(vectors, (0, self.width - vectors.shape[1])).to(embedded.dtype)
            return embedded

        hook = self._text_model.get_input_embeddings().register_forward_hook(put_vectors)
        try:
            return self._encoded(self._prompt.expand(len(vectors), -1))
        finally:
            hook.remove()

    def encode_empty(self) -> Tensor:
        """Returns the empty prompt (1, 77, width): what guidance leads away from."""
        return self._encoded(self._empty)

    def _encoded(self, token_ids: Tensor) -> Tensor:
        # The text model's own positions are no weights, so nothing has filled them.
        encoded: Tensor = self._text_model(input_ids=token_ids, position_ids=self._positions).last_hidden_state
        return encoded


def _read_tokenizer(folder: Path) -> CLIPTokenizer:
    """Reads a tokenizer; its two big files are checked first, since the library's errors on them are of no kind."""
    vocabulary = read_config(folder / "vocab.json")
    merges = read_text(folder / "merges.txt").split("\n")
    pairs = [line.split(" ") for line in merges if line and "#version" not in line]
    unknown = [pair for pair in pairs if len(pair) != 2 or "".join(pair) not in vocabulary]
    if unknown or not all(isinstance(number, int) for number in vocabulary.values()):
        raise WeightsError(
            f"{folder}: vocab.json lacks {' + '.join(unknown[0]) if unknown else 'numbers'} of merges.txt; "
            "one of them is damaged or of another model, get both again"
        )
    try:
        return CLIPTokenizer.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{folder}: holds no tokenizer of CLIP ({error}); get its files again") from error


def _token_ids(tokenizer: CLIPTokenizer, text: str, length: int) -> list[int]:
    ids: list[int] = tokenizer(text, padding="max_length", truncation=True, max_length=length).input_ids
    return ids
