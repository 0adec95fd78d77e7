// Derives the function's input from the claim's schema, so defaults have the same descriptions and rules as the fields they
// fill. Produces the CRD in the package and the schema that the function reads.
import type { Schema } from '../../src/claim/schema.ts'

const defaultableFields = {
  size: true,
  nats: { url: true, account: true, accountID: true, monitoringEndpoint: true },
  scaling: true,
  imagePullSecrets: true,
  healthPath: true,
  readyPath: true,
  rootFilesystem: true,
  knative: { autoscaling: true, containerConcurrency: true, timeoutSeconds: true, visibility: true },
  eventing: { broker: { class: true, delivery: true } },
  mesh: { mtls: true, timeout: true, retries: true, circuitBreaker: true, egress: true, tracing: true, accessLogs: true },
  observability: { metrics: { enabled: true, path: true }, alerts: true, slo: true, dashboard: true },
  build: { strategy: true, timeout: true },
} as const

type Fields = true | { readonly [name: string]: Fields }

/** Keeps only the named fields, without required fields and without rules, which may refer to removed fields. */
function pick(schema: Schema, fields: Fields): Schema {
  if (fields === true) return schema
  const { required: _, 'x-kubernetes-validations': __, ...rest } = schema
  return {
    ...rest,
    properties: Object.fromEntries(
      Object.entries(fields).map(([name, below]) => {
        const property = schema.properties?.[name]
        if (property === undefined) throw new Error(`the input has the field ${name}, but the API does not`)
        return [name, pick(property, below)]
      }),
    ),
  }
}

const quantity = (description: string, example: string): Schema & { example: string } => ({
  type: 'string',
  title: 'Kubernetes quantity',
  description,
  example,
  maxLength: 32,
  pattern: '^[0-9]+(?:\\.[0-9]+)?(?:m|k|Ki|Mi|Gi|Ti|M|G|T)?$',
})

const resources = (what: string, required: readonly string[]): Schema => ({
  type: 'object',
  description: `The resources that a container of this size ${what}.`,
  required,
  properties: { cpu: quantity('CPU.', '500m'), memory: quantity('Memory.', '1Gi') },
})

const pair: Schema = {
  type: 'object',
  description: 'Requests and limits of this size.',
  required: ['requests', 'limits'],
  properties: { requests: resources('requests', ['cpu', 'memory']), limits: resources('may use at most', ['memory']) },
}

/** The API server limits the cost of the rules of all entries together. */
const MOST_ENTRIES = 50

const nameLimits = { maxLength: 63, pattern: '^[a-z0-9]+(?:-+[a-z0-9]+)*$' }

const fieldPath = { title: 'path of a field', maxLength: 253, pattern: '^[a-zA-Z0-9]+(?:\\.[a-zA-Z0-9]+)*$' }

const listOf = (title: string, description: string, example: string, item: Partial<Schema>): Schema & { example: string[] } => ({
  type: 'array',
  title,
  description,
  example: [example],
  maxItems: 100,
  items: { type: 'string', minLength: 1, ...item },
})

const dnsLabel = (title: string, description: string): Schema => ({
  type: 'string',
  title,
  description,
  minLength: 1,
  maxLength: 63,
  pattern: '^[a-z0-9]+(?:-+[a-z0-9]+)*$',
})

const providerName = (description: string): Schema => ({
  type: 'string',
  title: 'name of a provider',
  description,
  minLength: 1,
  maxLength: 253,
})

const registry: Schema = {
  type: 'string',
  title: 'registry with an optional path',
  maxLength: 512,
  pattern: '^[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?(?:/[a-z0-9][a-z0-9._-]*)*$',
}

const principal = {
  title: 'principal of a service account',
  maxLength: 512,
  pattern: '^[A-Za-z0-9.-]+/ns/[a-z0-9.-]+/sa/[a-z0-9.-]+$',
}

