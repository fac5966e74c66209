import { stringify } from "yaml";
import { PROJECT_ROOT } from "../config/project-root.ts";
import { GATEWAY_NAME } from "../plan/values/kserve.ts";
import { findLayer } from "../plan/plan.ts";
import type { Plan, PlannedChart, PlannedLayer } from "../plan/plan.ts";
import { existsSync } from "node:fs";
import { resolve } from "node:path";

/** One step of the script that people have: shell lines to install, to change and to take away again. */
interface Step {
  readonly install: readonly string[];
  readonly uninstall: readonly string[];
}

/** The script, and the files that it reads. */
export interface HelmScript {
  readonly install: string;
  /** Upgrade of the one chart that the changed value belongs to. */
  readonly change: string;
  readonly uninstall: string;
  /** Content by file name, below the folder that the script runs in. */
  readonly files: Readonly<Record<string, string>>;
}

/** Longest wait of one command; a run that needs it has failed. */
const TIMEOUT = "300s";

/**
 * `kubectl apply` and `helm install --wait`, one after another, as KServe's own quick install does it
 * (kserve/kserve@v0.20.0:hack/setup), with the charts, values and objects of a plan. Objects that this program adds
 * beside the charts are applied and waited for where it waits for them.
 */
export function helmScript(plan: Plan): HelmScript {
  const files: Record<string, string> = {};
  const writer = new StepWriter(plan, files);
  const steps = [...writer.steps()];
  const lines = (of: (step: Step) => readonly string[], order: readonly Step[]): string =>
    ["set -euo pipefail", ...order.flatMap(of), ""].join("\n");
  const namespaces = [...new Set(plan.layers.flatMap((layer) => layer.namespaces))];
  const remove: Step = {
    install: [],
    uninstall: [
      `kubectl delete namespace --ignore-not-found --timeout=${TIMEOUT} ${namespaces.join(" ")}`,
    ],
  };
  return {
    install: lines((step) => step.install, steps),
    change: lines((step) => step.install, [writer.change()]),
    uninstall: lines((step) => step.uninstall, [...steps.toReversed(), remove]),
    files,
  };
}

class StepWriter {
  readonly #plan: Plan;
  readonly #files: Record<string, string>;

  constructor(plan: Plan, files: Record<string, string>) {
    this.#plan = plan;
    this.#files = files;
  }

  *steps(): Generator<Step> {
    for (const layer of this.#plan.layers) {
      for (const file of layer.manifests)
        yield {
          install: [`kubectl apply --server-side -f ${resolve(PROJECT_ROOT, file.location)}`],
          uninstall: [],
        };
      for (const chart of layer.charts) yield this.#chart(layer, chart);
      yield* this.#objects(layer);
    }
  }

  change(): Step {
    const layer = this.#plan.layers.find(({ name }) => name === "CertManager");
    const [chart] = layer?.charts ?? [];
    if (layer === undefined || chart === undefined) throw new Error("no cert-manager in the plan");
    return this.#chart(layer, chart, "upgrade");
  }

