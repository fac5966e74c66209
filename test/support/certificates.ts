import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A private CA and a certificate that it signed for 127.0.0.1, as files. */
export interface Certificates {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** Days that count as long gone and far off, as openssl takes them. */
const DATES = {
  valid: ["-startdate", "20240101000000Z", "-enddate", "20600101000000Z"],
  expired: ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"],
};

const CONFIG = `
[ca]
default_ca = here
[here]
dir = .
database = index.txt
new_certs_dir = .
serial = serial
default_md = sha256
policy = names
unique_subject = no
[names]
commonName = supplied
[v3_ca]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[v3_leaf]
basicConstraints = CA:false
subjectAltName = IP:127.0.0.1,DNS:localhost
extendedKeyUsage = serverAuth
`;

/** Makes them in a folder. An expired CA signs a certificate that would itself be in force. */
export async function makeCertificates(
  folder: string,
  ca: keyof typeof DATES = "valid",
): Promise<Certificates> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "openssl.cnf"), CONFIG);
  await writeFile(join(folder, "index.txt"), "");
  await writeFile(join(folder, "serial"), "1000\n");
  const openssl = (...args: string[]) => run("openssl", args, { cwd: folder });
  for (const [name, subject] of [
    ["ca", "/CN=test CA"],
    ["leaf", "/CN=127.0.0.1"],
  ] as const) {
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    await openssl("req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", subject);
  }
  const sign = ["ca", "-batch", "-notext", "-config", "openssl.cnf", "-keyfile", "ca.key"];
  const self = [...sign, "-selfsign", "-extensions", "v3_ca", "-in", "ca.csr", "-out", "ca.pem"];
  await openssl(...self, ...DATES[ca]);
  const leaf = [...sign, "-cert", "ca.pem", "-extensions", "v3_leaf", "-in", "leaf.csr"];
  await openssl(...leaf, "-out", "leaf.pem", ...DATES.valid);
  const path = (name: string): string => join(folder, name);
  return { ca: path("ca.pem"), certificate: path("leaf.pem"), key: path("leaf.key") };
}
