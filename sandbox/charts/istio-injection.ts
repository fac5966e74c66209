/**
 * What the injector adds to pods, as far as images go: the sidecar's comes from hub and tag, the one of the template
 * `grpc-simple` is written out (istio/istio@1.28.10:manifests/charts/istio-control/istio-discovery/files/grpc-simple.yaml).
 */
export const INJECTOR_CONFIG = `policy: enabled
templates:
  grpc-simple: |
    spec:
      initContainers:
      - name: grpc-bootstrap-init
        image: busybox:1.28
`;
