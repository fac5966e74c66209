import { CertManager as CertManagerRelease } from "@pulumi/kubernetes-cert-manager";
import type { CertManagerArgs as ReleaseArgs } from "@pulumi/kubernetes-cert-manager";
import * as pulumi from "@pulumi/pulumi";
import { CERT_MANAGER_TYPED_KEYS } from "../plan/values/cert-manager.ts";
import { getChart } from "../plan/plan.ts";
import type { PlannedChart } from "../plan/plan.ts";
import { releaseSource } from "./charts/place-chart.ts";
import { CERT_MANAGER_NEEDS } from "./crds/custom-resource-definitions.ts";
import type { CustomResourceDefinitions } from "./crds/custom-resource-definitions.ts";
import { forgetKilledRelease } from "./killed-release.ts";
import type { HelmRelease } from "./killed-release.ts";
import { layerType } from "./layer.ts";
import type { LayerArgs } from "./layer.ts";
import type { Leftovers } from "./leftovers.ts";
import { awaitReady, chartKey } from "./readiness/await-ready.ts";
import { labelledContents } from "./readiness/contents.ts";
import type { Cluster } from "./readiness/part.ts";

export interface CertManagerArgs extends LayerArgs {
  readonly crds: CustomResourceDefinitions;
  readonly leftovers: Leftovers;
}

/** Helm's name of the release; the names of all its objects start with it. */
const RELEASE_NAME = "cert-manager";

/**
 * cert-manager: the Helm release of @pulumi/kubernetes-cert-manager.
 *
 * Needs nothing but its CRDs, which are not the release's: Helm refuses CRDs that it did not create itself, and a
 * cluster may have them already. It does not wait for those of other layers. Ready when its Deployments are rolled out
 * and its webhook answers: the same that the chart's own start-up check asks, which is switched off (a hook of Helm's).
 * Leaves out issuers for users: they are choices of the environment.
 */
export class CertManager extends pulumi.ComponentResource {
  readonly product = "cert-manager";
  readonly version: string;
  readonly namespace: string;

  constructor(name: string, args: CertManagerArgs) {
    super(
      layerType("CertManager"),
      name,
      { ...args.layer.contract, standsOn: {} },
      { dependsOn: [...args.crds.of(CERT_MANAGER_NEEDS), ...args.leftovers.of("CertManager")] },
    );
    this.version = args.layer.version;
    this.namespace = args.plan.settings.namespaces.certManager;
    const chart = getChart(args.layer, "controller");
    const release = this.#release();
    const installed = this.#installRelease(name, args, chart);
    this.#awaitRelease(name, args, { release, chart, installed });
    this.registerOutputs({ version: this.version, namespace: this.namespace });
  }

  #release(): HelmRelease {
    return { name: RELEASE_NAME, namespace: this.namespace };
  }

  #installRelease(name: string, args: CertManagerArgs, chart: PlannedChart): CertManagerRelease {
    const { typed, untyped } = splitValues(chart.values);
    const source = releaseSource(chart, args.plan.settings.charts);
    return new CertManagerRelease(
      name,
      {
        ...typed,
        helmOptions: {
          // A fixed name: the package would append a random suffix, and a second install could not adopt anything.
          ...this.#release(),
          values: untyped,
          // Helm would look every two seconds, and could say nothing about pods that cannot start.
          skipAwait: true,
          ...source,
          // A path is looked up in the default repository unless the repository is empty (design: tried).
          repositoryOpts:
            source.version === undefined ? { repo: "" } : (source.repositoryOpts ?? {}),
        },
      },
      {
        parent: this,
        provider: args.providers.cluster,
        transforms: [this.#clearTheWay(args)],
      },
    );
  }

  #awaitRelease(
    name: string,
    args: CertManagerArgs,
    {
      release,
      chart,
      installed,
    }: { release: HelmRelease; chart: PlannedChart; installed: pulumi.Resource },
  ): void {
    const part = {
      name: `${chart.name} ${chart.version}`,
      namespace: release.namespace,
      // A release is one resource to the engine; its objects carry its name.
      contents: (api: Cluster) =>
        labelledContents(api, release.namespace, `app.kubernetes.io/instance=${release.name}`),
      hasWorkloads: true,
      conditions: [],
    };
    awaitReady(name, part, {
      parent: this,
      connection: args.providers.connection,
      dependsOn: [installed],
      of: chartKey(chart, []),
    });
  }

  /** Binds a hook to the release inside the package's component: what a killed run left of it goes first. */
  #clearTheWay(args: CertManagerArgs): pulumi.ResourceTransform {
    const { plan, providers } = args;
    const hook = forgetKilledRelease(plan.settings, providers.connection, this.#release());
    return ({ type, props, opts }) =>
      type === "kubernetes:helm.sh/v3:Release"
        ? { props, opts: { ...opts, hooks: { beforeCreate: [hook] } } }
        : undefined;
  }
}

/**
 * The package overwrites every top-level value that is one of its typed inputs, even an unset one; those have to be
 * given as inputs and all others as plain Helm values (pulumi/pulumi-go-helmbase@v0.2.0:base.go).
 */
function splitValues(values: Readonly<Record<string, unknown>>): {
  typed: ReleaseArgs;
  untyped: Record<string, unknown>;
} {
  const entries = Object.entries(values);
  const isTyped = ([key]: [string, unknown]): boolean => key in CERT_MANAGER_TYPED_KEYS;
  return {
    typed: Object.fromEntries(entries.filter(isTyped)),
    untyped: Object.fromEntries(entries.filter((entry) => !isTyped(entry))),
  };
}
