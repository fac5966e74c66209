import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { isIP } from "node:net";
import { bits, integer, octets, oid, sequence, set, text, time, value, yes } from "./der.ts";

/** Object identifiers of RFC 5280 and RFC 5758. */
const OID = {
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  basicConstraints: "2.5.29.19",
  keyUsage: "2.5.29.15",
  subjectKey: "2.5.29.14",
  authorityKey: "2.5.29.35",
  alternativeNames: "2.5.29.17",
  extendedKeyUsage: "2.5.29.37",
} as const;
/** What a certificate may be used for, by its extended key usage. */
const USES = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" } as const;
/** Context tags inside a certificate: version, extensions, key identifier, DNS name, IP address. */
const CONTEXT = { version: 0xa0, extensions: 0xa3, keyId: 0x80, dns: 0x82, ip: 0x87 } as const;
/** Bits of key usage from the left: keyCertSign and cRLSign; digitalSignature. */
const SIGNS_CERTIFICATES = [0x06, 1] as const;
const SIGNS_HANDSHAKES = [0x80, 7] as const;

/** First and last moment at which a certificate is in force; both before 2050. */
export interface Dates {
  readonly from: Date;
  readonly to: Date;
}

/** In force for as long as anybody will run a sandbox. */
export const IN_FORCE: Dates = { from: new Date("2024-01-01"), to: new Date("2049-12-31") };

/** Who a certificate is for. */
export interface Subject {
  readonly name: string;
  /** Kubernetes reads the organisation of a client as its group. */
  readonly organization?: string;
  /** Names and IPv4 addresses that a server answers to. */
  readonly hosts?: readonly string[];
  readonly uses: readonly (keyof typeof USES)[];
}

/** A certificate and its key as PEM texts. */
export interface CertifiedKey {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate authority that signs as long as its object lives; its key is not shown unless it is asked for. */
export interface Authority {
  /** Its own certificate, PEM. */
  readonly certificate: string;
  /** PEM text of its key, for programs that sign themselves. */
  key(): string;
  issue(subject: Subject): CertifiedKey;
}

interface Party {
  readonly name: string;
  readonly organization?: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** Makes an authority that signs certificates for servers and clients. No openssl: a sandbox needs Node, npm and Go only. */
export function newAuthority(name: string, dates: Dates = IN_FORCE): Authority {
  const authority = party({ name });
  return {
    certificate: certificate(authority, authority, dates, authorityExtensions(authority)),
    key: () => keyText(authority.privateKey),
    issue(subject) {
      const holder = party(subject);
      const extensions = leafExtensions(holder, authority, subject);
      return {
        certificate: certificate(holder, authority, IN_FORCE, extensions),
        key: keyText(holder.privateKey),
      };
    },
  };
}

/** A key pair as PEM texts, for signatures that no certificate goes with. */
export function newKeyPair(): { readonly publicKey: string; readonly privateKey: string } {
  const { publicKey, privateKey } = party({ name: "" });
  return {
    publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
    privateKey: keyText(privateKey),
  };
}

function keyText(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function party(who: { readonly name: string; readonly organization?: string }): Party {
  return { ...who, ...generateKeyPairSync("ec", { namedCurve: "P-256" }) };
}

function certificate(
  subject: Party,
  issuer: Party,
  dates: Dates,
  extensions: readonly Buffer[],
): string {
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const content = sequence(
    value(CONTEXT.version, integer(2)),
    // Positive, and short enough for everybody (RFC 5280, 4.1.2.2).
    integer(Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    algorithm,
    distinguishedName(issuer),
    sequence(time(dates.from), time(dates.to)),
    distinguishedName(subject),
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

function leafExtensions(holder: Party, authority: Party, { uses, hosts = [] }: Subject): Buffer[] {
  const [usage, unused] = SIGNS_HANDSHAKES;
  const names = hosts.map((host) =>
    isIP(host) === 4
      ? value(CONTEXT.ip, Buffer.from(host.split(".").map(Number)))
      : value(CONTEXT.dns, Buffer.from(host)),
  );
  return [
    extension(OID.basicConstraints, sequence(), true),
    extension(OID.keyUsage, bits(Buffer.from([usage]), unused), true),
    extension(OID.extendedKeyUsage, sequence(...uses.map((use) => oid(USES[use])))),
    extension(OID.subjectKey, octets(keyId(holder))),
    extension(OID.authorityKey, sequence(value(CONTEXT.keyId, keyId(authority)))),
    ...(names.length === 0 ? [] : [extension(OID.alternativeNames, sequence(...names))]),
  ];
}

function extension(id: string, content: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [yes()] : []), octets(content));
}

function distinguishedName({ name, organization }: Party): Buffer {
  const parts = organization === undefined ? [] : [attribute(OID.organization, organization)];
  return sequence(...parts, attribute(OID.commonName, name));
}

function attribute(id: string, content: string): Buffer {
  return set(sequence(oid(id), text(content)));
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
