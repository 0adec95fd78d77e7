import { readFileSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import project from '../../../package.json' with { type: 'json' }
import { readingRoles, rolesOf } from '../../../src/capabilities/index.ts'
import { readingVerbs, verbs } from '../../../src/cli/doctor/access.ts'
import { MINIMUM } from '../../../src/cli/doctor/crossplane.ts'
import { isAtLeast, parseVersion, tagOf } from '../../../src/cli/doctor/version.ts'
import { eds } from '../../../src/cli/eds.ts'
import { readSource } from '../../../src/cli/yaml/source.ts'
import { at, isObject, type JsonObject } from '../../../src/kubernetes/json.ts'
import { groupOf } from '../../../src/kubernetes/objects.ts'
import { claim, knativeClaim } from '../../fixtures/claims.ts'
import { recorded } from '../io.ts'
import {
  type Answers,
  type ClusterOptions,
  changed,
  configOf,
  examine,
  listening,
  paths,
  pod,
  readyPod,
  refused,
  secretTable,
  startCluster,
  temporaryFolder,
  writeConfig,
} from './cluster.ts'
import { ASK, account, ask, config, ENDPOINT, healthy, JSZ, stream } from './healthy.ts'

/** The stream of the claim, whose consumer is reported with this configuration. */
const configured = (own: JsonObject | undefined): Answers => ({
  [ASK]: {
    account_details: [account('$G', { name: 'ORDERS', consumer_detail: [{ name: 'orders-workers', ...(own && { config: own }) }] })],
  },
})
const start = (answers: Answers = {}, options: ClusterOptions = {}) => startCluster({ ...options, answers: { ...healthy, ...answers } })

describe('a cluster that has everything', () => {
  test('prints a table', async () => {
    const cluster = await start()
    const { io, stdout, stderr } = recorded()
    expect(await eds(['doctor', 'shop/orders-worker', '--kubeconfig', writeConfig(configOf({ server: cluster.url }))], io)).toBe(0)
    expect(stdout()).toMatchInlineSnapshot(`
      "✓ Crossplane                             Deployment crossplane-system/crossplane has 1 of 1 replicas ready
      ✓ Crossplane version                     2.3.4
      ✓ Function                               function-event-driven-service is installed and healthy (ghcr.io/bizmatters/function-event-driven-service:v0.1.0)
      – Configuration                          is not installed as a package, but the API and the Composition exist
      ✓ API (XRD)                              xeventdrivenservices.platform.bizmatters.io is established and offered
      ✓ Composition                            eventdrivenservice calls function-event-driven-service
      ✓ Access to serviceaccounts              service account crossplane-system/crossplane has all permissions it needs
      ✓ Access to deployments.apps             service account crossplane-system/crossplane has all permissions it needs
      ✓ Access to services                     service account crossplane-system/crossplane has all permissions it needs
      ✓ Access to scaledobjects.keda.sh        service account crossplane-system/crossplane has all permissions it needs
      ✓ Access to poddisruptionbudgets.policy  service account crossplane-system/crossplane has all permissions it needs
      ✓ KEDA                                   installed CRDs: scaledobjects.keda.sh
      ✓ KEDA operator                          Deployment keda/keda-operator has 1 of 1 replicas ready
      ✓ KEDA version                           2.17.0
      ✓ KEDA metrics                           APIService v1beta1.external.metrics.k8s.io is available
      – Knative Serving                        no given claim needs it
      – Knative Eventing                       no given claim needs it
      – Istio                                  no given claim needs it
      – Prometheus Operator                    no given claim needs it
      – Shipwright                             no given claim needs it
      ✓ NATS                                   nats-headless.nats.svc.cluster.local:8222 has JetStream enabled (reached through the API server)
      ✓ Stream of shop/orders-worker           account '$G' has stream 'ORDERS' with consumer 'orders-workers'
      ✓ Consumer of shop/orders-worker         redelivers after 30s, at most 5 deliveries, at most 1000 messages in work
      ✓ Pods of shop/orders-worker             1 of 1 ready
      ✓ Claim shop/orders-worker               WorkloadReady, ScalingReady, Synced, Ready
      "
    `)
    expect(stderr()).toBe('no problems found\n')
  })

  test('prints JSON', async () => {
    const { exit, checks } = await examine(await start(), 'shop/orders-worker')
    expect(exit).toBe(0)
    expect(new Set(Object.values(checks).map(({ state }) => state))).toEqual(new Set(['well', 'unneeded']))
  })

  test('keeps the field names of its JSON', async () => {
    const { stdout } = await examine(await start({ [paths.keda]: { items: [] } }), 'shop/orders-worker')
    const { checks }: { checks: JsonObject[] } = JSON.parse(stdout)
    const text = expect.any(String)
    expect(checks).toContainEqual({ name: text, state: 'wrong', says: text, mend: text })
    expect(checks).toContainEqual({ name: text, state: 'well', says: text })
  })

  test('receives only reads and access reviews', async () => {
    const { asked, reviews } = await start().then(async cluster => {
      await examine(cluster, 'shop/orders-worker')
      return cluster
    })
    expect(asked.filter(path => path === '/apis/authorization.k8s.io/v1/subjectaccessreviews')).toHaveLength(reviews.length)
    expect(new Set(reviews.map(({ user }) => user))).toEqual(new Set(['system:serviceaccount:crossplane-system:crossplane']))
    expect(reviews[0]?.groups).toEqual(['system:serviceaccounts', 'system:serviceaccounts:crossplane-system', 'system:authenticated'])
    expect(reviews.map(({ what }) => what)).toContain('patch scaledobjects.keda.sh')
    expect(reviews.map(({ what }) => what)).toContain('delete services')
  })
})

const notReady = (text: string) => text.replace('"type":"Available","status":"True"', '"type":"Available","status":"False"')
const composition = (input: JsonObject) =>
  changed(paths.compositions, text => text.replace('"kind":"Input"', `"kind":"Input",${JSON.stringify(input).slice(1, -1)}`))
const oldCrossplane = changed(paths.crossplane, text => text.replace('v2.3.4', 'v1.20.5'))
const crd = (name: string): Answers => ({
  [paths.crd(name)]: { metadata: { name }, status: { conditions: [{ type: 'Established', status: 'True' }] } },
})
const PROVIDER = '/api/v1/pods?labelSelector=pkg.crossplane.io%2Frevision%3Dprovider-kubernetes-1'
const PROVIDER_CONFIG = '/apis/kubernetes.crossplane.io/v1alpha1/providerconfigs/default'
const provider: Answers = {
  ...composition({ composeAs: 'ProviderKubernetes' }),
  [paths.providers]: {
    items: [
      {
        metadata: { name: 'provider-kubernetes' },
        spec: { package: 'xpkg.crossplane.io/crossplane-contrib/provider-kubernetes:v1.2.0' },
        status: { currentRevision: 'provider-kubernetes-1', conditions: ['Installed', 'Healthy'].map(type => ({ type, status: 'True' })) },
      },
    ],
  },
  [PROVIDER_CONFIG]: { spec: { credentials: { source: 'InjectedIdentity' } } },
  [PROVIDER]: {
    items: [
      {
        metadata: { name: 'provider-kubernetes-1-9cc6f', namespace: 'crossplane-system' },
        spec: { serviceAccountName: 'provider-kubernetes-1' },
      },
    ],
  },
}

const configuration: Answers = {
  [paths.configurations]: {
    items: [
      {
        metadata: { name: 'platform' },
        spec: { package: 'ghcr.io/bizmatters/configuration-event-driven-service:v0.1.0' },
        status: { conditions: [{ type: 'Installed', status: 'True' }] },
      },
    ],
  },
}
const RESTORE =
  'kubectl annotate configurationrevisions.pkg.crossplane.io -l pkg.crossplane.io/package=platform --overwrite restored=$(date +%s)'

const onServer: Answers = {
  ...composition({ natsServers: { main: { url: 'nats://nats.nats.svc:4222', monitoringEndpoint: 'nats.nats.svc:8222' } } }),
  [paths.claim]: claim({ nats: { server: 'main', stream: 'ORDERS', consumer: 'orders-workers' } }),
}
const urgent: Answers = { ...composition({ priorities: { high: 'acme-urgent' } }), [paths.claim]: claim({ priority: 'high' }) }
const PRIORITY_CLASS = '/apis/scheduling.k8s.io/v1/priorityclasses/acme-urgent'
const PRIORITY = 'PriorityClass of shop/orders-worker'
const EMPTY_DIR = 'kubernetes.podspec-volumes-emptydir'
const scratch: Answers = {
  ...crd('services.serving.knative.dev'),
  [paths.claim]: knativeClaim({ files: [{ scratch: '1Gi', mountPath: '/work' }] }),
}

interface Case {
  readonly title: string
  readonly answers?: Answers
  readonly options?: ClusterOptions
  readonly check: string
  readonly state?: string
  readonly because: RegExp | string
  readonly fix?: RegExp | string
}

const cases: readonly Case[] = [
  {
    title: 'reports a missing Crossplane',
    answers: { [paths.crossplane]: { items: [] } },
    check: 'Crossplane',
    because: /^no Deployment/,
    fix: /^helm .*crossplane/,
  },
  {
    title: 'reports why the pod of Crossplane does not run',
    answers: {
      ...changed(paths.crossplane, text => notReady(text).replace('"readyReplicas":1,', '')),
      ...changed(paths.crossplanePods, text =>
        text
          .replace(/"running":\{[^}]*\}/, '"waiting":{"reason":"ErrImagePull","message":"not found"}')
          .replace('"type":"Ready","status":"True"', '"type":"Ready","status":"False"'),
      ),
    },
    check: 'Crossplane',
    because:
      'Deployment crossplane-system/crossplane has 0 of 1 replicas ready: pod crossplane-8984c664d-zthtz: ImagePullBackOff: image xpkg.crossplane.io/crossplane/crossplane:v2.3.4: not found',
    fix: 'kubectl -n crossplane-system describe pods -l app=crossplane,release=crossplane',
  },
  {
    title: 'reports that no node fits the pod of Crossplane',
    answers: {
      ...changed(paths.crossplane, notReady),
      [paths.crossplanePods]: {
        items: [
          pod('crossplane-1', {
            conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' }],
          }),
        ],
      },
    },
    check: 'Crossplane',
    because: /: pod crossplane-1: Unschedulable: 0\/3 nodes are available$/,
  },
  {
    title: 'reports why Crossplane has no pod',
    answers: {
      ...changed(paths.crossplane, notReady),
      [paths.crossplanePods]: { items: [] },
      '/apis/apps/v1/namespaces/crossplane-system/replicasets?labelSelector=app%3Dcrossplane%2Crelease%3Dcrossplane': {
        items: [{ metadata: { name: 'crossplane-8984c664d', namespace: 'crossplane-system' }, spec: { replicas: 1 }, status: {} }],
      },
      '/api/v1/namespaces/crossplane-system/events?fieldSelector=involvedObject.kind%3DReplicaSet%2Creason%3DFailedCreate': {
        items: [
          {
            involvedObject: { kind: 'ReplicaSet', name: 'crossplane-8984c664d' },
            message: 'Error creating: pods "crossplane-8984c664d-zthtz" is forbidden: violates PodSecurity "restricted:latest"',
          },
        ],
      },
    },
    check: 'Crossplane',
    because: /: ReplicaSet crossplane-8984c664d can't create pods: forbidden: violates PodSecurity "restricted:latest"$/,
    fix: 'kubectl -n crossplane-system describe replicaset crossplane-8984c664d',
  },
  {
    title: 'does not trust a status older than the spec of the Deployment',
    answers: changed(paths.crossplane, text => text.replace('"generation":1', '"generation":2')),
    check: 'Crossplane',
    because: /has 1 of 1 replicas ready, and its latest spec has not been observed yet$/,
  },
  {
    title: 'reports Crossplane scaled to zero',
    answers: changed(paths.crossplane, text => text.replace('"replicas":1,"selector"', '"replicas":0,"selector"')),
    check: 'Crossplane',
    because: /of 0 replicas/,
    fix: /scale deployment crossplane --replicas=1/,
  },
  {
    title: 'reports Crossplane as unknown if Deployments may not be listed',
    answers: { [paths.crossplane]: refused(403, 'deployments.apps is forbidden') },
    check: 'Crossplane',
    state: 'unknown',
    because: /deployments.apps is forbidden/,
  },
  {
    title: 'reports access as unknown without the Deployment of Crossplane',
    answers: { [paths.crossplane]: refused(403, 'deployments.apps is forbidden') },
    check: 'Access',
    state: 'unknown',
    because: /service account that creates the resources is unknown/,
  },
  {
    title: 'reports a Crossplane older than the packages accept',
    answers: changed(paths.crossplane, text => text.replace('v2.3.4', 'v1.16.9')),
    check: 'Crossplane version',
    because: /1\.16\.9 is too old: the packages need Crossplane 1\.17\.0/,
  },
  {
    title: 'rejects Crossplane 1 without provider-kubernetes',
    answers: oldCrossplane,
    check: 'Crossplane version',
    because: /1\.20\.5 cannot compose namespaced resources: .*composeAs: ProviderKubernetes/,
  },
  {
    title: 'accepts Crossplane 1 with provider-kubernetes',
    answers: { ...oldCrossplane, ...provider },
    check: 'Crossplane version',
    state: 'well',
    because: '1.20.5, through provider-kubernetes',
  },
  {
    title: 'reads the version from the chart if the image is pinned by digest',
    answers: changed(paths.crossplane, text => text.replace(':v2.3.4', '@sha256:00ff').replace('"0.0.1"', '"2.1.0"')),
    check: 'Crossplane version',
    state: 'well',
    because: '2.1.0',
  },
  {
    title: 'reports an unreadable Crossplane version as unknown',
    answers: changed(paths.crossplane, text => text.replace(':v2.3.4', ':master').replace('"0.0.1"', '"master"')),
    check: 'Crossplane version',
    state: 'unknown',
    because: /can't be read from the image .*:master/,
  },
  {
    title: 'reports an unhealthy function',
    answers: changed(paths.functions, text =>
      text.replace(
        '"reason":"HealthyPackageRevision","status":"True"',
        '"reason":"UnhealthyPackageRevision","status":"False","message":"cannot pull"',
      ),
    ),
    check: 'Function',
    because: /is not Healthy: cannot pull$/,
    fix: 'kubectl describe function.pkg function-event-driven-service',
  },
  {
    title: 'reports a missing function',
    answers: { [paths.functions]: { items: [] } },
    check: 'Function',
    because: 'the Composition calls function function-event-driven-service, which is not installed',
    fix: `crossplane xpkg install function ghcr.io/bizmatters/function-event-driven-service:v${project.version} function-event-driven-service`,
  },
  {
    title: 'reports a function installed under another name',
    answers: changed(paths.functions, text => text.replace('"name":"function-', '"name":"bizmatters-function-')),
    check: 'Function',
    because:
      /calls function function-event-driven-service, which is not installed; the installed function is named bizmatters-function-event-driven-service/,
  },
  {
    title: 'reports a Configuration that is not healthy',
    answers: configuration,
    check: 'Configuration',
    because: /is not Healthy$/,
    fix: 'kubectl describe configuration.pkg platform',
  },
  {
    title: 'reports a missing API',
    answers: { [paths.definition]: undefined },
    check: 'API (XRD)',
    because: /neither x?eventdrivenservices.* exists/,
    fix: `crossplane xpkg install configuration ghcr.io/bizmatters/configuration-event-driven-service:v${project.version}`,
  },
  {
    title: 'restores a missing API from the installed Configuration',
    answers: { ...configuration, [paths.definition]: undefined },
    check: 'API (XRD)',
    because: /neither .* exists/,
    fix: RESTORE,
  },
  {
    title: 'requires the Configuration if the API is missing',
    answers: { [paths.definition]: undefined },
    check: 'Configuration',
    because: 'is not installed',
  },
  {
    title: 'reports an API that does not offer claims',
    answers: changed(paths.definition, text =>
      text.replace(
        '"reason":"WatchingCompositeResourceClaim","status":"True"',
        '"reason":"X","status":"False","message":"the CRD belongs to another"',
      ),
    ),
    check: 'API (XRD)',
    because: /not Offered: the CRD belongs to another/,
  },
  {
    title: 'accepts the namespaced API, which offers no claims',
    answers: {
      [paths.definition]: undefined,
      [paths.namespaced]: {
        metadata: { name: 'eventdrivenservices.platform.bizmatters.io' },
        spec: {},
        status: { conditions: [{ type: 'Established', status: 'True' }] },
      },
    },
    check: 'API (XRD)',
    state: 'well',
    because: 'eventdrivenservices.platform.bizmatters.io is established',
  },
  {
    title: 'reports a missing Composition',
    answers: { [paths.compositions]: { items: [] } },
    check: 'Composition',
    because: /^no Composition .* exists$/,
  },
  {
    title: 'restores a missing Composition from the installed Configuration',
    answers: { ...configuration, [paths.compositions]: { items: [] } },
    check: 'Composition',
    because: /^no Composition .* exists$/,
    fix: RESTORE,
  },
  {
    title: 'restores a changed Composition from its package',
    answers: {
      ...configuration,
      ...changed(paths.compositions, text =>
        text
          .replace('"kind":"Input"', '"kind":"Input","composeAs":"Nothing"')
          .replace('"name":"eventdrivenservice"', '"ownerReferences":[{"kind":"ConfigurationRevision"}],"name":"eventdrivenservice"'),
      ),
    },
    check: 'Composition',
    because: /composeAs: .*'Nothing'/,
    fix: RESTORE,
  },
  {
    title: 'reports an invalid function input in the Composition',
    answers: composition({ defaults: { size: 'huge' } }),
    check: 'Composition',
    because: /defaults\.size: .*'huge'/,
    fix: 'kubectl get composition eventdrivenservice -o yaml',
  },
  {
    title: 'reports a Composition that does not call the function',
    answers: changed(paths.compositions, text =>
      text.replace('function-event-driven-service', 'function-auto-ready').replace('fn.platform.bizmatters.io', 'other.io'),
    ),
    check: 'Composition',
    because: 'eventdrivenservice has no step that calls the function',
  },
  {
    title: 'reports a missing role',
    options: { denies: ({ what }) => what.endsWith('scaledobjects.keda.sh') && !what.startsWith('get') },
    check: 'Access to scaledobjects.keda.sh',
    because: 'service account crossplane-system/crossplane may not list, watch, create, update, patch, delete',
    fix: 'kubectl apply -f package/runtime/rbac/deployment.yaml',
  },
  {
    title: 'reports that the claims may not say why their pods fail',
    answers: composition({ features: { podReasons: true } }),
    options: { denies: ({ what }) => what.endsWith(' pods') },
    check: 'Access to pods',
    because: 'service account crossplane-system/crossplane may not get, list, watch',
    fix: 'kubectl apply -f package/runtime/rbac/pods.yaml',
  },
  {
    title: 'reports a missing KEDA',
    answers: { [paths.crd('scaledobjects.keda.sh')]: undefined },
    check: 'KEDA',
    because: /^missing CRDs: scaledobjects/,
  },
  {
    title: 'reports a missing KEDA operator',
    answers: { [paths.keda]: { items: [] } },
    check: 'KEDA operator',
    because: /^no Deployment/,
  },
  {
    title: 'reports a KEDA that is too old',
    answers: changed(paths.keda, text => text.replace('keda:main', 'keda:2.16.1')),
    check: 'KEDA version',
    because: /2\.16\.1 is too old: KEDA 2\.17\.0/,
  },
  {
    title: 'reports KEDA metrics that are unavailable',
    answers: changed(paths.kedaMetrics, text =>
      text.replace(
        '"status":"True","reason":"Passed","message":"all checks passed"',
        '"status":"False","message":"failing or missing response"',
      ),
    ),
    check: 'KEDA metrics',
    because: /failing or missing response/,
  },
  {
    title: 'reports a missing Knative if the function input needs one of its flags',
    answers: composition({ features: { knativeInitContainers: true } }),
    check: 'Knative Serving',
    because: /missing CRDs: services\.serving\.knative\.dev/,
  },
  {
    title: 'reports a disabled Knative flag that the function input needs',
    answers: {
      ...composition({ features: { knativeInitContainers: true } }),
      ...crd('services.serving.knative.dev'),
      [paths.configMap('config-features')]: { data: { 'kubernetes.podspec-init-containers': 'disabled' } },
    },
    check: 'Knative kubernetes.podspec-init-containers',
    because: /config-features has 'disabled'/,
    fix: /patch configmap config-features .*"kubernetes.podspec-init-containers":"enabled"/,
  },
  {
    title: 'accepts an enabled Knative flag that the function input needs',
    answers: {
      ...composition({ features: { knativeInitialScaleZero: true } }),
      ...crd('services.serving.knative.dev'),
      [paths.configMap('config-autoscaler')]: { data: { 'allow-zero-initial-scale': 'true' } },
    },
    check: 'Knative allow-zero-initial-scale',
    state: 'well',
    because: /'true' in ConfigMap knative-serving\/config-autoscaler/,
  },
  {
    title: 'reports a missing provider-kubernetes',
    answers: { ...provider, [paths.providers]: { items: [] } },
    check: 'provider-kubernetes',
    because: /is not installed/,
  },
  {
    title: 'reports a missing ProviderConfig',
    answers: { ...provider, [PROVIDER_CONFIG]: undefined },
    check: 'ProviderConfig',
    because: /ProviderConfig default .*does not exist/,
  },
  {
    title: 'checks the permissions of provider-kubernetes instead of those of Crossplane',
    answers: provider,
    options: { denies: ({ user }) => user === 'system:serviceaccount:crossplane-system:provider-kubernetes-1' },
    check: 'Access to deployments.apps',
    because: /provider-kubernetes-1 may not get/,
    fix: /create clusterrolebinding .*--serviceaccount=crossplane-system:provider-kubernetes-1$/,
  },
  {
    title: 'reports access as unknown if the provider uses credentials from a secret',
    answers: { ...provider, [PROVIDER_CONFIG]: { spec: { credentials: { source: 'Secret' } } } },
    check: 'Access',
    state: 'unknown',
    because: /service account that creates the resources is unknown/,
  },
  {
    title: 'reports a missing Service of NATS',
    answers: { [paths.service('nats-headless')]: undefined, [paths.services]: { items: [] } },
    check: 'NATS',
    because: `${ENDPOINT} can't be reached: Service nats/nats-headless does not exist (spec.nats.monitoringEndpoint)`,
    fix: 'kubectl -n nats get services',
  },
  {
    title: 'reports a Service that exposes only the client port',
    answers: {
      ...changed(paths.claim, text => text.replace('127.0.0.1:8222', 'nats.nats.svc:8222')),
      [paths.service('nats')]: { spec: { clusterIP: '10.0.0.9', ports: [{ port: 4222 }] } },
    },
    check: 'NATS',
    because: /Service nats\/nats does not expose port 8222, only 4222; Service nats-headless exposes 8222/,
    fix: `kubectl -n shop patch eventdrivenservice orders-worker --type merge -p '{"spec":{"nats":{"monitoringEndpoint":"${ENDPOINT}"}}}'`,
  },
  {
    title: 'reports a Service of NATS without ready pods',
    answers: { [`${JSZ}/healthz?js-enabled-only=true`]: refused(503, 'no endpoints available for service "nats-headless:8222"') },
    check: 'NATS',
    because: /Service nats\/nats-headless has no ready pods/,
  },
  {
    title: 'reports NATS pods that do not listen on the port',
    answers: {
      [`${JSZ}/healthz?js-enabled-only=true`]: refused(
        503,
        'error trying to reach service: dial tcp 10.0.0.4:8222: connect: connection refused',
      ),
    },
    check: 'NATS',
    because: /do not listen on port 8222/,
  },
  {
    title: 'reports the client port of NATS behind a Service',
    answers: {
      [`${JSZ}/healthz?js-enabled-only=true`]: refused(503, 'error trying to reach service: malformed HTTP response "INFO {}"'),
    },
    check: 'NATS',
    because: /does not speak HTTP, so it is probably the client port/,
  },
  {
    title: 'reports NATS as unknown if the API server forbids the proxy',
    answers: { [`${JSZ}/healthz?js-enabled-only=true`]: refused(403, 'services "nats-headless:8222" is forbidden') },
    check: 'NATS',
    state: 'unknown',
    because: /the API server cannot proxy to Service nats\/nats-headless: .*forbidden\. KEDA may still reach it/,
    fix: /^kubectl run .*wget/,
  },
  {
    title: 'reports disabled JetStream',
    answers: { [`${JSZ}/jsz`]: { disabled: true } },
    check: 'NATS',
    because: /has JetStream disabled/,
    fix: /^helm/,
  },
  {
    title: 'reports a missing stream',
    answers: { [ASK]: { account_details: [account('$G', stream('PAYMENTS'))] } },
    check: 'Stream of shop/orders-worker',
    because: "account '$G' has no stream 'ORDERS'; its streams: PAYMENTS",
    fix: 'nats stream add -- ORDERS',
  },
  {
    title: 'suggests the stream for a misspelt name',
    answers: { [ASK]: { account_details: [account('$G', stream('ORDER'))] } },
    check: 'Stream of shop/orders-worker',
    because:
      "account '$G' has no stream 'ORDERS' (did you mean 'ORDER'?); its streams: ORDER; if the name is correct, run: nats stream add -- ORDERS",
    fix: `kubectl -n shop patch eventdrivenservice orders-worker --type merge -p '{"spec":{"nats":{"stream":"ORDER"}}}'`,
  },
  {
    title: 'does not suggest a stream that differs only by a number',
    answers: { [ASK]: { account_details: [account('$G', stream('ORDERS2'))] } },
    check: 'Stream of shop/orders-worker',
    because: "account '$G' has no stream 'ORDERS'; its streams: ORDERS2",
    fix: 'nats stream add -- ORDERS',
  },
  {
    title: 'finds the stream in another account',
    answers: {
      [ASK]: { account_details: [] },
      [`${JSZ}/jsz?accounts=true&streams=true`]: { account_details: [account('SHOP', stream('ORDERS'))] },
    },
    check: 'Stream of shop/orders-worker',
    because: "stream 'ORDERS' is in account 'SHOP', not in account '$G'",
    fix: /patch eventdrivenservice orders-worker .*"account":"SHOP"/,
  },
  {
    title: 'reports a missing consumer',
    answers: { [ASK]: { account_details: [account('$G', stream('ORDERS', 'others'))] } },
    check: 'Stream of shop/orders-worker',
    because: "stream 'ORDERS' of account '$G' has no consumer 'orders-workers'; its consumers: others",
    fix: 'nats consumer add --pull --defaults -- ORDERS orders-workers',
  },
  {
    title: 'suggests the consumer for a misspelt name',
    answers: { [ASK]: { account_details: [account('$G', stream('ORDERS', 'order-workers'))] } },
    check: 'Stream of shop/orders-worker',
    because:
      /has no consumer 'orders-workers' \(did you mean 'order-workers'\?\).*; if the name is correct, run: nats consumer add .* ORDERS orders-workers$/,
    fix: `kubectl -n shop patch eventdrivenservice orders-worker --type merge -p '{"spec":{"nats":{"consumer":"order-workers"}}}'`,
  },
  {
    title: 'finds the stream on another server of the NATS cluster',
    answers: {
      [`${JSZ}/jsz`]: { meta_cluster: { cluster_size: 3 } },
      [ASK]: { account_details: [account('$G')] },
      '/api/v1/namespaces/nats/endpoints/nats-headless': { subsets: [{ addresses: [{ targetRef: { name: 'nats-1' } }] }] },
      [ASK.replace('services/nats-headless', 'pods/nats-1')]: {
        account_details: [account('$G', stream('ORDERS', 'orders-workers'))],
      },
    },
    check: 'Stream of shop/orders-worker',
    state: 'well',
    because: "account '$G' has stream 'ORDERS' with consumer 'orders-workers'",
  },
  {
    title: 'queries the account that the claim names',
    answers: {
      ...changed(paths.claim, text => text.replace('127.0.0.1:8222', ENDPOINT).replace('"consumer"', '"account":"SHOP","consumer"')),
      [ask('SHOP')]: { account_details: [account('SHOP', stream('ORDERS', 'orders-workers'))] },
    },
    check: 'Stream of shop/orders-worker',
    state: 'well',
    because: "account 'SHOP' has stream 'ORDERS' with consumer 'orders-workers'",
  },
  {
    title: 'demands more deliveries than a backoff has steps',
    answers: configured({ ...config, max_deliver: -1, backoff: Array.from({ length: 7 }, () => 60_000_000_000) }),
    check: 'Consumer of shop/orders-worker',
    state: 'unknown',
    because: /^max_deliver is -1: /,
    fix: 'nats consumer edit --max-deliver=8 -- ORDERS orders-workers',
  },
  {
    title: 'accepts a consumer that needs no acknowledgements',
    answers: configured({ ack_policy: 'none', max_deliver: -1 }),
    check: 'Consumer of shop/orders-worker',
    state: 'well',
    because: 'ack_policy is none, so NATS neither redelivers messages nor holds them back',
  },
  {
    title: 'reports a consumer without its configuration as unknown',
    answers: configured(undefined),
    check: 'Consumer of shop/orders-worker',
    state: 'unknown',
    because: 'the NATS server does not report its configuration',
    fix: 'nats consumer info -- ORDERS orders-workers',
  },
  {
    title: "names the platform's server instead of the endpoint, and suggests no other endpoint for it",
    answers: {
      ...onServer,
      [paths.service('nats')]: { spec: { clusterIP: '10.0.0.9', ports: [{ port: 4222 }] } },
    },
    check: 'NATS',
    because:
      "nats.nats.svc:8222 can't be reached: Service nats/nats does not expose port 8222, only 4222; Service nats-headless exposes 8222 (spec.nats.server: main)",
    fix: 'kubectl -n nats get services',
  },
  {
    title: 'reports a missing PriorityClass',
    answers: { ...urgent, '/apis/scheduling.k8s.io/v1/priorityclasses': { items: [{ metadata: { name: 'acme-urgnet' } }] } },
    check: PRIORITY,
    because:
      "PriorityClass 'acme-urgent', which priorities in the function's input names, does not exist (did you mean 'acme-urgnet'?), so Kubernetes creates no new pods",
    fix: 'kubectl get priorityclasses',
  },
  {
    title: 'finds the PriorityClass',
    answers: { ...urgent, [PRIORITY_CLASS]: {} },
    check: PRIORITY,
    state: 'well',
    because: 'acme-urgent exists',
  },
  {
    title: 'reports a PriorityClass that may not be read as unknown',
    answers: { ...urgent, [PRIORITY_CLASS]: refused(403, 'priorityclasses is forbidden') },
    check: PRIORITY,
    state: 'unknown',
    because: "PriorityClass acme-urgent can't be read: priorityclasses is forbidden",
  },
  {
    title: 'reports a disabled Knative flag that a claim with scratch files needs',
    answers: { ...scratch, [paths.configMap('config-features')]: { data: { [EMPTY_DIR]: 'disabled' } } },
    check: `Knative ${EMPTY_DIR}`,
    because:
      "claim shop/orders-worker has an emptyDir volume, but ConfigMap knative-serving/config-features has 'disabled', so Knative rejects the Services of claims",
    fix: /patch configmap config-features .*"kubernetes.podspec-volumes-emptydir":"enabled"/,
  },
  {
    title: 'accepts a Knative flag that is enabled by default',
    answers: { ...scratch, [paths.configMap('config-features')]: { data: {} } },
    check: `Knative ${EMPTY_DIR}`,
    state: 'well',
    because:
      'enabled by default, as ConfigMap knative-serving/config-features has no such key; claim shop/orders-worker has an emptyDir volume',
  },
  {
    title: 'checks the Knative flag for a read-only root file system',
    answers: {
      ...crd('services.serving.knative.dev'),
      [paths.claim]: knativeClaim({ rootFilesystem: 'ReadOnly' }),
      [paths.configMap('config-features')]: { data: { [EMPTY_DIR]: 'Allowed' } },
    },
    check: `Knative ${EMPTY_DIR}`,
    state: 'well',
    because: "'Allowed' in ConfigMap knative-serving/config-features; claim shop/orders-worker has an emptyDir volume",
  },
  {
    title: 'reports a missing claim',
    answers: { [paths.claim]: undefined },
    check: 'Claim shop/orders-worker',
    because: 'does not exist',
  },
  {
    title: 'reports a claim that does not scale',
    answers: changed(paths.claim, text =>
      text.replace(
        /"message":"ScaledObject[^"]*","observedGeneration":4,"reason":"Ready","status":"True"/,
        '"message":"KEDA can\'t scale on it.","reason":"TriggerError","status":"False"',
      ),
    ),
    check: 'Claim shop/orders-worker',
    because: "ScalingReady is False, TriggerError: KEDA can't scale on it.",
    fix: 'kubectl -n shop describe eventdrivenservice orders-worker',
  },
  {
    title: 'reports a claim that is not ready',
    answers: changed(paths.claim, text =>
      text.replace('"reason":"Available","status":"True","type":"Ready"', '"reason":"Creating","status":"Unknown","type":"Ready"'),
    ),
    check: 'Claim shop/orders-worker',
    because: 'Ready is Unknown, Creating: no message',
  },
  {
    title: 'reports that a claim is paused before its outdated conditions',
    answers: changed(paths.claim, text =>
      text
        .replace(
          '"reason":"ReconcileSuccess","status":"True","type":"Synced"',
          '"reason":"ReconcilePaused","status":"False","type":"Synced"',
        )
        .replace(
          '"reason":"Available","status":"True","type":"WorkloadReady"',
          '"reason":"RollingOut","status":"False","type":"WorkloadReady"',
        ),
    ),
    check: 'Claim shop/orders-worker',
    because: 'Crossplane changes nothing while the claim has the annotation crossplane.io/paused (Synced is False, ReconcilePaused)',
    fix: 'kubectl -n shop annotate eventdrivenservice orders-worker crossplane.io/paused-',
  },
  {
    title: 'reports that a claim is being deleted, and what it waits for',
    answers: changed(paths.claim, text => text.replace('"generation":4', '"deletionTimestamp":"2026-01-01T00:00:00Z","generation":4')),
    check: 'Claim shop/orders-worker',
    because:
      'is being deleted since 2026-01-01T00:00:00Z; it disappears once its resources are deleted (finalizers: finalizer.apiextensions.crossplane.io)',
    fix: 'kubectl -n shop describe eventdrivenservice orders-worker',
  },
  {
    title: 'does not trust conditions older than the spec of the claim',
    answers: changed(paths.claim, text => text.replace('"generation":4', '"generation":5')),
    check: 'Claim shop/orders-worker',
    state: 'unknown',
    because: 'Crossplane has not reconciled its latest spec yet',
  },
  {
    title: 'reports a claim that Crossplane has not reconciled',
    answers: changed(paths.claim, text => text.replace(/"conditions":\[[^\]]*\]/, '"conditions":[]')),
    check: 'Claim shop/orders-worker',
    because: 'Crossplane has not reconciled it yet',
  },
  {
    title: 'reports an invalid claim in the cluster',
    answers: changed(paths.claim, text => text.replace('"runtime":"Deployment"', '"runtime":"Lambda"')),
    check: 'Claim shop/orders-worker',
    because: /spec\.runtime: must be one of/,
  },
]

