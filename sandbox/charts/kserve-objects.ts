/** Objects that several charts of the KServe stand-in share. */
import { inferenceServiceConfig } from "./kserve-config.ts";
import { type KServe, imageNamed, imageText } from "./kserve-images.ts";
import { type Doc, type KubeObject, optional } from "./model.ts";
import { RELEASE_NAMESPACE } from "./objects.ts";

/** Resources of KServe's own processes (charts/kserve-resources/values.yaml). */
export const RESOURCES = {
  limits: { cpu: "100m", memory: "300Mi" },
  requests: { cpu: "100m", memory: "300Mi" },
};

/** Metadata of a namespaced object. */
export function inNamespace(
  name: string,
  labels?: Record<string, string>,
): { name: string; namespace: string; labels?: Record<string, string> } {
  return { name, namespace: RELEASE_NAMESPACE, ...(labels ? { labels } : {}) };
}

/** Labels that Services and the Deployment of a KServe process share. */
export function selectorOf(name: string): Record<string, string> {
  return { "control-plane": name, "controller-tools.k8s.io": "1.0" };
}

/** `.Values.<path>` of a logical key, if this release has it. */
export function valueOf(release: KServe, key: string): string | undefined {
  const path = release.values.keys[key];
  return path === undefined ? undefined : `.Values.${path}`;
}

/** The same as a field that is left out when it is empty. */
export function optionalValue(
  release: KServe,
  key: string,
): ReturnType<typeof optional> | undefined {
  const value = valueOf(release, key);
  return value === undefined ? undefined : optional(value);
}

/** A self-signed certificate for a webhook service; its secret is named after the service. */
export function certificate(
  name: string,
  serviceName: string,
  secretName: string,
  issuer = "selfsigned-issuer",
): KubeObject {
  const dns = `${serviceName}.${RELEASE_NAMESPACE}.svc`;
  const spec = {
    commonName: dns,
    dnsNames: [dns],
    issuerRef: { kind: "Issuer", name: issuer },
    secretName,
  };
  return {
    apiVersion: "cert-manager.io/v1",
    kind: "Certificate",
    metadata: inNamespace(name),
    spec,
  };
}

/** An issuer that signs its own certificates. */
export function selfSignedIssuer(name = "selfsigned-issuer"): KubeObject {
  return {
    apiVersion: "cert-manager.io/v1",
    kind: "Issuer",
    metadata: inNamespace(name),
    spec: { selfSigned: {} },
  };
}

/** Objects that two charts of one release may carry; the second one leaves them out by a value. */
export function sharedDocs(release: KServe): Doc[] {
  const when = valueOf(release, "createSharedResources");
  const storage =
    release.images.find((image) => image.usedBy.startsWith("ClusterStorageContainer/")) ??
    imageNamed(release, "storage-initializer");
  const known =
    release.crds?.items.some((item) => item.kind === "ClusterStorageContainer") ?? false;
  const objects: KubeObject[] = [selfSignedIssuer(), inferenceServiceConfig(release)];
  if (known && storage) {
    const spec = {
      container: {
        name: "storage-initializer",
        image: imageText(release, storage),
        resources: RESOURCES,
      },
      supportedUriFormats: [
        { prefix: "gs://" },
        { prefix: "s3://" },
        { prefix: "hf://" },
        { regex: "https?://(.+)/(.+)" },
      ],
      workloadType: "initContainer",
    };
    objects.push({
      apiVersion: "serving.kserve.io/v1alpha1",
      kind: "ClusterStorageContainer",
      metadata: { name: "default" },
      spec,
    });
  }
  return objects.map((object) => ({ object, ...(when === undefined ? {} : { when }) }));
}

/** Its name and class are fixed upstream (templates/ingress_gateway.yaml). */
export function gatewayDocs(release: KServe): Doc[] {
  const [enable, create] = [
    valueOf(release, "enableGatewayApi"),
    valueOf(release, "createGateway"),
  ];
  if (enable === undefined || create === undefined) return [];
  const listeners = [
    { name: "http", port: 80, protocol: "HTTP", allowedRoutes: { namespaces: { from: "All" } } },
  ];
  const metadata = inNamespace("kserve-ingress-gateway");
  const object = {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata,
    spec: { gatewayClassName: "envoy", listeners },
  };
  return [{ object, when: `and ${enable} ${create}` }];
}