const mesh: Schema = {
  type: 'object',
  title: 'Istio mesh',
  description: 'The Istio mesh that claims can join with spec.mesh. An empty object is enough; without it no claim can.',
  properties: {
    gateway: {
      type: 'object',
      title: 'gateway',
      description: 'The gateway that serves the hosts of claims. Without it no claim can have hosts.',
      required: ['style', 'name', 'namespace'],
      properties: {
        style: {
          type: 'string',
          title: 'style',
          description:
            "Istio: claims create a Gateway and a VirtualService of Istio, with certificates from the gateway's namespace. GatewayAPI: they create a ListenerSet and HTTPRoutes, with certificates from their own.",
          enum: ['Istio', 'GatewayAPI'],
        },
        name: dnsLabel('name', "The gateway's Deployment with style Istio, its Gateway with style GatewayAPI."),
        namespace: dnsLabel('namespace', "The namespace of the gateway's pods."),
        selector: {
          type: 'object',
          title: 'selector',
          description: "Labels of the gateway's pods, for style Istio; istio: ingressgateway by default.",
          maxProperties: MOST_ENTRIES,
          additionalProperties: { type: 'string', title: 'value of a label', description: 'The value.', maxLength: 63 },
        },
        serviceAccount: dnsLabel(
          'service account',
          "The service account of the gateway's pods: <name> by default with style Istio, <name>-istio with style GatewayAPI.",
        ),
      },
    },
    hostSuffixes: listOf(
      'host suffixes',
      'A host of a claim must end with one of these; {namespace} stands for the namespace of the claim. Any host is allowed without the list.',
      '.{namespace}.example.com',
      { title: 'end of a host name', maxLength: 253, pattern: '^(?:[a-z0-9.-]|\\{namespace\\})+$' },
    ),
    trustDomain: {
      type: 'string',
      title: 'trust domain',
      description: 'The trust domain of the mesh, with which every principal begins.',
      minLength: 1,
      maxLength: 253,
      pattern: '^[A-Za-z0-9.-]+$',
      default: 'cluster.local',
    },
    revision: dnsLabel('revision', 'The revision of istiod that injects the sidecars; the default one otherwise.'),
    tracingProvider: providerName("The provider of traces in the mesh's extensionProviders. Without it nothing is traced."),
    accessLogProvider: providerName("The provider of access logs in the mesh's extensionProviders; Istio's own, envoy, by default."),
    egressHosts: {
      ...listOf(
        'egress hosts',
        'The services, as namespace/host, that a claim with egress REGISTRY_ONLY reaches besides external; */* by default, all of the cluster.',
        '*/*',
        { title: 'namespace/host', maxLength: 317, pattern: '^(?:[*.~]|[a-z0-9-]+)/(?:\\*|(?:\\*\\.)?[a-z0-9.-]+)$' },
      ),
      minItems: 1,
    },
    natsBypass: {
      type: 'boolean',
      title: 'NATS bypass',
      description:
        'Whether connections to the ports of nats.url bypass the sidecar. Set it to false only if every port of NATS has appProtocol: tcp, because the server speaks first.',
      default: true,
    },
    eventingPrincipals: listOf(
      'principals of Knative Eventing',
      'Who delivers events to workloads: claims with callers or jwt let them in.',
      'cluster.local/ns/knative-eventing/sa/mt-broker-filter',
      principal,
    ),
    clusterIssuer: {
      type: 'string',
      title: 'ClusterIssuer',
      description: 'The ClusterIssuer of cert-manager that issues the certificates of hosts, for style GatewayAPI.',
      minLength: 1,
      maxLength: 253,
    },
  },
}

const labelsOf = (title: string, description: string): Schema => ({
  type: 'object',
  title,
  description,
  maxProperties: MOST_ENTRIES,
  additionalProperties: {
    type: 'string',
    title: 'value of a label',
    description: 'The value.',
    maxLength: 63,
    pattern: '^(?:[A-Za-z0-9](?:[-._A-Za-z0-9]*[A-Za-z0-9])?)?$',
  },
})

