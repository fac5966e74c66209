/**
 * How long something has been seen, look after look. What a look does not name again is forgotten: it has passed. Times
 * are this machine's alone; those in the cluster's objects come from other clocks.
 */
export class Lasting {
  #before = new Map<string, number>();
  #now = new Map<string, number>();
  #time = 0;

  /** Begins a look at this time, in milliseconds. */
  begin(time: number): void {
    this.#before = this.#now;
    this.#now = new Map();
    this.#time = time;
  }

  /** Milliseconds since the first of the looks in a row that named this key. */
  of(key: string): number {
    const since = this.#now.get(key) ?? this.#before.get(key) ?? this.#time;
    this.#now.set(key, since);
    return this.#time - since;
  }
}
