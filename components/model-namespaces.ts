import { Secret } from "@pulumi/kubernetes/core/v1/secret.js";
import { ServiceAccountPatch } from "@pulumi/kubernetes/core/v1/serviceAccountPatch.js";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/schema.ts";

type Registry = NonNullable<Settings["registry"]>;

/** Places the stack's pull secret in a namespace; nothing where the stack has none. */
export function placePullSecret(
  namespace: string,
  registry: Registry | undefined,
  options: pulumi.CustomResourceOptions,
): Secret[] {
  if (registry?.pullSecret === undefined) return [];
  const secret = new Secret(
    `pull-secret-${namespace}`,
    {
      metadata: { name: registry.pullSecret.name, namespace },
      type: "kubernetes.io/dockerconfigjson",
      stringData: { ".dockerconfigjson": dockerConfig(registry.host, registry.pullSecret) },
    },
    options,
  );
  return [secret];
}

/**
 * Lets pods of an existing namespace pull: most of what KServe makes there (predictors without a runtime,
 * transformers, explainers, storage jobs) runs as the service account `default`. The account is the cluster's own, so
 * only its one field is set, and given up again on destroy; somebody else's list of secrets is a conflict, not overwritten.
 */
export function patchDefaultAccount(
  namespace: string,
  secretName: string,
  options: pulumi.CustomResourceOptions,
): ServiceAccountPatch {
  return new ServiceAccountPatch(
    `pull-secret-${namespace}-default`,
    { metadata: { name: "default", namespace }, imagePullSecrets: [{ name: secretName }] },
    options,
  );
}

/** Credentials go to the registry itself only, also where exceptions put images elsewhere. */
function dockerConfig(
  host: string,
  secret: NonNullable<Registry["pullSecret"]>,
): pulumi.Output<string> {
  const { username } = secret;
  const password = secret.password.reveal();
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  return pulumi.secret(JSON.stringify({ auths: { [host]: { username, password, auth } } }));
}
