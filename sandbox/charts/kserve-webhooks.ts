/** Webhook configurations of the KServe stand-in. */
import type { KServe } from "./kserve-images.ts";
import type { KubeObject } from "./model.ts";
import { RELEASE_NAMESPACE, type Webhook, webhookConfiguration } from "./objects.ts";

/** The admission rule for the kind that a configuration `<kind>.serving.kserve.io` is named after. */
export function webhookFor(
  release: KServe,
  configuration: string,
  verb: "validate" | "mutate",
  server: string,
): Webhook {
  const [kind = ""] = configuration.split(".");
  const item = release.crds?.items.find((found) => found.kind.toLowerCase() === kind);
  const version = item?.versions[0] ?? "v1alpha1";
  return {
    name: `${kind}.kserve-webhook-server.${verb === "mutate" ? "defaulter" : "validator"}`,
    service: server,
    path: `/${verb}-serving-kserve-io-${version}-${kind}`,
    rule: {
      groups: ["serving.kserve.io"],
      versions: item?.versions ?? [version],
      resources: [item?.name.split(".")[0] ?? `${kind}s`],
      operations: ["CREATE", "UPDATE"],
    },
  };
}

/** CA injection from a certificate of this release. */
export function injectFrom(name: string): Record<string, string> {
  return { "cert-manager.io/inject-ca-from": `${RELEASE_NAMESPACE}/${name}` };
}

/** All configurations of the controller chart; the mutating one also sees pods. */
export function controllerWebhooks(release: KServe): KubeObject[] {
  const {
    validatingWebhooks,
    mutatingWebhooks,
    webhookService,
    certificate: cert,
  } = release.controller;
  const annotations = injectFrom(cert);
  const pods: Webhook = {
    name: "inferenceservice.kserve-webhook-server.pod-mutator",
    service: webhookService,
    path: "/mutate-pods",
    rule: { groups: [""], versions: ["v1"], resources: ["pods"], operations: ["CREATE"] },
    extra: {
      reinvocationPolicy: "IfNeeded",
      objectSelector: {
        matchExpressions: [{ key: "serving.kserve.io/inferenceservice", operator: "Exists" }],
      },
    },
  };
  return [
    ...mutatingWebhooks.map((name) =>
      webhookConfiguration("Mutating", { name, annotations }, [
        webhookFor(release, name, "mutate", webhookService),
        pods,
      ]),
    ),
    ...validatingWebhooks.map((name) =>
      webhookConfiguration("Validating", { name, annotations }, [
        webhookFor(release, name, "validate", webhookService),
      ]),
    ),
  ];
}
