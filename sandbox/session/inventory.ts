import type { Session } from "./session.ts";

/** One part of the sandbox, and whether it is the real thing. */
export interface InventoryRow {
  readonly part: string;
  readonly what: string;
  readonly real: "real" | "simulated" | "stand-in";
}

const SIMULATED: readonly InventoryRow[] = [
  { part: "nodes, pods", what: "KWOK: pods become Ready without running", real: "simulated" },
  {
    part: "controllers",
    what: "cert-manager, Istio, Knative, KServe: status written by KWOK stages",
    real: "simulated",
  },
  {
    part: "admission webhooks",
    what: "installed, but switched off in the API server",
    real: "simulated",
  },
];

const REAL: readonly InventoryRow[] = [
  {
    part: "nodes, pods",
    what: "one node: containerd, runc, kubelet, kube-proxy, CNI, CoreDNS, in namespaces of their own",
    real: "real",
  },
  { part: "controllers", what: "run in pods, pulled from the registry", real: "real" },
  { part: "admission webhooks", what: "on, and asked", real: "real" },
  {
    part: "load balancer",
    what: "a program of the sandbox gives Services addresses of one range",
    real: "stand-in",
  },
];

/** What of this sandbox is real and what is not, in the order in which a reader would ask. */
export function inventory(session: Session): InventoryRow[] {
  const { tools, plugins, charts, cluster, nodes } = session;
  return [
    {
      part: "engine",
      what: `pulumi ${tools.pulumi.version} (${tools.pulumi.origin})`,
      real: "real",
    },
    { part: "program, policy pack", what: "this repository, unchanged", real: "real" },
    ...plugins.map((plugin): InventoryRow => {
      const real = plugin.kind === "stand-in" ? "stand-in" : "real";
      const from = plugin.kind === "built" ? " (official code, built from its Go module)" : "";
      return { part: "plugin", what: `${plugin.name} ${plugin.version}${from}`, real };
    }),
    {
      part: "API server",
      what: `etcd, kube-apiserver, controller-manager, scheduler ${cluster.version}`,
      real: "real",
    },
    ...(nodes === "real" ? REAL : SIMULATED),
    chartRow(charts),
  ];
}

function chartRow(charts: Session["charts"]): InventoryRow {
  switch (charts.kind) {
    case "stand-in":
      return {
        part: "charts",
        what: "written from the catalog: upstream's hosts cannot be reached",
        real: "stand-in",
      };
    case "module":
      return {
        part: "charts",
        what: "those that the programs' Go modules carry; stand-ins for products that have none",
        real: "real",
      };
    case "directory":
      return { part: "charts", what: charts.path ?? "", real: "real" };
    case "upstream":
      return { part: "charts", what: "from their published repositories", real: "real" };
  }
}
