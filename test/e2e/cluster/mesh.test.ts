// Tests claims in a mesh on a real Crossplane. npm run test:mesh has Istio itself.
import { releasesCanaries } from './suite/canary.ts'
import { withControlPlane } from './suite/setting.ts'

releasesCanaries(withControlPlane('claims'))
