import { HELM_RELEASE, judgeCertManager } from "./cert-manager.ts";
import { judgeInjector } from "./istio.ts";
import { judgeKServeConfig, judgeRuntime, RUNTIMES } from "./kserve.ts";
import { judgeKnativeServing, KNATIVE_SERVING } from "./knative.ts";
import { at } from "./uncovered.ts";
import type { Uncovered, Unseen } from "./uncovered.ts";

/**
 * Images that run because of this resource although it does not name them, and that nothing moves to the registry:
 * carried inside an operator, injected into pods, computed by a controller, hidden in an opaque release.
 */
export function uncoveredImages(type: string, props: unknown, unseen: Unseen): Uncovered[] {
  if (KNATIVE_SERVING.test(type)) return judgeKnativeServing(at(props, "spec"), unseen);
  if (RUNTIMES.test(type)) return judgeRuntime(props, unseen);
  if (type === HELM_RELEASE) return judgeCertManager(props, unseen);
  if (type === "kubernetes:core/v1:ConfigMap")
    return [...judgeInjector(props, unseen), ...judgeKServeConfig(props, unseen)];
  return [];
}
