// Tests our packages on a real Crossplane, in the flavour with claims.

import { saysWhatChanges } from './suite/diff.ts'
import { emptiedObjects } from './suite/emptied.ts'
import { examplesAreQuiet, examplesAreReady } from './suite/examples.ts'
import { lacksKinds, lastAppliedIsExact, refusedClaims, rollsOut, survivesFaults } from './suite/faults.ts'
import { migrates, takenNames } from './suite/names.ts'
import { asRecorded } from './suite/recording.ts'
import { scalesOnLag } from './suite/scaling.ts'
import { readsSecureNats } from './suite/secure-nats.ts'
import { withControlPlane } from './suite/setting.ts'
import { upgrades } from './suite/upgrade.ts'
import { sameVerdict } from './suite/verdict.ts'
import { explainsClaims } from './suite/why.ts'
import { keepsWorkers } from './suite/workers.ts'

const given = withControlPlane('claims')

asRecorded(given)
examplesAreReady(given)
examplesAreQuiet(given, 120, { between: () => sameVerdict(given) })
scalesOnLag(given)
explainsClaims(given)
keepsWorkers(given)
readsSecureNats(given)
lastAppliedIsExact(given)
emptiedObjects(given)
refusedClaims(given)
rollsOut(given)
saysWhatChanges(given)
lacksKinds(given)
takenNames(given)
migrates(given)
survivesFaults(given)
upgrades(given)
