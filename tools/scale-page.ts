// docs/scale.md, drawn from the numbers of docs/scale.json.

/** What the processes took: seconds of CPU by their names. */
export type CpuSeconds = Readonly<Record<string, number>>

interface Stretch {
  readonly seconds: number
  /** Of the function. */
  readonly calls: number
  readonly cpuSeconds: CpuSeconds
}

interface Steady extends Stretch {
  readonly residentMegabytes: Readonly<Record<string, number>>
}

export interface Contender {
  readonly name: string
  /** No claims. */
  readonly empty: Stretch
  /** From the first `apply` to the last claim that is ready. */
  readonly start: Stretch
  /** No messages. */
  readonly rest: Steady
  /** A message waits for each claim. */
  readonly busy: Steady
}

export interface Scale {
  readonly date: string
  readonly machine: string
  readonly versions: string
  readonly claims: number
  readonly contenders: readonly Contender[]
}

/** What the extrapolation is for. */
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
  /** What it takes for the claims alone. */
  // What is idle may take a little less with claims than without.
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

What ${claims} claims cost a cluster, measured by \`npm run bench:cluster\` on ${date}: ${machine}; ${versions}. Everything runs on this one machine, so the components take the CPU from each other, and the pods are KWOK's and run nothing. Compare the columns and the shares; the absolute figures belong to the machine.

## ${claims} claims at once

Each becomes four resources: ServiceAccount, Deployment, Service and ScaledObject.

${table(
  ['', ...names],
  [
    row('seconds until the last claim is ready', ({ start }) => start.seconds),
    row('calls of the function', ({ start }) => start.calls),
    row('calls for each claim', ({ start }) => start.calls / claims),
  ],
)}

Seconds of CPU meanwhile:

${table(
  ['component', ...names],
  components.map(component => row(component, ({ start }) => start.cpuSeconds[component] ?? 0)),
)}

## At rest

No messages come, for ${minutes} minutes. KEDA looks at each consumer every 30 s and finds nothing to write down, so the function is called about every ten minutes for each claim, to be safe.

${table(['', ...names], [row('calls of the function a second', ({ rest }) => rate(rest))])}

CPU in percent of one core, and resident memory in MB:

${steady(({ rest }) => rest)}

## With messages waiting

One message waits for each claim, for ${minutes} minutes: too few for another replica, but with each look KEDA writes into the status of the ScaledObject that it is active, and Crossplane reconciles the claim. This is the most that a claim that does not change costs.

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

Not measured: what each component takes without claims, and ${rounded(factor)} times what it takes beyond that with messages waiting for every claim. Real clusters cost more where work grows faster than the number of claims, and less where components do not share a machine, or few claims have messages waiting.

${table(
  ['', ...names],
  [
    row('calls of the function a second', ({ busy }) => rate(busy) * factor),
    ...components.map(component => row(`cores for ${component}`, one => share(one.empty, component) + forClaims(one, component) * factor)),
  ],
)}

What limits first is ${hungriest}, with ${times} times the CPU of the function. Slower polling (\`spec.scaling.pollingInterval\`) makes all of it cheaper, as every call here begins with a poll.

## Repeat it

\`\`\`sh
npm run bench:cluster
npm run bench:cluster -- --peer function-patch-and-transform=PATH
\`\`\`

The second has a column for another function beside ours, built from its own repository: the same claims and the same four resources, from a Composition that patches them. Either needs what [the sandbox](sandbox.md) needs, and overwrites this page and docs/scale.json.
`
}
