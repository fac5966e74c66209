/**
 * Stand-in for `pulumi-resource-kubernetes`, for machines that cannot reach Pulumi's downloads. It serves API servers on
 * loopback only and is as strict as the official provider where that shows; see docs of the sandbox for what it leaves out.
 */
import * as grpc from "@grpc/grpc-js";
import { CHANNEL_OPTIONS, listen } from "../grpc.ts";
import { PROVIDER_SERVICE } from "./definition.ts";
import { engineLog } from "./engine.ts";
import { providerService } from "./service.ts";

const [engineAddress = ""] = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const server = new grpc.Server(CHANNEL_OPTIONS);
server.addService(PROVIDER_SERVICE, providerService(engineLog(engineAddress)));
const port = await listen(server);
process.stdout.write(`${port}\n`);

/** A plugin whose engine was killed has nobody left to serve. */
const engineProcess = process.ppid;
const ORPHAN_CHECK_MS = 5_000;
setInterval(() => {
  if (process.ppid !== engineProcess) process.exit(0);
}, ORPHAN_CHECK_MS).unref();