const observability: Schema = {
  type: 'object',
  title: 'observability',
  description:
    'The Prometheus that watches claims, run by the Prometheus Operator. With an empty object every claim has a monitor and alerts; without it no claim has any.',
  properties: {
    labels: { ...labelsOf('labels', 'Labels of every PodMonitor and PrometheusRule, by which your Prometheus selects them.'), default: {} },
    interval: {
      type: 'string',
      title: 'duration of Prometheus',
      description: 'How often Prometheus reads the metrics of a claim; its own default otherwise.',
      maxLength: 12,
      pattern: '^[1-9][0-9]{0,4}(?:ms|s|m)$',
    },
    kedaNamespaceLabel: {
      type: 'string',
      title: 'namespace label of KEDA',
      description:
        "The label of KEDA's metrics that holds the namespace of a ScaledObject: namespace if your monitor of KEDA has honorLabels, else exported_namespace.",
      enum: ['namespace', 'exported_namespace'],
      default: 'namespace',
    },
    knativeMetrics: {
      type: 'boolean',
      title: 'metrics of Knative',
      description:
        'Whether Knative exports the metrics of requests: request-metrics-protocol prometheus in its ConfigMap config-observability. The default of Knative is none.',
      default: false,
    },
    natsMetricPrefix: {
      type: 'string',
      title: 'prefix of NATS metrics',
      description: "The prefix of the NATS exporter's metrics on dashboards: jetstream by default, nats with the chart of NATS.",
      maxLength: 32,
      pattern: '^[a-z][a-z0-9_]*$',
      default: 'jetstream',
    },
    dashboards: {
      type: 'string',
      title: 'dashboards',
      description:
        'Platform: one dashboard for all claims, in package/monitoring. ConfigMap: one more for each claim, for the sidecar of Grafana. GrafanaDashboard: the same for the Grafana Operator.',
      enum: ['Platform', 'ConfigMap', 'GrafanaDashboard'],
      default: 'Platform',
    },
    dashboardLabels: labelsOf(
      'labels of dashboards',
      "By these Grafana's sidecar finds a ConfigMap, grafana_dashboard: '1' by default, or a GrafanaDashboard its Grafana, dashboards: grafana by default.",
    ),
    instrumentation: {
      type: 'string',
      title: 'Instrumentation',
      description:
        "The Instrumentation of the OpenTelemetry Operator for claims with tracing: its name, or namespace/name. The only one of the claim's namespace by default.",
      maxLength: 317,
      pattern: '^(?:[a-z0-9-]+/)?[a-z0-9.-]+$',
    },
  },
}

/** The build system that makes the images of claims. */
const buildOf = (spec: Schema): Schema => ({
  type: 'object',
  title: 'builds',
  description: 'The Shipwright that builds the images of claims with spec.build. An empty object is enough; without it no claim can.',
  properties: {
    registry: {
      ...registry,
      description: 'Where images go if a claim names no output.image: to <registry>/<namespace>/<name>.',
      example: 'ghcr.io/acme',
    } as Schema,
    insecure: {
      type: 'boolean',
      title: 'insecure registry',
      description: 'Whether the registry is reached over HTTP, or has a certificate of an unknown authority.',
      default: false,
    },
    pushSecret: {
      ...fieldOf(spec, 'build', 'output', 'pushSecret'),
      description: 'The secret for the registry in each namespace, of type kubernetes.io/dockerconfigjson, for a claim that names none.',
    },
    serviceAccount: {
      ...dnsLabel(
        'ServiceAccount',
        'The ServiceAccount of builds in each namespace, for example one that a cloud lets into its registry. By default each build has one of its own, without a token, which is deleted afterwards.',
      ),
      example: 'builder',
    } as Schema,
    languages: {
      type: 'object',
      title: 'languages',
      description: 'The strategy for each language that a claim can name.',
      properties: Object.fromEntries(
        (fieldOf(spec, 'build', 'language').enum ?? []).map(language => [
          String(language),
          {
            type: 'object',
            title: 'language',
            description: `The strategy for ${language}.`,
            required: ['strategy'],
            properties: { strategy: fieldOf(spec, 'build', 'strategy'), params: fieldOf(spec, 'build', 'params') },
          },
        ]),
      ),
    },
  },
})

function fieldOf(spec: Schema, ...path: string[]): Schema {
  const field = path.reduce<Schema | undefined>((above, name) => above?.properties?.[name], spec)
  if (field === undefined) throw new Error(`the API has no field ${path.join('.')}`)
  return field
}

