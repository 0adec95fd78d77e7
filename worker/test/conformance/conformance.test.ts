// Witnesses from outside: the conformance tests of the CNCF, its command line as a client, and its SDK for Python.
import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterEach, beforeAll, describe, expect } from 'vitest'
import { goTool, moduleSources } from '../../../test/e2e/go-tools.ts'
import { testWith } from '../../../test/fixtures/require-program.ts'
import { type CloudEvent, createEvent, parseHttp, serializeHttp } from '../../src/index.ts'
import { event } from '../cloudevents/arbitrary.ts'
import { start, stopWorkers } from '../fixtures/worker.ts'

const withGo = testWith('go')
const withPython = testWith('python3')
const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))

describe('the features of the CNCF', () => {
  interface Scenario {
    readonly name: string
    readonly request: string
    readonly attributes: Readonly<Record<string, string>>
    readonly data: unknown
  }

  /** The part of Gherkin that the features use: outlines with one placeholder, strings and tables. */
  function scenariosIn(feature: string): Scenario[] {
    return feature
      .split(/^ *Scenario(?: Outline)?: /m)
      .slice(1)
      .flatMap(text => {
        const cells = [...(text.split('Examples:')[1] ?? '').matchAll(/^ *\| *(.*?) *\|$/gm)].map(([, cell = '']) => cell)
        const [placeholder = '', ...values] = cells
        return values.map(value => {
          const filled = text.replaceAll(`<${placeholder}>`, value)
          const [request = '', data = ''] = [...filled.matchAll(/^( *)"""\n([\s\S]*?)^ *"""/gm)].map(([, indent = '', body = '']) =>
            body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
          )
          const rows = [...(filled.split('Examples:')[0] ?? '').matchAll(/^ *\| *(\S+) *\| *(.*?) *\|$/gm)].map(
            ([, key = '', cell = '']) => [key, cell],
          )
          return {
            name: filled.split('\n', 1)[0] ?? '',
            request,
            attributes: Object.fromEntries(rows.filter(([key]) => key !== 'key')),
            data: JSON.parse(data),
          }
        })
      })
  }

  withGo('are all read as they say', async () => {
    const folder = await moduleSources('cloudevents', 'github.com/cloudevents/conformance')
    expect(readdirSync(join(folder, 'features'))).toContain('http-protocol-binding.feature')
    const scenarios = scenariosIn(readFileSync(join(folder, 'features/http-protocol-binding.feature'), 'utf8'))
    expect(scenarios.map(({ name }) => name)).toEqual([
      'Binary content mode (application/json)',
      'Binary content mode (application/json; charset=utf-8)',
      'Structured content mode (application/cloudevents+json)',
      'Structured content mode (application/cloudevents+json; charset=utf-8)',
    ])
    for (const { request, attributes, data } of scenarios) {
      const [head = '', ...body] = request.split('\n\n')
      const headers = head
        .split('\n')
        .slice(1)
        .map(line => line.split(': ', 2) as [string, string])
      expect(parseHttp({ headers, body: body.join('\n\n') })).toEqual(expect.objectContaining({ ...attributes, data }))
    }
  })
})

describe('the command line of the CNCF', () => {
  afterEach(stopWorkers)

  withGo.for(['binary', 'structured'])('sends a worker an event in %s mode', { timeout: 600_000 }, async mode => {
    const seen: CloudEvent[] = []
    const { worker } = await start({ handler: received => void seen.push(received) })
    const attributes = {
      id: '1',
      source: '/cli',
      type: 'order.placed',
      subject: 'a',
      time: '2026-01-31T09:30:00Z',
      datacontenttype: 'application/json',
    }
    const flags = Object.entries(attributes).flatMap(([name, value]) => [`--${name}`, value])
    const program = await goTool('cloudevents')
    await promisify(execFile)(program, [
      ...['send', `http://127.0.0.1:${worker.port}/`, '--mode', mode, '--data', '{"total":3}', '--extension', 'region=eu'],
      ...flags,
    ])
    expect(seen).toEqual([{ specversion: '1.0', ...attributes, extensions: { region: 'eu' }, data: { total: 3 } }])
  })
})

