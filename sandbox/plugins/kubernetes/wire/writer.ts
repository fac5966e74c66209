/** Wire types of protobuf (protobuf.dev/programming-guides/encoding). */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const FIRST_SIZE = 1024;
/** Seven bits go into a byte of a varint; the eighth says that more follow. */
const MORE = 0x80;

/**
 * Writes protobuf from the end to the start, so that the length of a part is known when its header is written. Methods
 * are called in the reverse of the order in which their results stand in the message.
 */
export class BackwardWriter {
  #buffer = Buffer.allocUnsafe(FIRST_SIZE);
  /** Where the written part begins. */
  #start = FIRST_SIZE;

  /** Bytes written so far, as a mark to {@link closeMessage}. */
  get length(): number {
    return this.#buffer.length - this.#start;
  }

  /** Writes an unsigned number. */
  varint(value: number): void {
    if (value < MORE) return this.#byte(value);
    const bytes: number[] = [];
    let rest = value;
    while (rest >= MORE) {
      bytes.push((rest % MORE) + MORE);
      rest = Math.floor(rest / MORE);
    }
    bytes.push(rest);
    this.#reserve(bytes.length);
    for (const [index, byte] of bytes.entries()) this.#buffer[this.#start + index] = byte;
  }

  /** Writes a field's number and wire type. */
  tag(field: number, wire: number): void {
    this.varint(field * 8 + wire);
  }

  /** Writes a text with its header. */
  text(field: number, value: string): void {
    const length = Buffer.byteLength(value);
    this.#reserve(length);
    this.#buffer.write(value, this.#start, length, "utf8");
    this.varint(length);
    this.tag(field, WIRE.bytes);
  }

  /** Writes a 64-bit floating point number with its header. */
  double(field: number, value: number): void {
    this.#reserve(8);
    this.#buffer.writeDoubleLE(value, this.#start);
    this.tag(field, WIRE.fixed64);
  }

  /** Writes the header of a message whose content was written since the length was `before`. */
  closeMessage(field: number, before: number): void {
    this.varint(this.length - before);
    this.tag(field, WIRE.bytes);
  }

  /** What was written. */
  finish(): Buffer {
    return this.#buffer.subarray(this.#start);
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#start] = value;
  }

  #reserve(count: number): void {
    if (this.#start < count) this.#grow(count);
    this.#start -= count;
  }

  #grow(count: number): void {
    const written = this.finish();
    const size = Math.max(this.#buffer.length * 2, written.length + count);
    const buffer = Buffer.allocUnsafe(size);
    written.copy(buffer, size - written.length);
    this.#start = size - written.length;
    this.#buffer = buffer;
  }
}
