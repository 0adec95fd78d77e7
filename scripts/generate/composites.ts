// Writes examples/xr: the composite that Crossplane creates for each example claim, as input for the Crossplane CLI. The
// namespaced API needs none, because the example itself is the composite.
import { COMPOSITE_KIND, KIND } from '../../src/claim/identity.ts'
import { at, type JsonObject } from '../../src/kubernetes/json.ts'
import { API_VERSION } from '../../src/reconcile/parse-claim.ts'
import type { Example } from './examples.ts'

// Crossplane appends five random characters.
const SUFFIX = 'x7k2p'

export function compositeOf(claim: JsonObject): JsonObject {
  const name = at(claim, 'metadata', 'name')
  const namespace = at(claim, 'metadata', 'namespace')
  return {
    apiVersion: API_VERSION,
    kind: COMPOSITE_KIND,
    metadata: {
      name: `${name}-${SUFFIX}`,
      labels: { 'crossplane.io/claim-name': name, 'crossplane.io/claim-namespace': namespace },
    },
    spec: {
      ...(at(claim, 'spec') as JsonObject),
      claimRef: { apiVersion: API_VERSION, kind: KIND, name, namespace },
    },
  }
}

/** One file for each claim, because the CLI renders one composite at a time. */
export const compositeFile = ({ file, claim, alone }: Example): string =>
  `examples/xr/${file.replace(/^examples\//, '').replace(/(-claim)?\.yaml$/, '')}${alone ? '' : `-${at(claim, 'metadata', 'name')}`}.yaml`
