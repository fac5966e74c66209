import type { ResourceValidationPolicy } from "@pulumi/policy";
import { later } from "./later.ts";

const LAYER_TYPE =
  /^kserve-platform:layer:(?:CertManager|GatewayApi|IstioMesh|EnvoyGateway|KnativeServing|KServeCore)$/;
const judgement = later(() => import("./judge-layer.ts"));

/**
 * The compatibility rules once more, on what the engine really sees: each layer's version and the versions of the
 * layers it was built on. Blocks in preview, and stands even if the program no longer checks.
 */
export const compatibilityPolicy: ResourceValidationPolicy = {
  name: "compatibility-layer-versions",
  description:
    "Versions of KServe, Knative, Istio, Envoy Gateway, cert-manager, Gateway API and Kubernetes must go together.",
  enforcementLevel: "mandatory",
  configSchema: {
    properties: {
      allowAcknowledgements: {
        type: "boolean",
        default: true,
        description: "Whether kserve:acknowledge in a stack file can let a rule pass",
      },
    },
  },
  validateResource: async (args, reportViolation) => {
    const loading = judgement();
    if (!LAYER_TYPE.test(args.type)) args.notApplicable("not a layer");
    (await loading).judgeLayer(args, reportViolation);
  },
};
