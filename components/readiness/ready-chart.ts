import type * as pulumi from "@pulumi/pulumi";
import { placeChart } from "../charts/place-chart.ts";
import type { ChartPlacement } from "../charts/place-chart.ts";
import type { LayerArgs } from "../layer.ts";
import { awaitReady, chartKey } from "./await-ready.ts";
import { RenderedContents } from "./contents.ts";

/**
 * Places a chart and waits until it works: every workload that it rendered is rolled out, every webhook answers. What
 * needs the chart depends on the entry that comes back.
 */
export function placeReadyChart(
  parent: pulumi.ComponentResource,
  args: LayerArgs,
  placement: ChartPlacement,
): pulumi.Stash {
  const { name, chart, namespace, transforms = [] } = placement;
  const rendered = new RenderedContents(namespace);
  const placed = placeChart(parent, args, {
    ...placement,
    transforms: [...transforms, rendered.note],
  });
  const part = {
    name: `${chart.name} ${chart.version}`,
    namespace,
    contents: () => Promise.resolve(rendered.contents()),
    hasWorkloads: true,
    conditions: [],
  };
  return awaitReady(name, part, {
    parent,
    connection: args.providers.connection,
    dependsOn: [placed],
    of: chartKey(chart, [args.plan.mirror, args.plan.pullSecret]),
  });
}
