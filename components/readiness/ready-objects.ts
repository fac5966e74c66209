import type * as pulumi from "@pulumi/pulumi";
import type { ClusterConnection } from "../cluster-connection.ts";
import { awaitReady, digestOf } from "./await-ready.ts";
import { NO_CONTENTS } from "./part.ts";
import type { PartContents, WantedCondition } from "./part.ts";

/** Custom resources that are ready when a condition of each is true. */
export interface ReadyObjects {
  readonly namespace: string;
  readonly objects: readonly pulumi.CustomResource[];
  readonly conditions: readonly WantedCondition[];
  /** What the objects are made from: when it changes, they are waited for again. */
  readonly spec: unknown;
}

/** Waits until custom resources say that they are ready. */
export function awaitObjects(
  name: string,
  { namespace, objects, conditions, spec }: ReadyObjects,
  owner: { readonly parent: pulumi.ComponentResource; readonly connection: ClusterConnection },
): pulumi.Stash {
  const contents = (): Promise<PartContents> => Promise.resolve(NO_CONTENTS);
  const part = { name, namespace, contents, hasWorkloads: false, conditions };
  return awaitReady(name, part, { ...owner, dependsOn: objects, of: { spec: digestOf(spec) } });
}

/** `Ready` of a Certificate of cert-manager. */
export function certificateReady(namespace: string, name: string): WantedCondition {
  const path = `/apis/cert-manager.io/v1/namespaces/${namespace}/certificates/${name}`;
  return { kind: "Certificate", path, condition: "Ready" };
}
