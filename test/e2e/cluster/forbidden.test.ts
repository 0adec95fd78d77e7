// Tests an installation whose ClusterRoles were not applied, on a control plane of its own: Crossplane remembers what it has read.
import { leavesOutForbiddenKinds } from './suite/forbidden.ts'
import { saysWhyPodsFail } from './suite/pod-reasons.ts'
import { withControlPlane } from './suite/setting.ts'

const given = withControlPlane('claims')

leavesOutForbiddenKinds(given)
saysWhyPodsFail(given)
