// Writes docs/scale.md from the numbers of docs/scale.json.

/** CPU seconds of each process. */
export type CpuSeconds = Readonly<Record<string, number>>

interface Stretch {
  readonly seconds: number
  /** Calls of the function. */
  readonly calls: number
  readonly cpuSeconds: CpuSeconds
}

interface Steady extends Stretch {
  readonly residentMegabytes: Readonly<Record<string, number>>
}

export interface Contender {
  readonly name: string
  /** Without claims. */
  readonly empty: Stretch
  /** From the first `apply` to the last claim that is ready. */
  readonly start: Stretch
  /** With claims but without messages. */
  readonly rest: Steady
  /** With a message waiting for each claim. */
  readonly busy: Steady
}

export interface Scale {
  readonly date: string
  readonly machine: string
  readonly versions: string
  readonly claims: number
  readonly contenders: readonly Contender[]
}

/** The number of claims to extrapolate to. */
const MANY = 10_000
const SECONDS_PER_MINUTE = 60

type Row = readonly string[]

const table = (header: Row, rows: readonly Row[]): string =>
  [header, ['---', ...header.slice(1).map(() => '---:')], ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')

const rounded = (value: number): string => {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3
  return value.toFixed(digits)
}
const thousands = (value: number) => value.toLocaleString('en-US')

export function drawPage({ date, machine, versions, claims, contenders }: Scale): string {
  const names = contenders.map(({ name }) => name)
  const row = (says: string, value: (contender: Contender) => number): Row => [says, ...contenders.map(one => rounded(value(one)))]
  const components = [...new Set(contenders.flatMap(({ start }) => Object.keys(start.cpuSeconds)))]
  const share = ({ seconds, cpuSeconds }: Stretch, component: string) => (cpuSeconds[component] ?? 0) / seconds
  const rate = ({ seconds, calls }: Stretch) => calls / seconds
  const factor = MANY / claims
  /** The cost of the claims alone. */
  // Noise can make an idle component use less CPU with claims than without.
  const forClaims = ({ empty, busy }: Contender, component: string) => Math.max(0, share(busy, component) - share(empty, component))
  const [ours] = contenders
  const hungriest = ours ? components.reduce((most, one) => (forClaims(ours, one) > forClaims(ours, most) ? one : most)) : ''
  const times = ours ? rounded(forClaims(ours, hungriest) / forClaims(ours, 'function')) : ''
  const minutes = rounded((ours?.busy.seconds ?? 0) / SECONDS_PER_MINUTE)
  const steady = (stretchOf: (contender: Contender) => Steady) =>
    table(
      ['component', ...names.flatMap(name => [`${name}: CPU`, 'MB'])],
      components.map(component => [
        component,
        ...contenders.map(stretchOf).flatMap(one => [rounded(share(one, component) * 100), rounded(one.residentMegabytes[component] ?? 0)]),
      ]),
    )
  return `# Scale

\`npm run bench:cluster\` measured what ${claims} claims cost a cluster. Date: ${date}. Machine: ${machine}. Versions: ${versions}. All components share the CPU of this one machine. KWOK simulates the pods, so no container runs. Compare columns and shares; absolute figures depend on the machine.

## ${claims} claims at once

Each claim creates four resources: ServiceAccount, Deployment, Service and ScaledObject.

${table(
  ['', ...names],
  [
    row('seconds until the last claim is ready', ({ start }) => start.seconds),
    row('calls of the function', ({ start }) => start.calls),
    row('calls for each claim', ({ start }) => start.calls / claims),
  ],
)}

CPU time until then, in seconds:

${table(
  ['component', ...names],
  components.map(component => row(component, ({ start }) => start.cpuSeconds[component] ?? 0)),
)}

## At rest

No messages arrive for ${minutes} minutes. KEDA polls each consumer every 30 s and changes nothing, so Crossplane calls the function only about every ten minutes for each claim.

${table(['', ...names], [row('calls of the function a second', ({ rest }) => rate(rest))])}

CPU in percent of one core, and resident memory in MB:

${steady(({ rest }) => rest)}

## With messages waiting

One message waits for each claim, for ${minutes} minutes. That is too few for another replica, but KEDA updates the status of the ScaledObject at each poll, and Crossplane reconciles the claim. A claim that does not change never costs more.

${table(
  ['', ...names],
  [
    row('calls of the function a second', ({ busy }) => rate(busy)),
    row('calls for each claim and minute', ({ busy }) => (rate(busy) / claims) * SECONDS_PER_MINUTE),
    row('CPU of the function for each call, in ms', one => (forClaims(one, 'function') / rate(one.busy)) * 1000),
  ],
)}

CPU in percent of one core, and resident memory in MB:

${steady(({ busy }) => busy)}

## ${thousands(MANY)} claims, extrapolated

These figures are not measured. Each is the CPU of a component without claims, plus ${rounded(factor)} times what messages waiting for every claim add. A real cluster needs more if work grows faster than the number of claims. It needs less if components do not share a machine, or if messages wait for only a few claims.

${table(
  ['', ...names],
  [
    row('calls of the function a second', ({ busy }) => rate(busy) * factor),
    ...components.map(component => row(`cores for ${component}`, one => share(one.empty, component) + forClaims(one, component) * factor)),
  ],
)}

The bottleneck is ${hungriest}, with ${times} times the CPU of the function. A longer polling interval (\`spec.scaling.pollingInterval\`) reduces all figures, because a poll triggers every call here.

## Measure it yourself

\`\`\`sh
npm run bench:cluster
npm run bench:cluster -- --peer function-patch-and-transform=PATH
\`\`\`

The second command adds a column for another function, built from its own repository. It composes the same claims into the same four resources, with a Composition of patches. Both commands need what [the sandbox](sandbox.md) needs, and overwrite this page and docs/scale.json.
`
}