test.each(cases)('$title', async ({ answers, options, check, state = 'wrong', because, fix }) => {
  const { exit, checks } = await examine(await start(answers, options), 'shop/orders-worker')
  expect(checks[check]).toMatchObject({ state, message: typeof because === 'string' ? because : expect.stringMatching(because) })
  if (fix !== undefined) expect(checks[check]?.fix).toEqual(typeof fix === 'string' ? fix : expect.stringMatching(fix))
  expect(exit).toBe(Object.values(checks).some(one => one.state === 'wrong') ? 1 : 0)
  if (state === 'wrong') expect(exit).toBe(1)
})

describe('claims from files', () => {
  const write = (name: string, ...claims: JsonObject[]) => {
    const file = join(temporaryFolder(), name)
    writeFileSync(file, claims.map(one => JSON.stringify(one)).join('\n---\n'))
    return file
  }

  test('are checked before they are applied', async () => {
    const file = write('claim.yaml', claim({ nats: { stream: 'NEW', consumer: 'workers', monitoringEndpoint: ENDPOINT } }, { name: 'new' }))
    const { exit, checks } = await examine(await start(), file)
    expect(exit).toBe(1)
    expect(checks['Claim shop/new']).toEqual({ state: 'well', message: 'is valid' })
    expect(checks['Stream of shop/new']?.message).toMatch(/no stream 'NEW'/)
  })

  test('with runtime Knative require Knative instead of KEDA and NATS', async () => {
    const eventing = { broker: {}, triggers: [{ name: 'paid' }], kafka: { bootstrapServers: ['kafka:9092'], topics: ['paid'] } }
    const cluster = await start(crd('services.serving.knative.dev'))
    const { checks } = await examine(cluster, write('claim.yaml', knativeClaim({ eventing })))
    expect(checks).toMatchObject({
      KEDA: { state: 'unneeded' },
      NATS: { state: 'unneeded' },
      'Knative Serving': { state: 'well' },
      'Knative Eventing': { state: 'wrong' },
      'Knative KafkaSource': { state: 'wrong' },
      'Access to services.serving.knative.dev': { state: 'well' },
      'Access to poddisruptionbudgets.policy': { state: 'well' },
      'Access to kafkasources.sources.knative.dev': { state: 'well' },
    })
    expect(Object.keys(checks)).not.toContain('Access to scaledobjects.keda.sh')
    // Nothing of this claim is an emptyDir, or has a priority.
    expect(Object.keys(checks).filter(name => /^(Knative kubernetes|PriorityClass)/.test(name))).toEqual([])
  })

  test('with runtime Deployment and without NATS require neither KEDA nor NATS', async () => {
    const { checks } = await examine(await start(), write('claim.yaml', claim({ nats: undefined, httpPort: 8080 })))
    const unneeded = { state: 'unneeded', message: 'no given claim scales on NATS' }
    expect(checks).toMatchObject({ KEDA: unneeded, NATS: unneeded })
    expect(Object.keys(checks).filter(name => /^(KEDA .|Stream|Consumer|Access to scaledobjects)/.test(name))).toEqual([])
  })

  test('are reported if their namespace is missing', async () => {
    const { exit, checks } = await examine(await start(), write('claim.yaml', claim({}, { namespace: 'nowhere' })))
    expect(exit).toBe(1)
    expect(checks['Claim nowhere/orders-worker']).toEqual({
      state: 'wrong',
      message: 'is valid, but namespace nowhere does not exist',
      fix: 'kubectl create namespace nowhere',
    })
  })

  test('are reported if they are invalid', async () => {
    const { exit, checks } = await examine(await start(), write('claim.json', claim({ size: 'huge' })))
    expect(exit).toBe(1)
    expect(checks['Claim shop/orders-worker']?.message).toMatch(/spec\.size/)
    expect(checks['Knative Serving']?.message).toBe('no valid claim was given, and nothing in the Composition needs it')
  })

  test('use the namespace of the flag if they name none', async () => {
    const { checks } = await examine(await start(), '-n', 'elsewhere', write('claim.yaml', claim({}, { namespace: undefined })))
    expect(checks['Claim elsewhere/orders-worker']?.state).toBe('well')
  })

  test('may contain objects with their own toString instead of text, like the responses of the cluster', async () => {
    const strange = { toString: 1 }
    const shown = JSON.stringify(strange)
    const file = write('claim.yaml', claim({}, { name: strange, namespace: strange }))
    const answers = {
      ...changed(paths.crossplane, text =>
        text.replace(/"replicas":\d+/g, `"replicas":${shown}`).replace(/"readyReplicas":\d+/, `"readyReplicas":${shown}`),
      ),
      [paths.service('nats-headless')]: { spec: { ports: [{ port: strange }] } },
    }
    const { exit, checks } = await examine(await start(answers), file)
    expect(exit).toBe(1)
    expect(checks[`Claim ${shown}/${shown}`]?.state).toBe('wrong')
    expect(checks.Crossplane?.message).toContain(`${shown} of ${shown} replicas`)
  })

  test('end the command if none is an EventDrivenService', async () => {
    const { exit, stderr } = await examine(await start(), write('other.yaml', { apiVersion: 'v1', kind: 'ConfigMap' }))
    expect(exit).toBe(2)
    expect(stderr).toMatch(/contain no EventDrivenService/)
  })
})

