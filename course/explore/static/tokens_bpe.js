// The tokens explorer, first part: byte pair encoding as course.text.tokenizer.BPETokenizer computes it, in the page, so
// that typing and dragging answer without the kernel.  No DOM in here.

const WIDE_ID = 2 ** 26; // more ids than any vocabulary has: a pair of ids is one whole number below 2^53
const KEPT_PIECES = 20000; // pieces whose tokens are remembered while one types on

/** `text` as UTF-8 can carry it: each half of a surrogate pair that stands alone becomes U+FFFD, as Python's `clean` has it. */
function wellFormed(text) { return text.replace(/\p{Cs}/gu, "\ufffd"); }

/** A binary heap of numbers, the smallest on top. */
class NumberHeap {
  constructor() { this.values = []; }

  push(value) {
    const { values } = this;
    let at = values.length;
    for (; at > 0; at = (at - 1) >> 1) {
      const above = values[(at - 1) >> 1];
      if (above <= value) break;
      values[at] = above;
    }
    values[at] = value;
  }

  /** The smallest number, taken out; undefined where there is none. */
  pop() {
    const { values } = this;
    const top = values[0];
    const last = values.pop();
    const size = values.length;
    if (size === 0) return top;
    let at = 0;
    for (let below = 1; below < size; below = 2 * at + 1) {
      if (below + 1 < size && values[below + 1] < values[below]) below++;
      if (values[below] >= last) break;
      values[at] = values[below];
      at = below;
    }
    values[at] = last;
    return top;
  }
}

/** One tokenizer.
 *  order: 256 bytes, the byte of each of the first ids; merges: left and right id of each merge, in learned order, merge r
 *  makes id 256 + r; special: texts, longest first, with their place among the special tokens [[text, place], …];
 *  split: the regular expression that cuts a text into pieces, the same as Python's. */
