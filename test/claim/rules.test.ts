import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { type Finding, sentence } from '../../src/claim/findings.ts'
import { planRules } from '../../src/claim/rules.ts'
import type { Schema } from '../../src/claim/schema.ts'
import type { Json, JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../src/platform/platform.ts'
import { validateClaim } from '../../src/reconcile/parse-claim.ts'
import { claim, knativeClaim } from '../fixtures/claims.ts'

const judge = (document: Json) => validateClaim(document, builtInPlatform).findings.map(finding => `${sentence(finding)} [${finding.code}]`)
const named = (name: string) => claim({}, { name })
const scaler = (autoscaling: JsonObject) => knativeClaim({ knative: { autoscaling } })
const traffic = (...shares: JsonObject[]) => knativeClaim({ knative: { traffic: shares } })
const latest = (percent: number, tag?: string) => ({ latestRevision: true, percent, ...(tag && { tag }) })
const deadLetter = (sink: JsonObject) =>
  claim({ eventing: { kafka: { bootstrapServers: ['k:1'], topics: ['t'], delivery: { deadLetter: sink } } } })
const ref = { apiVersion: 'v1', kind: 'Service', name: 'a' }
const trigger = (filter: JsonObject) => claim({ eventing: { triggers: [{ name: 't', filter }] } })
const secret = (fields: JsonObject) => claim({ secretRefs: [{ name: 's', ...fields }] })
const key = (envName: string) => ({ secretKey: 'k', envName })
const latency = (spec: JsonObject) => claim({ processing: { averageDuration: '2s', targetLatency: '1m' }, ...spec })
const probes = (probes: JsonObject) => claim({ probes })
const files = (...files: JsonObject[]) => claim({ files })

/** For each rule of the XRD, claims that keep it and claims that break it, with their findings. */
const rows: readonly { rule: string; keeps: readonly Json[]; breaks: readonly (readonly [Json, ...string[]])[] }[] = [
  {
    rule: 'must have at most 56 characters, because names derived from it may have at most 63',
    keeps: [named('a'.repeat(56))],
    breaks: [
      [
        named('a'.repeat(57)),
        `metadata.name: must have at most 56 characters, because names derived from it may have at most 63, got '${'a'.repeat(57)}' [NAME]`,
      ],
    ],
  },
  {
    rule: "must start with a lower-case letter and contain only lower-case letters, digits and '-', because it names a Service",
    keeps: [named('a'), named('a1-b--c')],
    breaks: ['1a', 'Orders', 'a.b', 'a_b', '-a', 'ä', 'a b'].map(name => [
      named(name),
      `metadata.name: must start with a lower-case letter and contain only lower-case letters, digits and '-', because it names a Service, got '${name}' [NAME]`,
    ]),
  },
  {
    rule: 'must end with a letter or a digit, because it names a Service',
    keeps: [named('a-1')],
    breaks: [[named('a-'), "metadata.name: must end with a letter or a digit, because it names a Service, got 'a-' [NAME]"]],
  },
  {
    rule: "must be neither 'default' nor 'kubernetes', the names of a ServiceAccount and a Service of Kubernetes itself",
    keeps: [named('default-worker'), named('my-kubernetes')],
    breaks: ['default', 'kubernetes'].map(name => [
      named(name),
      `metadata.name: must be neither 'default' nor 'kubernetes', the names of a ServiceAccount and a Service of Kubernetes itself, got '${name}' [NAME]`,
    ]),
  },
  {
    rule: 'required with runtime Deployment, unless httpPort or eventing brings the work',
    keeps: [
      claim(),
      knativeClaim(),
      claim({ nats: undefined, httpPort: 8080 }),
      claim({ nats: undefined, eventing: { triggers: [{ name: 't' }] } }),
      claim({ nats: undefined, eventing: {} }),
    ],
    breaks: [
      claim({ nats: undefined }),
      claim({ nats: undefined, runtime: 'Deployment' }),
      claim({ nats: null }),
      claim({ nats: undefined, eventing: null, httpPort: null }),
    ].map(broken => [broken, 'spec.nats: required with runtime Deployment, unless httpPort or eventing brings the work [REQUIRED]']),
  },
  {
    rule: 'requires runtime Deployment: Knative ends a request after knative.timeoutSeconds',
    keeps: [claim({ processing: { maxDuration: '1m' } }), knativeClaim({ processing: null })],
    breaks: [{}, { concurrency: 2 }].map(processing => [
      knativeClaim({ processing }),
      'spec.processing: requires runtime Deployment: Knative ends a request after knative.timeoutSeconds [CONFLICT]',
    ]),
  },
  {
    rule: 'requires runtime Deployment',
    keeps: [claim({ updates: 'Rolling' })],
    breaks: [[knativeClaim({ updates: 'Rolling' }), "spec.updates: requires runtime Deployment, got 'Rolling' [CONFLICT]"]],
  },
  {
    rule: 'excludes scaling.lagThreshold, which is derived from it',
    keeps: [
      latency({}),
      latency({ scaling: { maxReplicas: 3 } }),
      latency({ scaling: null }),
      claim({ processing: null, scaling: { lagThreshold: 5 } }),
      claim({ processing: { maxDuration: '1m' }, scaling: { lagThreshold: 5 } }),
    ],
    breaks: [
      [
        latency({ scaling: { lagThreshold: 5 } }),
        "spec.processing.targetLatency: excludes scaling.lagThreshold, which is derived from it, got '1m' [CONFLICT]",
      ],
    ],
  },
  {
    rule: 'OneAtATime allows one replica, but scaling asks for more',
    keeps: [
      claim({ updates: 'OneAtATime' }),
      claim({ updates: 'OneAtATime', scaling: null }),
      claim({ updates: 'OneAtATime', scaling: { minReplicas: 0, maxReplicas: 1 } }),
      claim({ updates: 'Rolling', scaling: { maxReplicas: 2 } }),
    ],
    breaks: [{ maxReplicas: 2 }, { minReplicas: 2 }].map(scaling => [
      claim({ updates: 'OneAtATime', scaling }),
      "spec.updates: OneAtATime allows one replica, but scaling asks for more, got 'OneAtATime' [CONFLICT]",
    ]),
  },
  ...(['liveness', 'readiness'] as const).map(probe => {
    const short = probe === 'liveness' ? 'healthPath' : 'readyPath'
    return {
      rule: `excludes ${short}, its short form`,
      keeps: [
        probes({ [probe]: { path: '/a' } }),
        claim({ [short]: '/a', probes: null }),
        claim({ [short]: '/a', probes: { startup: { path: '/a', within: '1m' } } }),
      ],
      breaks: [
        [
          claim({ [short]: '/a', probes: { [probe]: { path: '/a' } } }),
          `spec.probes.${probe}: excludes ${short}, its short form [CONFLICT]`,
        ] as [Json, string],
      ],
    }
  }),
  {
    rule: 'excludes runtime Knative: it sends requests as soon as the readiness probe succeeds',
    keeps: [
      probes({ readiness: { none: true } }),
      knativeClaim({ probes: { readiness: { none: false, path: '/a' }, liveness: { none: true } } }),
    ],
    breaks: [
      [
        knativeClaim({ probes: { readiness: { none: true } } }),
        'spec.probes.readiness: excludes runtime Knative: it sends requests as soon as the readiness probe succeeds [CONFLICT]',
      ],
    ],
  },
  {
    rule: 'excludes eventing.triggers: events would reach pods that are still starting',
    keeps: [
      claim({ probes: { readiness: { none: true } }, eventing: { triggers: [] } }),
      claim({ probes: { readiness: { none: true } }, eventing: null }),
      claim({ probes: { readiness: { path: '/a' } }, eventing: { triggers: [{ name: 't' }] } }),
      claim({ probes: null, eventing: { triggers: [{ name: 't' }] } }),
    ],
    breaks: [
      [
        claim({ probes: { readiness: { none: true } }, eventing: { triggers: [{ name: 't' }] } }),
        'spec.probes.readiness: excludes eventing.triggers: events would reach pods that are still starting [CONFLICT]',
      ],
    ],
  },
  {
    rule: 'needs one of the four: path, exec, tcp or none true',
    keeps: [{ path: '/a' }, { exec: ['a'] }, { tcp: 1 }, { none: true }, { tcp: 1, none: false }].map(liveness => probes({ liveness })),
    breaks: [{}, { none: false }, { path: '/a', tcp: 1 }, { exec: ['a'], none: true }, { period: '1s' }].map(readiness => [
      probes({ readiness }),
      'spec.probes.readiness: needs one of the four: path, exec, tcp or none true [CONFLICT]',
    ]),
  },
  {
    rule: 'needs one of the three: path, exec or tcp',
    keeps: [{ path: '/a' }, { exec: ['a'] }, { tcp: 1 }].map(way => probes({ startup: { ...way, within: '1m' } })),
    breaks: [{}, { path: '/a', tcp: 1 }].map(way => [
      probes({ startup: { ...way, within: '1m' } }),
      'spec.probes.startup: needs one of the three: path, exec or tcp [CONFLICT]',
    ]),
  },
  {
    rule: 'must be from 1s to 1h',
    keeps: ['1s', '1h', '60m'].map(period => probes({ liveness: { path: '/a', period } })),
    breaks: ['0s', '3601s', '2h'].flatMap((duration): [Json, string][] => [
      [
        probes({ liveness: { path: '/a', period: duration } }),
        `spec.probes.liveness.period: must be from 1s to 1h, got '${duration}' [OUT_OF_RANGE]`,
      ],
      [
        probes({ startup: { path: '/a', within: duration } }),
        `spec.probes.startup.within: must be from 1s to 1h, got '${duration}' [OUT_OF_RANGE]`,
      ],
    ]),
  },
  {
    rule: 'must be from 1s to 24h',
    keeps: ['1s', '15m', '1h'].map(maxDuration => claim({ processing: { maxDuration } })),
    breaks: ['0s', '0h0m', '1441m', '25h'].map(maxDuration => [
      claim({ processing: { maxDuration } }),
      `spec.processing.maxDuration: must be from 1s to 24h, got '${maxDuration}' [OUT_OF_RANGE]`,
    ]),
  },
  {
    rule: 'must be from 1ms to 24h',
    keeps: ['1ms', '1s500ms', '24h'].map(targetLatency => claim({ processing: { averageDuration: '1ms', targetLatency } })),
    breaks: ['0ms', '0s', '24h1ms'].map(targetLatency => [
      claim({ processing: { averageDuration: '1ms', targetLatency } }),
      `spec.processing.targetLatency: must be from 1ms to 24h, got '${targetLatency}' [OUT_OF_RANGE]`,
    ]),
  },
  {
    rule: 'required with averageDuration',
    keeps: [latency({})],
    breaks: [[claim({ processing: { averageDuration: '1s' } }), 'spec.processing.targetLatency: required with averageDuration [REQUIRED]']],
  },
  {
    rule: 'required with targetLatency',
    keeps: [latency({})],
    breaks: [[claim({ processing: { targetLatency: '1s' } }), 'spec.processing.averageDuration: required with targetLatency [REQUIRED]']],
  },
  {
    rule: 'must be at most maxDuration',
    keeps: [claim({ processing: { maxDuration: '2s', averageDuration: '2000ms', targetLatency: '1s' } })],
    breaks: [
      [
        claim({ processing: { maxDuration: '2s', averageDuration: '2001ms', targetLatency: '1s' } }),
        "spec.processing.averageDuration: must be at most maxDuration, got '2001ms' [CONFLICT]",
      ],
    ],
  },
  {
    rule: 'excludes nats.server, which has its own',
    keeps: [claim()],
    breaks: ['url', 'monitoringEndpoint'].map(field => {
      const address = field === 'url' ? 'nats://a:1' : 'a:1'
      return [
        claim({ nats: { stream: 'S', consumer: 'C', server: 'main', [field]: address } }),
        `spec.nats.${field}: excludes nats.server, which has its own, got '${address}' [CONFLICT]`,
      ]
    }),
  },
  {
    rule: 'needs one of the two: key, or secretKey, its older name',
    keeps: [secret({ env: [{ key: 'k', name: 'A' }] }), secret({ env: [{ secretKey: 'k', name: 'A' }] })],
    breaks: [{ name: 'A' }, { key: 'k', secretKey: 'k', name: 'A' }].map(one => [
      secret({ env: [one] }),
      'spec.secretRefs[0].env[0].key: needs one of the two: key, or secretKey, its older name [REQUIRED]',
    ]),
  },
  {
    rule: 'needs one of the two: name, or envName, its older name',
    keeps: [secret({ env: [{ key: 'k', envName: 'A' }] })],
    breaks: [{ key: 'k' }, { key: 'k', name: 'A', envName: 'A' }].map(one => [
      secret({ env: [one] }),
      'spec.secretRefs[0].env[0].name: needs one of the two: name, or envName, its older name [REQUIRED]',
    ]),
  },
  {
    rule: "must not mount a file inside another's mountPath",
    keeps: [
      files({ mountPath: '/a', secret: 's' }, { mountPath: '/ab', secret: 's' }),
      files({ mountPath: '/a/b', secret: 's' }, { mountPath: '/a/c', secret: 's' }),
    ],
    breaks: [
      [
        files({ mountPath: '/a/b/c', secret: 's' }, { mountPath: '/a', scratch: '1Gi' }),
        "spec.files: must not mount a file inside another's mountPath [CONFLICT]",
      ],
    ],
  },
  {
    rule: 'needs one of the three: secret, configMap or scratch',
    keeps: [{ secret: 's' }, { configMap: 'c' }, { scratch: '1Gi' }].map(source => files({ mountPath: '/a', ...source })),
    breaks: [{}, { secret: 's', configMap: 'c' }, { secret: 's', scratch: '1Gi' }].map(source => [
      files({ mountPath: '/a', ...source }),
      'spec.files[0]: needs one of the three: secret, configMap or scratch [CONFLICT]',
    ]),
  },
  {
    rule: 'requires secret or configMap',
    keeps: [files({ mountPath: '/a', secret: 's', key: 'k' })],
    breaks: [[files({ mountPath: '/a', scratch: '1Gi', key: 'k' }), "spec.files[0].key: requires secret or configMap, got 'k' [CONFLICT]"]],
  },
  {
    rule: 'requires scratch',
    keeps: [files({ mountPath: '/a', scratch: '1Gi', memory: true })],
    breaks: [[files({ mountPath: '/a', secret: 's', memory: true }), 'spec.files[0].memory: requires scratch, got true [CONFLICT]']],
  },
  {
    rule: "must be none of the system's directories, which are /proc, /sys, /dev but for /dev/shm, and /var/run/secrets",
    keeps: ['/dev/shm', '/var/lib', '/var/runner', '/run/app', '/var/run/app', '/processes', '/device', '/run/secretsX'].map(mountPath =>
      files({ mountPath, secret: 's' }),
    ),
    breaks: [
      '/proc',
      '/proc/1',
      '/sys',
      '/dev',
      '/dev/null',
      '/dev/shm/a',
      '/var',
      '/var/run',
      '/run',
      '/run/secrets',
      '/var/run/secrets/nats',
      '/run/secrets/kubernetes.io/serviceaccount',
    ].map(mountPath => [
      files({ mountPath, secret: 's' }),
      `spec.files[0].mountPath: must be none of the system's directories, which are /proc, /sys, /dev but for /dev/shm, and /var/run/secrets, got '${mountPath}' [RESERVED]`,
    ]),
  },
  {
    rule: 'must be from 0.01 to 1000000000',
    keeps: [scaler({ target: 0.01 }), scaler({ target: 1 })],
    breaks: [0, -1, 0.009].map(target => [
      scaler({ target }),
      `spec.knative.autoscaling.target: must be from 0.01 to 1000000000, got ${target} [OUT_OF_RANGE]`,
    ]),
  },
  {
    rule: 'requires runtime Knative',
    keeps: [knativeClaim({ knative: {} }), claim({ knative: null })],
    breaks: [[claim({ knative: {} }), 'spec.knative: requires runtime Knative [CONFLICT]']],
  },
  {
    rule: 'with runtime Knative must be none of [8008, 8012, 8013, 8022, 9090, 9091], which Knative reserves',
    keeps: [claim({ httpPort: 9090 }), knativeClaim({ httpPort: 8080 }), knativeClaim({ httpPort: 8009 })],
    breaks: [8008, 8012, 8013, 8022, 9090, 9091].map(httpPort => [
      knativeClaim({ httpPort }),
      `spec.httpPort: with runtime Knative must be none of [8008, 8012, 8013, 8022, 9090, 9091], which Knative reserves, got ${httpPort} [CONFLICT]`,
    ]),
  },
  {
    rule: 'with runtime Knative must set none of [K_SERVICE, K_CONFIGURATION, K_REVISION], which Knative sets itself',
    keeps: [
      claim({ env: [{ name: 'K_SERVICE', value: '' }] }),
      knativeClaim({ env: [{ name: 'K_SERVICES', value: '' }] }),
      knativeClaim({ env: [] }),
    ],
    breaks: ['K_SERVICE', 'K_CONFIGURATION', 'K_REVISION'].map(name => [
      knativeClaim({
        env: [
          { name: 'A', value: '' },
          { name, value: '' },
        ],
      }),
      'spec.env: with runtime Knative must set none of [K_SERVICE, K_CONFIGURATION, K_REVISION], which Knative sets itself [CONFLICT]',
    ]),
  },
  {
    rule: 'must be at least minReplicas',
    keeps: [
      claim({ scaling: { minReplicas: 3, maxReplicas: 3 } }),
      claim({ scaling: { minReplicas: 0, maxReplicas: 1 } }),
      claim({ scaling: { minReplicas: 1000 } }),
      claim({ scaling: { maxReplicas: 1 } }),
    ],
    breaks: [
      [claim({ scaling: { minReplicas: 3, maxReplicas: 2 } }), 'spec.scaling.maxReplicas: must be at least minReplicas, got 2 [CONFLICT]'],
      // Numbers, not text: 10 is more than 9.
      [claim({ scaling: { minReplicas: 10, maxReplicas: 9 } }), 'spec.scaling.maxReplicas: must be at least minReplicas, got 9 [CONFLICT]'],
    ],
  },
  {
    rule: 'must be none of [NATS_URL, NATS_STREAM_NAME, NATS_CONSUMER_GROUP, PORT], which the platform sets',
    keeps: [
      claim({
        env: [
          { name: 'NATS', value: '' },
          { name: 'port', value: '' },
        ],
      }),
      secret({ env: [key('NATS_URLS')] }),
    ],
    breaks: ['NATS_URL', 'NATS_STREAM_NAME', 'NATS_CONSUMER_GROUP', 'PORT'].flatMap((name): [Json, string][] => [
      [
        claim({
          env: [
            { name: 'A', value: '' },
            { name, value: '' },
          ],
        }),
        `spec.env[1].name: must be none of [NATS_URL, NATS_STREAM_NAME, NATS_CONSUMER_GROUP, PORT], which the platform sets, got '${name}' [RESERVED]`,
      ],
      [
        secret({ env: [key(name)] }),
        `spec.secretRefs[0].env[0].envName: must be none of [NATS_URL, NATS_STREAM_NAME, NATS_CONSUMER_GROUP, PORT], which the platform sets, got '${name}' [RESERVED]`,
      ],
    ]),
  },
  {
    rule: 'needs env (single keys) or envFrom true (all keys)',
    keeps: [
      secret({ envFrom: true }),
      secret({ env: [key('A')] }),
      secret({ env: [key('A')], envFrom: true }),
      secret({ env: [], envFrom: true }),
    ],
    breaks: [secret({}), secret({ envFrom: false }), secret({ env: [] })].map(broken => [
      broken,
      'spec.secretRefs[0]: needs env (single keys) or envFrom true (all keys) [REQUIRED]',
    ]),
  },
  {
    rule: 'requires envFrom true',
    keeps: [secret({ envFrom: true, prefix: 'DB_' })],
    breaks: [[secret({ env: [key('A')], prefix: 'DB_' }), "spec.secretRefs[0].prefix: requires envFrom true, got 'DB_' [CONFLICT]"]],
  },
  {
    rule: 'must be 0 (no limit) or at least minScale',
    keeps: [scaler({ minScale: 3, maxScale: 3 }), scaler({ minScale: 3, maxScale: 0 }), scaler({ minScale: 3 }), scaler({ maxScale: 1 })],
    breaks: [
      [
        scaler({ minScale: 3, maxScale: 2 }),
        'spec.knative.autoscaling.maxScale: must be 0 (no limit) or at least minScale, got 2 [CONFLICT]',
      ],
    ],
  },
  {
    rule: 'must be concurrency or rps with class kpa, cpu or memory with class hpa',
    keeps: [
      ...['concurrency', 'rps'].map(metric => scaler({ class: 'kpa', metric })),
      ...['cpu', 'memory'].map(metric => scaler({ class: 'hpa', metric, target: 50 })),
      ...['concurrency', 'rps', 'cpu', 'memory'].map(metric => scaler({ metric, target: 50 })),
      scaler({ class: 'hpa' }),
    ],
    breaks: [
      ['kpa', 'cpu'],
      ['kpa', 'memory'],
      ['hpa', 'concurrency'],
      ['hpa', 'rps'],
    ].map(([kind = '', metric = '']) => [
      scaler({ class: kind, metric, target: 50 }),
      `spec.knative.autoscaling.metric: must be concurrency or rps with class kpa, cpu or memory with class hpa, got '${metric}' [CONFLICT]`,
    ]),
  },
  {
    rule: 'required with metric memory, in Mi per replica: the default counts requests',
    keeps: [scaler({ metric: 'memory', target: 512 }), scaler({ metric: 'cpu' })],
    breaks: [scaler({ metric: 'memory' }), scaler({ class: 'hpa', metric: 'memory' })].map(broken => [
      broken,
      'spec.knative.autoscaling.target: required with metric memory, in Mi per replica: the default counts requests [REQUIRED]',
    ]),
  },
  {
    rule: 'must be at least minScale',
    keeps: [scaler({ activationScale: 3, minScale: 3 }), scaler({ activationScale: 2 })],
    breaks: [
      [
        scaler({ activationScale: 2, minScale: 3 }),
        'spec.knative.autoscaling.activationScale: must be at least minScale, got 2 [CONFLICT]',
      ],
    ],
  },
  {
    rule: 'must be at most maxScale',
    keeps: [scaler({ activationScale: 3, maxScale: 3 }), scaler({ activationScale: 500, maxScale: 0 })],
    breaks: [
      [scaler({ activationScale: 4, maxScale: 3 }), 'spec.knative.autoscaling.activationScale: must be at most maxScale, got 4 [CONFLICT]'],
    ],
  },
  {
    rule: 'must be longer than 0',
    keeps: ['PT1S', 'PT0.1S', 'P1D', 'PT0M10S'].map(timeout => claim({ eventing: { broker: { delivery: { timeout } } } })),
    breaks: ['PT0S', 'P0D', 'PT0.0S', 'PT0H0M0S'].map(timeout => [
      claim({ eventing: { broker: { delivery: { timeout } } } }),
      `spec.eventing.broker.delivery.timeout: must be longer than 0, got '${timeout}' [OUT_OF_RANGE]`,
    ]),
  },
  {
    rule: 'must be from 0s to 1h',
    keeps: ['0s', '1h', '60m', '3600s', '0h59m60s'].map(scaleDownDelay => scaler({ scaleDownDelay })),
    breaks: ['3601s', '61m', '1h1s', '2h'].map(scaleDownDelay => [
      scaler({ scaleDownDelay }),
      `spec.knative.autoscaling.scaleDownDelay: must be from 0s to 1h, got '${scaleDownDelay}' [OUT_OF_RANGE]`,
    ]),
  },
  {
    rule: 'must be from 6s to 1h',
    keeps: ['6s', '1m', '1h'].map(window => scaler({ window })),
    breaks: ['5s', '0s', '0h0m5s', '3601s', '2h'].map(window => [
      scaler({ window }),
      `spec.knative.autoscaling.window: must be from 6s to 1h, got '${window}' [OUT_OF_RANGE]`,
    ]),
  },
  {
    rule: 'must have percentages that add up to 100',
    keeps: [
      traffic(latest(100)),
      traffic(latest(99), { revisionName: 'a', percent: 1 }),
      traffic(latest(100), { revisionName: 'a', tag: 'old' }),
    ],
    breaks: [traffic(latest(99)), traffic(latest(100), latest(1)), traffic({ latestRevision: true })].map(broken => [
      broken,
      'spec.knative.traffic: must have percentages that add up to 100 [CONFLICT]',
    ]),
  },
  {
    rule: 'must not use a tag twice',
    keeps: [traffic(latest(50, 'a'), latest(50, 'b')), traffic(latest(50), latest(50))],
    breaks: [[traffic(latest(50, 'a'), latest(50, 'a')), 'spec.knative.traffic: must not use a tag twice [DUPLICATE]']],
  },
  {
    rule: 'needs one of the two: revisionName or latestRevision true',
    keeps: [
      traffic(latest(100)),
      traffic({ revisionName: 'a', percent: 100 }),
      traffic({ revisionName: 'a', latestRevision: false, percent: 100 }),
    ],
    breaks: [{ percent: 100 }, { latestRevision: false, percent: 100 }, { latestRevision: true, revisionName: 'a', percent: 100 }].map(
      share => [traffic(share), 'spec.knative.traffic[0]: needs one of the two: revisionName or latestRevision true [CONFLICT]'],
    ),
  },
  {
    rule: 'needs one of the two: ref or uri',
    keeps: [deadLetter({ ref }), deadLetter({ uri: 'http://a' }), deadLetter({ ref, uri: null })],
    breaks: [deadLetter({}), deadLetter({ ref, uri: 'http://a' })].map(broken => [
      broken,
      'spec.eventing.kafka.delivery.deadLetter: needs one of the two: ref or uri [CONFLICT]',
    ]),
  },
  {
    rule: 'must have attribute names of lower-case letters and digits that start with a letter',
    keeps: [trigger({}), trigger({ type: 'a', x1: 'b' })],
    breaks: ['Type', 'ce-type', '1a', 'a.b', 'a_b', '__proto__', ''].map(name => [
      trigger(
        Object.fromEntries([
          [name, 'x'],
          ['type', 'y'],
        ]),
      ),
      'spec.eventing.triggers[0].filter: must have attribute names of lower-case letters and digits that start with a letter [CONFLICT]',
    ]),
  },
]

/** Lists that are maps: the API server rejects duplicate entries. */
const lists: readonly { list: string; breaks: readonly [Json, ...string[]] }[] = [
  {
    list: 'env',
    breaks: [
      claim({
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '' },
          { name: 'A', value: '2' },
        ],
      }),
      "spec.env[2].name: must not be the same as spec.env[0].name, got 'A' [DUPLICATE]",
    ],
  },
  {
    list: 'files',
    breaks: [
      files({ mountPath: '/a', secret: 'a' }, { mountPath: '/a', scratch: '1Gi' }),
      "spec.files[1].mountPath: must not be the same as spec.files[0].mountPath, got '/a' [DUPLICATE]",
    ],
  },
  {
    list: 'imagePullSecrets',
    breaks: [
      claim({ imagePullSecrets: [{ name: 'a' }, { name: 'a' }] }),
      "spec.imagePullSecrets[1].name: must not be the same as spec.imagePullSecrets[0].name, got 'a' [DUPLICATE]",
    ],
  },
  {
    list: 'triggers',
    breaks: [
      claim({ eventing: { triggers: [{ name: 'a' }, { name: 'a' }, { name: 'a' }] } }),
      "spec.eventing.triggers[1].name: must not be the same as spec.eventing.triggers[0].name, got 'a' [DUPLICATE]",
      "spec.eventing.triggers[2].name: must not be the same as spec.eventing.triggers[0].name, got 'a' [DUPLICATE]",
    ],
  },
]