/** The input's schema below apiVersion, kind and metadata. */
export function inputProperties(spec: Schema): Record<string, Schema> {
  const { title: _, ...picked } = pick(spec, defaultableFields)
  const { enum: __, ...size } = picked.properties?.size ?? {}
  const defaults: Schema = { ...picked, properties: { ...picked.properties, size: { ...size, ...nameLimits } } }
  return {
    composeAs: {
      type: 'string',
      title: 'way of composing',
      description:
        'Native composes the resources themselves and is right for Crossplane 2. ProviderKubernetes wraps each in an Object of provider-kubernetes, for Crossplane 1.',
      enum: ['Native', 'ProviderKubernetes'],
      default: 'Native',
    },
    providerConfig: {
      type: 'string',
      title: 'name of a ProviderConfig',
      description: 'The ProviderConfig of provider-kubernetes that the Objects refer to.',
      minLength: 1,
      maxLength: 253,
      default: 'default',
    },
    features: {
      type: 'object',
      title: 'features of the cluster',
      description: 'Optional features that this cluster has enabled.',
      properties: {
        knativeInitContainers: {
          type: 'boolean',
          title: 'init containers with Knative',
          description: 'Whether the Knative feature flag kubernetes.podspec-init-containers is enabled.',
          default: false,
        },
        knativeInitialScaleZero: {
          type: 'boolean',
          title: 'initial scale 0 with Knative',
          description: "Whether Knative's autoscaler is configured with allow-zero-initial-scale.",
          default: false,
        },
        knativeEmptyDir: {
          type: 'boolean',
          title: 'scratch space with Knative',
          description: 'Whether the Knative feature flag kubernetes.podspec-volumes-emptydir is enabled, as it is by default.',
          default: true,
        },
        identity: {
          type: 'string',
          title: 'cloud of the identities',
          description:
            "The cloud that a claim's identity belongs to: GCP for Workload Identity, AWS for IAM roles for service accounts, Azure for Workload ID.",
          enum: ['GCP', 'AWS', 'Azure'],
        },
        prometheusAnnotations: {
          type: 'boolean',
          title: 'annotations for Prometheus',
          description:
            'Whether pods get the annotations prometheus.io/scrape, port and path, for a Prometheus that finds its targets by them.',
          default: false,
        },
        podReasons: {
          type: 'boolean',
          title: 'reasons from pods',
          description:
            'Whether a claim that is not ready says why its pods fail. Crossplane then reads and caches all pods of the cluster, for which it needs package/runtime/rbac/pods.yaml. No effect with ProviderKubernetes.',
          default: false,
        },
      },
    },
    availability: {
      type: 'string',
      title: 'availability',
      description:
        'Standard lets Deployments survive the drain of a node and a rollout: a PodDisruptionBudget, and no pod stopped before its successor is ready. None renders none of these.',
      enum: ['Standard', 'None'],
      default: 'Standard',
    },
    natsServers: {
      type: 'object',
      title: 'NATS servers',
      description: 'The NATS servers that a claim can name in nats.server. What an entry leaves out comes from the defaults.',
      maxProperties: MOST_ENTRIES,
      additionalProperties: {
        type: 'object',
        title: 'NATS server',
        description: 'How workloads and KEDA reach the server.',
        required: ['url', 'monitoringEndpoint'],
        properties: {
          ...Object.fromEntries(['url', 'account', 'accountID', 'monitoringEndpoint'].map(name => [name, fieldOf(spec, 'nats', name)])),
          useHttps: {
            type: 'boolean',
            title: 'HTTPS',
            description: 'Whether KEDA reads the monitoring endpoint over HTTPS.',
            default: false,
          },
        },
      },
    },
    priorities: {
      type: 'object',
      title: 'priorities',
      description: "The PriorityClass of each priority that a claim can name. A claim can't name one that is missing here.",
      maxProperties: MOST_ENTRIES,
      additionalProperties: {
        type: 'string',
        title: 'name of a PriorityClass',
        description: 'The PriorityClass.',
        maxLength: 253,
        pattern: '^[a-z0-9]+(?:-+[a-z0-9]+)*(?:\\.[a-z0-9]+(?:-+[a-z0-9]+)*)*$',
      },
    },
    defaults: { ...defaults, title: 'defaults', description: 'Defaults for every claim. What a claim or its environment says wins.' },
    environments: {
      type: 'object',
      title: 'environments',
      description:
        "Defaults for the claims of each environment, also of the platform's own. They win over the built-in presets of the environment.",
      maxProperties: MOST_ENTRIES,
      additionalProperties: { ...defaults, title: 'environment', description: 'Defaults for claims of this environment.' },
    },
    sizes: {
      type: 'object',
      title: 'sizes',
      description: "Other resources for the built-in sizes, and sizes of the platform's own.",
      maxProperties: MOST_ENTRIES,
      additionalProperties: { ...pair, title: 'size' },
    },
    mesh,
    observability,
    build: buildOf(spec),
    policy: {
      type: 'object',
      title: 'policy',
      description: 'What a claim may not ask for. A claim that breaks it is refused with POLICY; its running objects stay as they are.',
      properties: {
        maxReplicas: {
          type: 'integer',
          title: 'most replicas',
          description: 'The most replicas that a claim may ask for. A default above it is lowered.',
          example: 50,
          minimum: 1,
          maximum: 1000,
        } as Schema,
        maxGracePeriod: {
          ...fieldOf(spec, 'processing', 'maxDuration'),
          description: 'The longest processing.maxDuration that a claim may ask for, 1s to 24h.',
          example: '2h',
          default: '1h',
        } as Schema,
        registries: listOf('registries', 'The registries that images may come from, each with an optional path.', 'ghcr.io/acme', registry),
        digest: {
          type: 'string',
          title: 'digest',
          description: 'Required: an image must have a digest.',
          enum: ['Required'],
        },
        forbid: listOf('forbidden fields', 'Fields below spec that a claim must not set.', 'nats.url', fieldPath),
        require: listOf('required fields', 'Fields below spec that a claim must set.', 'environment', fieldPath),
        propagateLabels: listOf(
          'propagated labels',
          "Labels of the claim that its objects and pods get too; a * at the end stands for any ending. A change of one rolls the claim's pods.",
          'example.com/team',
          { title: 'name of a label', maxLength: 317, pattern: '^(?:[a-z0-9.-]+/)?(?:[A-Za-z0-9][A-Za-z0-9._-]*)?\\*?$' },
        ),
      },
    },
  }
}

