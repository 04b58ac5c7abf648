r"""A byte-level BPE tokenizer: the ids of `course.text.bpe`, fast, and in the files of the tokenizers library.

    >>> tokenizer = BPETokenizer.train("low low low lower", 260, special_tokens=["<end>"])
    >>> tokenizer.encode("low lower<end>")
    [257, 258, 68, 81, 259]
    >>> tokenizer.tokens([257, 258, 259])
    ['low', ' low', '<end>']

Ids: 0 … 255 the bytes in GPT-2's order, then one for each merge in the order learned, then the special tokens.
"""

import operator
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import regex

from course.text import merging, tokenizer_files
from course.text.bpe import BYTES, SPLIT, merge

_find_pieces = regex.compile(SPLIT).findall
_CACHED_PIECES, _CACHED_LENGTH = 1 << 16, 64  # how many pieces keep their ids, and of at most how many characters

Pair = tuple[int, int]


@dataclass(frozen=True)
class Step:
    """One merge in a piece: the pair, the id that takes its place, and the piece's ids afterwards."""

    pair: Pair
    new_id: int
    ids: tuple[int, ...]


@dataclass(frozen=True)
class Piece:
    """How one piece came to its ids: from its bytes (of a special token: its one id) by these merges."""

    text: str
    start: tuple[int, ...]
    steps: tuple[Step, ...]

    @property
    def ids(self) -> tuple[int, ...]:
        """The piece's ids after the last merge."""
        return self.steps[-1].ids if self.steps else self.start


@dataclass(frozen=True)
class Explanation:
    """How a text came to its ids, piece by piece; the pieces' texts joined are the text."""

    pieces: tuple[Piece, ...]

    @property
    def ids(self) -> list[int]:
        """What `encode` gives for the text."""
        return [i for piece in self.pieces for i in piece.ids]


