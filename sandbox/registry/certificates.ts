import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { IN_FORCE, newAuthority } from "./authority.ts";

/** A private CA and a certificate that it signed for 127.0.0.1 and localhost, as PEM files. */
export interface Certificates {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** When a CA is in force: an expired one is for tests. */
const DATES = {
  valid: IN_FORCE,
  expired: { from: new Date("2020-01-01"), to: new Date("2020-02-01") },
} as const;

/**
 * Makes them in a folder; the CA's own key is thrown away, so that nothing else will ever be signed by it. An expired CA
 * signs a certificate that would itself be in force.
 */
export async function makeCertificates(
  folder: string,
  ca: keyof typeof DATES = "valid",
): Promise<Certificates> {
  await mkdir(folder, { recursive: true });
  const put = async (name: string, content: string, mode = 0o644): Promise<string> => {
    await writeFile(join(folder, name), content, { mode });
    return join(folder, name);
  };
  const authority = newAuthority("kserve-platform sandbox CA", DATES[ca]);
  const server = authority.issue({
    name: "127.0.0.1",
    hosts: ["127.0.0.1", "localhost"],
    uses: ["server"],
  });
  return {
    ca: await put("ca.pem", authority.certificate),
    certificate: await put("leaf.pem", server.certificate),
    key: await put("leaf.key", server.key, 0o600),
  };
}
