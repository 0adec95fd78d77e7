// Tests eds doctor on a control plane of its own, because the last tests remove our packages.
import { doctorFixes } from './suite/doctor.ts'
import { withControlPlane } from './suite/setting.ts'

doctorFixes(withControlPlane('claims'))
