import { WIRE } from "./writer.ts";

/** One field as it stands in a message. */
export interface Field {
  readonly number: number;
  readonly wire: number;
  /** The content of a text or message; empty for other wire types. */
  readonly content: Buffer;
  /** The value of a varint or double; 0 for other wire types. */
  readonly value: number;
  /** Header and content. */
  readonly whole: Buffer;
}

/** Goes through the fields of a message. */
export function* fieldsOf(message: Buffer): Generator<Field> {
  const cursor = { position: 0 };
  while (cursor.position < message.length) {
    const start = cursor.position;
    const tag = varint(message, cursor);
    const wire = tag % 8;
    const { content, value } = payload(message, wire, cursor);
    const whole = message.subarray(start, cursor.position);
    yield { number: Math.floor(tag / 8), wire, content, value, whole };
  }
}

interface Cursor {
  position: number;
}

const EMPTY = Buffer.alloc(0);

function payload(
  message: Buffer,
  wire: number,
  cursor: Cursor,
): { content: Buffer; value: number } {
  if (wire === WIRE.varint) return { content: EMPTY, value: varint(message, cursor) };
  if (wire === WIRE.bytes) {
    const length = varint(message, cursor);
    return { content: take(message, cursor, length), value: 0 };
  }
  if (wire === WIRE.fixed64)
    return { content: EMPTY, value: take(message, cursor, 8).readDoubleLE(0) };
  if (wire === WIRE.fixed32) return { content: take(message, cursor, 4), value: 0 };
  throw new Error(`the engine sent a message that cannot be read: wire type ${wire}`);
}

function take(message: Buffer, cursor: Cursor, count: number): Buffer {
  const content = message.subarray(cursor.position, cursor.position + count);
  cursor.position += count;
  return content;
}

function varint(message: Buffer, cursor: Cursor): number {
  let value = 0;
  let factor = 1;
  for (;;) {
    const byte = message[cursor.position] ?? 0;
    cursor.position += 1;
    value += (byte % 128) * factor;
    if (byte < 128) return value;
    factor *= 128;
  }
}
