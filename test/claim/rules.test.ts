import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { type Finding, sentence } from '../../src/claim/findings.ts'
import { planRules } from '../../src/claim/rules.ts'
import type { Schema } from '../../src/claim/schema.ts'
import type { Json, JsonObject } from '../../src/kubernetes/json.ts'
import type { Platform } from '../../src/platform/platform.ts'
import { validateClaim } from '../../src/reconcile/parse-claim.ts'
import { buildDocument, git, withBuild } from '../fixtures/build.ts'
import { claim, knativeClaim } from '../fixtures/claims.ts'
import { withMesh } from '../fixtures/mesh.ts'
import { withObservability } from '../fixtures/observability.ts'

/** Offers what a claim can only name if the platform has it, and allows whatever the rules allow. */
const platform: Platform = {
  ...withBuild({}, withObservability({}, withMesh())),
  natsServers: { main: { url: 'nats://n:4222', monitoringEndpoint: 'n:8222' } },
  priorities: { high: 'high' },
  policy: { maxGracePeriod: '24h' },
}
const judge = (document: Json) => validateClaim(document, platform).findings.map(finding => `${sentence(finding)} [${finding.code}]`)
const named = (name: string) => claim({}, { name })
const scaler = (autoscaling: JsonObject) => knativeClaim({ knative: { autoscaling } })
const traffic = (...shares: JsonObject[]) => knativeClaim({ knative: { traffic: shares } })
const latest = (percent: number, tag?: string) => ({ latestRevision: true, percent, ...(tag && { tag }) })
const deadLetter = (sink: JsonObject) =>
  claim({ eventing: { kafka: { bootstrapServers: ['k:1'], topics: ['t'], delivery: { deadLetter: sink } } } })
const ref = { apiVersion: 'v1', kind: 'Service', name: 'a' }
const trigger = (filter: JsonObject) => claim({ eventing: { triggers: [{ name: 't', filter }] } })
const secret = (fields: JsonObject) => claim({ secretRefs: [{ name: 's', ...fields }] })
const config = (fields: JsonObject) => claim({ configRefs: [{ name: 'c', ...fields }] })
const key = (envName: string) => ({ secretKey: 'k', envName })
const keys = (...entries: JsonObject[]) => secret({ env: entries })
const withNats = (fields: JsonObject) => claim({ nats: { stream: 'ORDERS', consumer: 'orders-workers', ...fields } })
const processing = (fields: JsonObject) => claim({ processing: fields })
const oneAtATime = (scaling: JsonObject | null) => claim({ updates: 'OneAtATime', scaling })
const files = (...entries: JsonObject[]) => claim({ files: entries })
const mounted = (...paths: string[]) => files(...paths.map(mountPath => ({ mountPath, secret: 's' })))
const scratch = (fields: JsonObject) => files({ mountPath: '/data', scratch: '1Gi', ...fields })
const probes = (fields: JsonObject) => claim({ probes: fields })
const mesh = (fields: JsonObject) => claim({ mesh: fields })
const build = (fields: JsonObject) => buildDocument({ git, ...fields })
const source = (fields: JsonObject) => build({ git: { ...git, ...fields } })
const linux = (arch: string) => ({ os: 'linux', arch })
const noReadiness = { readiness: { none: true } }

