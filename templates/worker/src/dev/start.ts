// npm start: the worker against a NATS server on your machine.
import { createStreams } from './streams.ts'

await createStreams()
await import('../main.ts')
