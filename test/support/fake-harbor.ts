import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Who may do everything in the fake. */
export const ADMIN = { username: "admin", password: "Harbor12345" };

interface FakeProject {
  readonly project_id: number;
  readonly name: string;
  readonly registry_id: number;
  readonly metadata: Record<string, string>;
}
type Body = Record<string, unknown>;

/**
 * A FAKE of Harbor's API v2.0, as far as `platform harbor` uses it: it knows only what goharbor/harbor's
 * api/v2.0/swagger.yaml says of these calls. It proves that the command asks, changes and repeats as it should; it
 * proves nothing about a real Harbor.
 */
export class FakeHarbor {
  readonly projects: FakeProject[] = [];
  readonly endpoints: (Body & { id: number; name: string })[] = [];
  readonly robots: (Body & { id: number; name: string })[] = [];
  readonly retentions: Body[] = [];
  /** Calls that change something, `POST /projects`, in order. */
  readonly changes: string[] = [];
  /** Answers 500 to this many changes to come, from the first one on that `failAfter` lets through. */
  failures = 0;
  failAfter = 0;
  deletesUntagged = false;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      void readBody(request).then((body) => {
        const [status, answer] = this.#answer(request, body);
        response.writeHead(status, { "content-type": "application/json" });
        response.end(answer === undefined ? "" : JSON.stringify(answer));
      });
    });
  }

  /** Starts on loopback and gives its address. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(request: IncomingMessage, body: Body): [number, unknown?] {
    const login = Buffer.from(`${ADMIN.username}:${ADMIN.password}`).toString("base64");
    if (request.headers.authorization !== `Basic ${login}`)
      return [401, { errors: [{ code: "UNAUTHORIZED" }] }];
    const path = (request.url ?? "").replace("/api/v2.0", "");
    if (request.method === "GET") return this.#get(path);
    if (this.failAfter-- <= 0 && this.failures-- > 0)
      return [500, { errors: [{ code: "UNKNOWN" }] }];
    this.changes.push(`${request.method ?? ""} ${path}`);
    return this.#change(path, body);
  }

  #get(path: string): [number, unknown?] {
    if (path.startsWith("/registries")) return [200, this.endpoints];
    if (path.startsWith("/robots")) return [200, this.robots];
    if (path === "/configurations") return [200, { robot_name_prefix: { value: "bot+" } }];
    if (path === "/system/gc/schedule")
      return [
        200,
        { job_parameters: JSON.stringify({ delete_untagged: this.deletesUntagged, workers: 1 }) },
      ];
    const name = decodeURIComponent(path.replace("/projects/", ""));
    const project = this.projects.find((item) => item.name === name);
    return project === undefined ? [404, { errors: [{ code: "NOT_FOUND" }] }] : [200, project];
  }

  #change(path: string, body: Body): [number, unknown?] {
    if (path === "/projects") return this.#addProject(body);
    if (path === "/registries") {
      this.endpoints.push({ ...body, id: this.endpoints.length + 1, name: String(body["name"]) });
      return [201];
    }
    if (path === "/retentions") return this.#addRetention(body);
    if (path === "/robots") {
      const name = `bot+${String(body["name"])}`;
      this.robots.push({ ...body, id: this.robots.length + 1, name });
      return [201, { id: this.robots.length, name, secret: "robot-secret-1" }];
    }
    const index = this.robots.findIndex((item) => path === `/robots/${String(item.id)}`);
    const robot = this.robots[index];
    if (robot === undefined) return [404];
    this.robots[index] = { ...robot, ...body, id: robot.id, name: robot.name };
    return [200];
  }

  #addProject(body: Body): [number, unknown?] {
    const name = String(body["project_name"]);
    if (this.projects.some((item) => item.name === name)) return [409];
    this.projects.push({
      project_id: this.projects.length + 41,
      name,
      registry_id: Number(body["registry_id"] ?? 0),
      metadata: { ...(body["metadata"] as Record<string, string>) },
    });
    return [201];
  }

  #addRetention(body: Body): [number, unknown?] {
    const { ref } = body["scope"] as { ref: number };
    const project = this.projects.find((item) => item.project_id === ref);
    if (project === undefined || project.metadata["retention_id"] !== undefined) return [400];
    this.retentions.push(body);
    project.metadata["retention_id"] = String(this.retentions.length);
    return [201];
  }
}

async function readBody(request: IncomingMessage): Promise<Body> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString("utf8");
  return text === "" ? {} : (JSON.parse(text) as Body);
}
