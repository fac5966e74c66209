/** The little of DER (ITU-T X.690) that a certificate needs; Node makes keys and signatures, but no certificates. */

/** Tags of universal types. */
const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
} as const;

/** From here on one byte no longer holds a length. */
const LONG_LENGTH = 0x80;
/** UTCTime has two digits for the year and means 1950 to 2049 (RFC 5280, 4.1.2.5.1). */
const LAST_UTC_YEAR = 2049;

/** One value with its tag and length. */
export function value(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}

/** A sequence of values. */
export const sequence = (...items: readonly Uint8Array[]): Buffer => value(TAG.sequence, ...items);

/** A set of values. */
export const set = (...items: readonly Uint8Array[]): Buffer => value(TAG.set, ...items);

/** A whole number below 128, or bytes of one whose first bit is not set. */
export const integer = (bytes: number | Uint8Array): Buffer =>
  value(TAG.integer, typeof bytes === "number" ? Buffer.from([bytes]) : bytes);

/** TRUE; FALSE is the default everywhere and left out. */
export const yes = (): Buffer => value(TAG.boolean, Buffer.from([0xff]));

/** Bytes as they are. */
export const octets = (bytes: Uint8Array): Buffer => value(TAG.octets, bytes);

/** Bits; `unused` of the last byte do not count. */
export const bits = (bytes: Uint8Array, unused = 0): Buffer =>
  value(TAG.bits, Buffer.from([unused]), bytes);

/** Text. */
export const text = (characters: string): Buffer => value(TAG.utf8, Buffer.from(characters));

/** An object identifier in dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return value(TAG.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** A moment, to the second; before 2050. */
export function time(moment: Date): Buffer {
  if (moment.getUTCFullYear() > LAST_UTC_YEAR) throw new RangeError("UTCTime ends with 2049");
  const digits = moment.toISOString().replace(/\.\d+/, "").replaceAll(/[-:T]/g, "");
  return value(TAG.utcTime, Buffer.from(digits.slice(2)));
}

function lengthOf(length: number): Buffer {
  if (length < LONG_LENGTH) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>= 8) bytes.unshift(rest & 0xff);
  return Buffer.from([LONG_LENGTH | bytes.length, ...bytes]);
}

function base128(part: number): number[] {
  const bytes = [part & 0x7f];
  for (let rest = part >> 7; rest > 0; rest >>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}
