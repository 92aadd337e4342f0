import type { Attributes, AttributeValue } from '../model/attributes.ts';

/** Longer strings do not come again often. */
const longestRemembered = 64;
/** Strings remembered at a time; then it begins anew. */
const mostRemembered = 4096;

const scratch = Buffer.allocUnsafe(4096);

/**
 * Attributes in as little memory as they can be held, for what is held long: lists of exactly their length, strings in one piece, and one
 * string where the same text comes again and again, as keys and values like `GET` do. What was decoded from a message has strings
 * of its own, which are made of many parts.
 */
export class CompactAttributes {
  readonly #strings = new Map<string, string>();

  /** The same attributes; what is given may be forgotten. */
  of(attributes: Attributes): Attributes {
    return attributes.map(([key, value]) => [this.#one(key), this.#value(value)] as const);
  }

  #value(value: AttributeValue): AttributeValue {
    return typeof value === 'string' ? this.#one(value) : value;
  }

  #one(text: string): string {
    if (text.length > longestRemembered) return inOnePiece(text);
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    if (this.#strings.size >= mostRemembered) this.#strings.clear();
    const own = inOnePiece(text);
    this.#strings.set(own, own);
    return own;
  }
}

/** The same text. V8 keeps a string that was put together as a tree of its parts, 32 bytes and more for each. */
export function inOnePiece(text: string): string {
  if (text.length * 3 > scratch.length) return text;
  // As many bytes as characters: ASCII, which latin1 reads back as it was.
  const bytes = scratch.write(text, 'utf8');
  return bytes === text.length ? scratch.toString('latin1', 0, bytes) : text;
}
