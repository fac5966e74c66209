/** The controllers beside KServe's own: LLMInferenceService and the local model cache. */
import { llmPullSecrets, workloadDocs } from "./kserve-controller.ts";
import { type KServe, isSplit, workloadsOf } from "./kserve-images.ts";
import { certificate, inNamespace, selectorOf, selfSignedIssuer } from "./kserve-objects.ts";
import { injectFrom, webhookFor } from "./kserve-webhooks.ts";
import type { Doc, KubeObject, OptionalValue } from "./model.ts";
import {
  RELEASE_NAMESPACE,
  binding,
  role,
  rule,
  service,
  serviceAccount,
  webhookConfiguration,
} from "./objects.ts";

type Side = "llm" | "local-model";

/** Secrets that the webhook servers read their certificates from (upstream's Certificate objects name them). */
const SECRETS: Readonly<Record<Side, string>> = {
  llm: "llmisvc-webhook-server-cert",
  "local-model": "localmodel-webhook-server-cert",
};

/** Everything of a side controller's own chart; nothing where the release has none. */
export function sideDocs(release: KServe, name: Side): Doc[] {
  const names = name === "llm" ? release.llm?.controller : release.localModel?.controller;
  if (names?.certificate === undefined) return [];
  const { deployment, certificate: cert, webhookService: server } = names;
  const images = release.images.filter((image) => image.chart === name);
  const accounts = [...new Set(workloadsOf(images).map((used) => used.workload))];
  const issuer = isSplit(release) ? "selfsigned-issuer" : "llmisvc-selfsigned-issuer";
  const annotations = injectFrom(cert);
  const metrics = service(inNamespace(`${deployment}-service`), selectorOf(deployment), [
    { port: 8443 },
  ]);
  const objects = [
    ...(isSplit(release) ? [] : [selfSignedIssuer(issuer)]),
    ...accounts.flatMap((account) =>
      rights(account, name === "llm" ? llmPullSecrets(release) : undefined),
    ),
    ...workloadDocs(release, images),
    service(inNamespace(server), { "control-plane": deployment }, [
      { port: 443, targetPort: "webhook-server" },
    ]),
    certificate(cert, server, SECRETS[name], issuer),
    ...names.validatingWebhooks.map((webhook) =>
      webhookConfiguration("Validating", { name: webhook, annotations }, [
        webhookFor(release, webhook, "validate", server),
      ]),
    ),
    ...names.mutatingWebhooks.map((webhook) =>
      webhookConfiguration("Mutating", { name: webhook, annotations }, [
        webhookFor(release, webhook, "mutate", server),
      ]),
    ),
    ...(name === "llm" ? [metrics] : []),
  ];
  return objects.map((object) => ({ object }));
}

/** Account, role and binding of a controller. */
export function rights(account: string, pullSecrets?: OptionalValue): KubeObject[] {
  const roleName = `${account}-role`;
  const verbs = "get,list,watch,create,update,patch,delete";
  return [
    serviceAccount(inNamespace(account), pullSecrets),
    role({ name: roleName }, [rule("serving.kserve.io", "*", verbs)]),
    binding({ name: `${account}-rolebinding` }, roleName, {
      name: account,
      namespace: RELEASE_NAMESPACE,
    }),
  ];
}

/** Up to 0.16 the local-model controller sits in the controller chart, with the namespace of its jobs. */
export function embeddedLocalModel(release: KServe): Doc[] {
  const path = release.values.keys["localModelEnabled"];
  const images = release.images.filter(
    (image) => image.chart === "controller" && image.optional === "local-model",
  );
  const names = [...new Set(workloadsOf(images).map((used) => used.workload))];
  if (path === undefined || names.length === 0) return [];
  const namespace = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "kserve-localmodel-jobs" },
  };
  const objects = [
    namespace,
    ...names.flatMap((name) => rights(name)),
    ...workloadDocs(release, images),
  ];
  return objects.map((object) => ({ object, when: `.Values.${path}` }));
}

/**
 * The controller chart of 0.16 brings the LLM kinds' webhooks, too, and points them at KServe's own server
 * (kserve/kserve@v0.16.0:charts/kserve-resources/templates/webhookconfiguration.yaml).
 */
export function doubledWebhooks(release: KServe): KubeObject[] {
  const { certificate: cert, webhookService } = release.controller;
  const { leaveOut = [] } = release.charts.find(({ role: found }) => found === "controller") ?? {};
  return leaveOut.flatMap((object) => {
    const [kind, name = ""] = object.split("/");
    if (kind !== "ValidatingWebhookConfiguration") return [];
    const webhook = webhookFor(release, name, "validate", webhookService);
    return [webhookConfiguration("Validating", { name, annotations: injectFrom(cert) }, [webhook])];
  });
}
