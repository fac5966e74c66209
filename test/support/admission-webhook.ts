/**
 * An admission webhook that refuses every object with the label `refuse`, and says on its output what it was asked.
 *
 * Usage: node admission-webhook.ts <address> <port> <certificate file> <key file>
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";

const [address = "", port = "", cert = "", key = ""] = process.argv.slice(2);

interface Review {
  readonly request: {
    readonly uid: string;
    readonly object?: { readonly metadata?: { readonly labels?: Record<string, string> } };
  };
}

createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
  void request.toArray().then((chunks: Buffer[]) => {
    const { uid, object } = (JSON.parse(Buffer.concat(chunks).toString()) as Review).request;
    const allowed = object?.metadata?.labels?.["refuse"] === undefined;
    const answer = { uid, allowed, status: { message: "the webhook of the test refuses it" } };
    process.stdout.write(`asked ${String(allowed)}\n`);
    response.end(
      JSON.stringify({
        apiVersion: "admission.k8s.io/v1",
        kind: "AdmissionReview",
        response: answer,
      }),
    );
  });
}).listen(Number(port), address);
