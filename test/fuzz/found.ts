// Inputs that once caused an error. Every run tries them first.
import type { Call } from './wire.ts'

const claim = 'apiVersion: platform.bizmatters.io/v1alpha1\nkind: EventDrivenService\nmetadata: {name: a}\nspec:\n  image: a/b:1\n'

export const found: { readonly calls: readonly Call[]; readonly texts: readonly string[]; readonly commandLines: readonly string[][] } = {
  calls: [
    // A name of an existing object that is not a string.
    {
      composite: {
        apiVersion: 'platform.bizmatters.io/v1alpha1',
        kind: 'EventDrivenService',
        metadata: { name: 'a', namespace: 'b' },
        spec: { image: 'a/b:1', nats: { stream: 'S', consumer: 'c' }, eventing: { broker: { name: 'm', create: true } } },
      },
      required: Object.fromEntries(
        ['serviceaccount', 'deployment', 'service', 'scaledobject', 'broker'].map(key => [key, { metadata: { name: {} } }]),
      ),
    },
  ],
  texts: [
    // An object whose own toString breaks String().
    'kind: {toString: EventDrivenService}\n',
    'apiVersion: {toString: platform.bizmatters.io}\nkind: x\n',
    'apiVersion: apps/v1\nkind: {valueOf: 1, toString: 2}\nmetadata: {name: {toString: 1}}\n',
    // A document that the fast path reads and that is too deep for the parser that finds positions.
    `kind: EventDrivenService\n${Array.from({ length: 100 }, (_, level) => `${' '.repeat(level)}a:\n`).join('')}`,
    // A stack overflow, and quotes that took quadratic time.
    `${claim}  x: ${'['.repeat(20_000)}`,
    `{"EventDrivenService": "${'\\"'.repeat(20_000)}`,
    // Escape sequences and right-to-left marks in the names of objects of other kinds.
    'apiVersion: v1\nkind: "\\e[2J"\nmetadata: {name: "\\u202E"}\n',
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: "\\e[2J", namespace: "\\u202E"}\n',
    'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: "\\e[2J", namespace: "\\u202E"}\n',
  ],
  commandLines: [
    ['validate', '[z-a]*'],
    ['render', '{a,[z-a]}'],
  ],
}
