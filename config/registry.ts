/** The keys `kserve:registry` and `kserve:charts`: where images, charts and CRD files come from. */
import { z } from "zod";
import { looksLikeHost, parseReference } from "../images/reference.ts";
import { LAYOUTS } from "../images/mirror.ts";
import { dnsLabel, pem, registryHost, secret } from "./fields.ts";

const project = z.string().regex(/^[a-z0-9]+([._-][a-z0-9]+)*$/, "a Harbor project name");

/** Upstream side of an exception: a repository, or a repository with its tag or digest. */
const upstreamImage = z
  .string()
  .refine(
    (text) => parseReference(text) !== undefined,
    'an upstream image or repository, like "nvcr.io/nvidia/tritonserver"',
  );

/** Mirrored side of an exception. Short names are refused: they would mean Docker Hub. */
const mirroredImage = z
  .string()
  .refine(
    (text) => looksLikeHost(text.split("/", 1)[0] ?? "") && parseReference(text) !== undefined,
    'a full image or repository with its registry, like "10.61.3.31:35000/nvidia/tritonserver"',
  );

/** Keys of `kserve:registry`. */
export const registrySchema = z
  .strictObject({
    host: registryHost.describe(
      "Registry that every image must come from; setting it switches the mirror on",
    ),
    layout: z
      .enum(LAYOUTS)
      .default("project-per-host")
      .describe(
        "project-per-host: <host>/<upstream host>/<path>; single-project: <host>/<project>/<upstream host>/<path>; " +
          "proxy-cache: <host>/<proxy project>/<path>, with one Harbor proxy-cache project per upstream host, which " +
          "nobody can push to",
      ),
    project: project.optional().describe("Project of single-project"),
    projects: z
      .record(registryHost, project)
      .default({})
      .describe("Other project names for single upstream hosts (proxy-cache projects)"),
    images: z
      .record(upstreamImage, mirroredImage)
      .default({})
      .describe(
        "Exceptions to the layout: an upstream repository (all its tags) or image, and where it is instead. Tag and " +
          "digest are kept where the new name has none",
      ),
    exempt: z
      .array(
        z.string().regex(/^[\w.-]+(:\d+)?(\/[\w./-]+)?$/, "an upstream host, or host and path"),
      )
      .default([])
      .describe("Upstream prefixes that are not mirrored"),
    pullSecret: z
      .strictObject({
        name: dnsLabel.default("kserve-registry"),
        username: z.string().min(1),
        password: secret,
      })
      .optional()
      .describe(
        "Credentials, placed as a docker-registry Secret in every namespace that pulls and named by every pod and " +
          "service account made here",
      ),
    namespaces: z
      .array(dnsLabel)
      .default([])
      .describe(
        "Existing namespaces of models: each gets the pull secret, and its service account `default` names it",
      ),
    ca: pem.optional().describe("Private CA of the registry, PEM text"),
    plainHttp: z
      .boolean()
      .default(false)
      .describe("The registry speaks http without TLS (for registries on trial only)"),
    nodesPrepared: z
      .boolean()
      .default(false)
      .describe(
        "Say true once the container runtime of every node trusts the registry (its CA, or plain http): nothing in " +
          "Kubernetes can set that, and every preview reminds of it until then",
      ),
    resolveTags: z
      .boolean()
      .default(false)
      .describe(
        "Let Knative's controller resolve tags of the registry to digests, with registry.ca as its trust. Knative 1.17 " +
          "to 1.20 is reported to ask without credentials (knative/serving#16282)",
      ),
  })
  .check((context) => {
    const { layout, project: name, ca, plainHttp } = context.value;
    if (layout === "single-project" && name === undefined)
      context.issues.push(missing(["project"], "the project that holds everything", context.value));
    if (plainHttp && ca !== undefined)
      context.issues.push(missing(["ca"], "no CA with plainHttp: there is no TLS", context.value));
  });

function missing(path: string[], message: string, input: unknown): z.core.$ZodRawIssue {
  return { code: "custom", path, message, input };
}

const credentials = {
  username: z.string().min(1).optional(),
  password: secret.optional(),
  caFile: z
    .string()
    .min(1)
    .optional()
    .describe("File with the private CA of the chart source (PEM); relative to the project"),
};

/** Keys of `kserve:charts`. */
export const chartsSchema = z
  .discriminatedUnion("source", [
    z.strictObject({
      source: z.literal("upstream").describe("published chart repositories and release files"),
    }),
    z.strictObject({
      source: z.literal("oci"),
      url: z
        .string()
        .regex(/^oci:\/\/[^/\s]+(\/\S+)?$/, "oci://host[:port]/path; the chart name follows"),
      manifests: z
        .string()
        .min(1)
        .describe(
          "Folder or http(s) address that holds the CRD files of Gateway API. As a folder also where cert-manager's " +
            "chart is taken from when its package cannot ask the registry (plainHttp, or caFile without credentials)",
        ),
      plainHttp: z.boolean().default(false),
      ...credentials,
    }),
    z.strictObject({
      source: z.literal("http"),
      url: z.url({
        protocol: /^https?$/,
        error: "an http(s) address of a Helm repository (the folder of index.yaml)",
      }),
      manifests: z
        .string()
        .min(1)
        .optional()
        .describe(
          "Folder or http(s) address that holds the CRD files; default: beside index.yaml. Username and password go to " +
            "the host of url alone",
        ),
      ...credentials,
    }),
    z.strictObject({
      source: z.literal("directory"),
      path: z
        .string()
        .min(1)
        .describe(
          "Folder with <chart>-<version>.tgz or unpacked <chart>-<version>/, and the CRD files",
        ),
    }),
  ])
  .check((context) => {
    const charts = context.value;
    if (charts.source !== "oci" && charts.source !== "http") return;
    const issue = (key: string, message: string): void => {
      context.issues.push(missing([key], message, charts));
    };
    if (charts.username !== undefined && charts.password === undefined)
      issue("password", "the password that goes with charts.username");
    if (charts.password !== undefined && charts.username === undefined)
      issue("username", "the name that goes with charts.password");
    if (charts.source === "oci" && charts.plainHttp && charts.caFile !== undefined)
      issue("caFile", "no CA with plainHttp: there is no TLS");
  });

/** Keys of `kserve:harbor`: what `platform harbor` sets up in the registry. */
export const harborSchema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: "the http(s) address of Harbor, without /api" })
    .optional()
    .describe("Address of Harbor; default: registry.host, over https unless registry.plainHttp"),
  public: z
    .boolean()
    .default(false)
    .describe(
      "Make new projects public: pulls without a password, by everybody who reaches Harbor",
    ),
  robot: z
    .strictObject({
      name: z
        .string()
        .regex(/^[a-z0-9]+([._-][a-z0-9]+)*$/, "lower-case letters, digits, dots and dashes")
        .default("kserve-pull")
        .describe("Name of the system robot account, without Harbor's prefix"),
      days: z
        .union([z.literal(-1), z.int().min(1)])
        .default(-1)
        .describe("Days until its secret expires; -1: never"),
    })
    .prefault({})
    .describe("Robot account that may pull from these projects, and nothing else"),
});
