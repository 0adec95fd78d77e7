// Checks of eventing that neither schema nor CEL can express within the API server's limits.
import { longName, type Spec } from '../../claim/checks.ts'
import type { Finding, Path } from '../../claim/findings.ts'
import { wrongPorts } from '../../claim/ports.ts'
import { checkFilters } from './filters.ts'

export const checkKnativeEventing = (spec: Spec, name: string): Finding[] => [...longTriggers(spec, name), ...ports(spec), ...filters(spec)]

const longTriggers = ({ eventing }: Spec, name: string): Finding[] =>
  (eventing?.triggers ?? []).flatMap((trigger, index) =>
    longName(`${name}-${trigger.name}`, ['spec', 'eventing', 'triggers', index, 'name'], 'Trigger'),
  )

function ports({ eventing }: Spec): Finding[] {
  const { broker, triggers = [], kafka } = eventing ?? {}
  const deadLetter = (delivery: { readonly deadLetter?: { readonly uri?: string } } | undefined, ...path: Path) => ({
    path: ['spec', 'eventing', ...path, 'delivery', 'deadLetter', 'uri'],
    text: delivery?.deadLetter?.uri,
  })
  return wrongPorts([
    deadLetter(broker?.delivery, 'broker'),
    ...triggers.map(({ delivery }, index) => deadLetter(delivery, 'triggers', index)),
    ...(kafka?.bootstrapServers ?? []).map((text, index) => ({ path: ['spec', 'eventing', 'kafka', 'bootstrapServers', index], text })),
    deadLetter(kafka?.delivery, 'kafka'),
  ])
}

const filters = ({ eventing }: Spec): Finding[] =>
  (eventing?.triggers ?? []).flatMap((trigger, index) =>
    checkFilters(trigger.filters ?? [], ['spec', 'eventing', 'triggers', index, 'filters']),
  )
