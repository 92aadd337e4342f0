/** About a millisecond's work. */
const pieceCharacters = 65_536;

/** The text that was not taken yet. */
export class TextPieces {
  out = '';

  get isFull(): boolean {
    return this.out.length >= pieceCharacters;
  }

  take(): string {
    const piece = this.out;
    this.out = '';
    return piece;
  }
}
