/** A growing list of doubles in one typed array: `items[0, size)`. Its memory is kept when it is emptied. */
export class Float64List {
  items = new Float64Array(64);
  size = 0;

  clear(): void {
    this.size = 0;
  }

  push(item: number): void {
    if (this.size === this.items.length) {
      const grown = new Float64Array(this.size * 2);
      grown.set(this.items);
      this.items = grown;
    }
    this.items[this.size++] = item;
  }
}
