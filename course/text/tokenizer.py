r"""A byte-level BPE tokenizer: the ids of `course.text.bpe`, fast, and in the files of the tokenizers library.

    >>> tokenizer = BPETokenizer.train("low low low lower", 260, special_tokens=["<end>"])
    >>> tokenizer.encode("low lower<end>")
    [257, 258, 68, 81, 259]
    >>> tokenizer.tokens([257, 258, 259])
    ['low', ' low', '<end>']

Ids: 0 … 255 the bytes in GPT-2's order, then one for each merge in the order learned, then the special tokens.
"""

import heapq
import operator
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import regex

from course.text import tokenizer_files
from course.text.bpe import BYTE_IDS, BYTES, SPLIT, merge

_find_pieces = regex.compile(SPLIT).findall
_AS_IDS = bytes(BYTE_IDS)  # for bytes.translate: UTF-8 in, ids out
_LONG = 40  # from so many bytes on a heap finds the next merge faster than looking at all pairs
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
            raise ValueError(f"vocab_size must be at least {smallest}, 256 bytes and {len(special_tokens)} special tokens, "
                             f"got {vocab_size}")  # fmt: skip
        split, counts = _splitter(special_tokens), Counter()
        for part in [text] if isinstance(text, str) else text:
            for ordinary in split(_checked_text(part))[::2]:
                counts.update(_find_pieces(ordinary))
        if not counts:
            raise ValueError("the text to train on is empty: give at least one character beside the special tokens")
        return cls(_learn(counts, operator.index(vocab_size) - smallest), special_tokens)

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
        if not 0 <= n_merges <= len(self._merges):
            raise ValueError(f"n_merges must lie between 0 and {len(self._merges)}, the merges there are, got {n_merges}")
        return type(self)(self._merges[:n_merges], self._special)

    # ── text → ids ──────────────────────────────────────────────────────────────────────────────────────────

    def encode(self, text: str) -> list[int]:
        """The text's ids.  Special tokens are cut out first (the leftmost, of several there the longest).

        Raises TypeError for what is no str, ValueError for half of a surrogate pair.
        """
        ids, cache = [], self._cache
        for i, part in enumerate(self._split_special(_checked_text(text))):
            if i % 2:
                ids.append(self._special[part])
                continue
            for piece in _find_pieces(part):
                known = cache.get(piece)
                ids += self._encode_piece(piece) if known is None else known
        return ids

    def _encode_piece(self, piece: str) -> list[int]:
        """The piece's ids, which are also remembered if the piece is short; a full memory is emptied."""
        start = list(piece.encode().translate(_AS_IDS))
        ids = _merge_long(start, self._merges, self._new_id, self._bytes) if len(start) > _LONG else self._merge_short(start)
        if len(piece) <= _CACHED_LENGTH:
            if len(self._cache) >= _CACHED_PIECES:
                self._cache.clear()
            self._cache[piece] = ids
        return ids

    def _merge_short(self, ids: list[int], steps: list[Step] | None = None) -> list[int]:
        """Replay the merges by looking at all pairs each time; each merge is added to `steps`, if given."""
        new_id, none = self._new_id.get, len(self._bytes)
        while len(ids) > 1:
            new = min([new_id(pair, none) for pair in zip(ids, ids[1:])])
            if new == none:
                break
            ids = merge(ids, self._merges[new - 256], new)
            if steps is not None:
                steps.append(Step(self._merges[new - 256], new, tuple(ids)))
        return ids

    def explain(self, text: str) -> Explanation:
        """Every piece of the text, its bytes, and each merge on the way to its ids.  Raises as `encode`."""
        pieces = []
        for i, part in enumerate(self._split_special(_checked_text(text))):
            if i % 2:
                pieces.append(Piece(part, (self._special[part],), ()))
                continue
            for piece in _find_pieces(part):
                start, steps = list(piece.encode().translate(_AS_IDS)), []
                self._merge_short(start, steps)
                pieces.append(Piece(piece, tuple(start), tuple(steps)))
        return Explanation(tuple(pieces))

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


# ── training ────────────────────────────────────────────────────────────────────────────────────────────────


