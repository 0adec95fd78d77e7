// Kinds that a cluster may lack, as they come with something that has to be installed. Asked for an object of a kind that
// is unknown, or told to make one, Crossplane applies nothing of the claim: docs/adr/0012-a-kind-that-is-unknown.md

import { notReady, type Readiness } from '../capabilities/readiness.ts'
import type { Manifest } from '../kubernetes/objects.ts'

type Kind = Pick<Manifest, 'apiVersion' | 'kind'>

/** What brings the kinds of a group; those of the others are Kubernetes' own. */
const products: ReadonlyMap<string, string> = new Map([
  ['keda.sh', 'KEDA'],
  ['serving.knative.dev', 'Knative Serving'],
  ['eventing.knative.dev', 'Knative Eventing'],
  ['sources.knative.dev', "Knative's source for Apache Kafka"],
])

const productOf = ({ apiVersion }: Kind) => products.get(apiVersion.split('/')[0] ?? '')

export const mayBeMissing = (kind: Kind): boolean => productOf(kind) !== undefined

export const kindKey = ({ apiVersion, kind }: Kind): string => `${kind}.${apiVersion}`

/** All of these kinds have their plural by an s. */
const crdOf = ({ apiVersion, kind }: Kind) => `${kind.toLowerCase()}s.${apiVersion.split('/')[0]}`

export const missingCrd = (manifest: Manifest): Readiness =>
  notReady(
    'KindUnknown',
    `${manifest.kind} ${manifest.metadata.name} can't be made, as the cluster does not know this kind of ${manifest.apiVersion}: the platform team has to install ${productOf(manifest)}, or, where the kind is there by now, to have Crossplane look again: kubectl annotate crd ${crdOf(manifest)} --overwrite seen=$(date +%s). The rest of the claim does not wait for it.`,
  )
