import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bits, integer, octets, oid, sequence, set, text, time, value, yes } from "./der.ts";

/** A private CA and a certificate that it signed for 127.0.0.1 and localhost, as PEM files. */
export interface Certificates {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** When a CA is in force: an expired one is for tests. */
const DATES = {
  valid: { from: new Date("2024-01-01"), to: new Date("2049-12-31") },
  expired: { from: new Date("2020-01-01"), to: new Date("2020-02-01") },
} as const;

/** Object identifiers of RFC 5280 and RFC 5758. */
const OID = {
  commonName: "2.5.4.3",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  basicConstraints: "2.5.29.19",
  keyUsage: "2.5.29.15",
  subjectKey: "2.5.29.14",
  authorityKey: "2.5.29.35",
  alternativeNames: "2.5.29.17",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
} as const;
/** Context tags inside a certificate: version, extensions, key identifier, DNS name, IP address. */
const CONTEXT = { version: 0xa0, extensions: 0xa3, keyId: 0x80, dns: 0x82, ip: 0x87 } as const;
/** Bits of key usage from the left: keyCertSign and cRLSign; digitalSignature. */
const SIGNS_CERTIFICATES = [0x06, 1] as const;
const SIGNS_HANDSHAKES = [0x80, 7] as const;

interface Party {
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/**
 * Makes them in a folder; the CA's own key is thrown away, so that nothing else will ever be signed by it. An expired CA
 * signs a certificate that would itself be in force. No openssl: a sandbox needs Node, npm and Go only.
 */
export async function makeCertificates(
  folder: string,
  ca: keyof typeof DATES = "valid",
): Promise<Certificates> {
  await mkdir(folder, { recursive: true });
  const authority = party("kserve-platform sandbox CA");
  const server = party("127.0.0.1");
  const put = async (name: string, content: string, mode = 0o644): Promise<string> => {
    await writeFile(join(folder, name), content, { mode });
    return join(folder, name);
  };
  const leaf = certificate(server, authority, DATES.valid, serverExtensions(server, authority));
  const root = certificate(authority, authority, DATES[ca], authorityExtensions(authority));
  const key = server.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return {
    ca: await put("ca.pem", root),
    certificate: await put("leaf.pem", leaf),
    key: await put("leaf.key", key, 0o600),
  };
}

function party(name: string): Party {
  return { name, ...generateKeyPairSync("ec", { namedCurve: "P-256" }) };
}

function certificate(
  subject: Party,
  issuer: Party,
  dates: { readonly from: Date; readonly to: Date },
  extensions: readonly Buffer[],
): string {
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const content = sequence(
    value(CONTEXT.version, integer(2)),
    // Positive, and short enough for everybody (RFC 5280, 4.1.2.2).
    integer(Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    algorithm,
    distinguishedName(issuer.name),
    sequence(time(dates.from), time(dates.to)),
    distinguishedName(subject.name),
    subject.publicKey.export({ type: "spki", format: "der" }),
    value(CONTEXT.extensions, sequence(...extensions)),
  );
  const signature = sign("sha256", content, issuer.privateKey);
  return pem(sequence(content, algorithm, bits(signature)));
}

function authorityExtensions(authority: Party): Buffer[] {
  const [usage, unused] = SIGNS_CERTIFICATES;
  return [
    extension(OID.basicConstraints, sequence(yes()), true),
    extension(OID.keyUsage, bits(Buffer.from([usage]), unused), true),
    extension(OID.subjectKey, octets(keyId(authority))),
  ];
}

function serverExtensions(server: Party, authority: Party): Buffer[] {
  const [usage, unused] = SIGNS_HANDSHAKES;
  const names = [
    value(CONTEXT.ip, Buffer.from([127, 0, 0, 1])),
    value(CONTEXT.dns, Buffer.from("localhost")),
  ];
  return [
    extension(OID.basicConstraints, sequence(), true),
    extension(OID.keyUsage, bits(Buffer.from([usage]), unused), true),
    extension(OID.extendedKeyUsage, sequence(oid(OID.serverAuth))),
    extension(OID.subjectKey, octets(keyId(server))),
    extension(OID.authorityKey, sequence(value(CONTEXT.keyId, keyId(authority)))),
    extension(OID.alternativeNames, sequence(...names)),
  ];
}

function extension(id: string, content: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [yes()] : []), octets(content));
}

function distinguishedName(name: string): Buffer {
  return sequence(set(sequence(oid(OID.commonName), text(name))));
}

/** Any value that differs from key to key would do (RFC 5280, 4.2.1.2). */
function keyId({ publicKey }: Party): Buffer {
  const content = publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(content).digest().subarray(0, 20);
}

function pem(content: Buffer): string {
  const lines = content.toString("base64").replaceAll(/.{1,64}/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`;
}
