// Tests claims on a real Knative, in the flavour with claims.
import { runsOnKnative } from './suite/knative.ts'
import { withControlPlane } from './suite/setting.ts'

runsOnKnative(withControlPlane('claims'))
