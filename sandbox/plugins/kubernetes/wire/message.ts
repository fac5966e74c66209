import { fieldsOf } from "./reader.ts";
import { decodeStruct, encodeStruct } from "./struct.ts";
import { BackwardWriter, WIRE } from "./writer.ts";
import type { JsonObject } from "../value.ts";

/** A message whose properties are apart from the rest: they are too large for the library's way with them. */
export interface Parts<Message> {
  readonly message: Message;
  /** Properties by field number; an absent one is empty. */
  readonly structs: ReadonlyMap<number, JsonObject>;
}

/** What the library can write. */
interface Writable {
  serializeBinary(): Uint8Array;
}

/** Takes a message apart: `fields` are the numbers of its Struct fields, `parse` reads the rest. */
export function takeApart<Message>(
  bytes: Buffer,
  fields: readonly number[],
  parse: (rest: Uint8Array) => Message,
): Parts<Message> {
  const structs = new Map<number, JsonObject>();
  const rest: Buffer[] = [];
  for (const field of fieldsOf(bytes)) {
    if (fields.includes(field.number)) structs.set(field.number, decodeStruct(field.content));
    else rest.push(field.whole);
  }
  return { message: parse(Buffer.concat(rest)), structs };
}

/** The properties under a field number. */
export function structOf(parts: Parts<unknown>, field: number): JsonObject {
  return parts.structs.get(field) ?? {};
}

/** A message without properties beside it. */
export function alone<Message>(message: Message): Parts<Message> {
  return { message, structs: new Map() };
}

/** Puts a message together: fields may follow each other in any order. */
export function putTogether({ message, structs }: Parts<Writable>): Buffer {
  const fields = [...structs].map(([number, value]) => {
    const content = encodeStruct(value);
    const header = new BackwardWriter();
    header.varint(content.length);
    header.tag(number, WIRE.bytes);
    return Buffer.concat([header.finish(), content]);
  });
  return Buffer.concat([message.serializeBinary(), ...fields]);
}
