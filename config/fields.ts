/** The kinds of value that keys of a stack file take; each carries the text that a wrong value is answered with. */
import { z } from "zod";
import { isRegistryHost } from "../images/reference.ts";
import { Secret } from "./secret.ts";

/** Version of a product, as the catalog spells it. */
export const version = z
  .string()
  .regex(
    /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/,
    'a full version without leading v, in quotes, like "1.20.2"',
  );

/** Version of a cluster: a minor, or a full version. */
export const kubernetesVersion = z
  .string()
  .regex(/^\d+\.\d+(\.\d+)?$/, 'a Kubernetes version without leading v, in quotes, like "1.34"');

/** RFC 1123 label, the form of namespaces and secret names. */
export const dnsLabel = z
  .string()
  .regex(
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
    "lower-case letters, digits and dashes, at most 63 (RFC 1123)",
  );

/** RFC 1123 subdomain, the form of domains and of most object names. */
export const dnsName = z
  .string()
  .regex(
    /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    "a DNS name (RFC 1123)",
  );

/** Amount of a resource, as Kubernetes writes it. */
export const quantity = z
  .string()
  .regex(/^\d+(\.\d+)?(m|[kMGTPE]i?)?$/, 'a Kubernetes quantity, like "500m" or "2Gi"');

/** Value that must be a Pulumi secret. */
export const secret = z.instanceof(Secret, {
  error: "a Pulumi secret: `pulumi config set --secret --path 'kserve:<path>'`",
});

/** Certificates as PEM text. */
export const pem = z.string().regex(/-----BEGIN CERTIFICATE-----/, "a PEM certificate");

/** Address of a registry. */
export const registryHost = z
  .string()
  .refine(
    isRegistryHost,
    'a registry address as host[:port], no scheme, no path, like "10.61.3.31:35000"',
  );

/** Pods of one Deployment; the upper end only stops typing errors. */
export const replicas = z.int().min(1).max(50);

const amounts = z.strictObject({ cpu: quantity.optional(), memory: quantity.optional() });

/** Requests and limits of a container. */
export const resources = z
  .strictObject({ requests: amounts.optional(), limits: amounts.optional() })
  .describe("Kubernetes resource requests and limits of the layer's main container");

/** Chart values that nothing checks. */
export const values = z
  .record(z.string(), z.unknown())
  .describe(
    "Escape hatch: chart values (or spec of the resource) merged last, over everything this program sets",
  );

/** Keys of every layer that runs pods. */
export const workload = {
  replicas: replicas.optional(),
  resources: resources.optional(),
  values: values.default({}),
};

/** Pods that traffic enters through, and the Service before them. */
export const gatewayPods = z.strictObject({
  replicas: replicas.default(1),
  resources: resources.optional(),
  serviceType: z.enum(["LoadBalancer", "NodePort", "ClusterIP"]).default("LoadBalancer"),
});