class BPETokenizer:
    """Text → ids → text.  A tokenizer never changes; make one by `train`, `load`, or from merges.

    merges: pairs of ids, number i making token 256 + i of tokens that are there before it;
    special_tokens: texts that stand for one id each, wherever they occur, and take the ids after the merges.
    Raises ValueError for merges that name a later token, make a token twice or, as special tokens, empty texts, texts
    given twice, or texts that are the written form of an ordinary token.
    """

    def __init__(self, merges: Iterable[Pair], special_tokens: Iterable[str] = ()):
        self._merges = [(operator.index(left), operator.index(right)) for left, right in merges]
        self._bytes = _token_bytes(self._merges)
        self._size = [len(token) for token in self._bytes]
        self._new_id = {pair: 256 + i for i, pair in enumerate(self._merges)}
        names = _checked_special(special_tokens, self._bytes)
        self._special = {name: len(self._bytes) + i for i, name in enumerate(names)}
        self._bytes += [name.encode() for name in names]
        self._split_special = _splitter(names)
        self._cache: dict[str, list[int]] = {}

    # ── making, saving, loading ─────────────────────────────────────────────────────────────────────────────

    @classmethod
    def train(cls, text: str | Iterable[str], vocab_size: int, special_tokens: Iterable[str] = ()) -> "BPETokenizer":
        """Learn merges until there are `vocab_size` tokens (bytes, merges and special tokens), or no pair is left.

        text: a str, or an iterable of them, each a text of its own.  Special tokens are cut out of it first, so that no
        merge is learned from their letters (the tokenizers library's trainer does not cut them out).
        Raises ValueError for a text without characters or too small a vocabulary, TypeError for what is no text.
        """
        special_tokens = _checked_special(special_tokens, _token_bytes([]))
        smallest = 256 + len(special_tokens)
        if isinstance(vocab_size, bool) or not hasattr(vocab_size, "__index__"):
            raise TypeError(f"vocab_size must be a whole number, got {vocab_size!r}")
        if vocab_size < smallest:
            parts = f"256 bytes and {len(special_tokens)} special tokens"
            raise ValueError(f"vocab_size must be at least {smallest}, {parts}, got {vocab_size}")
        split, counts = _splitter(special_tokens), Counter()
        for part in [text] if isinstance(text, str) else text:
            for ordinary in split(_checked_text(part))[::2]:
                counts.update(_find_pieces(ordinary))
        if not counts:
            raise ValueError("the text to train on is empty: give at least one character beside the special tokens")
        return cls(merging.learn(counts, operator.index(vocab_size) - smallest), special_tokens)

    def save(self, path) -> None:
        """Write a JSON file that `tokenizers.Tokenizer.from_file` reads too.

        The file is written under another name and then renamed, so that a broken off writing leaves what was there.
        Raises IsADirectoryError for a folder.
        """
        tokenizer_files.write(Path(path), self._merges, self._special)

    @classmethod
    def load(cls, path) -> "BPETokenizer":
        """Read a file that `save` or the tokenizers library wrote, or a folder with GPT-2's vocab.json and merges.txt.

        The ids are always those of this class: bytes, merges, special tokens.  Files of `save` and GPT-2's keep theirs;
        the library's trainer puts the special tokens *first*, and where they come first in the file, the ids here are
        not those of the file.  Settings for cutting or filling up batches are not read.
        Raises OSError for what can't be read, ValueError for what is no byte-level BPE with GPT-2's pieces.
        """
        return cls(*tokenizer_files.read(Path(path)))

    def first(self, n_merges: int) -> "BPETokenizer":
        """The same tokenizer with only its first merges; the special tokens' ids follow them.

        Raises ValueError for a number below 0 or above the number of merges.
        """
        count = len(self._merges)
        if not 0 <= n_merges <= count:
            raise ValueError(f"n_merges must lie between 0 and {count}, the merges there are, got {n_merges}")
        return type(self)(self._merges[:n_merges], self._special)

    # ── text → ids ──────────────────────────────────────────────────────────────────────────────────────────

    def encode(self, text: str) -> list[int]:
        """The text's ids.  Special tokens are cut out first (the leftmost, of several there the longest).

        Raises TypeError for what is no str, ValueError for half of a surrogate pair.
        """
        parts = self._split_special(_checked_text(text))
        if len(parts) == 1:
            return self._encode_ordinary(text)
        ids = []
        for i, part in enumerate(parts):
            ids += [self._special[part]] if i % 2 else self._encode_ordinary(part)
        return ids

    def _encode_ordinary(self, text: str) -> list[int]:
        """The ids of a text without special tokens.  Pieces not seen lately are merged together, and remembered."""
        pieces, known = _find_pieces(text), self._cache
        unseen = list(dict.fromkeys([piece for piece in pieces if piece not in known]))
        if not unseen:
            return list(chain.from_iterable(map(known.__getitem__, pieces)))
        fresh = dict(zip(unseen, merging.replay(unseen, self._merges, self._new_id, self._size)))
        ids = []
        for piece in pieces:
            ids += known.get(piece) or fresh[piece]
        if len(known) + len(fresh) > _CACHED_PIECES:
            known = self._cache = {}  # a new one: another thread may be reading the old
        short = ((piece, found) for piece, found in fresh.items() if len(piece) <= _CACHED_LENGTH)
        known.update(islice(short, _CACHED_PIECES))
        return ids

    def explain(self, text: str) -> Explanation:
        """Every piece of the text, its bytes, and each merge on the way to its ids.  Raises as `encode`."""
        pieces = []
        for i, part in enumerate(self._split_special(_checked_text(text))):
            if i % 2:
                pieces.append(Piece(part, (self._special[part],), ()))
            else:
                pieces += map(self._explain_piece, _find_pieces(part))
        return Explanation(tuple(pieces))

    def _explain_piece(self, piece: str) -> Piece:
        start, steps, none = list(merging.byte_ids(piece)), [], len(self._bytes)
        ids = start
        while len(ids) > 1:
            new = min(self._new_id.get(pair, none) for pair in zip(ids, ids[1:]))
            if new == none:
                break
            pair = self._merges[new - 256]
            ids = merge(ids, pair, new)
            steps.append(Step(pair, new, tuple(ids)))
        return Piece(piece, tuple(start), tuple(steps))

    # ── ids → text ──────────────────────────────────────────────────────────────────────────────────────────

    def decode(self, ids: Iterable[int]) -> str:
        """The text of the ids.  Bytes that are no UTF-8, as of a token cut inside a character, become U+FFFD.

        Raises TypeError for a str or what is no whole number, ValueError for an id that is not in the vocabulary.
        """
        return b"".join([self._bytes[i] for i in self._checked_ids(ids)]).decode("utf-8", errors="replace")

    def token_bytes(self, id: int) -> bytes:
        """The bytes that one id stands for.  Raises as `decode`."""
        return self._bytes[self._checked_ids([id])[0]]

    def tokens(self, ids: Iterable[int]) -> list[str]:
        """Each id's text, to be shown; bytes that are no whole character are written in hexadecimal: ⟨E4 BD⟩.

        To be read, not to be joined: a text that holds ⟨E4⟩ itself looks the same.  Raises as `decode`.
        """
        return [_shown(self._bytes[i]) for i in self._checked_ids(ids)]

    def _checked_ids(self, ids) -> list[int]:
        if isinstance(ids, (str, bytes)):
            raise TypeError(f"decode takes ids, whole numbers, got {type(ids).__name__}; encode makes ids of a text")
        try:
            ids = [operator.index(i) for i in ids]
        except TypeError:
            raise TypeError(f"ids must be a sequence of whole numbers, got {str(ids)[:60]}") from None
        if ids and not 0 <= min(ids) <= max(ids) < len(self._bytes):
            wrong = next(i for i in ids if not 0 <= i < len(self._bytes))
            raise ValueError(f"ids must lie between 0 and {len(self._bytes) - 1}, got {wrong}")
        return ids

    # ── what it consists of ─────────────────────────────────────────────────────────────────────────────────

    @property
    def merges(self) -> list[Pair]:
        """The pairs of ids in the order learned; number i makes token 256 + i.  A list of one's own."""
        return list(self._merges)

    @property
    def special_tokens(self) -> dict[str, int]:
        """The special tokens and their ids."""
        return dict(self._special)

    @property
    def vocab_size(self) -> int:
        """How many ids there are: 256 bytes, the merges, the special tokens."""
        return len(self._bytes)

    def __len__(self) -> int:
        return len(self._bytes)

    def __eq__(self, other) -> bool:
        if not isinstance(other, BPETokenizer):
            return NotImplemented
        return self._merges == other._merges and self._special == other._special

    def __hash__(self) -> int:
        return hash((tuple(self._merges), tuple(self._special)))

    def __repr__(self) -> str:
        special = f", special tokens {', '.join(self._special)}" if self._special else ""
        return f"<BPETokenizer: {len(self)} tokens, {len(self._merges)} merges{special}>"


