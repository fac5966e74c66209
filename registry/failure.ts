/** Why a registry or file server did not do what it was asked. */
export type FailureKind =
  /** No connection, no name, no answer in time, or a connection that broke. */
  | "unreachable"
  /** A certificate that is not trusted, or no longer. */
  | "tls"
  /** Credentials that are missing, wrong, or not enough. */
  | "auth"
  /** Not there. */
  | "missing"
  /** The server's own fault, 5xx or 429, also after repeating. */
  | "server"
  /** Content that is not what its digest says, or an answer that makes no sense. */
  | "protocol";

/** What else is known about a failure. */
export interface FailureDetails {
  /** Error code of Node or OpenSSL, such as `CERT_HAS_EXPIRED`. */
  readonly code?: string;
  /** HTTP status. */
  readonly status?: number;
  /** Milliseconds after which the server wants to be asked again. */
  readonly retryAfter?: number;
}

/** A request that failed. The message holds what was asked and what came back, never credentials. */
export class RemoteFailure extends Error {
  override readonly name = "RemoteFailure";
  readonly kind: FailureKind;
  /** `host[:port]` that was asked. */
  readonly host: string;
  readonly details: FailureDetails;

  constructor(kind: FailureKind, host: string, message: string, details: FailureDetails = {}) {
    super(message);
    this.kind = kind;
    this.host = host;
    this.details = details;
  }

  /** True when the same request may succeed later without anybody changing anything. */
  get transient(): boolean {
    return this.kind === "server" || (this.kind === "unreachable" && !NO_SUCH_HOST.has(this.code));
  }

  private get code(): string {
    return this.details.code ?? "";
  }
}

/** Codes that say that asking again is of no use. */
const NO_SUCH_HOST = new Set(["ENOTFOUND", "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH"]);
/** What OpenSSL and Node say about certificates (node@v24:doc/api/tls.md, "X509 certificate error codes"). */
const CERTIFICATE =
  /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT|ERR_TLS_|INVALID_CA|HOSTNAME_MISMATCH|ERR_SSL_)/;

/** The failure behind an error of Node's HTTP client. */
export function networkFailure(error: unknown, host: string): RemoteFailure {
  const { code = "", message } = error as NodeJS.ErrnoException;
  const kind = CERTIFICATE.test(code) || code === "EPROTO" ? "tls" : "unreachable";
  return new RemoteFailure(kind, host, `${host}: ${code === "" ? message : code}`, { code });
}

/** The failure that a status code stands for; `undefined` for those that are none. */
export function statusFailure(
  status: number,
  host: string,
  what: string,
  retryAfter?: string,
): RemoteFailure | undefined {
  if (status < 400) return undefined;
  const seconds = Number(retryAfter);
  const details = { status, ...(seconds > 0 ? { retryAfter: seconds * 1000 } : {}) };
  const message = `${host} answered ${String(status)} to ${what}`;
  return new RemoteFailure(kindOf(status), host, message, details);
}

function kindOf(status: number): FailureKind {
  if (status === 401 || status === 403) return "auth";
  if (status === 404) return "missing";
  return status === 429 || status >= 500 ? "server" : "protocol";
}