describe('a server of NATS outside the cluster', () => {
  const given = (port: number) => changed(paths.claim, text => text.replace('127.0.0.1:8222', `127.0.0.1:${port}`))

  test('is queried directly', async () => {
    const port = await listening(
      createHttpServer((request, response) => {
        const body = request.url?.startsWith('/jsz?') ? healthyStream : { status: 'ok' }
        response.end(JSON.stringify(body))
      }),
    )
    const { exit, checks } = await examine(await start(given(port)), 'shop/orders-worker')
    expect(checks.NATS?.message).toBe(`127.0.0.1:${port} has JetStream enabled (reached from this machine)`)
    expect(checks['Stream of shop/orders-worker']?.state).toBe('well')
    expect(exit).toBe(0)
  })
  const healthyStream = { account_details: [account('$G', stream('ORDERS', 'orders-workers'))] }

  test('is unknown if it does not answer', async () => {
    const { exit, checks, stderr } = await examine(await start(given(1)), 'shop/orders-worker')
    expect(checks.NATS?.state).toBe('unknown')
    expect(checks['Stream of shop/orders-worker']?.state).toBe('unknown')
    expect(exit).toBe(0)
    expect(stderr).toBe('no problems found; 2 checks could not be completed\n')
  })

  test('is unknown if its address is invalid', async () => {
    const strange = changed(paths.claim, text => text.replace('127.0.0.1:8222', '1.2.3.4.5:8222'))
    const { checks } = await examine(await start(strange), 'shop/orders-worker')
    expect(checks.NATS).toMatchObject({
      state: 'unknown',
      message: expect.stringMatching(/1\.2\.3\.4\.5:8222 does not answer from this machine: Invalid URL/),
    })
  })

  test('is reported if the endpoint is the client port', async () => {
    const greeter = createTcpServer(socket => socket.end('INFO {"server_id":"x"}\r\n'))
    const port = await listening(greeter)
    const { checks } = await examine(await start(given(port)), 'shop/orders-worker')
    expect(checks.NATS?.message).toMatch(/does not speak HTTP, so it is probably the client port \(4222\)/)
  })
})