def _learn(piece_counts: Counter, n_merges: int) -> list[Pair]:
    """The merges that `bpe.train` finds, touching only what a merge changes.

    All different pieces lie in one row of bytes, each once, between separators (−1).  A token is known by the place of
    its first byte (`head`) and of its last (`tail`), so that its neighbours are found by its size alone.  For each pair
    there is its count and the places where it was seen; places that a merge has used up since are skipped when their
    turn comes.  Counts of old pairs only fall, so the heap's top is right as soon as its count is still true.

    No token is made twice: what happens inside a stretch of bytes that becomes one token doesn't depend on what stands
    around it, so all stretches with the same bytes are made by the same pair.
    """
    head, weight = [-1], [0]
    for piece, count in piece_counts.items():
        ids = piece.encode().translate(_AS_IDS)
        head += ids
        head.append(-1)
        weight += [count] * (len(ids) + 1)
    tail, size = head.copy(), [1] * 256
    places = defaultdict(list)
    for place, pair in enumerate(zip(head, head[1:])):
        places[pair].append(place)
    places = {pair: found for pair, found in places.items() if -1 not in pair}
    counts = {pair: sum(map(weight.__getitem__, found)) for pair, found in places.items()}
    heap = [(-count, pair) for pair, count in counts.items()]
    heapq.heapify(heap)

    merges = []
    while heap and len(merges) < n_merges:
        count, pair = heapq.heappop(heap)
        if counts[pair] != -count:
            if counts[pair]:
                heapq.heappush(heap, (-counts[pair], pair))
            continue
        new = 256 + len(merges)
        merges.append(pair)
        size.append(size[pair[0]] + size[pair[1]])
        del counts[pair]
        merged = _merge_places(places.pop(pair), pair, new, head, tail, size)
        for fallen, risen, found in _neighbours(merged, pair, new, head, tail, size):
            count = sum(map(weight.__getitem__, found))
            if fallen in counts:  # not so where it is the merged pair itself, as in aaa
                counts[fallen] -= count
            counts[risen], places[risen] = count, found
            heapq.heappush(heap, (-count, risen))
    return merges


def _merge_places(places: list[int], pair: Pair, new: int, head: list[int], tail: list[int], size: list[int]) -> list[int]:
    """Merge the pair wherever it still stands, from left to right; returns the places where it did."""
    (left, right), merged = pair, []
    step, last = size[left], size[new] - 1
    for place in places:
        if head[place] == left and head[place + step] == right:
            head[place] = tail[place + last] = new
            head[place + step] = -2  # no token begins here any more
            merged.append(place)
    return merged


def _neighbours(merged: list[int], pair: Pair, new: int, head: list[int], tail: list[int], size: list[int]):
    """For each kind of neighbour that the new token has: the pair that fell, the pair that rose, where it stands."""
    left, right = pair
    before, after, length = defaultdict(list), defaultdict(list), size[new]
    for place in merged:
        before[tail[place - 1]].append(place)
        after[head[place + length]].append(place)
    for separator in (before, after):
        separator.pop(-1, None)
    for token, found in before.items():
        fallen = (right, left) if token == new else (token, left)  # abab: the pair ba fell
        step = size[token]
        yield fallen, (token, new), [place - step for place in found]
    after.pop(new, None)  # new new was seen from its right token
    for token, found in after.items():
        yield (right, token), (new, token), found


# ── encoding a long piece ───────────────────────────────────────────────────────────────────────────────────


def _merge_long(ids: list[int], merges: list[Pair], new_id: dict[Pair, int], tokens: list[bytes]) -> list[int]:
    """Replay the merges by a heap of what can be merged: the earliest learned first, of the same the leftmost.

    Tokens are known by the places of their first and last bytes, as in `_learn`.  A heap entry is one int,
    new id · 2³² + place: ints are compared faster than tuples.
    """
    head, tail = [*ids, -1], [*ids, -1]  # tail[-1] is what stands before the first byte: nothing
    heap = [(new_id[pair] << 32) + place for place, pair in enumerate(zip(ids, ids[1:])) if pair in new_id]
    heapq.heapify(heap)
    while heap:
        new, place = divmod(heapq.heappop(heap), 1 << 32)
        left, right = merges[new - 256]
        middle, end = place + len(tokens[left]), place + len(tokens[new])
        if head[place] != left or head[middle] != right:
            continue  # used up by an earlier merge
        head[place] = tail[end - 1] = new
        head[middle] = -2  # no token begins here any more
        before, after = new_id.get((tail[place - 1], new)), new_id.get((new, head[end]))
        if before is not None:
            heapq.heappush(heap, (before << 32) + place - len(tokens[tail[place - 1]]))
        if after is not None:
            heapq.heappush(heap, (after << 32) + place)
    merged, place = [], 0
    while place < len(ids):
        merged.append(head[place])
        place += len(tokens[head[place]])
    return merged


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
            raise ValueError(f"special token {name!r} is how a file writes an ordinary token; take a longer text, as '<end>'")
    return names


def _checked_text(text, what: str = "the text") -> str:
    """The text.  Raises TypeError for what is no str, ValueError for half of a surrogate pair."""
    if not isinstance(text, str):
        raise TypeError(f"{what} must be a str, got {type(text).__name__}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{what} holds half of a surrogate pair, U+{ord(text[error.start]):04X} at position {error.start}, "
                         "which has no UTF-8 form") from None  # fmt: skip
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
