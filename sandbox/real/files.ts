import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import {
  CLUSTER_DOMAIN,
  CLUSTER_RANGE,
  DNS_SERVICE,
  NODE_ADDRESS,
  NODE_NAME,
  POD_RANGE,
} from "./addresses.ts";
import type { RealLayout } from "./layout.ts";
import type { NodePrograms } from "./packages.ts";

/** Folders below a node's own that its programs expect. */
const FOLDERS = [
  "logs",
  "pids",
  "sockets",
  "etcd",
  "containerd",
  "kubelet",
  "cni",
  "certs.d",
  "volume-plugins",
  "opt",
  "log/pods",
  "log/containers",
];

/**
 * What the kubelet wants of the kernel. These are global, so they are not set: the node gets files with the wanted
 * values in place of the settings (kubernetes@v1.34.3:pkg/kubelet/cm/container_manager_linux.go, setupKernelTunables).
 */
const TUNABLES: Readonly<Record<string, number>> = {
  "vm.overcommit_memory": 1,
  "vm.panic_on_oom": 0,
  "kernel.panic": 10,
  "kernel.panic_on_oops": 1,
  "kernel.keys.root_maxkeys": 1_000_000,
  "kernel.keys.root_maxbytes": 25_000_000,
};

/** What the configuration depends on. */
export interface NodeConfig {
  readonly layout: RealLayout;
  readonly programs: NodePrograms;
  /** Full name of the image that holds a pod's namespaces. */
  readonly pause: string;
}

/**
 * Writes the configuration of every part. Files that are as they should be are left alone: kube-proxy ends when its own is
 * written, even with the same content (kubernetes@v1.34.3:cmd/kube-proxy/app/options.go, eventHandler).
 */
export async function writeFiles(config: NodeConfig): Promise<void> {
  const { folder } = config.layout;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of FOLDERS) await mkdir(join(folder, name), { recursive: true });
  for (const [name, text] of Object.entries(nodeFiles(config))) {
    const file = join(folder, name);
    if ((await readFile(file, "utf8").catch(() => undefined)) === text) continue;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

/** Every file by its name below the node's folder. */
export function nodeFiles(config: NodeConfig): Readonly<Record<string, string>> {
  const tunables = Object.entries(TUNABLES).map(([name, wanted]) => [
    `tunables/${name}`,
    `${wanted}\n`,
  ]);
  return {
    ...(Object.fromEntries(tunables) as Record<string, string>),
    // No way out, so no name servers outside.
    "resolv.conf": "",
    "containerd.toml": containerdConfig(config),
    "cni/10-sandbox.conflist": `${JSON.stringify(NETWORK, undefined, 2)}\n`,
    "kubelet.yaml": stringify(kubeletConfig(config.layout)),
    "proxy.yaml": stringify(proxyConfig(config.layout)),
    "audit-policy.yaml": stringify(AUDIT_POLICY),
  };
}

/** Keys: containerd@v1.6.20:docs/cri/config.md. Version 2 of the file is read by containerd 1 and 2. */
function containerdConfig({ layout: { folder }, programs, pause }: NodeConfig): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  const snapshotters = ["aufs", "btrfs", "devmapper", "zfs"];
  const disabled = snapshotters.map((name) => `io.containerd.snapshotter.v1.${name}`);
  const tables: [string, Readonly<Record<string, unknown>>][] = [
    ["grpc", { address: "/run/containerd/containerd.sock" }],
    ['plugins."io.containerd.internal.v1.opt"', { path: join(folder, "opt") }],
    [
      cri,
      {
        sandbox_image: pause,
        disable_tcp_service: true,
        stream_server_address: "127.0.0.1",
        // Profiles are loaded into the kernel, where the host would see them.
        disable_apparmor: true,
        // Root in a container may lack CAP_SYS_RESOURCE; then nobody may lower an oom_score_adj, and runc fails where it has to.
        restrict_oom_score_adj: true,
      },
    ],
    [`${cri}.containerd`, { snapshotter: "overlayfs", default_runtime_name: "runc" }],
    [`${cri}.containerd.runtimes.runc`, { runtime_type: "io.containerd.runc.v2" }],
    [
      `${cri}.containerd.runtimes.runc.options`,
      { BinaryName: programs.runc, SystemdCgroup: false },
    ],
    [`${cri}.cni`, { bin_dir: programs.plugins, conf_dir: join(folder, "cni") }],
    [`${cri}.registry`, { config_path: join(folder, "certs.d") }],
  ];
  const head = toml({
    version: 2,
    root: join(folder, "containerd"),
    state: "/run/containerd",
    disabled_plugins: disabled,
  });
  return head + tables.map(([name, values]) => `[${name}]\n${toml(values)}`).join("");
}

/** JSON's strings, numbers, booleans and lists of them are TOML's as well. */
function toml(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
    .join("");
}

/** One bridge for all pods; traffic between pods and Services needs no translation of addresses on the way out. */
const NETWORK = {
  cniVersion: "0.4.0",
  name: "sandbox",
  plugins: [
    {
      type: "bridge",
      bridge: "cni0",
      isGateway: true,
      ipMasq: false,
      hairpinMode: true,
      ipam: {
        type: "host-local",
        // Gone with the namespaces, as the pods' networks are.
        dataDir: "/run/cni-ipam",
        ranges: [[{ subnet: POD_RANGE }]],
        routes: [{ dst: "0.0.0.0/0" }],
      },
    },
    { type: "portmap", capabilities: { portMappings: true } },
  ],
};

function kubeletConfig({ folder, pki, cgroup }: RealLayout) {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(pki, "ca.crt") },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: join(pki, "kubelet-server.crt"),
    tlsPrivateKeyFile: join(pki, "kubelet-server.key"),
    address: NODE_ADDRESS,
    healthzBindAddress: "127.0.0.1",
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${cgroup}`,
    // 1.34 still takes version 1, but wants to be asked.
    failCgroupV1: false,
    failSwapOn: false,
    containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
    clusterDNS: [DNS_SERVICE],
    clusterDomain: CLUSTER_DOMAIN,
    resolvConf: join(folder, "resolv.conf"),
    volumePluginDir: join(folder, "volume-plugins"),
    // The images of the node itself cannot be pulled again: collect none, and evict for a really full disk only.
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    evictionHard: {
      "memory.available": "200Mi",
      "nodefs.available": "1Gi",
      "imagefs.available": "1Gi",
      "nodefs.inodesFree": "1%",
    },
    maxPods: 110,
    registryPullQPS: 0,
    serializeImagePulls: false,
    nodeStatusUpdateFrequency: "10s",
  };
}

function proxyConfig({ pki }: RealLayout) {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig: join(pki, "proxy.conf") },
    mode: "nftables",
    clusterCIDR: CLUSTER_RANGE,
    hostnameOverride: NODE_NAME,
    healthzBindAddress: "127.0.0.1:10256",
    metricsBindAddress: "127.0.0.1:10249",
    // Global to the kernel, and not writable outside its first network namespace: zero leaves them alone.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    nftables: { syncPeriod: "30s", minSyncPeriod: "0s" },
  };
}

/** Who asked for what and what became of it, without contents; health checks and leases would fill the log. */
const AUDIT_POLICY = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    { level: "None", nonResourceURLs: ["/healthz*", "/livez*", "/readyz*"] },
    { level: "None", resources: [{ group: "coordination.k8s.io", resources: ["leases"] }] },
    { level: "Metadata" },
  ],
};
