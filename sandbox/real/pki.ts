import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { kubeconfigText } from "../cluster/kubeconfig.ts";
import { newAuthority, newKeyPair } from "../registry/authority.ts";
import type { Authority, Subject } from "../registry/authority.ts";
import { API_INSIDE, API_SERVICE, CLUSTER_DOMAIN, NODE_ADDRESS, NODE_NAME } from "./addresses.ts";
import type { RealLayout } from "./layout.ts";

/** The group that may do everything: kubernetes@v1.34.3:staging/src/k8s.io/apiserver/pkg/authentication/user/user.go. */
const MASTERS = "system:masters";
const NODES = "system:nodes";
const NODE_USER = `system:node:${NODE_NAME}`;
const API_NAMES = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"];
const API_HOSTS = [
  "localhost",
  ...API_NAMES,
  `kubernetes.default.svc.${CLUSTER_DOMAIN}`,
  NODE_NAME,
  "127.0.0.1",
  NODE_ADDRESS,
  API_SERVICE,
];

/** Certificates by file name; a client that has one gets a kubeconfig beside it. */
const CERTIFICATES: Readonly<Record<string, Subject & { readonly kubeconfig?: boolean }>> = {
  apiserver: { name: "kube-apiserver", hosts: API_HOSTS, uses: ["server"] },
  "kubelet-server": {
    name: NODE_USER,
    organization: NODES,
    hosts: [NODE_NAME, "localhost", "127.0.0.1", NODE_ADDRESS],
    uses: ["server"],
  },
  "apiserver-kubelet-client": client("apiserver-kubelet-client", MASTERS),
  admin: client("kubernetes-admin", MASTERS),
  "controller-manager": { ...client("system:kube-controller-manager"), kubeconfig: true },
  scheduler: { ...client("system:kube-scheduler"), kubeconfig: true },
  proxy: { ...client("system:kube-proxy"), kubeconfig: true },
  kubelet: { ...client(NODE_USER, NODES), kubeconfig: true },
  "load-balancer": { ...client("sandbox-load-balancer", MASTERS), kubeconfig: true },
};

function client(name: string, organization?: string): Subject {
  return { name, uses: ["client"], ...(organization === undefined ? {} : { organization }) };
}

/**
 * Makes the cluster's authorities, certificates, keys and kubeconfigs unless they are there: whole or not at all. The
 * file names are those of `readKeys`.
 */
export async function makePki(layout: RealLayout): Promise<void> {
  if (existsSync(layout.pki)) return;
  const work = `${layout.pki}.${randomUUID()}`;
  await mkdir(work, { recursive: true, mode: 0o700 });
  const put = (name: string, text: string) => writeFile(join(work, name), text, { mode: 0o600 });
  const authority = newAuthority("kubernetes-ca");
  await put("ca.crt", authority.certificate);
  // The controller manager signs certificate requests with it.
  await put("ca.key", authority.key());
  for (const [file, subject] of Object.entries(CERTIFICATES)) {
    const { certificate, key } = authority.issue(subject);
    await put(`${file}.crt`, certificate);
    await put(`${file}.key`, key);
    if (subject.kubeconfig !== true) continue;
    const keys = { ca: authority.certificate, cert: certificate, key };
    await put(`${file}.conf`, kubeconfigText(layout.name, API_INSIDE, keys));
  }
  await putFrontProxy(newAuthority("front-proxy-ca"), put);
  const signing = newKeyPair();
  await put("sa.key", signing.privateKey);
  await put("sa.pub", signing.publicKey);
  await rename(work, layout.pki).catch(async (error: unknown) => {
    await rm(work, { recursive: true, force: true });
    if (!existsSync(layout.pki)) throw error;
  });
}

/** The authority by which aggregated API servers know the API server. */
async function putFrontProxy(
  authority: Authority,
  put: (name: string, text: string) => Promise<void>,
): Promise<void> {
  const { certificate, key } = authority.issue(client("front-proxy-client"));
  await put("front-proxy-ca.crt", authority.certificate);
  await put("front-proxy-client.crt", certificate);
  await put("front-proxy-client.key", key);
}
