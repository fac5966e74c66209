import type { Problem } from "../problems/problem.ts";
import { RemoteFailure } from "../registry/failure.ts";
import type { FailureKind } from "../registry/failure.ts";

/** Too little room, found before anything was written. */
export class DiskSpace extends Error {
  override readonly name = "DiskSpace";
  readonly folder: string;
  /** Bytes. */
  readonly needed: number;
  /** Bytes. */
  readonly free: number;

  constructor(folder: string, needed: number, free: number) {
    super(`${folder} has too little room`);
    this.folder = folder;
    this.needed = needed;
    this.free = free;
  }
}

/** Anything that went wrong with a thing to carry. */
export interface FailedThing {
  readonly what: string;
  readonly error: RemoteFailure;
}

interface Advice {
  readonly code: string;
  readonly allowed: string;
  readonly fix: string;
}

const ADVICE: Readonly<Record<FailureKind, Advice>> = {
  unreachable: {
    code: "bundle-host-unreachable",
    allowed: "a host that answers from this machine",
    fix: "check name, proxy (HTTPS_PROXY) and firewall, then run the same command again: what is there already stays",
  },
  tls: {
    code: "bundle-host-certificate",
    allowed: "a certificate that is trusted and in force",
    fix: "give the CA that signed it (kserve:registry.ca, or --ca outside the gap); when it has expired, renew it at the registry",
  },
  auth: {
    code: "bundle-host-credentials",
    allowed: "a user who may read what is carried, and write where it is loaded",
    fix: "set KSERVE_REGISTRY_USERNAME and KSERVE_REGISTRY_PASSWORD, or name the file that `docker login` or `skopeo login` wrote with --authfile",
  },
  missing: {
    code: "bundle-content-missing",
    allowed: "what the catalog and the stack file name",
    fix: "check that the version was published and that the mirror holds it",
  },
  server: {
    code: "bundle-host-failing",
    allowed: "an answer within about half a minute of repeating",
    fix: "run the same command again when the host is well: what is there already stays",
  },
  protocol: {
    code: "bundle-content-wrong",
    allowed: "content that has the digest by which it was asked for",
    fix: "look for a proxy that rewrites downloads; run the same command again to fetch it anew",
  },
};

/** Most names that one problem lists. */
const SHOWN = 5;

/** One problem for each host and kind of failure, with the things it concerns. */
export function failureProblems(failures: readonly FailedThing[]): Problem[] {
  const groups = Map.groupBy(failures, ({ error }) => `${error.kind} ${error.host}`);
  return [...groups]
    .sort(([one], [two]) => (one < two ? -1 : 1))
    .map(([, group]) => groupProblem(group));
}

/** The report of a fault of this machine; `undefined` for errors that are none and belong to us. */
export function machineProblem(error: unknown, folder: string): Problem | undefined {
  if (error instanceof RemoteFailure) return failureProblems([{ what: error.host, error }])[0];
  if (error instanceof DiskSpace) return spaceProblem(error);
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT")
    return {
      code: "bundle-disk-full",
      level: "block",
      where: folder,
      found: `the disk is full (${code})`,
      allowed: "room for the whole bundle; --dry-run says how much",
      fix: "make room, then run the same command again: it goes on with what is there",
    };
  if (code === "EACCES" || code === "EROFS" || code === "EPERM" || code === "ENOTDIR")
    return {
      code: "bundle-folder-unwritable",
      level: "block",
      where: folder,
      found: `the folder cannot be written (${code})`,
      allowed: "a folder that this user may write",
      fix: "name another folder",
    };
  return undefined;
}

function groupProblem(group: readonly FailedThing[]): Problem {
  const [first] = group;
  const error = first?.error ?? new RemoteFailure("protocol", "", "unknown");
  const { code, allowed, fix } = ADVICE[error.kind];
  const names = [...new Set(group.map(({ what }) => what))].sort();
  const more = names.length > SHOWN ? ` and ${String(names.length - SHOWN)} more` : "";
  return {
    code,
    level: "block",
    where: error.host === "" ? (names[0] ?? "bundle") : error.host,
    found: `${error.message}; concerns ${names.slice(0, SHOWN).join(", ")}${more}`,
    allowed,
    fix,
  };
}

function spaceProblem({ folder, needed, free }: DiskSpace): Problem {
  const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(2);
  return {
    code: "bundle-disk-space",
    level: "block",
    where: folder,
    found: `${gigabytes(free)} GB free, ${gigabytes(needed)} GB still to fetch`,
    allowed: "room for all of it",
    fix: "make room or name a folder on another disk; nothing of this step was written",
  };
}