describe('of several Compositions', () => {
  const two = (chosen: string, byClaim?: string): Answers => ({
    [paths.compositions]: {
      items: ['eventdrivenservice', 'other'].map(name => ({
        metadata: { name },
        spec: {
          compositeTypeRef: { apiVersion: 'platform.bizmatters.io/v1alpha1', kind: 'XEventDrivenService' },
          pipeline: [
            {
              functionRef: { name: 'function-event-driven-service' },
              input: {
                apiVersion: 'fn.platform.bizmatters.io/v1alpha1',
                kind: 'Input',
                ...(name === 'other' && { features: { knativeInitContainers: true } }),
              },
            },
          ],
        },
      })),
    },
    ...changed(paths.definition, text => text.replace('"defaultCompositionRef":{"name":"eventdrivenservice"}', chosen)),
    ...(byClaim !== undefined && {
      ...changed(paths.claim, text => text.replace('"compositionRef":{"name":"eventdrivenservice"}', byClaim)),
    }),
  })
  const none = '"x":0'

  test.each([
    { title: 'the one that the claim names', answers: two(none, '"compositionRef":{"name":"other"}') },
    { title: 'the one that a namespaced claim names', answers: two(none, '"crossplane":{"compositionRef":{"name":"other"}}') },
    { title: 'the default of the API', answers: two('"defaultCompositionRef":{"name":"other"}', none) },
    { title: 'the one that the API enforces', answers: two('"enforcedCompositionRef":{"name":"other"}', none) },
  ])('$title is used', async ({ answers }) => {
    const args = answers[paths.claim] === undefined ? [] : ['shop/orders-worker']
    const { checks } = await examine(await start(answers), ...args)
    expect(checks['Knative Serving']?.state).toBe('wrong')
  })

  test('the first is used if neither names one', async () => {
    const { checks } = await examine(await start(two(none)))
    expect(checks['Knative Serving']?.state).toBe('unneeded')
  })
})

