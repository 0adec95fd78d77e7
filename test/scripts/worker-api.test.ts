import { expect, test } from 'vitest'
import { page } from '../../scripts/generate/worker-api.ts'

const modules: Readonly<Record<string, string>> = {
  'index.d.ts': `import { type Duration } from './time.ts';
export * from './events/index.ts';
export { run, type Options } from './run.ts';
export type { Duration } from './time.ts';
export {};
`,
  'events/index.d.ts': `export { type Event } from './event.ts';\n`,
  'events/event.d.ts': `/** What happened. */
export interface Event {
    /** Unique. */
    readonly id: string;
    readonly more: {
        readonly time: string;
    };
}
export declare const isEvent: (value: unknown) => boolean;
`,
  'run.d.ts': `/**
 * The options
 * of a run.
 */
export interface Options {
}
/** Hidden from users. */
export declare function hidden(): void;
/** Runs. */
export declare const run: (options: {
    readonly late?: boolean;
}) => void;
`,
  'time.d.ts': `/** Milliseconds. */\nexport type Duration = number;\n`,
}
const read = (file: string) => modules[file] ?? ''
const only = [{ name: 'main', file: 'index.d.ts', about: 'All.', first: ['run'], includes: 'events/index.d.ts' }]
const pageOf = (all: Parameters<typeof page>[1]) => page(read, all).split('\n').slice(5).join('\n')

test('lists what an entry exports, with comments, and nothing else', () => {
  expect(pageOf([...only, { name: 'events', file: 'events/index.d.ts', about: 'Events.' }])).toBe(`## main

All.

### run

Runs.

\`\`\`ts
const run: (options: {
  readonly late?: boolean;
}) => void;
\`\`\`

### Options

The options of a run.

\`\`\`ts
interface Options {
}
\`\`\`

### Duration

Milliseconds.

\`\`\`ts
type Duration = number;
\`\`\`

## events

Events.

### Event

What happened.

\`\`\`ts
interface Event {
  /** Unique. */
  readonly id: string;
  readonly more: {
    readonly time: string;
  };
}
\`\`\`
`)
})

test.each([
  ['an unknown declaration', `/** A. */\nexport declare enum A {\n}\n`, 'cannot read the declaration export declare enum A {'],
  ['a name that no module has', `export { a as b } from './time.ts';\n`, 'index.d.ts exports a as b, which cannot be found'],
  [
    'the comment of a private declaration',
    `/** A. */\ndeclare const a = 1;\nexport declare const b = 2;\n`,
    'b of the worker library has no comment',
  ],
])('%s is refused', (_, text, message) => {
  const one = (file: string) => (file === 'index.d.ts' ? text : (modules[file] ?? ''))
  expect(() => page(one, [{ name: 'all', file: 'index.d.ts', about: 'All.' }])).toThrow(message)
})

test('a type of several objects is whole', () => {
  const text = `/** U. */\nexport type U = {\n    readonly a: 1;\n} | {\n    readonly b: 2;\n};\n`
  expect(page(() => text, [{ name: 'all', file: 'index.d.ts', about: 'All.' }])).toContain('} | {\n  readonly b: 2;\n};')
})

test('an export without a comment is refused', () => {
  expect(() => pageOf([{ name: 'all', file: 'events/event.d.ts', about: 'All.' }])).toThrow('isEvent of the worker library has no comment')
})
