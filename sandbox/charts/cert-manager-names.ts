/** Names and labels that every object of the cert-manager stand-in uses. */
import type { ReleaseOf } from "./model.ts";

type CertManager = ReleaseOf<"cert-manager">;

/** Full name of the release inside templates. */
export const NAME = "{{ $name }}";
/** Namespace of the release inside templates. */
export const NAMESPACE = "{{ $ns }}";

/** Common labels of a component; `app` differs from `component` for the controller only. */
export function certManagerLabels(release: CertManager, component: string): Record<string, string> {
  const app = component === "controller" ? "cert-manager" : component;
  return {
    app,
    "app.kubernetes.io/name": app,
    "app.kubernetes.io/instance": "{{ .Release.Name }}",
    "app.kubernetes.io/component": component,
    "app.kubernetes.io/version": `v${release.version}`,
    "app.kubernetes.io/managed-by": "{{ .Release.Service }}",
    "helm.sh/chart": `cert-manager-v${release.version}`,
  };
}

/** Hooks of the start-up check run after the install; Pulumi's Chart and `helm template` treat them apart. */
export function hookAnnotations(weight: number): Record<string, string> {
  return {
    "helm.sh/hook": "post-install",
    "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
    "helm.sh/hook-weight": String(weight),
  };
}