const PULLING = 'Back-off pulling image "ghcr.io/acme/orders-worker:1.4.3": ErrImagePull: ghcr.io/acme/orders-worker:1.4.3: not found'

test('docs/troubleshooting.md quotes the messages', async () => {
  const page = readFileSync(new URL('../../../docs/troubleshooting.md', import.meta.url), 'utf8')
  const quoted = (sign: string) => [...page.matchAll(new RegExp(`^> ${sign} (.*)$`, 'gm'))].map(([, text]) => text)
  const other = changed(paths.claim, text => text.replace('127.0.0.1:8222', 'nats.nats.svc.cluster.local:8222'))
  const named = { secretRefs: [{ name: 'orders-db', env: [{ secretKey: 'password', envName: 'DB_PASSWORD' }] }] }
  const maxDuration = '"processing":{"maxDuration":"15m"}'
  const inTrouble = pod('orders-worker-6d4cf56db6-x7k2p', {
    containerStatuses: [
      {
        name: 'main',
        image: 'ghcr.io/acme/orders-worker:1.4.3',
        state: { waiting: { reason: 'ImagePullBackOff', message: PULLING } },
      },
    ],
  })
  const told = await Promise.all(
    [
      { answers: { [paths.pods]: { items: [readyPod('orders-worker-76b6bd9848-2xv4q'), inTrouble] } } },
      {
        answers: {
          ...changed(paths.claim, text =>
            text.replace('127.0.0.1:8222', ENDPOINT).replace('"nats"', `${JSON.stringify(named).slice(1, -1)},"nats"`),
          ),
          [paths.secrets]: secretTable({ name: 'registry-credentials' }),
        },
      },
      { answers: changed(paths.claim, text => text.replace('127.0.0.1:8222', ENDPOINT).replace('"nats"', `${maxDuration},"nats"`)) },
      { answers: configured({ ...config, max_deliver: -1 }) },
      { answers: configured({ ...config, max_ack_pending: 5 }) },
      { answers: { ...other, [paths.service('nats')]: { spec: { clusterIP: '10.0.0.9', ports: [{ port: 4222 }] } } } },
      { answers: { [ASK]: { account_details: [account('$G')] } } },
      { answers: { [ASK]: { account_details: [account('$G', stream('ORDERS', 'order-workers'))] } } },
      {
        answers: {
          [ASK]: { account_details: [] },
          [`${JSZ}/jsz?accounts=true&streams=true`]: { account_details: [account('SHOP', stream('ORDERS'))] },
        },
      },
      { options: { denies: ({ what }: { what: string }) => what.endsWith('scaledobjects.keda.sh') } },
      { answers: oldCrossplane },
    ].map(async ({ answers, options }) => {
      const { checks } = await examine(await start(answers, options), 'shop/orders-worker')
      return Object.entries(checks).map(([name, { state, message }]) => ({ state, text: `${name}  ${message}` }))
    }),
  )
  const textsOf = (wanted: string) => told.flat().flatMap(({ state, text }) => (state === wanted ? [text] : []))
  expect(quoted('✗')).toEqual(textsOf('wrong'))
  expect(textsOf('unknown')).toEqual(expect.arrayContaining(quoted('–')))
  expect(quoted('–')).toHaveLength(2)
})

