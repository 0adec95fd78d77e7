import { type handleServerStreamingCall, type handleUnaryCall, type ServerWritableStream, status } from '@grpc/grpc-js'

/** The numbers are those of https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
export const Serving = { SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const
export type Serving = (typeof Serving)[keyof typeof Serving]

// Both messages have one field, numbered 1: `string service` in the request, `enum status` in the response.
const SERVICE_TAG = 0x0a
const STATUS_TAG = 0x08

/** An object, because grpc-js ignores a falsy message such as an empty name. */
interface HealthRequest {
  readonly service: string
}

function encodeRequest({ service }: HealthRequest): Buffer {
  const name = Buffer.from(service)
  return name.length === 0 ? name : Buffer.concat([Buffer.of(SERVICE_TAG, name.length), name])
}

function decodeRequest(bytes: Buffer): HealthRequest {
  if (bytes.length === 0) return { service: '' }
  // Our service names are shorter than 128 bytes, so their length is one byte; anything else is not our service.
  const [tag, length] = bytes
  if (tag !== SERVICE_TAG || length !== bytes.length - 2) throw new Error('not a health check of a known service')
  return { service: bytes.toString('utf8', 2) }
}

const messages = {
  requestSerialize: encodeRequest,
  requestDeserialize: decodeRequest,
  responseSerialize: (serving: Serving) => Buffer.of(STATUS_TAG, serving),
  responseDeserialize: (bytes: Buffer): Serving => Object.values(Serving).find(known => known === bytes[1]) ?? Serving.SERVICE_UNKNOWN,
}

export const healthDefinition = {
  check: { path: '/grpc.health.v1.Health/Check', requestStream: false as const, responseStream: false as const, ...messages },
  watch: { path: '/grpc.health.v1.Health/Watch', requestStream: false as const, responseStream: true as const, ...messages },
}

export interface Health {
  readonly check: handleUnaryCall<HealthRequest, Serving>
  readonly watch: handleServerStreamingCall<HealthRequest, Serving>
  readonly serving: () => boolean
  /** Answers NOT_SERVING from now on and ends the watches, which would otherwise block the shutdown. */
  readonly stop: () => void
}

/** The empty name stands for the whole server. */
export function createHealth(serviceNames: readonly string[]): Health {
  const known = new Set(['', ...serviceNames])
  const watches = new Set<ServerWritableStream<HealthRequest, Serving>>()
  let serving = true
  const current = () => (serving ? Serving.SERVING : Serving.NOT_SERVING)
  return {
    check: ({ request: { service } }, respond) =>
      known.has(service) ? respond(null, current()) : respond({ code: status.NOT_FOUND, details: 'unknown service' }),
    watch: call => {
      call.write(known.has(call.request.service) ? current() : Serving.SERVICE_UNKNOWN)
      if (!serving) return call.end()
      watches.add(call)
      call.on('cancelled', () => watches.delete(call))
    },
    serving: () => serving,
    stop: () => {
      serving = false
      for (const call of watches) {
        if (known.has(call.request.service)) call.write(Serving.NOT_SERVING)
        call.end()
      }
      watches.clear()
    },
  }
}
