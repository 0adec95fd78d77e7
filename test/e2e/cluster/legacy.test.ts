// Tests our API on Crossplane 1 with provider-kubernetes, installed like in docs/install.md.
import { examplesAreQuiet, examplesAreReady } from './suite/examples.ts'
import { refusedClaims } from './suite/faults.ts'
import { scalesOnLag } from './suite/scaling.ts'
import { withControlPlane } from './suite/setting.ts'
import { composesThroughProvider, isRemoved } from './suite/wrapped.ts'

const given = withControlPlane('claims', { crossplane: 1 })

composesThroughProvider(given)
examplesAreReady(given)
examplesAreQuiet(given, 45, { isNative: false })
scalesOnLag(given)
refusedClaims(given)
isRemoved(given)
