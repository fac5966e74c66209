import type { ReleaseOf } from "../../versions/schema.ts";
import { lostImages } from "./neighbours.ts";
import { at } from "./uncovered.ts";
import type { Uncovered, Unseen } from "./uncovered.ts";

/** Type of the Helm release in which cert-manager's package installs its chart. */
export const HELM_RELEASE = "kubernetes:helm.sh/v3:Release";
/** Chart `cert-manager` by name, OCI reference, folder or archive, with the version where the name has one. */
const CHART = /(?:^|\/)cert-manager(?:-v?(\d+\.\d+\.\d+))?(?:\.tgz)?$/;

/**
 * Images of cert-manager that the release does not move. A Helm release is one opaque resource, and the image of the
 * ACME solver not even the chart's objects show as such: every one of them has to be among the values.
 */
export function judgeCertManager(props: unknown, unseen: Unseen): Uncovered[] {
  const chart = at(props, "chart");
  const match = typeof chart === "string" ? CHART.exec(chart) : null;
  if (match === null) return [];
  const row = rowOf(match[1] ?? at(props, "version"), unseen);
  const images = [...row.images, ...lostImages(unseen.catalog, row)];
  return images.flatMap((image) => {
    if (unseen.passes(image.image)) return [];
    const path = image.values?.repository;
    if (path === undefined) {
      const key = `versions/cert-manager/${row.version}.json`;
      return [{ image: image.image, key, what: "names no chart value that moves it" }];
    }
    return typeof at(props, "values", ...path.split(".")) === "string"
      ? []
      : [{ image: image.image, key: `values.${path}`, what: "is not set" }];
  });
}

/** Value paths hardly change; a version that the catalog does not have is judged by the newest that it has. */
function rowOf(version: unknown, { catalog }: Unseen): ReleaseOf<"cert-manager"> {
  const asked = typeof version === "string" ? version.replace(/^v/, "") : "";
  const [newest = ""] = catalog.versions("cert-manager");
  return catalog.find("cert-manager", asked) ?? catalog.get("cert-manager", newest);
}
