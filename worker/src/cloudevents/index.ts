export { CloudEventError, UnsupportedFormatError } from './cloud-event-error.ts'
export { type CloudEvent, createEvent, type EventInit, type ExtensionValue, validateEvent } from './event.ts'
export { parseBatch, parseEvent, serializeBatch, serializeEvent } from './format.ts'
export {
  type HttpHeaders,
  type HttpMessage,
  type ModeOption,
  parseHttp,
  parseHttpEvents,
  type SerializedHttp,
  serializeHttp,
  serializeHttpBatch,
} from './http.ts'
export { type NatsHeaders, type NatsMessage, parseNats, type SerializedNats, serializeNats } from './nats.ts'
