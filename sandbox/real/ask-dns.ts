/**
 * Asks the cluster's DNS for its own API server. An answer goes through kube-proxy, the pod network and CoreDNS, which
 * the status of a Deployment says nothing of. The exit code tells.
 *
 * Usage: node ask-dns.ts <address of the DNS> <name>
 */
import { Resolver } from "node:dns/promises";

const TIMEOUT_MS = 1_000;
const [server = "", name = ""] = process.argv.slice(2);
const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 1 });
resolver.setServers([server]);
process.exitCode = await resolver.resolve4(name).then(
  (found) => (found.length > 0 ? 0 : 1),
  () => 1,
);