export const inputGroup = 'fn.platform.bizmatters.io'
const description = "The input of function-event-driven-service: the platform's defaults, in the Composition, once for every claim."

/** The JSON Schema of the input, for the function and for editors, with shared parts under $defs. */
export function inputSchema(properties: Record<string, Schema>, closed: (schema: Schema, defaults: unknown) => Schema): Schema {
  const { defaults, environments, sizes, ...rest } = properties
  const { title: _, ...size } = entryOf(sizes)
  const shared = { defaults, size }
  const refer = (name: keyof typeof shared, { title, description }: Schema = {}): Schema => ({
    ...(title && { title }),
    ...(description && { description }),
    $ref: `#/$defs/${name}`,
  })
  const referAll = (name: keyof typeof shared, schema: Schema = {}): Schema => ({
    ...schema,
    additionalProperties: refer(name, entryOf(schema)),
  })
  const root = closed(
    {
      type: 'object',
      description,
      required: ['apiVersion', 'kind'],
      properties: {
        apiVersion: { type: 'string', const: `${inputGroup}/v1alpha1` },
        kind: { type: 'string', const: 'Input' },
        metadata: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        ...rest,
      },
    },
    undefined,
  )
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `https://${inputGroup}/schemas/input.v1alpha1.json`,
    title: 'Input',
    ...root,
    properties: {
      ...root.properties,
      defaults: refer('defaults', defaults),
      environments: referAll('defaults', environments),
      sizes: referAll('size', sizes),
    },
    $defs: Object.fromEntries(Object.entries(shared).map(([name, schema]) => [name, closed(schema ?? {}, undefined)])),
  }
}

/** The schema of each entry of a map. */
const entryOf = ({ additionalProperties }: Schema = {}): Schema => (typeof additionalProperties === 'object' ? additionalProperties : {})

/** The CRD of the input, which documents it in the package. There are no objects of this kind. */
export const inputCrd = (properties: Record<string, Schema>) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `inputs.${inputGroup}` },
  spec: {
    group: inputGroup,
    names: { categories: ['crossplane'], kind: 'Input', listKind: 'InputList', plural: 'inputs', singular: 'input' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            description,
            properties: { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' }, ...properties },
          },
        },
      },
    ],
  },
})
