/** Why an image does not come, and what helps. */
export interface PullFailure {
  readonly what: string;
  readonly fix: string;
}

interface Rule extends PullFailure {
  readonly says: RegExp;
}

/**
 * What container runtimes say, told apart; the first that fits counts
 * (containerd/containerd@v1.7.24:core/remotes/docker/resolver.go, authorizer.go; Go's crypto/x509 and net).
 */
const RULES: readonly Rule[] = [
  {
    says: /x509|certificate signed by unknown authority|failed to verify certificate/i,
    what: "the nodes do not trust the registry's certificate (x509)",
    fix: "give the container runtime of every node the CA of that registry (docs/airgap-registry.md, Private CA)",
  },
  {
    says: /no such host|server misbehaving|name resolution/i,
    what: "the nodes cannot resolve the registry's host",
    fix: "correct kserve:registry.host, or the name service of the nodes",
  },
  {
    says: /\b40[13] (?:Unauthorized|Forbidden)|unauthorized|authentication required|authorization failed|access denied|no basic auth credentials|insufficient_scope/i,
    what: "the registry refuses the login (401 or 403)",
    fix: "correct kserve:registry.pullSecret, or give that account the right to pull",
  },
  {
    says: /not found|manifest unknown|name unknown|\b404\b/i,
    what: "the registry has no such image",
    fix: "copy it there (`node cli/platform.js images` lists what the stack needs), or correct its name or version",
  },
  {
    says: /connection refused|i\/o timeout|no route to host|network is unreachable|deadline exceeded/i,
    what: "the nodes cannot reach the registry",
    fix: "look at address, port and firewall between nodes and registry",
  },
];

const UNKNOWN: PullFailure = {
  what: "the image cannot be pulled",
  fix: "see what the container runtime says above",
};

/** Reads the message of a failed pull. The image's own name says nothing about the reason. */
export function readPullFailure(message: string, image: string): PullFailure {
  const said = message.replaceAll(image, "");
  return RULES.find(({ says }) => says.test(said)) ?? UNKNOWN;
}