/** For each rule of the XRD, claims that keep it and claims that break it, with their findings. */
const rows: { rule: string; keeps: readonly Json[]; breaks: readonly (readonly [Json, ...string[]])[] }[] = [
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
    rule: 'must have at most 52 characters with spec.build, because the names of its builds may have at most 63',
    keeps: [{ ...build({}), metadata: { name: 'a'.repeat(52), namespace: 'shop' } }, named('a'.repeat(53))],
    breaks: [
      [
        { ...build({}), metadata: { name: 'a'.repeat(53), namespace: 'shop' } },
        `metadata.name: must have at most 52 characters with spec.build, because the names of its builds may have at most 63, got '${'a'.repeat(53)}' [NAME]`,
      ],
    ],
  },
  {
    rule: 'required, unless build makes the image',
    keeps: [claim(), build({})],
    breaks: [[claim({ image: undefined } as unknown as JsonObject), 'spec.image: required, unless build makes the image [REQUIRED]']],
  },
  {
    rule: 'must not be set with build, which makes the image',
    keeps: [build({})],
    breaks: [
      [
        claim({ build: { git } }),
        "spec.image: must not be set with build, which makes the image, got 'ghcr.io/acme/orders-worker:1.4.2' [CONFLICT]",
      ],
    ],
  },
  {
    rule: 'must not be set with language, which selects the strategy',
    keeps: [build({ language: 'nodejs' }), build({ strategy: 'buildah' })],
    breaks: [
      [
        build({ language: 'nodejs', strategy: 'buildah' }),
        "spec.build.strategy: must not be set with language, which selects the strategy, got 'buildah' [CONFLICT]",
      ],
    ],
  },
  {
    rule: 'must be a full commit SHA or a tag with a digit, such as v1.4.2: a branch requires follow true',
    keeps: ['v1.4.2', '20261128', 'release-7', 'refs/tags/v2', `${'a'.repeat(39)}1`, `${'0a'.repeat(32)}`].map(revision =>
      source({ revision }),
    ),
    breaks: ['main', 'feature/orders', 'refs/heads/v2', '3f2a91c', `${'0a'.repeat(19)}0`].map(revision => [
      source({ revision }),
      `spec.build.git.revision: must be a full commit SHA or a tag with a digit, such as v1.4.2: a branch requires follow true, got '${revision}' [CONFLICT]`,
    ]),
  },
  {
    rule: 'must be the name of a branch with follow true',
    keeps: ['main', 'feature/orders', 'v1.4'].map(revision => source({ revision, follow: true })),
    breaks: ['refs/heads/main', 'a'.repeat(40)].map(revision => [
      source({ revision, follow: true }),
      `spec.build.git.revision: must be the name of a branch with follow true, got '${revision}' [CONFLICT]`,
    ]),
  },
  {
    rule: 'must begin with https:// or ssh:// with follow true: ssh://git@host/path instead of git@host:path',
    keeps: ['https://h/p', 'ssh://git@h/p'].map(url => source({ url, revision: 'main', follow: true, cloneSecret: 'g' })),
    breaks: [
      [
        source({ url: 'git@h:p', revision: 'main', follow: true, cloneSecret: 'g' }),
        "spec.build.git.url: must begin with https:// or ssh:// with follow true: ssh://git@host/path instead of git@host:path, got 'git@h:p' [CONFLICT]",
      ],
    ],
  },
  {
    rule: 'required with a URL for SSH',
    keeps: [source({ url: 'git@h:p', cloneSecret: 'g' }), source({ url: 'http://h/p' })],
    breaks: ['git@h:p', 'ssh://git@h/p'].map(url => [
      source({ url }),
      'spec.build.git.cloneSecret: required with a URL for SSH [REQUIRED]',
    ]),
  },
  {
    rule: 'must begin with https:// with cloneSecret: http:// would show the password to everybody on the way',
    keeps: [source({ cloneSecret: 'g' }), source({ url: 'http://h/p' })],
    breaks: [
      [
        source({ url: 'http://h/p', cloneSecret: 'g' }),
        "spec.build.git.url: must begin with https:// with cloneSecret: http:// would show the password to everybody on the way, got 'http://h/p' [CONFLICT]",
      ],
    ],
  },
  {
    rule: 'must stay in the repository',
    keeps: ['a/b', '..a/b..', '.github'].map(contextDir => source({ contextDir })),
    breaks: ['..', 'a/../..', '../a'].map(contextDir => [
      source({ contextDir }),
      `spec.build.git.contextDir: must stay in the repository, got '${contextDir}' [OUT_OF_RANGE]`,
    ]),
  },
  {
    rule: 'exactly one is required: value, or values for a parameter that is a list',
    keeps: [
      build({
        params: [
          { name: 'a', value: '' },
          { name: 'b', values: [] },
        ],
      }),
    ],
    breaks: [{ name: 'a' }, { name: 'a', value: '1', values: ['1'] }].map(param => [
      build({ params: [param] }),
      'spec.build.params[0].value: exactly one is required: value, or values for a parameter that is a list [REQUIRED]',
    ]),
  },
  {
    rule: 'must be from 1m to 24h',
    keeps: ['1m', '60s', '24h'].map(timeout => build({ timeout })),
    breaks: ['59s', '25h', '24h1s'].map(timeout => [
      build({ timeout }),
      `spec.build.timeout: must be from 1m to 24h, got '${timeout}' [OUT_OF_RANGE]`,
    ]),
  },
  {
    rule: 'required with runtime Deployment, unless httpPort or eventing brings the work',
    keeps: [claim(), knativeClaim(), claim({ nats: undefined, httpPort: 80 }), claim({ nats: null, eventing: {} })],
    breaks: [
      claim({ nats: undefined }),
      claim({ nats: undefined, runtime: 'Deployment' }),
      claim({ nats: null }),
      claim({ nats: undefined, httpPort: null, eventing: null }),
    ].map(broken => [broken, 'spec.nats: required with runtime Deployment, unless httpPort or eventing brings the work [REQUIRED]']),
  },
  {
    rule: 'requires runtime Deployment: Knative ends a request after knative.timeoutSeconds',
    keeps: [processing({ maxDuration: '1h' }), knativeClaim({ processing: null })],
    breaks: [{ maxDuration: '1h' }, {}].map(fields => [
      knativeClaim({ processing: fields }),
      'spec.processing: requires runtime Deployment: Knative ends a request after knative.timeoutSeconds [CONFLICT]',
    ]),
  },
  {
    rule: 'requires runtime Deployment: Knative sets no PriorityClass',
    keeps: [claim({ priority: 'high' })],
    breaks: [
      [
        knativeClaim({ priority: 'high' }),
        "spec.priority: requires runtime Deployment: Knative sets no PriorityClass, got 'high' [CONFLICT]",
      ],
    ],
  },
  {
    rule: 'requires runtime Deployment: Knative stops a revision only after the next one is ready',
    keeps: [claim({ updates: 'Rolling' }), claim({ updates: 'OneAtATime' })],
    breaks: ['Rolling', 'OneAtATime'].map(updates => [
      knativeClaim({ updates }),
      `spec.updates: requires runtime Deployment: Knative stops a revision only after the next one is ready, got '${updates}' [CONFLICT]`,
    ]),
  },
  {
    rule: 'must not be set with scaling.lagThreshold, which follows from targetLatency and averageDuration',
    keeps: [
      claim({ processing: { averageDuration: '1s', targetLatency: '1m' }, scaling: { maxReplicas: 5 } }),
      claim({ processing: { averageDuration: '1s', targetLatency: '1m' }, scaling: null }),
      claim({ processing: { maxDuration: '1h', concurrency: 2 }, scaling: { lagThreshold: 5 } }),
      claim({ processing: null, scaling: { lagThreshold: 5 } }),
    ],
    breaks: [
      [
        claim({ processing: { averageDuration: '1s', targetLatency: '1m' }, scaling: { lagThreshold: 5 } }),
        "spec.processing.targetLatency: must not be set with scaling.lagThreshold, which follows from targetLatency and averageDuration, got '1m' [CONFLICT]",
      ],
    ],
  },
  {
    rule: 'OneAtATime allows one replica, but scaling.minReplicas or scaling.maxReplicas is higher',
    keeps: [
      claim({ updates: 'OneAtATime' }),
      claim({ updates: 'Rolling', scaling: { minReplicas: 2, maxReplicas: 3 } }),
      ...[null, {}, { maxReplicas: 1 }, { minReplicas: 1 }, { minReplicas: 0, maxReplicas: 1 }].map(oneAtATime),
    ],
    breaks: [{ maxReplicas: 2 }, { minReplicas: 2 }, { minReplicas: 0, maxReplicas: 10 }, { minReplicas: 2, maxReplicas: 2 }].map(
      scaling => [
        oneAtATime(scaling),
        "spec.updates: OneAtATime allows one replica, but scaling.minReplicas or scaling.maxReplicas is higher, got 'OneAtATime' [CONFLICT]",
      ],
    ),
  },
  {
    rule: 'must not be set with healthPath, its short form',
    keeps: [
      claim({ healthPath: '/', probes: null }),
      claim({ healthPath: '/', probes: { readiness: { tcp: 80 } } }),
      claim({ readyPath: '/', probes: { liveness: { tcp: 80 } } }),
    ],
    breaks: [{ path: '/' }, { none: true }].map(liveness => [
      claim({ healthPath: '/', probes: { liveness } }),
      'spec.probes.liveness: must not be set with healthPath, its short form [CONFLICT]',
    ]),
  },
  {
    rule: 'must not be set with readyPath, its short form',
    keeps: [claim({ readyPath: '/', probes: null }), claim({ readyPath: '/', probes: { startup: { tcp: 80, within: '1m' } } })],
    breaks: [{ path: '/' }, { none: true }].map(readiness => [
      claim({ readyPath: '/', probes: { readiness } }),
      'spec.probes.readiness: must not be set with readyPath, its short form [CONFLICT]',
    ]),
  },
  {
    rule: 'requires runtime Deployment: Knative sends requests once the readiness probe succeeds',
    keeps: [
      probes(noReadiness),
      knativeClaim({ probes: { liveness: { none: true } } }),
      knativeClaim({ probes: { readiness: { tcp: 80, none: false } } }),
      knativeClaim({ probes: null }),
    ],
    breaks: [
      [
        knativeClaim({ probes: noReadiness }),
        'spec.probes.readiness.none: requires runtime Deployment: Knative sends requests once the readiness probe succeeds, got true [CONFLICT]',
      ],
    ],
  },
  {
    rule: 'must not be true with eventing.triggers: events would reach pods that are still starting',
    keeps: [
      ...[null, {}, { broker: {} }, { triggers: [] }].map(eventing => claim({ probes: noReadiness, eventing })),
      claim({ probes: { liveness: { none: true } }, eventing: { triggers: [{ name: 't' }] } }),
      claim({ probes: { readiness: { tcp: 80, none: false } }, eventing: { triggers: [{ name: 't' }] } }),
    ],
    breaks: [
      [
        claim({ probes: noReadiness, eventing: { triggers: [{ name: 't' }] } }),
        'spec.probes.readiness.none: must not be true with eventing.triggers: events would reach pods that are still starting, got true [CONFLICT]',
      ],
    ],
  },
  {
    rule: 'must not be set with nats.server, which has its own url',
    keeps: [withNats({ server: 'main' }), withNats({ url: 'nats://n:1' }), withNats({ server: 'main', account: 'ORDERS' })],
    breaks: [
      [
        withNats({ server: 'main', url: 'nats://n:1' }),
        "spec.nats.url: must not be set with nats.server, which has its own url, got 'nats://n:1' [CONFLICT]",
      ],
    ],
  },
  {
    rule: 'must not be set with nats.server, which has its own monitoringEndpoint',
    keeps: [withNats({ server: 'main' }), withNats({ monitoringEndpoint: 'n:1' })],
    breaks: [
      [
        withNats({ server: 'main', monitoringEndpoint: 'n:1' }),
        "spec.nats.monitoringEndpoint: must not be set with nats.server, which has its own monitoringEndpoint, got 'n:1' [CONFLICT]",
      ],
    ],
  },
  {
    rule: 'required with averageDuration',
    keeps: [processing({ averageDuration: '1s', targetLatency: '1m' }), processing({ maxDuration: '1h' })],
    breaks: [[processing({ averageDuration: '1s' }), 'spec.processing.targetLatency: required with averageDuration [REQUIRED]']],
  },
  {
    rule: 'required with targetLatency',
    keeps: [processing({ averageDuration: '1s', targetLatency: '1m' }), processing({})],
    breaks: [[processing({ targetLatency: '1m' }), 'spec.processing.averageDuration: required with targetLatency [REQUIRED]']],
  },
  {
    rule: 'must be at most maxDuration',
    // Times, not text.
    keeps: ['1s', '90s', '1m30s', '90000ms'].map(averageDuration =>
      processing({ averageDuration, targetLatency: '1m', maxDuration: '90s' }),
    ),
    breaks: ['91s', '2m', '90001ms'].map(averageDuration => [
      processing({ averageDuration, targetLatency: '1m', maxDuration: '90s' }),
      `spec.processing.averageDuration: must be at most maxDuration, got '${averageDuration}' [CONFLICT]`,
    ]),
  },
  {
    rule: 'must be from 1s to 24h',
    keeps: ['1s', '24h', '86400s', '23h59m60s'].map(maxDuration => processing({ maxDuration })),
    breaks: ['0s', '0h0m', '24h1s', '86401s', '25h'].map(maxDuration => [
      processing({ maxDuration }),
      `spec.processing.maxDuration: must be from 1s to 24h, got '${maxDuration}' [OUT_OF_RANGE]`,
    ]),
  },
  {
    rule: 'must be from 1ms to 24h',
    keeps: ['1ms', '24h', '1m0s1ms'].flatMap(duration => [
      processing({ averageDuration: duration, targetLatency: '1s' }),
      processing({ averageDuration: '1s', targetLatency: duration }),
    ]),
    breaks: ['0ms', '0s', '24h1ms'].flatMap((duration): [Json, string][] => [
      [
        processing({ averageDuration: duration, targetLatency: '1s' }),
        `spec.processing.averageDuration: must be from 1ms to 24h, got '${duration}' [OUT_OF_RANGE]`,
      ],
      [
        processing({ averageDuration: '1s', targetLatency: duration }),
        `spec.processing.targetLatency: must be from 1ms to 24h, got '${duration}' [OUT_OF_RANGE]`,
      ],
    ]),
  },
  {
    rule: 'exactly one is required: key, or secretKey, its older name',
    keeps: [keys({ key: 'k', name: 'A' }, { secretKey: 'k', name: 'B' })],
    breaks: [{ name: 'A' }, { name: 'A', key: 'k', secretKey: 'k' }].map(entry => [
      keys(entry),
      'spec.secretRefs[0].env[0].key: exactly one is required: key, or secretKey, its older name [REQUIRED]',
    ]),
  },
  {
    rule: 'exactly one is required: name, or envName, its older name',
    keeps: [keys({ key: 'k', name: 'A' }, { key: 'k', envName: 'B' })],
    breaks: [{ key: 'k' }, { key: 'k', name: 'A', envName: 'A' }].map(entry => [
      keys(entry),
      'spec.secretRefs[0].env[0].name: exactly one is required: name, or envName, its older name [REQUIRED]',
    ]),
  },
  {
    rule: 'must not have a mountPath inside another mountPath',
    keeps: [mounted('/etc/orders', '/etc/orders-2', '/data/etc/orders'), mounted('/data')],
    breaks: [
      [mounted('/data', '/etc/orders/tls', '/etc/orders'), '/etc/orders/tls is inside /etc/orders'],
      [mounted('/a', '/a/b', '/a/b/c'), '/a/b is inside /a'],
    ].map(([document, places]) => [
      document as Json,
      `spec.files: must not have a mountPath inside another: ${places as string} [CONFLICT]`,
    ]),
  },
  {
    rule: 'needs exactly one of secret, configMap and scratch',
    keeps: [{ secret: 's' }, { configMap: 'c' }, { scratch: '1Gi' }, { secret: 's', configMap: null }].map(source =>
      files({ mountPath: '/data', ...source }),
    ),
    breaks: [{}, { secret: 's', configMap: 'c' }, { secret: 's', scratch: '1Gi' }, { secret: 's', configMap: 'c', scratch: '1Gi' }].map(
      source => [files({ mountPath: '/data', ...source }), 'spec.files[0]: needs exactly one of secret, configMap and scratch [CONFLICT]'],
    ),
  },
  {
    rule: 'requires secret or configMap',
    keeps: [files({ mountPath: '/a', secret: 's', key: 'k' }, { mountPath: '/b', configMap: 'c', key: 'k' })],
    breaks: [[scratch({ key: 'k' }), "spec.files[0].key: requires secret or configMap, got 'k' [CONFLICT]"]],
  },
  {
    rule: 'requires scratch',
    keeps: [scratch({ memory: true }), scratch({ memory: false })],
    breaks: [[files({ mountPath: '/a', secret: 's', memory: true }), 'spec.files[0].memory: requires scratch, got true [CONFLICT]']],
  },
  {
    rule: 'must be more than 0',
    keeps: ['1', '0.1Gi', '10'].map(size => scratch({ scratch: size })),
    // Kubernetes takes 0 for no limit.
    breaks: ['0', '0Gi', '0.0'].map(size => [
      scratch({ scratch: size }),
      `spec.files[0].scratch: must be more than 0, got '${size}' [OUT_OF_RANGE]`,
    ]),
  },
  {
    rule: 'must not be, contain or be inside a system directory: /proc, /sys, /dev (except /dev/shm) or /var/run/secrets',
    keeps: ['/dev/shm', '/procs', '/sys-1', '/device', '/var/lib', '/var/run/orders', '/run/orders', '/home/proc'].map(path =>
      mounted(path),
    ),
    breaks: [
      ...['/proc', '/proc/1', '/sys', '/sys/fs', '/dev', '/dev/null', '/dev/shm/a'],
      ...['/var', '/run', '/var/run', '/run/secrets', '/var/run/secrets', '/var/run/secrets/nats'],
    ].map(path => [
      mounted(path),
      `spec.files[0].mountPath: must not be, contain or be inside a system directory: /proc, /sys, /dev (except /dev/shm) or /var/run/secrets, got '${path}' [RESERVED]`,
    ]),
  },
  {
    rule: 'needs exactly one of path, exec, tcp and none true',
    keeps: ['liveness', 'readiness'].flatMap(name =>
      [{ path: '/' }, { exec: ['a'] }, { tcp: 80 }, { none: true }, { path: '/', none: false }, { tcp: 80, path: null }].map(probe =>
        probes({ [name]: probe }),
      ),
    ),
    breaks: ['liveness', 'readiness'].flatMap(name =>
      [{}, { none: false }, { period: '1s' }, { path: '/', tcp: 80 }, { exec: ['a'], none: true }].map((probe): [Json, string] => [
        probes({ [name]: probe }),
        `spec.probes.${name}: needs exactly one of path, exec, tcp and none true [CONFLICT]`,
      ]),
    ),
  },
  {
    rule: 'needs exactly one of path, exec and tcp',
    keeps: [{ path: '/' }, { exec: ['a'] }, { tcp: 80 }].map(how => probes({ startup: { ...how, within: '1m' } })),
    breaks: [{}, { path: '/', tcp: 80 }, { path: '/', exec: ['a'], tcp: 80 }].map(how => [
      probes({ startup: { ...how, within: '1m' } }),
      'spec.probes.startup: needs exactly one of path, exec and tcp [CONFLICT]',
    ]),
  },
  {
    rule: 'must be from 1s to 1h',
    keeps: ['1s', '1h', '3600s'].flatMap(time => [
      probes({ liveness: { tcp: 80, period: time }, readiness: { tcp: 80, period: time } }),
      probes({ startup: { tcp: 80, within: time } }),
    ]),
    breaks: ['0s', '0m0s', '3601s', '1h1s'].flatMap((time): [Json, string][] =>
      [
        { path: 'spec.probes.liveness.period', document: probes({ liveness: { tcp: 80, period: time } }) },
        { path: 'spec.probes.readiness.period', document: probes({ readiness: { tcp: 80, period: time } }) },
        { path: 'spec.probes.startup.within', document: probes({ startup: { tcp: 80, within: time } }) },
      ].map(({ path, document }) => [document, `${path}: must be from 1s to 1h, got '${time}' [OUT_OF_RANGE]`]),
    ),
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
      ...['configRefs', 'secretRefs'].map((field): [Json, string] => [
        claim({ [field]: [{ name: 'c', env: [{ key: 'k', name }] }] }),
        `spec.${field}[0].env[0].name: must be none of [NATS_URL, NATS_STREAM_NAME, NATS_CONSUMER_GROUP, PORT], which the platform sets, got '${name}' [RESERVED]`,
      ]),
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
      config({ envFrom: true }),
      config({ env: [{ key: 'k', name: 'A' }] }),
    ],
    breaks: [{}, { envFrom: false }, { env: [] }].flatMap((fields): [Json, string][] => [
      [secret(fields), 'spec.secretRefs[0]: needs env (single keys) or envFrom true (all keys) [REQUIRED]'],
      [config(fields), 'spec.configRefs[0]: needs env (single keys) or envFrom true (all keys) [REQUIRED]'],
    ]),
  },
  {
    rule: 'requires envFrom true',
    keeps: [secret({ envFrom: true, prefix: 'DB_' }), config({ envFrom: true, prefix: 'DB_' })],
    breaks: [
      [secret({ env: [key('A')], prefix: 'DB_' }), "spec.secretRefs[0].prefix: requires envFrom true, got 'DB_' [CONFLICT]"],
      [config({ env: [{ key: 'k', name: 'A' }], prefix: 'DB_' }), "spec.configRefs[0].prefix: requires envFrom true, got 'DB_' [CONFLICT]"],
    ],
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

/** Each field of the mesh that only a Deployment can have. */
const onlyDeployment: Readonly<Record<string, readonly [Json, string]>> = {
  hosts: [['a.b'], 'Knative has hosts of its own: knative.visibility and a DomainMapping'],
  timeout: ['1s', 'set knative.timeoutSeconds'],
  retries: [{}, "Knative's activator holds and repeats requests itself, within knative.timeoutSeconds"],
  cors: [{ origins: ['*'], methods: ['GET'] }, 'Knative owns the routes, so the container answers CORS itself (knative.visibility)'],
  canary: [{ image: 'a/b:1', weight: 1 }, 'set knative.traffic'],
  circuitBreaker: [{}, 'set knative.containerConcurrency'],
  callers: [[], "Knative's activator hides the caller; set knative.visibility"],
  rateLimit: [{ requests: 1, per: '1s' }, 'knative.containerConcurrency limits the requests in flight'],
}
for (const [field, [value, why]] of Object.entries(onlyDeployment)) {
  const rule = `requires runtime Deployment: ${why}`
  const got = typeof value === 'string' ? `, got '${value}'` : ''
  rows.push({
    rule,
    keeps: [mesh({ [field]: value }), knativeClaim({ mesh: {} })],
    breaks: [[knativeClaim({ mesh: { [field]: value } }), `spec.mesh.${field}: ${rule}${got} [CONFLICT]`]],
  })
}
const image = 'a/b:1'
const host = (...hosts: JsonObject[]) => mesh({ external: hosts })
const meshRows: typeof rows = [
  {
    rule: 'must not be OneAtATime with mesh.canary: both versions run at once',
    keeps: [claim({ updates: 'OneAtATime', mesh: {} }), claim({ updates: 'Rolling', mesh: { canary: { image, weight: 1 } } })],
    breaks: [
      [
        claim({ updates: 'OneAtATime', mesh: { canary: { image, weight: 1 } } }),
        "spec.updates: must not be OneAtATime with mesh.canary: both versions run at once, got 'OneAtATime' [CONFLICT]",
      ],
    ],
  },
  {
    rule: 'must be at most mesh.timeout',
    keeps: [
      mesh({ timeout: '5s', retries: { perTryTimeout: '5s' } }),
      mesh({ retries: { perTryTimeout: '60s' } }),
      mesh({ timeout: '5s', retries: null }),
    ],
    breaks: [
      [
        mesh({ timeout: '5s', retries: { perTryTimeout: '6s' } }),
        "spec.mesh.retries.perTryTimeout: must be at most mesh.timeout, got '6s' [CONFLICT]",
      ],
    ],
  },
  {
    rule: 'must not have a host twice',
    keeps: [mesh({ hosts: ['a.b', 'b.a'] })],
    breaks: [[mesh({ hosts: ['a.b', 'c.d', 'a.b'] }), 'spec.mesh.hosts: must not have a host twice [DUPLICATE]']],
  },
  {
    rule: 'must have at most 63 characters between two dots',
    keeps: [mesh({ hosts: [`${'a'.repeat(63)}.b`] })],
    breaks: [
      [
        mesh({ hosts: [`${'a'.repeat(64)}.b`] }),
        `spec.mesh.hosts[0]: must have at most 63 characters between two dots, got '${'a'.repeat(60)}…' [OUT_OF_RANGE]`,
      ],
    ],
  },
  {
    rule: 'must be from 1s to 300s',
    keeps: [mesh({ timeout: '300s' }), mesh({ timeout: '5m' })],
    breaks: [[mesh({ timeout: '301s' }), "spec.mesh.timeout: must be from 1s to 300s, got '301s' [OUT_OF_RANGE]"]],
  },
  {
    rule: 'must not be false with other fields of retries',
    keeps: [mesh({ retries: { enabled: false } }), mesh({ retries: { enabled: true, attempts: 1 } })],
    breaks: [{ attempts: 1 }, { perTryTimeout: '1s' }, { retryOn: ['5xx'] }].map(more => [
      mesh({ retries: { enabled: false, ...more } }),
      'spec.mesh.retries.enabled: must not be false with other fields of retries, got false [CONFLICT]',
    ]),
  },
  {
    rule: 'must not be false with other fields of circuitBreaker',
    keeps: [mesh({ circuitBreaker: { enabled: false } }), mesh({ circuitBreaker: { enabled: true, errors: 1 } })],
    breaks: ['maxConnections', 'maxPending', 'maxRequests', 'errors', 'maxEjectionPercent'].map(name => [
      mesh({ circuitBreaker: { enabled: false, [name]: 1 } }),
      'spec.mesh.circuitBreaker.enabled: must not be false with other fields of circuitBreaker, got false [CONFLICT]',
    ]),
  },
  {
    rule: 'must not contain * with credentials, which browsers refuse',
    keeps: [mesh({ cors: { origins: ['*'], methods: ['GET'], credentials: false } })],
    breaks: [
      [
        mesh({ cors: { origins: ['https://a', '*'], methods: ['GET'], credentials: true } }),
        'spec.mesh.cors.origins: must not contain * with credentials, which browsers refuse [CONFLICT]',
      ],
    ],
  },
  {
    rule: 'needs weight or match, because no request would reach it',
    keeps: [mesh({ canary: { image, weight: 0 } }), mesh({ canary: { image, match: [{ header: 'a', value: 'b' }] } })],
    breaks: [[mesh({ canary: { image } }), 'spec.mesh.canary: needs weight or match, because no request would reach it [REQUIRED]']],
  },
  {
    rule: 'exactly one is required: name of a claim, or serviceAccount',
    keeps: [mesh({ callers: [{ name: 'a' }, { serviceAccount: 'b' }] })],
    breaks: [{}, { name: 'a', serviceAccount: 'b' }].map(caller => [
      mesh({ callers: [caller] }),
      `spec.mesh.callers[0].name: exactly one is required: name of a claim, or serviceAccount [REQUIRED]`,
    ]),
  },
  {
    rule: 'must not contain * with tls originate, because the certificate is checked for one name',
    keeps: [host({ host: '*.a.b' }, { host: 'a.b', tls: 'originate' })],
    breaks: [
      [
        host({ host: '*.a.b', tls: 'originate' }),
        "spec.mesh.external[0].host: must not contain * with tls originate, because the certificate is checked for one name, got '*.a.b' [CONFLICT]",
      ],
    ],
  },
  {
    rule: "must be outside the cluster: the mesh knows the cluster's own services",
    keeps: [host({ host: 'svc.example.com' }, { host: 'a.local.example.com' })],
    breaks: ['a.b.svc', 'a.b.svc.cluster.local', 'printer.local'].map(name => [
      host({ host: name }),
      `spec.mesh.external[0].host: must be outside the cluster: the mesh knows the cluster's own services, got '${name}' [OUT_OF_RANGE]`,
    ]),
  },
]
const observability = (fields: JsonObject) => claim({ observability: fields })
const observabilityRows: typeof rows = [
  {
    rule: 'requires runtime Deployment: a container of Knative has one port',
    keeps: [observability({ metrics: { port: 9464 } }), knativeClaim({ observability: { metrics: { path: '/m' } } })],
    breaks: [
      [
        knativeClaim({ observability: { metrics: { port: 9464 } } }),
        'spec.observability.metrics.port: requires runtime Deployment: a container of Knative has one port, got 9464 [CONFLICT]',
      ],
    ],
  },
  {
    rule: 'must not be false with other fields of metrics',
    keeps: [observability({ metrics: { enabled: false } }), observability({ metrics: { enabled: true, path: '/m' } })],
    breaks: [{ path: '/m' }, { port: 9464 }].map(more => [
      observability({ metrics: { enabled: false, ...more } }),
      'spec.observability.metrics.enabled: must not be false with other fields of metrics, got false [CONFLICT]',
    ]),
  },
  {
    rule: 'must not be false with other fields of alerts',
    keeps: [observability({ alerts: { enabled: false } }), observability({ alerts: { enabled: true, lag: '5m' } })],
    breaks: [
      [
        observability({ alerts: { enabled: false, lag: '5m' } }),
        'spec.observability.alerts.enabled: must not be false with other fields of alerts, got false [CONFLICT]',
      ],
    ],
  },
  {
    rule: 'must be from 2m to 24h',
    keeps: [observability({ alerts: { lag: '2m' } }), observability({ alerts: { lag: '24h' } })],
    breaks: ['1m59s', '24h1s'].map(lag => [
      observability({ alerts: { lag } }),
      `spec.observability.alerts.lag: must be from 2m to 24h, got '${lag}' [OUT_OF_RANGE]`,
    ]),
  },
]
rows.push(...meshRows, ...observabilityRows)

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
    list: 'params',
    breaks: [
      build({ params: ['1', '2'].map(value => ({ name: 'a', value })) }),
      "spec.build.params[1].name: must not be the same as spec.build.params[0].name, got 'a' [DUPLICATE]",
    ],
  },
  {
    list: 'platforms',
    breaks: [
      build({ output: { platforms: [linux('arm64'), linux('arm64')] } }),
      'spec.build.output.platforms[1]: must not have the same os and arch as spec.build.output.platforms[0] [DUPLICATE]',
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
    list: 'files',
    breaks: [mounted('/a', '/b', '/a'), "spec.files[2].mountPath: must not be the same as spec.files[0].mountPath, got '/a' [DUPLICATE]"],
  },
  {
    list: 'external',
    breaks: [
      host({ host: 'a.b' }, { host: 'a.b', port: 444 }, { host: 'a.b', port: 443 }),
      'spec.mesh.external[2]: must not have the same host and port as spec.mesh.external[0] [DUPLICATE]',
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

const file = readFileSync(new URL('../../apis/definition.yaml', import.meta.url), 'utf8')
const { spec } = parse(file, { merge: true }) as { spec: { versions: [{ schema: { openAPIV3Schema: Schema } }] } }
const definition = spec.versions[0].schema.openAPIV3Schema

test.each(rows)('$rule', ({ keeps, breaks }) => {
  for (const document of keeps) expect([document, judge(document)]).toEqual([document, []])
  for (const [document, ...findings] of breaks) expect([document, judge(document)]).toEqual([document, findings])
})

test.each(lists)('$list rejects a duplicate entry', ({ breaks: [document, ...findings] }) => {
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
  walk(definition, '')
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

test('no two rules of a place have the same message, by which scripts/validate-claim.mjs finds the rule', () => {
  const repeated: string[] = []
  const walk = (schema: Schema, path: string) => {
    const own = (schema['x-kubernetes-validations'] ?? []).map(({ message }) => message)
    repeated.push(...own.filter((message, index) => own.indexOf(message) < index).map(message => `${path}: ${message}`))
    for (const [name, property] of Object.entries(schema.properties ?? {})) walk(property, `${path}.${name}`)
    if (schema.items) walk(schema.items, `${path}[]`)
  }
  walk(definition, '')
  expect(repeated).toEqual([])
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
  { says: 'an expression that works', messageExpression: "'got ' + self", message: 'got x' },
  { says: 'the message if the expression fails', messageExpression: "self.nope + 'x'", message: 'no' },
  { says: 'the message if the expression yields no text', messageExpression: '1', message: 'no' },
])('the problem of a rule is $says', ({ messageExpression, message }) => {
  const schema: Schema = { type: 'string', 'x-kubernetes-validations': [{ rule: 'false', message: 'no', messageExpression }] }
  expect(planned(schema, 'x').map(({ problem }) => problem)).toEqual([message])
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
