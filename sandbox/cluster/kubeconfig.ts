import { rename, writeFile } from "node:fs/promises";
import { stringify } from "yaml";
import type { ClusterKeys } from "./api.ts";

/**
 * Writes a kubeconfig that holds its keys, so that its text alone is enough for a provider. The file replaces the
 * old one in one step and is readable by its owner only: the key is the cluster's administrator.
 */
export async function writeKubeconfig(
  file: string,
  name: string,
  { server, keys }: { server: string; keys: ClusterKeys },
): Promise<void> {
  const unfinished = `${file}.${process.pid}`;
  await writeFile(unfinished, kubeconfigText(name, server, keys), { mode: 0o600 });
  await rename(unfinished, file);
}

/** The text of the kubeconfig; its one context is `sandbox-<name>`. */
export function kubeconfigText(name: string, server: string, keys: ClusterKeys): string {
  const id = `sandbox-${name}`;
  const cluster = { server, "certificate-authority-data": base64(keys.ca) };
  const user = {
    "client-certificate-data": base64(keys.cert),
    "client-key-data": base64(keys.key),
  };
  return stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      "current-context": id,
      clusters: [{ name: id, cluster }],
      users: [{ name: id, user }],
      contexts: [{ name: id, context: { cluster: id, user: id } }],
    },
    { lineWidth: 0 },
  );
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