describe('versions', () => {
  test.each([
    { image: 'ghcr.io/kedacore/keda:2.17.0', tag: '2.17.0' },
    { image: '127.0.0.1:5000/keda', tag: undefined },
    { image: '127.0.0.1:5000/keda:v2.3@sha256:00ff', tag: 'v2.3' },
    { image: 'keda@sha256:00ff', tag: undefined },
  ])('$image has the tag $tag', ({ image, tag }) => expect(tagOf(image)).toBe(tag))

  test.each([
    { version: '2.17.0', minimum: '2.17.0', is: true },
    { version: '2.16.9', minimum: '2.17.0', is: false },
    { version: '3.0.0', minimum: '2.17.0', is: true },
    { version: '1.99.99', minimum: '2.17.0', is: false },
    { version: 'v2.20', minimum: '2.17.0', is: true },
  ])('$version is at minimum $minimum: $is', ({ version, minimum, is }) =>
    expect(isAtLeast(parseVersion(version) ?? [0, 0, 0], parseVersion(minimum) ?? [0, 0, 0])).toBe(is),
  )
})

const manifest = (file: string): JsonObject => {
  const value = readSource(file, readFileSync(new URL(`../../../package/${file}`, import.meta.url), 'utf8')).documents[0]?.value
  return isObject(value) ? value : {}
}

