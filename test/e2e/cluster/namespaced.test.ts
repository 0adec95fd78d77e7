// Tests the namespaced API of Crossplane 2: users apply the composite.
import { saysWhatChanges } from './suite/diff.ts'
import { emptiedObjects } from './suite/emptied.ts'
import { examplesAreQuiet, examplesAreReady } from './suite/examples.ts'
import { lacksKinds, lastAppliedIsExact, refusedClaims, rollsOut, survivesFaults } from './suite/faults.ts'
import { changesRuntimeOnKnative } from './suite/knative.ts'
import { migrates, takenNames } from './suite/names.ts'
import { asRecorded } from './suite/recording.ts'
import { scalesOnLag } from './suite/scaling.ts'
import { withControlPlane } from './suite/setting.ts'
import { sameVerdict } from './suite/verdict.ts'
import { explainsClaims } from './suite/why.ts'

const given = withControlPlane('namespaced')

asRecorded(given)
examplesAreReady(given)
examplesAreQuiet(given, 120, { between: () => sameVerdict(given) })
scalesOnLag(given)
explainsClaims(given)
lastAppliedIsExact(given)
emptiedObjects(given)
refusedClaims(given)
rollsOut(given)
saysWhatChanges(given)
lacksKinds(given)
takenNames(given)
migrates(given)
survivesFaults(given)
changesRuntimeOnKnative(given)
