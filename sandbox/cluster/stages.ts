import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";

const STAGES_FOLDER = join(import.meta.dirname, "stages");

/** API groups that every API server serves from the start. */
const BUILT_IN = new Set(["v1", "admissionregistration.k8s.io/v1"]);

/** The part of a KWOK Stage that matters here; the rest passes through. */
interface Stage {
  readonly spec: { readonly resourceRef: { readonly apiGroup: string; readonly kind: string } };
}

/**
 * Stages for one group and version whose CRDs come later. KWOK 0.7.0 reads its stages when it starts and ends with
 * an error when one names a kind that is not served (sigs.k8s.io/kwok@v0.7.0:pkg/kwok/controllers/controller.go,
 * initStageController), so each such set gets a KWOK of its own, started once its kinds are there.
 */
export interface DeferredStages {
  /** Group and version, such as `cert-manager.io/v1`. */
  readonly apiGroup: string;
  readonly kinds: readonly string[];
  /** Stage documents. */
  readonly text: string;
}

/** All committed stages, split by when they can start. */
export interface StageSets {
  /** Stage documents for kinds that are always there. */
  readonly builtIn: string;
  readonly builtInKinds: readonly string[];
  readonly deferred: readonly DeferredStages[];
}

/** Reads the committed stage files. Throws on a file that is no YAML or a document that is no Stage. */
export function readStages(folder: string = STAGES_FOLDER): StageSets {
  const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
  return splitStages(files.sort().map((file) => readFileSync(join(folder, file), "utf8")));
}

/** Splits stage documents into those for built-in kinds and one set for each other group and version. */
export function splitStages(texts: readonly string[]): StageSets {
  const groups = Map.groupBy(
    texts.flatMap(parseStages),
    (stage) => stage.spec.resourceRef.apiGroup,
  );
  const builtIn = [...groups].filter(([group]) => BUILT_IN.has(group)).flatMap(([, all]) => all);
  const deferred = [...groups].filter(([group]) => !BUILT_IN.has(group));
  return {
    builtIn: toText(builtIn),
    builtInKinds: kindsOf(builtIn),
    deferred: deferred.map(([apiGroup, stages]) => ({
      apiGroup,
      kinds: kindsOf(stages),
      text: toText(stages),
    })),
  };
}

/** Kinds whose status (for webhook configurations: whose CA) the sandbox makes up, to say so to the user. */
export function simulatedKinds(): string[] {
  const { builtInKinds, deferred } = readStages();
  return ["Node", "Pod", ...builtInKinds, ...deferred.flatMap(({ kinds }) => kinds)];
}

function kindsOf(stages: readonly Stage[]): string[] {
  return [...new Set(stages.map((stage) => stage.spec.resourceRef.kind))];
}

function parseStages(text: string): Stage[] {
  return parseAllDocuments(text).map((document) => {
    const stage = document.toJS() as Partial<Stage> | null;
    if (document.errors.length > 0 || stage?.spec?.resourceRef?.apiGroup === undefined) {
      throw new Error(`not a Stage: ${document.errors[0]?.message ?? text.slice(0, 80)}`);
    }
    return stage as Stage;
  });
}

function toText(stages: readonly Stage[]): string {
  return stages.map((stage) => stringify(stage)).join("---\n");
}
