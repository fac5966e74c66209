/**
 * Encodes and decodes google.protobuf.Struct straight from and to JSON values. The library's own way takes seconds for
 * one CustomResourceDefinition of a megabyte, and the engine sends each of them several times.
 */
import { BackwardWriter, WIRE } from "./writer.ts";
import { fieldsOf } from "./reader.ts";
import type { Json, JsonObject } from "../value.ts";

/** Field numbers of google/protobuf/struct.proto. */
const STRUCT_FIELDS = 1;
const ENTRY = { key: 1, value: 2 } as const;
const VALUE = { null: 1, number: 2, text: 3, boolean: 4, struct: 5, list: 6 } as const;
const LIST_VALUES = 1;

/** The bytes of an object as a Struct. */
export function encodeStruct(value: JsonObject): Buffer {
  const writer = new BackwardWriter();
  writeStruct(writer, value);
  return writer.finish();
}

/** The object that a Struct's bytes stand for. */
export function decodeStruct(message: Buffer): JsonObject {
  const object: JsonObject = {};
  for (const entry of fieldsOf(message)) {
    let key = "";
    let value: Json = null;
    for (const field of fieldsOf(entry.content)) {
      if (field.number === ENTRY.key) key = field.content.toString("utf8");
      else value = decodeValue(field.content);
    }
    object[key] = value;
  }
  return object;
}

function decodeValue(message: Buffer): Json {
  for (const field of fieldsOf(message)) {
    if (field.number === VALUE.number) return field.value;
    if (field.number === VALUE.text) return field.content.toString("utf8");
    if (field.number === VALUE.boolean) return field.value !== 0;
    if (field.number === VALUE.struct) return decodeStruct(field.content);
    if (field.number === VALUE.list) {
      return Array.from(fieldsOf(field.content), (item) => decodeValue(item.content));
    }
  }
  return null;
}

function writeStruct(writer: BackwardWriter, value: JsonObject): void {
  for (const [key, item] of Object.entries(value).reverse()) {
    // A key without a value is no key, as in JSON.
    if ((item as Json | undefined) === undefined) continue;
    const before = writer.length;
    writeMessage(writer, ENTRY.value, item);
    writer.text(ENTRY.key, key);
    writer.closeMessage(STRUCT_FIELDS, before);
  }
}

/** Writes a Value as a message under a field number. */
function writeMessage(writer: BackwardWriter, field: number, value: Json): void {
  const before = writer.length;
  writeValue(writer, value);
  writer.closeMessage(field, before);
}

function writeValue(writer: BackwardWriter, value: Json): void {
  switch (typeof value) {
    case "string":
      return writer.text(VALUE.text, value);
    case "number":
      return writer.double(VALUE.number, value);
    case "boolean":
      return writeVarint(writer, VALUE.boolean, value ? 1 : 0);
    default:
      return writeContainer(writer, value);
  }
}

function writeContainer(writer: BackwardWriter, value: null | Json[] | JsonObject): void {
  if (value === null) return writeVarint(writer, VALUE.null, 0);
  const before = writer.length;
  if (Array.isArray(value)) {
    for (const item of value.toReversed()) writeMessage(writer, LIST_VALUES, item);
    return writer.closeMessage(VALUE.list, before);
  }
  writeStruct(writer, value);
  return writer.closeMessage(VALUE.struct, before);
}

function writeVarint(writer: BackwardWriter, field: number, value: number): void {
  writer.varint(value);
  writer.tag(field, WIRE.varint);
}