describe('the SDK for Python', () => {
  const requirements = file('requirements.txt')
  const hash = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 16)
  const environment = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'event-driven-service', `python-${hash}`)
  const python = join(environment, 'bin/python')

  beforeAll(() => {
    const isInstalled = () => existsSync(join(environment, 'bin/installed'))
    try {
      if (isInstalled()) return
      execFileSync('python3', ['-m', 'venv', environment])
      execFileSync(python, ['-m', 'pip', 'install', '--quiet', '-r', requirements])
      execFileSync('touch', [join(environment, 'bin/installed')])
    } catch (error) {
      if (process.env.CI) throw error
    }
  }, 300_000)

  interface Written {
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
  }

  /** What the SDK makes of the messages, in both modes. */
  function throughPython(messages: readonly { readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array }[]) {
    const input = messages.map(({ headers, body }) => JSON.stringify({ headers, body: Buffer.from(body).toString('base64') })).join('\n')
    const output = execFileSync(python, [file('python.py')], { input, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
    return output
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Readonly<Record<'binary' | 'structured', Written>>)
  }

  const read = ({ headers, body }: Written) => parseHttp({ headers, body: Buffer.from(body, 'base64') })

  /** The same moment: the SDK writes times in its own form, and knows no leap seconds. */
  const comparable = (one: CloudEvent | undefined) => one && { ...one, time: new Date(one.time ?? 0).getTime() }

  const order = { type: 'order.placed', source: '/shop', id: '1', time: '2026-01-31T09:30:00Z' }
  const samples: Readonly<Record<string, CloudEvent>> = {
    'JSON data': createEvent({ ...order, data: { total: 3, lines: ['a', null, true] } }),
    text: createEvent({ ...order, datacontenttype: 'text/plain', data: 'Grüße, 世界 😀' }),
    bytes: createEvent({ ...order, datacontenttype: 'application/octet-stream', data: Uint8Array.of(0, 255, 128) }),
    'no data': createEvent(order),
    'a large integer': createEvent({ ...order, data: { n: 9007199254740993n } }),
    'Unicode in attributes': createEvent({ ...order, subject: 'Euro € "😀" 100%', extensions: { region: 'südlich' } }),
    'every attribute': createEvent({
      ...order,
      subject: 's',
      dataschema: 'https://example.com/s',
      datacontenttype: 'application/json',
      extensions: { a1: 'x' },
      data: 1,
    }),
  }

  withPython('reads what we write, and we read what it writes, in either mode', { timeout: 120_000 }, () => {
    const sent = Object.entries(samples).flatMap(([name, sample]) =>
      (['binary', 'structured'] as const).map(mode => ({ name: `${name}, ${mode}`, sample, message: serializeHttp(sample, { mode }) })),
    )
    const answers = throughPython(sent.map(({ message }) => message))
    for (const [index, { name, sample }] of sent.entries())
      for (const mode of ['binary', 'structured'] as const) {
        const answer = answers[index]?.[mode]
        expect(answer && comparable(read(answer)), `${name}, answered ${mode}`).toEqual(comparable(sample))
      }
  })

  withPython('keeps generated events with JSON', { timeout: 120_000 }, () => {
    const generated = fc
      .sample(event, { numRuns: 300, seed: 1 })
      .filter(({ datacontenttype, time = '' }) => datacontenttype === 'application/json' && /^[1-9]\d{3}-.*Z$/.test(time))
    expect(generated.length).toBeGreaterThan(10)
    const answers = throughPython(generated.map(sample => serializeHttp(sample, { mode: 'structured' })))
    expect(answers.map(({ structured }) => comparable(read(structured)))).toEqual(generated.map(comparable))
  })
})
