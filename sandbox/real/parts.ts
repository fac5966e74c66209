import { join } from "node:path";
import {
  API_PORT,
  BALANCER_PREFIX,
  CLUSTER_RANGE,
  NODE_ADDRESS,
  NODE_NAME,
  SERVICE_RANGE,
} from "./addresses.ts";
import type { RealLayout } from "./layout.ts";
import { HOLDER } from "./processes.ts";
import type { Part } from "./processes.ts";

/** Programs that are built or downloaded as tools. */
export const NODE_BINARIES = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
] as const;

/** Absolute path of each program. */
export type NodeBinaries = Readonly<Record<(typeof NODE_BINARIES)[number], string>>;

/** Parts of a node in the order in which they start, relays left out. */
export const PART_NAMES = [
  HOLDER,
  "etcd",
  "containerd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kube-proxy",
  "load-balancer",
  "kubelet",
] as const;

/** Name of a part of a node, relays left out. */
export type PartName = (typeof PART_NAMES)[number];

/** Those of them that run in the namespaces. */
export type InnerPart = Exclude<PartName, typeof HOLDER>;

const ETCD_CLIENT = "http://127.0.0.1:2379";
const ETCD_PEER = "http://127.0.0.1:2380";

/** The process that makes and holds the namespaces. */
export function holderPart({ folder }: RealLayout): Part {
  const script = join(import.meta.dirname, "holder.sh");
  const addresses = [NODE_ADDRESS, `${BALANCER_PREFIX}0/24`, SERVICE_RANGE];
  return {
    name: HOLDER,
    inside: false,
    command: "unshare",
    // Slave: what the host mounts later is seen inside, what is mounted inside is not seen by the host.
    args: ["--mount", "--net", "--propagation", "slave", "/bin/sh", script, folder, ...addresses],
  };
}

/** The other parts, each with its command line. */
export function nodeParts(
  layout: RealLayout,
  binaries: NodeBinaries,
): Readonly<Record<InnerPart, Part>> {
  const { folder, pki } = layout;
  const inside = <Name extends string>(name: Name, command: string, args: readonly string[]) => ({
    name,
    inside: true,
    command,
    args,
  });
  const balancer = join(import.meta.dirname, "load-balancer.ts");
  const config = (name: string) => ["--config", join(folder, name)];
  return {
    etcd: inside("etcd", binaries.etcd, etcdArguments(layout)),
    containerd: inside("containerd", "containerd", [
      ...config("containerd.toml"),
      "--log-level",
      "warn",
    ]),
    "kube-apiserver": inside(
      "kube-apiserver",
      binaries["kube-apiserver"],
      apiServerArguments(layout),
    ),
    "kube-controller-manager": inside(
      "kube-controller-manager",
      binaries["kube-controller-manager"],
      controllerManagerArguments(layout),
    ),
    "kube-scheduler": inside("kube-scheduler", binaries["kube-scheduler"], [
      ...flags({ kubeconfig: join(pki, "scheduler.conf"), ...ALONE }),
    ]),
    "kube-proxy": inside("kube-proxy", binaries["kube-proxy"], config("proxy.yaml")),
    "load-balancer": inside("load-balancer", process.execPath, [
      balancer,
      join(pki, "load-balancer.conf"),
      BALANCER_PREFIX,
    ]),
    kubelet: inside("kubelet", binaries.kubelet, [
      ...config("kubelet.yaml"),
      ...flags({
        kubeconfig: join(pki, "kubelet.conf"),
        "hostname-override": NODE_NAME,
        "node-ip": NODE_ADDRESS,
        v: "2",
      }),
    ]),
  };
}

/** There is one of each, so nobody has to be elected. */
const ALONE = { "leader-elect": "false", "bind-address": "127.0.0.1" };

function etcdArguments({ folder }: RealLayout): string[] {
  return flags({
    name: "sandbox",
    "data-dir": join(folder, "etcd"),
    "listen-client-urls": ETCD_CLIENT,
    "advertise-client-urls": ETCD_CLIENT,
    "listen-peer-urls": ETCD_PEER,
    "initial-advertise-peer-urls": ETCD_PEER,
    "initial-cluster": `sandbox=${ETCD_PEER}`,
    // The data is thrown away with the sandbox, so waiting for the disk buys nothing.
    "unsafe-no-fsync": "true",
    "log-level": "warn",
  });
}

function apiServerArguments({ folder, logs, pki }: RealLayout): string[] {
  const file = (name: string) => join(pki, name);
  return flags({
    "etcd-servers": ETCD_CLIENT,
    "bind-address": "0.0.0.0",
    "secure-port": String(API_PORT),
    "advertise-address": NODE_ADDRESS,
    "service-cluster-ip-range": SERVICE_RANGE,
    "authorization-mode": "Node,RBAC",
    "enable-admission-plugins": "NodeRestriction",
    "allow-privileged": "true",
    "client-ca-file": file("ca.crt"),
    "tls-cert-file": file("apiserver.crt"),
    "tls-private-key-file": file("apiserver.key"),
    "kubelet-client-certificate": file("apiserver-kubelet-client.crt"),
    "kubelet-client-key": file("apiserver-kubelet-client.key"),
    "kubelet-certificate-authority": file("ca.crt"),
    "kubelet-preferred-address-types": "InternalIP",
    "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
    "service-account-key-file": file("sa.pub"),
    "service-account-signing-key-file": file("sa.key"),
    "requestheader-client-ca-file": file("front-proxy-ca.crt"),
    "requestheader-allowed-names": "front-proxy-client",
    "requestheader-extra-headers-prefix": "X-Remote-Extra-",
    "requestheader-group-headers": "X-Remote-Group",
    "requestheader-username-headers": "X-Remote-User",
    "proxy-client-cert-file": file("front-proxy-client.crt"),
    "proxy-client-key-file": file("front-proxy-client.key"),
    "event-ttl": "24h",
    "audit-policy-file": join(folder, "audit-policy.yaml"),
    "audit-log-path": join(logs, "audit.log"),
  });
}

function controllerManagerArguments({ folder, pki }: RealLayout): string[] {
  const file = (name: string) => join(pki, name);
  return flags({
    kubeconfig: file("controller-manager.conf"),
    ...ALONE,
    "use-service-account-credentials": "true",
    "service-account-private-key-file": file("sa.key"),
    "root-ca-file": file("ca.crt"),
    "cluster-signing-cert-file": file("ca.crt"),
    "cluster-signing-key-file": file("ca.key"),
    "cluster-cidr": CLUSTER_RANGE,
    "service-cluster-ip-range": SERVICE_RANGE,
    "flex-volume-plugin-dir": join(folder, "volume-plugins"),
  });
}

function flags(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}
