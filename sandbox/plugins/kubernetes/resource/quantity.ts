/** Fields whose values are maps of resource quantities. */
const QUANTITY_MAPS: ReadonlySet<string> = new Set([
  "limits",
  "requests",
  "capacity",
  "hard",
  "default",
  "defaultRequest",
  "max",
  "min",
]);

const DECIMAL: readonly (readonly [string, number])[] = [
  ["n", -9],
  ["u", -6],
  ["m", -3],
  ["", 0],
  ["k", 3],
  ["M", 6],
  ["G", 9],
  ["T", 12],
  ["P", 15],
  ["E", 18],
];
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const QUANTITY = /^([+-]?\d+(?:\.\d+)?)(n|u|m||k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)$/;
/** Digits after the point that a quantity can have (k8s.io/apimachinery/pkg/api/resource/quantity.go). */
const NANO = 9;

/** True for a field such as `requests`, whose values are quantities. */
export function holdsQuantities(key: string): boolean {
  return QUANTITY_MAPS.has(key);
}

/** A quantity as the API server writes it, such as `1` for `1000m` or `1Gi` for `1024Mi`; other texts unchanged. */
export function canonicalQuantity(value: string | number): string {
  const text = String(value);
  const [, digits, suffix] = QUANTITY.exec(text) ?? [];
  if (digits === undefined || suffix === undefined) return text;
  return BINARY.indexOf(suffix) > 0 ? binary(digits, suffix) : decimal(digits, suffix);
}

function binary(digits: string, suffix: string): string {
  let amount = Number(digits);
  let step = BINARY.indexOf(suffix);
  while (!Number.isInteger(amount) && step > 0) {
    amount *= 1024;
    step -= 1;
  }
  while (amount !== 0 && amount % 1024 === 0 && step < BINARY.length - 1) {
    amount /= 1024;
    step += 1;
  }
  return `${amount}${BINARY[step] ?? ""}`;
}

function decimal(digits: string, suffix: string): string {
  const exponent = DECIMAL.find(([name]) => name === suffix)?.[1] ?? 0;
  const [whole = "0", fraction = ""] = digits.split(".");
  const shift = exponent + NANO - fraction.length;
  if (shift < 0) return `${digits}${suffix}`;
  const nanos = BigInt(whole + fraction) * 10n ** BigInt(shift);
  if (nanos === 0n) return "0";
  const fitting = DECIMAL.toReversed().find(
    ([, power]) => nanos % 10n ** BigInt(power + NANO) === 0n,
  );
  const [name, power] = fitting ?? ["n", -NANO];
  return `${nanos / 10n ** BigInt(power + NANO)}${name}`;
}