# ── what is given to it ─────────────────────────────────────────────────────────────────────────────────────


def _token_bytes(merges: list[Pair]) -> list[bytes]:
    """What each id stands for, without special tokens.  Raises ValueError for merges that can't be replayed."""
    tokens = [bytes([byte]) for byte in BYTES]
    for i, (left, right) in enumerate(merges):
        if not (0 <= left < 256 + i and 0 <= right < 256 + i):
            raise ValueError(f"merge {i} must be of tokens 0 to {255 + i}, those made before it, got {(left, right)}")
        tokens.append(tokens[left] + tokens[right])
    if len(set(tokens)) < len(tokens):
        twice = next(token for token, count in Counter(tokens).items() if count > 1)
        raise ValueError(f"every merge must make a token of its own, but two make {twice!r}")
    return tokens


def _checked_special(names: Iterable[str], tokens: list[bytes]) -> list[str]:
    """The special tokens as a list, each checked beside the ordinary tokens."""
    if isinstance(names, str):
        raise TypeError(f"special_tokens must be a sequence of texts, got the one text {names!r}; write [{names!r}]")
    names = [_checked_text(name, "a special token") for name in names]
    written = {tokenizer_files.written(token) for token in tokens}
    for i, name in enumerate(names):
        if not name:
            raise ValueError(f"special tokens must not be empty, got '' at position {i}")
        if name in names[:i]:
            raise ValueError(f"special tokens must differ, got {name!r} twice")
        if name in written:
            raise ValueError(f"special token {name!r} is how a file writes an ordinary token; take a text as '<end>'")
    return names


def _checked_text(text, what: str = "the text") -> str:
    """The text.  Raises TypeError for what is no str, ValueError for half of a surrogate pair."""
    if not isinstance(text, str):
        raise TypeError(f"{what} must be a str, got {type(text).__name__}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        place = f"U+{ord(text[error.start]):04X} at position {error.start}"
        raise ValueError(f"{what} holds half of a surrogate pair, {place}, which has no UTF-8 form") from None
    return text


def _splitter(names: list[str]):
    """A function that cuts special tokens out of a text: ordinary, special, ordinary, …; the longest name first."""
    if not names:
        return lambda text: [text]
    return regex.compile(f"({'|'.join(map(regex.escape, sorted(names, key=len, reverse=True)))})").split


def _shown(token: bytes) -> str:
    """The token as text, with hexadecimal for what is no whole character."""
    text = token.decode("utf-8", errors="surrogateescape")  # U+DC80 … U+DCFF for the bytes 80 … FF
    return re.sub("[\udc80-\udcff]+", lambda cut: f"⟨{' '.join(f'{ord(c) - 0xDC00:02X}' for c in cut[0])}⟩", text)