  #chart(layer: PlannedLayer, chart: PlannedChart, verb = "install"): Step {
    const values = `${chart.name}.values.yaml`;
    const namespace = layer.namespaces[0] ?? "default";
    const crds = layer.name === "CertManager" ? { crds: { enabled: true, keep: true } } : {};
    this.#files[values] = stringify({ ...chart.values, ...crds });
    const create = verb === "install" ? "--create-namespace " : "";
    return {
      install: [
        `helm ${verb} ${chart.name} ${source(chart)} --namespace ${namespace} ${create}--values ${values} --wait --timeout ${TIMEOUT}`,
      ],
      uninstall: [
        `helm uninstall ${chart.name} --namespace ${namespace} --wait --timeout ${TIMEOUT}`,
      ],
    };
  }

  *#objects(layer: PlannedLayer): Generator<Step> {
    const { namespaces } = this.#plan.settings;
    if (layer.name === "IstioMesh" && this.#plan.settings.mode === "Serverless")
      yield this.#applied(
        "ingress-gateway",
        [ingressGateway(namespaces.istio)],
        [
          `deployment/istio-ingressgateway --namespace ${namespaces.istio} --for=condition=Available`,
        ],
      );
    if (layer.name === "KnativeServing")
      yield this.#applied(
        "knative-serving",
        [namespaceObject(namespaces.knativeServing), knativeServing(this.#plan)],
        [
          `knativeserving/knative-serving --namespace ${namespaces.knativeServing} --for=condition=Ready`,
        ],
      );
    if (
      layer.name === "KServeCore" &&
      findLayer(this.#plan, "GatewayApi") !== undefined &&
      this.#plan.ingress.gateway
    )
      yield this.#applied("gateway", gatewayObjects(this.#plan), [
        `certificate/${TLS} --namespace ${namespaces.kserve} --for=condition=Ready`,
      ]);
  }

  #applied(name: string, objects: readonly object[], waits: readonly string[]): Step {
    const file = `${name}.yaml`;
    this.#files[file] = objects.map((object) => stringify(object)).join("---\n");
    return {
      install: [
        `kubectl apply -f ${file}`,
        ...waits.map((what) => `kubectl wait ${what} --timeout=${TIMEOUT}`),
      ],
      uninstall: [`kubectl delete -f ${file} --ignore-not-found --timeout=${TIMEOUT}`],
    };
  }
}

const TLS = "kserve-ingress-tls";

function source({ location }: PlannedChart): string {
  if (location.version === undefined) {
    const path = resolve(PROJECT_ROOT, location.chart);
    return existsSync(path) ? path : `${path}.tgz`;
  }
  const repo = location.repo === undefined ? "" : ` --repo ${location.repo}`;
  return `${location.chart} --version ${location.version}${repo}`;
}

function namespaceObject(name: string): object {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}

function knativeServing(plan: Plan): object {
  return {
    apiVersion: "operator.knative.dev/v1beta1",
    kind: "KnativeServing",
    metadata: { name: "knative-serving", namespace: plan.settings.namespaces.knativeServing },
    spec: plan.knativeServing,
  };
}

/** The Deployment of Istio's gateway chart in its smallest form; its Service and rights weigh nothing here. */
function ingressGateway(namespace: string): object {
  const labels = { app: "istio-ingressgateway", istio: "ingressgateway" };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "istio-ingressgateway", namespace, labels },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels: { ...labels, "sidecar.istio.io/inject": "true" } },
        spec: { containers: [{ name: "istio-proxy", image: "auto" }] },
      },
    },
  };
}

function gatewayObjects(plan: Plan): object[] {
  const namespace = plan.settings.namespaces.kserve;
  const { className, controllerName } = plan.ingress;
  const issuer = "kserve-ingress-selfsigned";
  return [
    {
      apiVersion: "cert-manager.io/v1",
      kind: "Issuer",
      metadata: { name: issuer, namespace },
      spec: { selfSigned: {} },
    },
    {
      apiVersion: "cert-manager.io/v1",
      kind: "Certificate",
      metadata: { name: TLS, namespace },
      spec: {
        secretName: TLS,
        dnsNames: [plan.settings.ingress.domain],
        issuerRef: { name: issuer, kind: "Issuer" },
      },
    },
    ...(controllerName === undefined
      ? []
      : [
          {
            apiVersion: "gateway.networking.k8s.io/v1",
            kind: "GatewayClass",
            metadata: { name: className },
            spec: { controllerName },
          },
        ]),
    {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "Gateway",
      metadata: { name: GATEWAY_NAME, namespace },
      spec: {
        gatewayClassName: className,
        listeners: [{ name: "http", protocol: "HTTP", port: 80 }],
      },
    },
  ];
}
