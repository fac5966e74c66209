/** One line of the table on KServe's Serverless installation page: minors that it recommends together. */
export interface PublishedRow {
  readonly kserve: string;
  readonly kubernetes: string;
  readonly istio: string;
  readonly knative: string;
  readonly source: string;
}

const PAGE = "admin/serverless/serverless.md";
const V16_TO_20 =
  "kserve/website@05b83a6c:versioned_docs/version-0.16/admin-guide/serverless/serverless.md; kserve/website@05b83a6c:versioned_docs/version-0.20/admin-guide/serverless/serverless.md";

/** The published rows of the releases in the catalog (the text of 0.16 to 0.20 is identical). */
export const PUBLISHED_ROWS: readonly PublishedRow[] = [
  {
    kserve: "0.11.x",
    kubernetes: "1.25.x",
    istio: "1.15.x || 1.16.x",
    knative: "1.4.x - 1.9.x",
    source: `kserve/website@0f34ac51:docs/${PAGE}`,
  },
  {
    kserve: "0.11.x",
    kubernetes: "1.26.x",
    istio: "1.17.x",
    knative: "1.7.x - 1.11.x",
    source: `kserve/website@0f34ac51:docs/${PAGE}`,
  },
  {
    kserve: "0.11.x",
    kubernetes: "1.27.x",
    istio: "1.17.x || 1.18.x",
    knative: "1.9.x - 1.11.x",
    source: `kserve/website@0f34ac51:docs/${PAGE}`,
  },
  {
    kserve: "0.12.x || 0.13.x",
    kubernetes: "1.27.x",
    istio: "1.18.x || 1.19.x",
    knative: "1.10.x || 1.11.x",
    source: `kserve/website@e27b5e17:docs/${PAGE}; kserve/website@bd140cb5:docs/${PAGE}`,
  },
  {
    kserve: "0.12.x || 0.13.x",
    kubernetes: "1.28.x",
    istio: "1.19.x || 1.20.x",
    knative: "1.11.x || >=1.12.4 <1.13.0",
    source: `kserve/website@e27b5e17:docs/${PAGE}; kserve/website@bd140cb5:docs/${PAGE}`,
  },
  {
    kserve: "0.12.x || 0.13.x",
    kubernetes: "1.29.x",
    istio: "1.20.x || 1.21.x",
    knative: ">=1.12.4 <1.13.0 || >=1.13.1 <1.14.0",
    source: `kserve/website@e27b5e17:docs/${PAGE}; kserve/website@bd140cb5:docs/${PAGE}`,
  },
  {
    kserve: "0.14.x",
    kubernetes: "1.28.x",
    istio: "1.22.x",
    knative: "1.15.x",
    source: `kserve/website@9c020609:docs/${PAGE}; kserve/website@d1ee1840:docs/${PAGE}`,
  },
  {
    kserve: "0.14.x",
    kubernetes: "1.29.x || 1.30.x",
    istio: "1.22.x || 1.23.x",
    knative: "1.15.x || 1.16.x",
    source: `kserve/website@9c020609:docs/${PAGE}; kserve/website@d1ee1840:docs/${PAGE}`,
  },
  {
    kserve: "0.15.x",
    kubernetes: "1.30.x",
    istio: "1.22.x || 1.23.x",
    knative: "1.15.x || 1.16.x",
    source: `kserve/website@304752ed:docs/${PAGE}`,
  },
  {
    kserve: "0.15.x",
    kubernetes: "1.31.x",
    istio: "1.24.x || 1.25.x",
    knative: "1.16.x || 1.17.x",
    source: `kserve/website@304752ed:docs/${PAGE}`,
  },
  {
    kserve: "0.15.x",
    kubernetes: "1.32.x",
    istio: "1.25.x || 1.26.x",
    knative: "1.17.x || 1.18.x",
    source: `kserve/website@304752ed:docs/${PAGE}`,
  },
  {
    kserve: ">=0.16.0 <0.21.0",
    kubernetes: "1.32.x || 1.33.x",
    istio: "1.27.x || 1.28.x",
    knative: "1.19.x || 1.20.x",
    source: V16_TO_20,
  },
  {
    kserve: ">=0.16.0 <0.21.0",
    kubernetes: "1.34.x",
    istio: "1.28.x",
    knative: "1.19.x || 1.20.x",
    source: V16_TO_20,
  },
];