test.each(rows)('$rule', ({ keeps, breaks }) => {
  for (const document of keeps) expect([document, judge(document)]).toEqual([document, []])
  for (const [document, ...findings] of breaks) expect([document, judge(document)]).toEqual([document, findings])
})

test.each(lists)('$list rejects a duplicate name', ({ breaks: [document, ...findings] }) => {
  expect(judge(document)).toEqual(findings)
})

test('every rule and every list map of the XRD has a row', () => {
  const messages = new Set<string>()
  const maps = new Set<string>()
  const walk = (schema: Schema, name: string) => {
    for (const { message } of schema['x-kubernetes-validations'] ?? []) messages.add(message)
    if (schema['x-kubernetes-list-type'] === 'map') maps.add(name)
    for (const [below, property] of Object.entries(schema.properties ?? {})) walk(property, below)
    if (schema.items) walk(schema.items, '')
    if (typeof schema.additionalProperties === 'object') walk(schema.additionalProperties, '')
  }
  const file = readFileSync(new URL('../../apis/definition.yaml', import.meta.url), 'utf8')
  const { spec } = parse(file, { merge: true }) as { spec: { versions: [{ schema: { openAPIV3Schema: Schema } }] } }
  walk(spec.versions[0].schema.openAPIV3Schema, '')
  expect([...messages].sort()).toEqual(rows.map(({ rule }) => rule).sort())
  expect([...maps].sort()).toEqual(lists.map(({ list }) => list).sort())
})

