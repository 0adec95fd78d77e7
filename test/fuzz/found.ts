// What broke once: tried before anything else, for ever.
import type { Call } from './wire.ts'

const claim = 'apiVersion: platform.bizmatters.io/v1alpha1\nkind: EventDrivenService\nmetadata: {name: a}\nspec:\n  image: a/b:1\n'

export const found: { readonly calls: readonly Call[]; readonly texts: readonly string[]; readonly commandLines: readonly string[][] } = {
  calls: [
    // The name of what is there already was kept, whatever it was.
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
    // String() of an object that has a toString of its own.
    'kind: {toString: EventDrivenService}\n',
    'apiVersion: {toString: platform.bizmatters.io}\nkind: x\n',
    'apiVersion: apps/v1\nkind: {valueOf: 1, toString: 2}\nmetadata: {name: {toString: 1}}\n',
    // Read by the quick reader, and too deep for the one that looks up the places.
    `kind: EventDrivenService\n${Array.from({ length: 100 }, (_, level) => `${' '.repeat(level)}a:\n`).join('')}`,
    // A stack that ran out, and quotes that were counted again and again.
    `${claim}  x: ${'['.repeat(20_000)}`,
    `{"EventDrivenService": "${'\\"'.repeat(20_000)}`,
    // What is not ours was named as it is: an escape sequence, or a text that reads backwards.
    'apiVersion: v1\nkind: "\\e[2J"\nmetadata: {name: "\\u202E"}\n',
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: "\\e[2J", namespace: "\\u202E"}\n',
    'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: "\\e[2J", namespace: "\\u202E"}\n',
  ],
  commandLines: [
    ['validate', '[z-a]*'],
    ['render', '{a,[z-a]}'],
  ],
}
