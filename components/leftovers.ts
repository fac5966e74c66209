import * as pulumi from "@pulumi/pulumi";
import { setTimeout as sleep } from "node:timers/promises";
import type { LayerName, Plan } from "../plan/plan.ts";
import { findLayer, getChart } from "../plan/plan.ts";
import type { Answer, ClusterApi } from "./cluster-api.ts";
import { untilDrained } from "./draining.ts";
import { layerType } from "./layer.ts";
import type { Providers } from "./layer.ts";

type Api = Pick<ClusterApi, "get" | "delete">;

/** Milliseconds in which a controller that was told to end gives up its leases. */
const ENDING = 30_000;
const POLL = 1_000;

/**
 * ConfigMaps that istiod writes into every namespace, and that nothing owns: its root certificate, and from 1.27 on a list
 * of revoked ones (istio/istio@1.28.10:pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go).
 */
const ISTIO_MAPS: readonly WrittenMaps[] = [
  { name: "istio-ca-root-cert", key: "root-cert.pem", label: "istio.io/config=true" },
  { name: "istio-ca-crl", key: "ca-crl.pem", label: "istio.io/config=true" },
];

/**
 * ConfigMap that KServe's controller writes into every namespace with an InferenceService where the stack has a CA for
 * storage; it has no label and no owner
 * (kserve/kserve@v0.20.0:pkg/controller/v1beta1/inferenceservice/reconcilers/cabundleconfigmap/cabundle_configmap_reconciler.go).
 */
const KSERVE_MAP: WrittenMaps = { name: "global-ca-bundle", key: "cabundle.crt" };
/** Name of KServe's controller among the writers of an object: that of its program (kserve/kserve@v0.20.0:Dockerfile). */
const KSERVE_MANAGER = "manager";

/**
 * Gateway classes that istiod makes where it finds Gateway API
 * (istio/istio@1.28.10:pilot/pkg/config/kube/gateway/gatewayclass.go), and its name among the writers of an object.
 */
const ISTIO_CLASSES = ["istio", "istio-remote", "istio-waypoint"];
const ISTIOD = "pilot-discovery";
const GATEWAY_CLASSES = "/apis/gateway.networking.k8s.io/v1/gatewayclasses";

/**
 * Leases by which cert-manager's pods agree on a leader, in a namespace that is not theirs
 * (cert-manager/cert-manager@v1.21.1:deploy/charts/cert-manager/templates/rbac.yaml, cainjector-rbac.yaml, values.yaml).
 */
const CERT_MANAGER_LEASES = [
  "cert-manager-controller",
  "cert-manager-cainjector-leader-election",
  "cert-manager-cainjector-leader-election-core",
];
const CERT_MANAGER_LEASE_NAMESPACE = "kube-system";

/** ConfigMaps of one name that a controller writes into many namespaces. */
interface WrittenMaps {
  readonly name: string;
  /** The only key in it; with others it is somebody's own. */
  readonly key: string;
  /** Only those with this label. */
  readonly label?: string;
}

interface Meta {
  readonly name: string;
  readonly namespace?: string;
  readonly managedFields?: readonly { readonly manager?: string }[];
}

interface ConfigMap {
  readonly metadata: Meta;
  readonly data?: Readonly<Record<string, string>>;
}

interface GatewayClass {
  readonly metadata: Meta;
  readonly spec: { readonly controllerName: string };
}

interface Lease {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly renewTime?: string;
    readonly leaseDurationSeconds?: number;
  };
}

/**
 * Takes away what controllers have written by themselves and nobody owns. An entry in the state for each layer that
 * leaves something, which the layer stands on: it is there before the layer and goes after it, and then a hook sweeps.
 */
export class Leftovers extends pulumi.ComponentResource {
  readonly #parts = new Map<LayerName, pulumi.Resource>();

  constructor(name: string, args: { readonly plan: Plan; readonly providers: Providers }) {
    super(layerType("Leftovers"), name, {});
    const { plan, providers } = args;
    // Registered in every run: a layer that goes away in `pulumi up` still has to find its own.
    const hook = new pulumi.ResourceHook("sweep", async (call) => {
      const { input } = call.oldInputs as { readonly input: Partial<Swept> };
      await sweep(await providers.connection.open(), input);
    });
    for (const [layer, input] of sweptBy(plan))
      this.#parts.set(
        layer,
        new pulumi.Stash(
          `${name}-${layer}`,
          { input },
          { parent: this, hooks: { afterDelete: [hook] } },
        ),
      );
    this.registerOutputs({});
  }

  /** What a layer comes after; nothing where it leaves nothing behind. */
  of(layer: LayerName): pulumi.Resource[] {
    const part = this.#parts.get(layer);
    return part === undefined ? [] : [part];
  }
}

/** What is swept for a layer; kept in the state. */
interface Swept {
  readonly of: "istiod" | "cert-manager" | "kserve";
  /** Where the leases are, or istiod. */
  readonly namespace?: string;
}