test('reports a value of the wrong type only once', () => {
  expect(judge(claim({ scaling: { minReplicas: 'three', maxReplicas: 2 } }))).toEqual([
    "spec.scaling.minReplicas: must be a whole number, got 'three' [WRONG_TYPE]",
  ])
  expect(judge(claim({ eventing: { broker: { delivery: { deadLetter: 'http://a' } } } }))).toEqual([
    "spec.eventing.broker.delivery.deadLetter: must be an object, got 'http://a' [WRONG_TYPE]",
  ])
})

const planned = (schema: Schema, value: Json): Finding[] => {
  const findings: Finding[] = []
  planRules(schema)?.(value, [], findings)
  return findings
}

test('a schema without rules plans nothing', () => {
  expect(planRules({ type: 'object', properties: { a: { type: 'array', items: { type: 'string' } } } })).toBeUndefined()
})

test.each([
  { says: 'a single value is out of range', reason: undefined, type: 'string', code: 'OUT_OF_RANGE' },
  { says: 'fields that exclude each other are a conflict', reason: undefined, type: 'object', code: 'CONFLICT' },
  { says: 'a missing field is required', reason: 'FieldValueRequired', type: 'object', code: 'REQUIRED' },
  { says: 'a repeated name is a duplicate', reason: 'FieldValueDuplicate', type: 'array', code: 'DUPLICATE' },
  { says: 'a forbidden value is reserved', reason: 'FieldValueForbidden', type: 'string', code: 'RESERVED' },
  { says: 'a forbidden field is a conflict', reason: 'FieldValueForbidden', type: 'object', code: 'CONFLICT' },
] as const)('$says', ({ reason, type, code }) => {
  const schema: Schema = { type, 'x-kubernetes-validations': [{ rule: 'false', message: 'no', ...(reason && { reason }) }] }
  expect(planned(schema, type === 'array' ? [] : type === 'object' ? {} : 'x').map(finding => finding.code)).toEqual([code])
})

test('other errors keep their stack traces after a CEL error', () => {
  expect(judge({ kind: 'EventDrivenService' })).toContain('metadata: required field missing [REQUIRED]')
  expect(Error.stackTraceLimit).toBeGreaterThan(0)
})
