/**
 * Addresses inside a node's network namespace. They are the same in every sandbox, since no two see each other, and
 * none of them is ever used outside.
 */

/** The node's name in the cluster. */
export const NODE_NAME = "sandbox-node";
/** The node on its own bridge; the network of the bridge is a /24. */
export const NODE_ADDRESS = "10.201.0.1";
/** Addresses for Services of type LoadBalancer: a /24. */
export const BALANCER_PREFIX = "10.201.1.";
/** ClusterIPs. */
export const SERVICE_RANGE = "10.202.0.0/16";
/** ClusterIP of the API server: the first of the range. */
export const API_SERVICE = "10.202.0.1";
/** ClusterIP of the cluster's DNS. */
export const DNS_SERVICE = "10.202.0.10";
/** Pods of all nodes; there is one. */
export const CLUSTER_RANGE = "10.203.0.0/16";
/** Pods of the node. */
export const POD_RANGE = "10.203.0.0/24";
/** The API server inside. */
export const API_PORT = 6443;
/** What the API server is called by programs inside. */
export const API_INSIDE = `https://127.0.0.1:${API_PORT}`;
/** The domain of cluster names. */
export const CLUSTER_DOMAIN = "cluster.local";
