import { randomBytes } from "node:crypto";
import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { Secret } from "@pulumi/kubernetes/core/v1/secret.js";
import * as pulumi from "@pulumi/pulumi";
import { childOf, layerType } from "./layer.ts";
import type { LayerArgs } from "./layer.ts";
import { awaitObjects, certificateReady } from "./readiness/ready-objects.ts";

const SELF_SIGNED = "envoy-gateway-selfsigned";
const CA = "envoy-gateway-ca";
/** Five years, as certgen's (envoyproxy/gateway@v1.9.0:internal/crypto/certgen.go, DefaultCertificateLifetime). */
const CA_DURATION = "43800h0m0s";
/** Length of certgen's HMAC secret in bytes (same file, generateHMACSecret). */
const HMAC_BYTES = 32;
/** Without extended usages, so that one certificate serves both ends (same source as below). */
const USAGES = ["digital signature", "data encipherment", "key encipherment", "content commitment"];

/**
 * What Envoy Gateway's controller, its proxies and its rate limiter prove themselves to each other with, under the
 * names that the hook `certgen` would give them: three certificates, and the secret that signs OIDC cookies
 * (envoyproxy/gateway@v1.9.0:site/content/en/latest/install/custom-cert.md, internal/provider/kubernetes/secrets.go).
 *
 * cert-manager renews the certificates; controller and proxies read them anew. The CA keeps its key when it is
 * renewed, so that certificates from before stay valid.
 */
export class EnvoyCertificates extends pulumi.ComponentResource {
  /** All of it is there once these are: what needs the certificates waits for each. */
  readonly objects: readonly pulumi.CustomResource[];
  readonly #name: string;
  readonly #namespace: string;
  readonly #args: LayerArgs;

  constructor(name: string, args: LayerArgs, options: pulumi.ComponentResourceOptions) {
    super(layerType("EnvoyCertificates"), name, {}, options);
    this.#name = name;
    this.#args = args;
    this.#namespace = args.plan.settings.namespaces.envoyGateway;
    const issuer = this.#createAuthority();
    const controller = { commonName: "envoy-gateway", dnsNames: this.#names() };
    const proxies = { commonName: "*", dnsNames: [`*.${this.#namespace}`] };
    const subjects = { "envoy-gateway": controller, envoy: proxies, "envoy-rate-limit": proxies };
    const certificates = Object.entries(subjects).map(([secretName, subject]) =>
      this.#issue(secretName, subject, issuer),
    );
    this.objects = [this.#awaitIssue(certificates, subjects), this.#createHmac()];
    this.registerOutputs({});
  }

  /** cert-manager takes them in any order; the last is issued when the CA is. */
  #awaitIssue(
    objects: readonly CustomResource[],
    subjects: Readonly<Record<string, object>>,
  ): pulumi.Stash {
    const names = [CA, ...Object.keys(subjects)];
    return awaitObjects(
      this.#name,
      {
        namespace: this.#namespace,
        objects,
        conditions: names.map((secretName) => certificateReady(this.#namespace, secretName)),
        spec: subjects,
      },
      { parent: this, connection: this.#args.providers.connection },
    );
  }

  /** A CA of its own: its certificates open the way to every key of the gateways. */
  #createAuthority(): CustomResource {
    const selfSigned = this.#create("Issuer", SELF_SIGNED, { selfSigned: {} });
    const spec = {
      isCA: true,
      commonName: "envoy-gateway",
      secretName: CA,
      duration: CA_DURATION,
      privateKey: { algorithm: "RSA", size: 2048, rotationPolicy: "Never" },
      issuerRef: { group: "cert-manager.io", kind: "Issuer", name: SELF_SIGNED },
    };
    const certificate = this.#create("Certificate", CA, spec, [selfSigned]);
    return this.#create("Issuer", CA, { ca: { secretName: CA } }, [certificate]);
  }

  #names(): string[] {
    const full = `envoy-gateway.${this.#namespace}`;
    return ["envoy-gateway", full, `${full}.svc`, `${full}.svc.cluster.local`];
  }

  #issue(secretName: string, subject: object, issuer: CustomResource): CustomResource {
    const issuerRef = { group: "cert-manager.io", kind: "Issuer", name: CA };
    const spec = { secretName, ...subject, usages: USAGES, issuerRef };
    return this.#create("Certificate", secretName, spec, [issuer]);
  }

  #create(
    kind: "Issuer" | "Certificate",
    name: string,
    spec: object,
    dependsOn: pulumi.Resource[] = [],
  ): CustomResource {
    return new CustomResource(
      `${this.#name}-${kind.toLowerCase()}-${name}`,
      {
        apiVersion: "cert-manager.io/v1",
        kind,
        metadata: { name, namespace: this.#namespace },
        spec,
      },
      childOf(this, this.#args.providers, { dependsOn }),
    );
  }

  /** Random once: another value in a later run is ignored, or every session of every user would end with an update. */
  #createHmac(): Secret {
    const value = pulumi.secret(randomBytes(HMAC_BYTES).toString("base64"));
    return new Secret(
      `${this.#name}-hmac`,
      {
        metadata: { name: "envoy-oidc-hmac", namespace: this.#namespace },
        type: "Opaque",
        data: { "hmac-secret": value },
      },
      childOf(this, this.#args.providers, { ignoreChanges: ["data"] }),
    );
  }
}
