// Checks that need the platform: what a claim may name is in the function's input.
import type { Spec } from '../../claim/checks.ts'
import type { Finding } from '../../claim/findings.ts'
import type { Cloud, Platform } from '../../platform/platform.ts'
import { didYouMean } from '../../text/did-you-mean.ts'

export const checkWorkload = (spec: Spec, _name: string, platform: Platform): Finding[] => [
  ...unknownServer(spec, platform),
  ...unknownPriority(spec, platform),
  ...wrongIdentity(spec, platform),
]

function unknownServer({ nats }: Spec, { natsServers }: Platform): Finding[] {
  const server = nats?.server
  if (server === undefined || Object.hasOwn(natsServers, server)) return []
  const names = Object.keys(natsServers)
  const path = ['spec', 'nats', 'server']
  if (names.length === 0) {
    const problem =
      "is not supported here: set nats.url and nats.monitoringEndpoint, or ask the platform team to list the server under natsServers in the function's input"
    return [{ code: 'UNSUPPORTED', path, problem }]
  }
  const meant = didYouMean(server, names)
  return [{ code: 'NOT_ALLOWED', path, problem: `must be one of [${names.join(', ')}]`, found: server, ...(meant && { meant }) }]
}

function unknownPriority({ priority }: Spec, { priorities }: Platform): Finding[] {
  if (priority === undefined || Object.hasOwn(priorities, priority)) return []
  const problem = `is not supported here: ask the platform team to name a PriorityClass under priorities.${priority} in the function's input`
  return [{ code: 'UNSUPPORTED', path: ['spec', 'priority'], problem, found: priority }]
}

interface IdentityForm {
  readonly pattern: RegExp
  readonly called: string
  readonly example: string
}

const identityForms: Readonly<Record<Cloud, IdentityForm>> = {
  GCP: {
    pattern: /^[a-z][a-z0-9-]{4,28}[a-z0-9]@[a-z0-9.:-]+\.iam\.gserviceaccount\.com$/,
    called: 'service account of Google Cloud',
    example: 'orders@acme.iam.gserviceaccount.com',
  },
  AWS: {
    pattern: /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/,
    called: 'ARN of a role of AWS',
    example: 'arn:aws:iam::123456789012:role/orders',
  },
  Azure: {
    pattern: /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i,
    called: 'client ID of an identity of Azure',
    example: '2f1c5e9a-0b7d-4c3e-9f6a-8d2b4a6c1e3f',
  },
}

function wrongIdentity({ identity }: Spec, { features }: Platform): Finding[] {
  if (identity === undefined) return []
  const path = ['spec', 'identity']
  if (features.identity === undefined) {
    const problem =
      "is not supported here: ask the platform team to set features.identity in the function's input to the cloud, GCP, AWS or Azure"
    return [{ code: 'UNSUPPORTED', path, problem }]
  }
  const { pattern, called, example } = identityForms[features.identity]
  return pattern.test(identity)
    ? []
    : [{ code: 'BAD_FORMAT', path, problem: `must be a valid ${called} such as '${example}'`, found: identity }]
}