test('needs no access to pods unless claims say why they fail', async () => {
  const { checks } = await examine(await start({}, { denies: ({ what }) => what.endsWith(' pods') }))
  expect(checks).not.toHaveProperty('Access to pods')
})

const checkedRoles = [...rolesOf().map(role => ({ ...role, verbs })), ...readingRoles.map(role => ({ ...role, verbs: readingVerbs }))]

test.each(checkedRoles)('the checked permissions of $name match its ClusterRole', ({ name, kinds, verbs }) => {
  const rules = at(manifest(`runtime/rbac/${name}.yaml`), 'rules')
  const asked = (Array.isArray(rules) ? rules : []).flatMap(rule => {
    const [resources, groups] = [at(rule, 'resources'), at(rule, 'apiGroups')]
    return (Array.isArray(resources) ? resources : [])
      .filter(resource => !String(resource).includes('/'))
      .map(resource => ({ group: at(groups, 0), resource, verbs: at(rule, 'verbs') }))
  })
  const needed = kinds.map(({ apiVersion, plural }) => ({ group: groupOf(apiVersion), resource: plural, verbs }))
  expect(new Set(needed)).toEqual(new Set(asked))
})

test.each(['function', 'configuration'])('the minimum Crossplane version is the constraint of the %s', name => {
  const constraint = String(at(manifest(`${name}/crossplane.yaml`), 'spec', 'crossplane', 'version'))
  expect(parseVersion(constraint.replace(/^>=/, ''))).toEqual(MINIMUM)
})