function sweptBy(plan: Plan): [LayerName, Swept][] {
  const certManager = findLayer(plan, "CertManager");
  const istio = findLayer(plan, "IstioMesh");
  const { global } = (
    certManager === undefined ? {} : getChart(certManager, "controller").values
  ) as {
    readonly global?: { readonly leaderElection?: { readonly namespace?: string } };
  };
  const namespace = global?.leaderElection?.namespace ?? CERT_MANAGER_LEASE_NAMESPACE;
  return [
    ...(certManager === undefined
      ? []
      : [["CertManager", { of: "cert-manager", namespace }] as [LayerName, Swept]]),
    ...(istio === undefined
      ? []
      : [
          ["IstioMesh", { of: "istiod", namespace: plan.settings.namespaces.istio }] as [
            LayerName,
            Swept,
          ],
        ]),
    ["KServeCore", { of: "kserve" }],
  ];
}

async function sweep(api: Api, { of, namespace }: Partial<Swept>): Promise<void> {
  if (of === "istiod") {
    // While one lives, it writes again what is taken away.
    if (namespace !== undefined) await untilDrained(api, namespace);
    await sweepIstio(api);
  }
  if (of === "cert-manager") await sweepCertManager(api, namespace ?? CERT_MANAGER_LEASE_NAMESPACE);
  if (of === "kserve") await sweepKServe(api);
}

/** Removes what istiod has written: its ConfigMaps in every namespace, and its Gateway classes. */
export async function sweepIstio(api: Api): Promise<void> {
  for (const maps of ISTIO_MAPS) await removeMaps(api, await findMaps(api, maps));
  const classes = itemsOf<GatewayClass>(await api.get(GATEWAY_CLASSES));
  for (const { metadata } of classes.filter(isIstiods))
    await api.delete(`${GATEWAY_CLASSES}/${metadata.name}`);
}

/** Removes the CA that KServe's controller has copied next to models; a copy that somebody has changed stays. */
export async function sweepKServe(api: Api): Promise<void> {
  const maps = await findMaps(api, KSERVE_MAP);
  await removeMaps(
    api,
    maps.filter(({ metadata }) => isWrittenBy(metadata, KSERVE_MANAGER)),
  );
}

async function findMaps(api: Api, { name, key, label }: WrittenMaps): Promise<ConfigMap[]> {
  const selectors = [
    ...(label === undefined ? [] : [`labelSelector=${encodeURIComponent(label)}`]),
    `fieldSelector=${encodeURIComponent(`metadata.name=${name}`)}`,
  ];
  const maps = itemsOf<ConfigMap>(await api.get(`/api/v1/configmaps?${selectors.join("&")}`));
  return maps.filter(
    ({ metadata, data = {} }) => metadata.name === name && Object.keys(data).join() === key,
  );
}

async function removeMaps(api: Api, maps: readonly ConfigMap[]): Promise<void> {
  for (const { metadata } of maps)
    await api.delete(`/api/v1/namespaces/${metadata.namespace ?? ""}/configmaps/${metadata.name}`);
}

/** Removes cert-manager's leases once nobody holds them: another cert-manager of the cluster would be the one that does. */
export async function sweepCertManager(
  api: Api,
  namespace: string,
  ending = ENDING,
): Promise<void> {
  const until = Date.now() + ending;
  await Promise.all(
    CERT_MANAGER_LEASES.map(async (name) => {
      const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}`;
      if (await isGivenUp(api, path, until)) await api.delete(path);
    }),
  );
}

function isIstiods({ metadata, spec }: GatewayClass): boolean {
  return (
    ISTIO_CLASSES.includes(metadata.name) &&
    spec.controllerName.startsWith("istio.io/") &&
    isWrittenBy(metadata, ISTIOD)
  );
}

function isWrittenBy({ managedFields = [] }: Meta, writer: string): boolean {
  return managedFields.length > 0 && managedFields.every(({ manager }) => manager === writer);
}

async function isGivenUp(api: Api, path: string, until: number): Promise<boolean> {
  for (;;) {
    const { status, body } = await api.get(path);
    if (status !== 200) return false;
    const { spec = {} } = body as Lease;
    if (!isHeld(spec)) return true;
    if (Date.now() >= until) return false;
    await sleep(POLL);
  }
}

function isHeld({
  holderIdentity = "",
  renewTime = "",
  leaseDurationSeconds = 0,
}: NonNullable<Lease["spec"]>): boolean {
  const lapses = Date.parse(renewTime) + leaseDurationSeconds * 1000;
  return holderIdentity !== "" && !(lapses < Date.now());
}

/** Objects of a list; none where the kind or the right to see it is missing: what is left then is not worth a failure. */
function itemsOf<T>({ status, body }: Answer): readonly T[] {
  return status === 200 ? ((body as { readonly items?: readonly T[] }).items ?? []) : [];
}