class BytePairs {
  constructor({ order, merges, special, split }) {
    this.order = order;
    this.idOfByte = new Uint16Array(256);
    order.forEach((byte, id) => { this.idOfByte[byte] = id; });
    this.merges = merges;
    this.count = merges.length / 2;
    this.ranks = new Map();
    for (let rank = this.count - 1; rank >= 0; rank--) this.ranks.set(merges[2 * rank] * WIDE_ID + merges[2 * rank + 1], rank);
    this.special = new Map(special);
    const spelled = special.map(([text]) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
    this.specials = spelled.length ? new RegExp(`(${spelled.join("|")})`, "u") : null;
    this.pattern = new RegExp(split, "gu");
    this.encoder = new TextEncoder();
    this.spelled = new Map(); // id → its bytes
    this.remembered = { n: -1, pieces: new Map() };
  }

  /** The bytes of a token, Uint8Array; `id` is a byte's or a merge's. */
  bytesOf(id) {
    if (id < 256) return this.order.slice(id, id + 1);
    if (!this.spelled.has(id)) {
      const [left, right] = this.pairOf(id).map((part) => this.bytesOf(part));
      const both = new Uint8Array(left.length + right.length);
      both.set(left);
      both.set(right, left.length);
      this.spelled.set(id, both);
    }
    return this.spelled.get(id);
  }

  /** [left, right]: the ids that merge `id` joins. */
  pairOf(id) { return [this.merges[2 * (id - 256)], this.merges[2 * (id - 256) + 1]]; }

  /** The text in pieces, no merge crosses from one to the next: [{text, special}], special = its id or −1. */
  pieces(text, n) {
    const parts = this.specials ? text.split(this.specials) : [text]; // every second part is a special token
    return parts.flatMap((part, i) => (i % 2 ? [{ text: part, special: 256 + n + this.special.get(part) }]
      : (part.match(this.pattern) || []).map((piece) => ({ text: piece, special: -1 }))));
  }

  /** The tokens of `text` with the first `n` merges: {pieces, ids, pieceOf}, pieceOf = the piece each token lies in. */
  encode(text, n) {
    const pieces = this.pieces(text, n);
    const [ids, pieceOf] = [[], []];
    if (this.remembered.n !== n || this.remembered.pieces.size > KEPT_PIECES) this.remembered = { n, pieces: new Map() };
    const known = this.remembered.pieces;
    pieces.forEach((piece, place) => {
      let own = piece.special >= 0 ? [piece.special] : known.get(piece.text);
      if (own === undefined) known.set(piece.text, own = this.encodePiece(piece.text, n));
      for (const id of own) { ids.push(id); pieceOf.push(place); }
    });
    return { pieces, ids, pieceOf };
  }

  byteIds(piece) { return Array.from(this.encoder.encode(piece), (byte) => this.idOfByte[byte]); }

  /** The rank of the merge of two ids, Infinity where none of the first `n` joins them. */
  rankOf(left, right, n) {
    const rank = this.ranks.get(left * WIDE_ID + right);
    return rank < n ? rank : Infinity; // undefined is not below n either
  }

  /** One piece.  Merges in learned order, each from left to right, found through a heap: a long piece takes no more than
   *  length × log(length) steps. */
  encodePiece(piece, n) {
    const ids = this.byteIds(piece);
    const size = ids.length;
    const next = Int32Array.from(ids, (_, i) => i + 1);
    const before = Int32Array.from(ids, (_, i) => i - 1);
    const gone = new Uint8Array(size);
    const heap = new NumberHeap();
    const rankAt = (at) => (next[at] < size ? this.rankOf(ids[at], ids[next[at]], n) : Infinity);
    const consider = (at) => { const rank = rankAt(at); if (rank !== Infinity) heap.push(rank * size + at); };
    for (let at = 0; at < size; at++) consider(at);
    for (let top = heap.pop(); top !== undefined; top = heap.pop()) {
      const at = top % size;
      const rank = (top - at) / size;
      if (gone[at] || rankAt(at) !== rank) continue; // one of the two has been merged with another since
      gone[next[at]] = 1;
      next[at] = next[next[at]];
      if (next[at] < size) before[next[at]] = at;
      ids[at] = 256 + rank;
      consider(at);
      if (before[at] >= 0) consider(before[at]);
    }
    return ids.filter((_, at) => !gone[at]);
  }

  /** How a piece is merged, step by step: [{ids, rank, fresh}], first its bytes (rank −1), then the row after each merge
   *  that finds a place; fresh = where in the row the new tokens stand. */
  steps(piece, n) {
    let ids = this.byteIds(piece);
    const rows = [{ ids, rank: -1, fresh: [] }];
    for (;;) {
      let rank = Infinity;
      for (let i = 0; i + 1 < ids.length; i++) rank = Math.min(rank, this.rankOf(ids[i], ids[i + 1], n));
      if (rank === Infinity) return rows;
      const [row, fresh] = [[], []];
      for (let i = 0; i < ids.length; i++) {
        if (i + 1 < ids.length && this.rankOf(ids[i], ids[i + 1], n) === rank) {
          fresh.push(row.length);
          row.push(256 + rank);
          i++;
        } else row.push(ids[i]);
      }
      rows.push({ ids: ids = row, rank, fresh });
    }
  }
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text that bytes spell, null where they are no whole characters. */
function spelledBy(bytes) {
  try { return strict.decode(bytes); } catch { return null; }
}

/** Bytes as they are written: "E4·BD·A0", or with another separator. */
function hexadecimal(bytes, separator = "·") {
  return Array.from(bytes, (byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(separator);
}

/** A token's text with everything in it to be seen: marks have something to stand on, and what has no look of its own is
 *  named by its code point. */
function tokenText(text) {
  const shown = visible(text).replace(/[\u0080-\u009f]|\p{Zl}|\p{Zp}|\p{Cn}|\p{Co}|(?!\u200d)\p{Cf}|^\u200d|\u200d$/gu,
    (hidden) => `U+${hidden.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`);
  return shown.replace(/\p{Zs}/gu, "·").replace(/^\p{M}/u, "◌$&");
}

/** What is counted: {characters, bytes, tokens}, characters as Python counts them. */
function countsOf(text, tokens) {
  let characters = 0;
  for (const _ of text) characters++;
  return { characters, bytes: new TextEncoder().encode(text).length, tokens };
}
