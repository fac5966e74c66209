import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import { PersistentVolumeClaim } from "@pulumi/kubernetes/core/v1/persistentVolumeClaim.js";
import type * as pulumi from "@pulumi/pulumi";
import { STORAGE_CA_NAME, storageCa } from "../../plan/values/kserve.ts";
import { childOf } from "../layer.ts";
import type { KServeStep } from "./step.ts";

/** The storage container that resolves model-registry URIs, where the stack asks for one. */
export function createModelRegistry(step: KServeStep, controller: pulumi.Stash): void {
  const registry = step.plan.settings.features.modelRegistry;
  if (registry === undefined) return;
  new CustomResource(
    `${step.name}-model-registry`,
    {
      apiVersion: "serving.kserve.io/v1alpha1",
      kind: "ClusterStorageContainer",
      metadata: { name: "model-registry" },
      spec: {
        container: {
          name: "storage-initializer",
          image: step.plan.imageMap.target(registry.image),
        },
        supportedUriFormats: registry.supportedUriFormats.map((regex) => ({ regex })),
      },
    },
    childOf(step.parent, step.providers, { dependsOn: [controller] }),
  );
}

/** The volume for models kept on a volume, where the stack names a storage class. */
export function createModelVolume(step: KServeStep): void {
  const { storage, namespaces } = step.plan.settings;
  if (storage === undefined) return;
  new PersistentVolumeClaim(
    `${step.name}-models`,
    {
      // Bound when the first pod uses it, with most storage classes; an install must not wait for that.
      metadata: {
        name: "kserve-models",
        namespace: namespaces.kserve,
        annotations: { "pulumi.com/skipAwait": "true" },
      },
      spec: {
        accessModes: ["ReadWriteMany"],
        storageClassName: storage.className,
        resources: { requests: { storage: storage.size } },
      },
    },
    childOf(step.parent, step.providers),
  );
}

/**
 * Certificates that the storage initializer trusts, where there are any. KServe copies the ConfigMap into every
 * namespace with models, and wants the key of exactly this name.
 */
export function createStorageTrust(step: KServeStep): ConfigMap[] {
  const { settings } = step.plan;
  const ca = storageCa(step.release, settings);
  if (ca === undefined) return [];
  const metadata = { name: STORAGE_CA_NAME, namespace: settings.namespaces.kserve };
  return [
    new ConfigMap(
      `${step.name}-storage-ca`,
      { metadata, data: { "cabundle.crt": ca } },
      childOf(step.parent, step.providers),
    ),
  ];
}
