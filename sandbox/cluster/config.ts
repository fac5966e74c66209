import { stringify } from "yaml";
import type { ClusterPorts } from "./ports.ts";
import type { ClusterToolName } from "../toolchain/tools.ts";

/**
 * Webhooks that charts register point at pods that do not run, and a failing one would refuse every object; so
 * the API server does not ask any. Nothing else of its admission chain is off.
 */
const DISABLED_ADMISSION = "MutatingAdmissionWebhook,ValidatingAdmissionWebhook";

/** What the kwokctl configuration depends on. */
export interface ClusterConfigInput {
  readonly ports: ClusterPorts;
  /** Absolute path of each tool. */
  readonly binaries: Readonly<Record<ClusterToolName, string>>;
}

/**
 * The configuration for `kwokctl create cluster --config`: one document of options, then the stages for kinds that
 * are always there. KWOK's own stages for nodes and pods stay in force because none of ours is for those kinds.
 */
export function clusterConfig(input: ClusterConfigInput, builtInStages: string): string {
  const document = {
    apiVersion: "config.kwok.x-k8s.io/v1alpha1",
    kind: "KwokctlConfiguration",
    options: { ...fixedOptions(), ...input.ports, ...binaryOptions(input.binaries) },
    componentsPatches: componentPatches(),
  };
  return `${stringify(document)}---\n${builtInStages}`;
}

function fixedOptions() {
  return {
    runtime: "binary",
    // Without it every component listens on all interfaces.
    bindAddress: "127.0.0.1",
    securePort: true,
    kubeAuthorization: true,
    kubeAdmission: true,
    quietPull: true,
    // An installer sends hundreds of requests in seconds; the limits would only slow the simulation down.
    disableQPSLimits: true,
  };
}

function binaryOptions(binaries: ClusterConfigInput["binaries"]) {
  return {
    etcdBinary: binaries.etcd,
    kubeApiserverBinary: binaries["kube-apiserver"],
    kubeControllerManagerBinary: binaries["kube-controller-manager"],
    kubeSchedulerBinary: binaries["kube-scheduler"],
    kwokControllerBinary: binaries.kwok,
  };
}

function componentPatches() {
  return [
    {
      name: "kube-apiserver",
      extraArgs: [{ key: "disable-admission-plugins", value: DISABLED_ADMISSION }],
    },
    // The data is thrown away with the sandbox, so waiting for the disk buys nothing.
    { name: "etcd", extraArgs: [{ key: "unsafe-no-fsync", value: "true" }] },
  ];
}
