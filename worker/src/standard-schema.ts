// Schemas of any library for the data of events.
import type { CloudEvent } from './cloudevents/event.ts'

interface Issue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

type Validation<Output> = { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly Issue[] }

/** A schema of zod, valibot, arktype or another library: https://standardschema.dev */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => Validation<Output> | Promise<Validation<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}

/** The schema of the data for each type of event. */
export type Schemas = Readonly<Record<string, StandardSchema>>

type OutputOf<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['output']

/** The events that a handler gets: one of the types that have a schema, or any without schemas. */
export type EventOf<S extends Schemas> = string extends keyof S
  ? CloudEvent
  : { [Type in keyof S & string]: CloudEvent<OutputOf<S[Type]>, Type> & { readonly data: OutputOf<S[Type]> } }[keyof S & string]

export type Checked = { readonly event: CloudEvent } | { readonly problem: string }

/** Checks the data of an event, and replaces it by what the schema makes of it. */
export async function checkData(event: CloudEvent, schemas: Schemas): Promise<Checked> {
  const schema = Object.hasOwn(schemas, event.type) ? schemas[event.type] : undefined
  if (schema === undefined) return { problem: `no schema for events of type ${event.type}` }
  const result = await schema['~standard'].validate(event.data)
  return result.issues === undefined
    ? { event: { ...event, data: result.value } }
    : { problem: `the data does not fit the schema of ${event.type}: ${result.issues.map(describe).join('; ')}` }
}

const describe = ({ path = [], message }: Issue) => {
  const place = path.map(part => String(typeof part === 'object' ? part.key : part)).join('.')
  return place === '' ? message : `${place}: ${message}`
}
